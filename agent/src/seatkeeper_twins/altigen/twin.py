# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a twin's folder, start it, say where it listens."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from seatkeeper_twins.altigen.certificate import make_certificate
from seatkeeper_twins.altigen.seed import state_of
from seatkeeper_twins.chaos.process import PORT_NAME
from seatkeeper_twins.chaos.store import INITIAL_NAME, STATE_NAME, write_whole

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
    path = Path(folder).resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (path / STATE_NAME).exists():
        raise FileExistsError(f"{path} holds a twin already.")
    if state["mailbox"]["starttls"]:
        make_certificate(path)
    write_whole(path / INITIAL_NAME, state)
    # Last, because its presence is what makes the folder a twin.
    write_whole(path / STATE_NAME, state)
    return path


def serve_command(folder: Path | str) -> list[str]:
    """How to start it; it prints "ready URL smtp PORT" and ends on SIGTERM."""
    return [sys.executable, "-P", "-m", "seatkeeper_twins.altigen", "serve", "--dir", str(folder)]


def address(folder: Path | str) -> str | None:
    """Where the control of a started twin listens, or did; None before its first start."""
    port = _port(Path(folder) / PORT_NAME)
    return None if port is None else f"http://127.0.0.1:{port}"


def smtp_port(folder: Path | str) -> int | None:
    """Where the mailbox listens, or did; None before the first start."""
    return _port(Path(folder) / SMTP_PORT_NAME)


def _port(path: Path) -> int | None:
    return int(path.read_text(encoding="ascii")) if path.exists() else None
