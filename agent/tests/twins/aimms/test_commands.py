# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin's own commands, seeds that cannot be used, and how soon it is there."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.aimms import twin
from seatkeeper_twins.aimms.__main__ import main
from seatkeeper_twins.lab.chaos import free_port
from seatkeeper_twins.lab.process import LabProcess
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.seed import SeedError

from .world import CODES, SERVER, World

PORTS = (21_001, 21_002)


def test_a_twin_is_shown_and_disturbed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["set", "--at", world.old, "jobs_running=4", "licman=bare"]) == 0
    assert main(["fault", "--at", world.old, "--point", "list.before", "--action", "lose"]) == 0
    assert main(["advance", "--at", world.old, "60"]) == 0
    assert main(["show", "--at", world.old]) == 0
    reported = json.loads(capsys.readouterr().out)
    assert (reported["jobs_running"], reported["licman"]) == (4, "bare")
    assert reported["faults"][0]["point"] == "list.before"
    assert main(["points", "--at", world.vendor]) == 0
    assert "activate.during" in capsys.readouterr().out.split()
    assert main(["fault", "--at", world.old, "--clear"]) == 0
    assert main(["reset", "--at", world.old]) == 0
    assert world.reported("old")["faults"] == []
    assert main(["set", "--at", world.old, "jobs_running=-1"]) == 1
    assert "jobs_running" in capsys.readouterr().err
    assert main(["set", "--at", world.old, "nothing"]) == 1


def test_no_code_is_shown(world: World) -> None:
    assert CODES[SERVER] not in json.dumps(
        [world.reported(name) for name in ("vendor", "old", "new")]
    )
    for path in (world.folder / "old").rglob("*"):
        assert not path.is_file() or CODES[SERVER] not in path.read_text(errors="replace")


def test_a_new_folder_is_made_from_a_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["server", "--dir", str(tmp_path / "a")]) == 1
    assert "--vendor" in capsys.readouterr().err
    twin.create_vendor(tmp_path / "vendor", twin.demo_seed())
    with pytest.raises(FileExistsError):
        twin.create_vendor(tmp_path / "vendor", twin.demo_seed())
    seed = tmp_path / "seed.json"
    seed.write_text("[]")
    assert main(["vendor", "--dir", str(tmp_path / "v"), "--seed", str(seed)]) == 1
    assert "must be an object" in capsys.readouterr().err
    assert main(["vendor", "--dir", str(tmp_path / "vendor"), "--seed", str(seed)]) == 1
    assert "holds a twin already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seed", "reported"),
    [
        ({"licenses": {"15.90": ["a"]}}, "numbers like"),
        ({"licenses": {"1.2.3.4": ["a"]}}, "cannot give 1.2.3.4"),
        ({"licenses": {SERVER: ["a", "a"]}}, "profile of another"),
        ({"licenses": {SERVER: "a"}}, "list of profile names"),
        ({"licenses": {SERVER: []}, "installed": False}, "not installed"),
        ({"licman": "full"}, "one of bare, fuller"),
        ({"jobs_running": True}, "number from 0"),
        ({"license_files": "a"}, "must be a list"),
        ({"more": 1}, "unknown key"),
    ],
)
def test_a_seed_that_cannot_be_used_is_named(tmp_path: Path, seed: Any, reported: str) -> None:
    twin.create_vendor(tmp_path / "vendor", twin.demo_seed())
    with pytest.raises(SeedError, match=reported):
        twin.create_server(tmp_path / "a", seed, tmp_path / "vendor", PORTS)


@pytest.mark.parametrize("code", ["", "AAAAA", "AAAAA-BBBBB-CCCCC-DDDDD-EEEE"])
def test_a_code_has_five_groups_of_five(tmp_path: Path, code: str) -> None:
    with pytest.raises(SeedError):
        twin.create_vendor(tmp_path / "v", {"licenses": {SERVER: {"product": "a", "code": code}}})


def test_a_machine_starts_at_once(tmp_path: Path) -> None:
    twin.create_vendor(tmp_path / "vendor", twin.demo_seed())
    ports = (free_port(), free_port())
    folder = twin.create_server(tmp_path / "a", {}, tmp_path / "vendor", ports)
    log = tmp_path / "log"
    process = LabProcess(
        "a",
        twin.server_command(folder),
        folder,
        log,
        os.environ,
        lambda: control.is_ready(twin.process_folder(folder)),
    )
    try:
        began = time.monotonic()
        process.start()
        # Half a second on a quiet machine; the bound only tells a start from a wait.
        assert time.monotonic() - began < 20
    finally:
        process.stop()
