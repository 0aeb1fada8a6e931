# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the AltiGen twin: run it, look at it, disturb it, stand in for the people."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seatkeeper_twins.altigen import control, twin
from seatkeeper_twins.altigen.shapes import DOCUMENTS
from seatkeeper_twins.chaos.faults import ACTIONS
from seatkeeper_twins.chaos.process import FolderInUse, listen, only_process
from seatkeeper_twins.chaos.store import STATE_NAME

SEED_BYTES_MAX = 16 << 20


def fill(parser: argparse.ArgumentParser) -> None:
    """Add all commands to a parser."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = _command(commands, "serve", "run mailbox and desk until SIGTERM", _serve)
    serve.add_argument("--dir", type=Path, required=True, help="its folder, made when it is new")
    serve.add_argument(
        "--seed", type=Path, metavar="FILE", help="for a new folder: JSON, described at the head of"
        " seatkeeper_twins/altigen/seed.py (default: three systems of the demo)",
    )  # fmt: skip
    _fill_people(commands)
    _fill_disturbing(commands)
    for each in list(commands.choices.values())[1:]:
        each.add_argument("--at", required=True, metavar="URL", help="the twin's control address")


def run(chosen: argparse.Namespace) -> int:
    """Run what was parsed; 0 when done, 1 with one sentence on stderr when not."""
    try:
        chosen.altigen(chosen)
    except (OSError, ValueError, FolderInUse) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _fill_people(commands: Any) -> None:
    case = _command(commands, "case", "open a support case and print its number", _case)
    case.add_argument("system", help="the target's system key")
    case.add_argument("--upgrade", action="store_true", help="say that it is one to software-only")
    fax = _command(commands, "fax", "fax documents for a case", _fax)
    fax.add_argument("case", help="its number")
    fax.add_argument("documents", nargs="+", choices=DOCUMENTS, help="by name")
    fax.add_argument("--key", action="append", default=[], help="a license key on the form")
    order = _command(commands, "purchase-order", "send a no-charge purchase order", _purchase_order)
    order.add_argument("system", help="the software-only system's key")
    note = _command(commands, "note", "write into a case, which is looked at again", _note)
    note.add_argument("case", help="its number")
    note.add_argument("text")
    register = _command(commands, "register", "register a phone system", _register)
    register.add_argument("system", help="its key")
    register.add_argument("keys", nargs="*", help="license keys to enter")


def _fill_disturbing(commands: Any) -> None:
    _command(commands, "show", "show everything as JSON", _show)
    _command(commands, "points", "list the points for faults", _points)
    fault = _command(commands, "fault", "arm a fault, or disarm all", _fault)
    what = fault.add_mutually_exclusive_group(required=True)
    what.add_argument("--point", help="where; see the command points")
    what.add_argument("--clear", action="store_true", help="disarm all")
    fault.add_argument("--action", choices=ACTIONS, default="die")
    fault.add_argument("--value", type=int, default=0, help="milliseconds or SMTP status")
    fault.add_argument("--skip", type=int, default=0, help="passages to let through first")
    fault.add_argument("--times", type=int, default=1, help="passages it acts on")
    put = _command(commands, "set", "change what is true, such as conduct=late", _set)
    put.add_argument("values", nargs="+", metavar="NAME=VALUE", help="the value as JSON or text")
    _command(commands, "reset", "go back to the seed", lambda chosen: control.reset(chosen.at))
    advance = _command(commands, "advance", "move the clock on", _advance)
    advance.add_argument("seconds", type=float)


def _command(
    commands: Any, name: str, text: str, altigen: Callable[[argparse.Namespace], None]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(altigen=altigen, run=run)
    return parser


def _serve(chosen: argparse.Namespace) -> None:
    if not (chosen.dir / STATE_NAME).exists():
        twin.create_twin(chosen.dir, _seed(chosen.seed))
    elif chosen.seed is not None:
        raise ValueError(f"{chosen.dir} holds a twin already: leave out --seed to use it as it is.")
    try:
        from seatkeeper_twins.altigen.mailbox import Mailbox
    except ModuleNotFoundError as error:
        raise ValueError(
            f"The mailbox needs {error.name}: install seatkeeper-agent with its extra twins."
        ) from error
    with only_process(chosen.dir):
        from seatkeeper_twins.altigen.desk import Desk
        from seatkeeper_twins.altigen.routes import routes

        desk = Desk(chosen.dir)
        port = _listen_for_mail(Mailbox(desk), chosen.dir)
        web = listen(chosen.dir, 0, routes(desk))
        print(f"ready {web.address} smtp {port}", flush=True)
        web.run()


def _listen_for_mail(mailbox: Any, folder: Path) -> int:
    """At the port that it had before, if it is free, so that a killed twin is found again."""
    path = folder / twin.SMTP_PORT_NAME
    try:
        port: int = mailbox.start(twin.smtp_port(folder) or 0)
    except OSError:
        port = mailbox.start(0)
    draft = folder / f".{twin.SMTP_PORT_NAME}.new"
    draft.write_text(f"{port}\n", encoding="ascii")
    draft.replace(path)
    return port


def _seed(path: Path | None) -> Any:
    if path is None:
        return twin.demo_seed()
    if path.stat().st_size > SEED_BYTES_MAX:
        raise ValueError(f"{path} is larger than {SEED_BYTES_MAX} bytes.")
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}.") from error


def _case(chosen: argparse.Namespace) -> None:
    print(control.open_case(chosen.at, chosen.system, chosen.upgrade))


def _fax(chosen: argparse.Namespace) -> None:
    control.fax(chosen.at, chosen.case, chosen.documents, chosen.key)


def _purchase_order(chosen: argparse.Namespace) -> None:
    control.purchase_order(chosen.at, chosen.system)


def _note(chosen: argparse.Namespace) -> None:
    control.note(chosen.at, chosen.case, chosen.text)


def _register(chosen: argparse.Namespace) -> None:
    print("\n".join(control.register(chosen.at, chosen.system, chosen.keys)))


def _show(chosen: argparse.Namespace) -> None:
    print(json.dumps(control.describe(chosen.at), indent=2))


def _points(chosen: argparse.Namespace) -> None:
    print("\n".join(control.points(chosen.at)))


def _fault(chosen: argparse.Namespace) -> None:
    if chosen.clear:
        control.clear_faults(chosen.at)
        return
    control.set_fault(
        chosen.at, chosen.point, chosen.action, chosen.value, chosen.skip, chosen.times
    )


def _set(chosen: argparse.Namespace) -> None:
    values = {}
    for text in chosen.values:
        name, sign, value = text.partition("=")
        if not sign:
            raise ValueError(f"{text!r} must look like NAME=VALUE.")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    control.set_values(chosen.at, **values)


def _advance(chosen: argparse.Namespace) -> None:
    control.advance(chosen.at, chosen.seconds)
