# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a twin, disturb it, and what its program does."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from seatkeeper_twins.parts.faults import Fault, Faults
from seatkeeper_twins.parts.store import STATE_NAME, write_whole
from seatkeeper_twins.parts.web import LostAnswer, Refusal

VERSION = "1.4.2"
PROGRAM_NAME = "service"
RUNS, RUNS_NOT, FAILED = 0, 3, 1
_WORDS = ("start", "stop", "status")
POINTS = tuple(f"{word}.{side}" for word in _WORDS for side in ("before", "after"))


def create(folder: Path, running: bool = False) -> Path:
    """Make a twin in a new or empty folder; gives the program. FileExistsError: there is one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / STATE_NAME).exists():
        raise FileExistsError(f"{folder} holds an Acme twin already.")
    write_whole(folder / STATE_NAME, {"running": running})
    program = folder / PROGRAM_NAME
    command = shlex.join([sys.executable, "-P", "-m", "seatkeeper_twins.acme", str(folder)])
    program.write_text(f'#!/bin/sh\nexec {command} "$1"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def is_running(folder: Path) -> bool:
    """What the twin holds, whatever its program says."""
    return bool(json.loads((folder / STATE_NAME).read_text(encoding="utf-8"))["running"])


def set_fault(
    folder: Path, point: str, action: str, value: int = 0, skip: int = 0, times: int = 1
) -> None:
    """Arm a fault that lets ``skip`` passages through; ValueError when it is impossible."""
    fault = Fault(point=point, action=action, value=value, skip=skip, times=times)
    Faults(folder, POINTS).add(fault)


def act(folder: Path, word: str) -> int:
    """Do what the program is asked; its exit code."""
    if word == "version":
        print(f"Acme license server, version {VERSION}, a twin")
        return 0
    if word not in _WORDS:
        print(f"There is no word {word!r}; they are {', '.join(_WORDS)}, version")
        return 2
    faults = Faults(folder, POINTS)
    try:
        faults.reach(f"{word}.before")
        if word != "status":
            write_whole(folder / STATE_NAME, {"running": word == "start"})
        faults.reach(f"{word}.after")
    except Refusal as refusal:
        print(refusal.text)
        return FAILED
    except LostAnswer:
        return FAILED
    if word == "status":
        return RUNS if is_running(folder) else RUNS_NOT
    return 0
