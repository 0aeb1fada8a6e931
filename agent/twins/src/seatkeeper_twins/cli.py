# SPDX-License-Identifier: GPL-3.0-or-later
"""seatkeeper-twins: rehearse on stand-ins before the real license servers are touched."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seatkeeper_twins.aimms import commands as aimms
from seatkeeper_twins.altigen import commands as altigen
from seatkeeper_twins.chaos import commands as chaos
from seatkeeper_twins.chaos.twin import demo_seed
from seatkeeper_twins.codemeter import __main__ as codemeter
from seatkeeper_twins.codemeter.build import BuildError
from seatkeeper_twins.codemeter.constants import PROFILES
from seatkeeper_twins.lab.folder import holds_lab
from seatkeeper_twins.lab.lab import Lab, ending_in_order
from seatkeeper_twins.lab.process import LabError, LabProcess

SEED_PATH = Path(__file__).with_name("demo") / "seed.json"
CHAOS_SEED_PATH = Path(__file__).with_name("demo") / "chaos_seed.json"
SEED_BYTES_MAX = 64 << 20
LOOK_SECONDS = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when done, 1 with one sentence on stderr when not."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["codemeter"]:
        return codemeter.main(words[1:])
    chosen = _parser().parse_args(words)
    try:
        with ending_in_order():
            return int(chosen.run(chosen))
    except (OSError, ValueError, BuildError, LabError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def read_seeds(path: Path) -> Mapping[str, Any]:
    """Host names with the seed of each; ValueError when the file is not that."""
    seeds = read_json(path)
    if not isinstance(seeds, dict) or not seeds:
        raise ValueError(f"{path} must be an object of host names, each with a seed.")
    return seeds


def read_json(path: Path) -> Any:
    """What a JSON file holds; ValueError when it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            text = file.read(SEED_BYTES_MAX + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    if len(text) > SEED_BYTES_MAX:
        raise ValueError(f"{path} is larger than {SEED_BYTES_MAX} bytes.")
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seatkeeper-twins",
        description="Stand-ins for vendor products and hosts to rehearse on. They never serve a"
        " usable license.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lab = commands.add_parser(
        "lab", help="hosts on this machine, each with an agent and twins of its products"
    )
    lab_commands = lab.add_subparsers(required=True, metavar="COMMAND")
    explained = (
        "Start a lab and keep it running until Ctrl-C; it needs no root. Agents and CodeMeter twins"
        " open no port; Chaos twins listen on ports of loopback. A folder that holds a lab already"
        " is used as it was left: containers, accounts, dongles, journals and keys are kept."
    )
    up = lab_commands.add_parser("up", help="start a lab until Ctrl-C", description=explained)
    up.add_argument(
        "--dir", type=Path, required=True, metavar="DIR", help="a new or empty folder, or a lab's"
    )
    what = up.add_mutually_exclusive_group()
    what.add_argument(
        "--seed", type=Path, metavar="FILE", help="JSON: host names, each with the seeds of its"
        " twins (seatkeeper_twins/lab/seed.py tells the form); without it, the demo's two CodeMeter"
        " hosts",
    )  # fmt: skip
    what.add_argument(
        "--chaos", action="store_true", help="the demo's two hosts with Chaos license servers"
    )
    up.add_argument(
        "--cloud", type=Path, metavar="FILE", help="JSON: the seed of the vendor's cloud for Chaos"
        " twins (seatkeeper_twins/chaos/seed.py tells the form); without it, the demo's studios",
    )  # fmt: skip
    up.add_argument(
        "--profile", choices=sorted(PROFILES), help="the version of all CodeMeter runtimes"
        " (default: current)",
    )  # fmt: skip
    up.set_defaults(run=_lab_up)
    text = "run, show and disturb a Chaos license server and the vendor's cloud"
    chaos.fill(commands.add_parser("chaos", help=text, description=text))
    text = "run, show and disturb AltiGen's mailbox, support desk and phone systems"
    altigen.fill(commands.add_parser("altigen", help=text, description=text))
    text = "run, show and disturb AIMMS license servers and the vendor's activation service"
    aimms.fill(commands.add_parser("aimms", help=text, description=text))
    # Here for help and completion: `main` hands its words on before they are parsed.
    commands.add_parser(
        "codemeter", help="make, serve, show and disturb one CodeMeter twin",
        parents=[codemeter.make_parser()], add_help=False,
    )  # fmt: skip
    completion = commands.add_parser("completion", help="print a completion script for a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh"))
    completion.set_defaults(run=_completion)
    return parser


