# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of molecule/, each on hosts of its own, and nothing is left of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hosts.kept import ROOT
from hosts.lab.engine import LabError
from hosts.lab.lab import Lab, engine_kind
from seatkeeper_twins.lab.process import spawn

LONGEST_FIRST = ("servers", "migrate", "default", "upgrade", "dongle")
SECONDS_MAX = 5400
END_SECONDS_MAX = 600
"""SSH's shared connections notice within seconds that their host is gone."""
LOOK_AGAIN_SECONDS = 0.2
REPORTED_CHARACTERS = 6000
_PHASE = re.compile(r" > (\w+)\] Executing$", re.MULTILINE)


def test_every_scenario_is_run() -> None:
    found = {path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml")}
    assert found == set(LONGEST_FIRST)


@pytest.mark.timeout(SECONDS_MAX + END_SECONDS_MAX)
@pytest.mark.parametrize("name", LONGEST_FIRST)
def test_scenario(name: str, record_property: Callable[[str, object], None]) -> None:
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
        status, seconds = _followed(process, log)
    finally:
        # Molecule does that by itself, unless it was interrupted.
        process.kill()
        process.wait()
        Lab(folder / "lab").down()
    for phase, took in seconds.items():
        record_property(phase, f"{took:.0f} s")
    reported = log.read_text(encoding="utf-8", errors="replace")
    assert status == 0, f"{log}:\n{reported[-REPORTED_CHARACTERS:]}"
    deadline = time.monotonic() + END_SECONDS_MAX
    while (left := _left_of(folder)) and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN_SECONDS)
    assert left == []


def _followed(process: subprocess.Popen[bytes], log: Path) -> tuple[int, dict[str, float]]:
    """How molecule ended, and how long each of its phases took by what it wrote."""
    begun: list[tuple[str, float]] = []
    deadline = time.monotonic() + SECONDS_MAX
    while (status := process.poll()) is None:
        phases = _PHASE.findall(log.read_text(encoding="utf-8", errors="replace"))
        now = time.monotonic()
        begun += [(phase, now) for phase in phases[len(begun) :]]
        assert now < deadline, f"it took over {SECONDS_MAX} s, see {log}"
        time.sleep(LOOK_AGAIN_SECONDS)
    seconds: dict[str, float] = {}
    ends = [start for _, start in begun[1:]] + [time.monotonic()]
    for (phase, start), end in zip(begun, ends, strict=True):
        seconds[phase] = seconds.get(phase, 0.0) + end - start
    return status, seconds


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
        if f"{folder}/" in line
    ]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if f"{folder}/" in command:
                found.append(f"process {entry.name}: {command}")
    return found
