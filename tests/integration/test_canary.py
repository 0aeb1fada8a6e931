# SPDX-License-Identifier: GPL-3.0-or-later
"""A password that is looked for everywhere after it was used in every way that it can be used."""

from __future__ import annotations

import json
import secrets
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.chaos.twin import demo_seed
from seatkeeper_twins.lab.lab import MARK, Lab
from seatkeeper_twins.parts import control

from .runs import CHAOS_INVENTORY, ROOT, Run, module, play
from .traces import ProcessWatch, files_with, holds

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ACTIVATE = ROOT / "playbooks" / "activate_licenses.yml"
REPORT = ROOT / "playbooks" / "license_report.yml"
HOST, ADMIN = "render-server", "admin@studio-a.example"
SHARED_MEMORY = Path("/dev/shm")
WAIT_SECONDS_MAX = 600
SLOW_MILLISECONDS = 600_000
"""Until the fault is cleared."""

ROOM = "canary-room-"


class Canary:
    """Two passwords of which a part is like nothing else, and where they may be found."""

    def __init__(self, folder: Path) -> None:
        self.words = [f"canary{secrets.token_hex(8)}" for _ in range(2)]
        # What a shell, JSON, a URL or YAML would have to escape is in it.
        self.right, self.wrong = (f"{word} Größe\"'\\%&{{}}" for word in self.words)
        self.given = folder / "given"
        self.given.mkdir()
        self.vault = self.given / "vault.json"
        self.outputs: list[str] = []
        self.folder = folder

    def cloud_seed(self) -> Any:
        """The demo's companies, with the right password."""
        seed = demo_seed()
        seed["companies"]["Studio A"]["users"][ADMIN] = self.right
        return seed

    def run(
        self, lab: Lab, playbook: Path = ACTIVATE, password: str | None = None, **declared: str
    ) -> Run:
        """Run a playbook at -vvv, with the password in a file as a vault would give it."""
        entry = {"host": HOST, "method": "online", "account": ADMIN, **declared}
        secret = self.right if password is None else password
        self.vault.write_text(json.dumps({"license_activations": [{**entry, "password": secret}]}))
        reported = play(
            lab, self.folder, playbook, "-vvv", "--diff", "-e", f"@{self.vault}", "--limit", HOST,
            inventory=CHAOS_INVENTORY,
        )  # fmt: skip
        self.outputs.append(reported.output)
        return reported

    def places(self, lab: Lab) -> list[Path]:
        """All folders that anything wrote to: home, remote and temporary folders, the lab's."""
        mine = [entry for entry in self.folder.iterdir() if entry.is_dir() and entry != self.given]
        return [lab.folder, *mine, SHARED_MEMORY]


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Canary:
    """The passwords; temporary files of agents and twins go to a folder of the test."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    return Canary(tmp_path)


@pytest.fixture
def lab(canary: Canary, tmp_path: Path) -> Iterator[Lab]:
    """One server that nobody has activated; its folder stays to be looked at."""
    seeds: dict[str, Any] = {HOST: {"chaos": {}}}
    with Lab.create(seeds, tmp_path / "lab", cloud_seed=canary.cloud_seed()) as running:
        yield running


@pytest.mark.usefixtures("started_for_real")
def test_a_password_leaves_no_trace(canary: Canary, lab: Lab) -> None:
    with ProcessWatch([*canary.words, ROOM], f"{MARK}={lab.folder}") as watch:
        for use in (refused, unreachable, lost_answer, killed_agent, activated_and_given_up):
            use(canary, lab)
            assert files_with(canary.places(lab), canary.words) == [], use.__name__
        reported = everything_reported(lab)
        _show_a_word(watch, ROOM)
    assert not any(holds(text, canary.words) for text in [*canary.outputs, *reported])
    assert watch.seen == {ROOM}
    assert any(b"--credentials" in line for line in watch.lines)
    lab.close()
    assert files_with(canary.places(lab), canary.words) == []
    _prove_the_search(canary, lab)


def refused(canary: Canary, lab: Lab) -> None:
    """With a wrong password, which is a secret, too: it may be that of another account."""
    run = canary.run(lab, password=canary.wrong)
    assert run.code != 0
    assert "credentials-refused" in run.output


def unreachable(canary: Canary, lab: Lab) -> None:
    """With the vendor out of reach, and with a server that is down."""
    address = lab[HOST].chaos.address
    control.set_fault(address, "activate.before", "refuse", 503)
    without_vendor = canary.run(lab)
    lab[HOST].chaos.process.stop()
    without_server = canary.run(lab)
    lab[HOST].chaos.process.start()
    for run in (without_vendor, without_server):
        assert run.code != 0
        assert "runtime-unavailable" in run.output


def lost_answer(canary: Canary, lab: Lab) -> None:
    """With an answer that never came; what the server shows decides."""
    control.set_fault(lab[HOST].chaos.address, "activate.after", "lose")
    canary.run(lab)
    assert activation(lab)["activated"] is True
    assert module(lab, canary.folder, "online_activation", HOST, state="deactivated")["changed"]


def killed_agent(canary: Canary, lab: Lab) -> None:
    """With an agent that dies while the product has the credentials file; it sweeps later."""
    host = lab[HOST]
    control.set_fault(host.chaos.address, "activate.before", "slow", SLOW_MILLISECONDS)
    runs: list[Run] = []
    runner = threading.Thread(target=lambda: runs.append(canary.run(lab)))
    runner.start()
    # The fault is gone from the list once it acts: the product has the file, and is held there.
    wait_for(lambda: not control.describe(host.chaos.address)["faults"])
    found = files_with([SHARED_MEMORY], canary.words)
    assert found
    # Here it has to be, and nobody else may read it: the search finds what there is.
    assert [stat.S_IMODE(path.stat().st_mode) for path in found] == [0o600]
    assert [stat.S_IMODE(path.parent.stat().st_mode) for path in found] == [0o700]
    host.agent.kill()
    runner.join()
    assert runs[0].code != 0
    control.clear_faults(host.chaos.address)
    host.agent.start()


def activated_and_given_up(canary: Canary, lab: Lab) -> None:
    """As it should be, again, and reported."""
    wait_for(lambda: control.describe(lab[HOST].chaos.address)["activation_method"] is not None)
    assert canary.run(lab, state="deactivated").code == 0
    run = canary.run(lab)
    assert run.code == 0, run.output
    assert activation(lab) == {
        "activated": True, "method": "online", "account": ADMIN, "request_digest": None,
    }  # fmt: skip
    assert canary.run(lab).ended_well().changed == 0
    canary.run(lab, REPORT).ended_well()


def activation(lab: Lab) -> dict[str, Any]:
    """What the agent shows."""
    return dict(lab[HOST].client.get("/v1/servers/chaos/activation"))


def everything_reported(lab: Lab) -> list[str]:
    """Whatever agent, twins and commands tell of what happened."""
    client = lab[HOST].client
    pages = ("operations", "audit", "waiting", "dongles", "migrations", "servers/chaos", "agent")
    reported = [json.dumps(client.get(f"/v1/{page}")) for page in pages]
    reported += [json.dumps(client.get("/v1/operations", state="all"))]
    reported += [json.dumps(twin.describe()) for twin in (lab.cloud, lab[HOST].chaos)]
    agent = [sys.executable, "-m", "seatkeeper_agent", "--config", str(lab[HOST].settings_path)]
    for command in ("status", "doctor"):
        done = subprocess.run(
            [*agent, command], capture_output=True, text=True, check=False, timeout=WAIT_SECONDS_MAX
        )
        reported.append(done.stdout + done.stderr)
    return reported


def wait_for(look: Callable[[], Any]) -> Any:
    """What is there within ten minutes."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def _show_a_word(watch: ProcessWatch, word: str) -> None:
    """A process with a word in its command line, as careless programs have passwords there."""
    waits_for_its_end = [sys.executable, "-c", "input()", f"--password={word}"]
    with subprocess.Popen(waits_for_its_end, stdin=subprocess.PIPE) as process:
        wait_for(lambda: word in watch.seen)
        process.communicate(b"\n")
    assert process.returncode == 0


def _prove_the_search(canary: Canary, lab: Lab) -> None:
    """The same search finds the password where it was put, and its neighbours where they are."""
    assert files_with([canary.given], canary.words) == [canary.vault]
    stored = files_with([lab[HOST].state_folder], ["admin@studio-a"])
    assert stored == [lab[HOST].state_folder / "journal.db"]
    assert any(holds(output, ["admin@studio-a"]) for output in canary.outputs)
    shown = canary.given / "careless.yml"
    task = {"ansible.builtin.debug": {"var": "license_activations"}}
    start = {"hosts": "license_servers", "gather_facts": False, "tasks": [task]}
    shown.write_text(json.dumps([start]))
    assert holds(canary.run(lab, shown).output, canary.words)
