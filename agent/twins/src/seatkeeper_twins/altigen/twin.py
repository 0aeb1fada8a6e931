# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a twin's folder, start it, say where it listens."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from seatkeeper_twins.altigen.certificate import make_certificate
from seatkeeper_twins.altigen.seed import state_of
from seatkeeper_twins.parts.listening import read_port
from seatkeeper_twins.parts.store import new_folder, write_new

SMTP_PORT_NAME = "smtp-port"
DEMO_SEED_PATH = Path(__file__).with_name("demo_seed.json")


def demo_seed() -> Any:
    """Three phone systems of one owner, one of them software-only."""
    return json.loads(DEMO_SEED_PATH.read_text(encoding="utf-8"))


def create_twin(folder: Path | str, seed: object) -> Path:
    """Make a twin; gives back its folder.

    SeedError: the seed is unusable. FileExistsError: the folder holds a twin.
    """
    state = state_of(seed)
    path = new_folder(folder, "a twin")
    if state["mailbox"]["starttls"]:
        make_certificate(path)
    write_new(path, state)
    return path


def serve_command(folder: Path | str) -> list[str]:
    """How to start it; it prints "ready URL smtp PORT" and ends on SIGTERM."""
    return [sys.executable, "-P", "-m", "seatkeeper_twins.altigen", "serve", "--dir", str(folder)]


def smtp_port(folder: Path | str) -> int | None:
    """Where the mailbox listens, or did; None before the first start."""
    return read_port(Path(folder) / SMTP_PORT_NAME)
