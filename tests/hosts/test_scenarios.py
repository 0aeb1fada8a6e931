# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of molecule/, each on hosts of its own, and nothing is left of them."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from hosts.lab.engine import LabError
from hosts.lab.lab import Lab, engine_kind
from seatkeeper_twins.lab.process import spawn

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
SECONDS_MAX = 1800
END_SECONDS_MAX = 30
"""SSH's shared connections notice within seconds that their host is gone."""
LOOK_AGAIN_SECONDS = 0.5
TOLD_CHARACTERS = 6000


@pytest.mark.timeout(SECONDS_MAX + 120)
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    _need_hosts()
    folder = ROOT / ".cache" / "molecule" / name
    shutil.rmtree(folder / "inventory", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.with_suffix(".log")
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "MOLECULE_EPHEMERAL_DIRECTORY": str(folder),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
    }
    command = [str(programs / "molecule"), "test", "--scenario-name", name]
    with log.open("wb") as output:
        process = spawn(command, ROOT, environment, output)
    try:
        status = process.wait(SECONDS_MAX)
    finally:
        # Molecule does that by itself, unless it was interrupted.
        process.kill()
        Lab(folder / "lab").down()
    told = log.read_text(encoding="utf-8", errors="replace")
    assert status == 0, f"{log}:\n{told[-TOLD_CHARACTERS:]}"
    deadline = time.monotonic() + END_SECONDS_MAX
    while (left := _left_of(folder)) and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN_SECONDS)
    assert left == []


def _need_hosts() -> None:
    try:
        engine_kind()
    except LabError as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


def _left_of(folder: Path) -> list[str]:
    """Mounts and processes that have to do with a lab in the folder."""
    found = [
        line
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        if str(folder) in line
    ]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(folder) in command:
                found.append(f"process {entry.name}: {command}")
    return found