def _completion(chosen: argparse.Namespace) -> int:
    import shtab

    print(shtab.complete(_parser(), chosen.shell))
    return 0


def _lab_up(chosen: argparse.Namespace) -> int:
    with _lab(chosen) as lab:
        try:
            # Before anybody is told that they may disturb it.
            running = {process: process.pid for process in lab.programs()}
            _tell(lab)
            _watch(running)
        except KeyboardInterrupt:
            print("\nStopping everything.", flush=True)
    print(f"Nothing of the lab is running; {lab.folder} can be used again or removed.")
    return 0


def _lab(chosen: argparse.Namespace) -> Lab:
    if not holds_lab(chosen.dir):
        seeds = read_seeds(chosen.seed or (CHAOS_SEED_PATH if chosen.chaos else SEED_PATH))
        cloud = None if chosen.cloud is None else read_json(chosen.cloud)
        return Lab.create(seeds, chosen.dir, chosen.profile or "current", cloud)
    if chosen.chaos or any((chosen.seed, chosen.cloud, chosen.profile)):
        raise LabError(
            f"{chosen.dir} holds a lab already: leave out --seed, --chaos, --cloud and --profile to"
            " use it as it is, or give another folder."
        )
    return Lab.open(chosen.dir)


def _tell(lab: Lab) -> None:
    width = max(len(name) for name in lab.hosts)
    for host in lab:
        rows: list[tuple[str, object]] = [
            ("agent socket", host.socket_path),
            ("settings", host.settings_path),
        ]
        if "codemeter" in host.products():
            rows.append(("CodeMeter", host.twin_folder))
        if "chaos" in host.products():
            rows += [("Chaos", f"{host.chaos.address}/"), ("USB", host.usb_folder)]
        for number, (title, place) in enumerate(rows):
            print(f"{'' if number else host.name:{width}}  {title:12}  {place}")
    if lab.has_cloud:
        print(f"{'':{width}}  {'account page':12}  {lab.cloud.address}/")
    print(
        "\nIn an inventory, give each host ansible_connection: local and its socket as"
        "\nseatkeeper_agent_socket. The demo's inventories find the lab by themselves:\n"
        f"\n  {_example(lab)}\n"
        "\nReady; Ctrl-C stops everything.",
        flush=True,
    )


def _example(lab: Lab) -> str:
    """A command that shows something on a lab with the demo's hosts."""
    inventory, playbook, variables = "demo", "migrate_licenses.yml", f"SEATKEEPER_DEMO={lab.folder}"
    if lab.has_cloud:
        inventory, playbook = "chaos", "activate_licenses.yml"
        # The twin's own, which opens nothing else.
        password = demo_seed()["companies"]["Studio A"]["users"]["admin@studio-a.example"]
        variables += f" SEATKEEPER_DEMO_PASSWORD={password}"
    return (
        f"{variables} \\\n    ansible-playbook -i playbooks/inventories/{inventory}"
        f" playbooks/{playbook} --check --diff"
    )


def _watch(running: dict[LabProcess, int | None]) -> None:
    """Say when a process ends, until interrupted; a lab is there to be disturbed."""
    while True:
        time.sleep(LOOK_SECONDS)
        for process, pid in running.items():
            running[process] = process.pid
            if pid is not None and process.pid is None:
                print(f"{process.title} ended, exit code {process.exit_code}.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
