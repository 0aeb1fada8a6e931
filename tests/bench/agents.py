# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents and twins as the benchmarks run them: fresh folders, real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.processes import Running, running, stop
from seatkeeper_twins.codemeter.twin import create_twin

SERIAL = "130-1000000001"
FIRM_CODE = 6_000_010


@contextmanager
def agent(home: Path, library: Path | None = None, more: str = "") -> Iterator[Running]:
    """An agent with its state in ``home``; without a library no product is installed there.

    ``more`` are further tables of its settings.
    """
    socket_path = home / "agent.sock"
    config = home / "agent.toml"
    state = home / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    product = library or home / "no-such-library.so"
    config.write_text(
        f'[agent]\nname = "bench"\nstate_folder = "{state}"\nsocket = "{socket_path}"\n'
        f'[codemeter]\nlibrary = "{product}"\n{more}',
        encoding="utf-8",
    )
    program = Path(sys.executable).with_name("seatkeeper-agent")
    with running([str(program), "--config", str(config), "serve"], socket_path) as server:
        yield server


@contextmanager
def twin(home: Path, items: int, options: Sequence[Mapping[str, object]] = ()) -> Iterator[Path]:
    """A CodeMeter twin that serves one container of so many items; gives its library."""
    directory = create_twin(home / "codemeter", "current", _seed(items, options))
    process = subprocess.Popen(
        [sys.executable, "-m", "seatkeeper_twins.codemeter", "serve", "--dir", str(directory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        # It says one line when it is ready; at its death the line is empty.
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the twin ended before it was ready")
        yield directory / "libwibucm.so"
    finally:
        stop(process)


def _seed(items: int, options: Sequence[Mapping[str, object]]) -> object:
    rows: list[dict[str, object]] = [
        {
            "firm_code": FIRM_CODE,
            "product_code": number,
            "feature_map": 0,
            "name": f"Product {number}",
            "license_quantity": 25,
            "unit_counter": None,
            "expires_at": None,
            "options": list(options),
        }
        for number in range(1, items + 1)
    ]
    return {"containers": [{"serial": SERIAL, "name": "bench", "items": rows}]}
