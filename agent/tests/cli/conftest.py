# SPDX-License-Identifier: GPL-3.0-or-later
"""One running host, and ways to run the command as people do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import forking
import pytest

from seatkeeper_agent.cli import main
from seatkeeper_twins.lab.lab import Lab, LabHost

COMMAND_SECONDS_MAX = 120
AGENT = [sys.executable, "-P", "-m", "seatkeeper_agent"]
SEED: dict[str, Any] = {
    "containers": [
        {
            "serial": "130-1000000001",
            "items": [{"firm_code": 6000010, "product_code": 201, "license_quantity": 25}],
        }
    ]
}

Done = subprocess.CompletedProcess[str]
RunAgent = Callable[..., Done]


def environment(**values: str) -> dict[str, str]:
    """The environment of the tests without what colours or points elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SEATKEEPER_", "LISTEN_")) and name not in ("NO_COLOR", "TERM")
    }
    return kept | values


def started(*arguments: str, **values: str) -> Done:
    """A program of its own, which reads its environment as it starts."""
    return subprocess.run(
        [*AGENT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(**values),
        timeout=COMMAND_SECONDS_MAX,
    )


def forked(*arguments: str) -> Done:
    """The same, but for its start."""
    return forking.run([*AGENT, *arguments], environment(), COMMAND_SECONDS_MAX)


def run(*arguments: str, **values: str) -> Done:
    """Run one command to its end; no traceback, whatever happened."""
    done = started(*arguments, **values) if values else forked(*arguments)
    for text in (done.stdout, done.stderr):
        assert "Traceback" not in text, text
        assert "Exception ignored" not in text, text
    return done


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> RunAgent:
    """Run a command in this process, where a process of its own shows nothing more."""

    def run_here(*arguments: str) -> Done:
        # It takes capabilities from its process for good, and so from every later test of this one.
        assert "serve" not in arguments, "serve runs in a process of its own: use run"
        code = main(list(arguments))
        reported = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, reported.out, reported.err)

    return run_here


@pytest.fixture(scope="session")
def host() -> Iterator[LabHost]:
    """A running agent beside its product, which no test stops."""
    with Lab.create({"old-server": SEED}) as lab:
        yield lab["old-server"]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Write settings and give their place."""

    def write(text: str) -> Path:
        path = tmp_path / "agent.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
