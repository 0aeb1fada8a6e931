# SPDX-License-Identifier: GPL-3.0-or-later
"""What each command of the agent loads: a command that asks a running agent loads no agent."""

from __future__ import annotations

from pathlib import Path

from api.bare import BareAgent, environment
from costs.imports import Imports, imports_of
from costs.table import assert_written

COMMANDS: dict[str, Imports] = {
    "serve": Imports(60, "apsw asyncio ctypes ssl uvicorn"),
    "serve, asked": Imports(
        205,
        "apsw asyncio cryptography ctypes fastapi pydantic securesystemslib ssl "
        "starlette structlog uvicorn",
    ),
    "--help": Imports(2),
    "status": Imports(57, "apsw httpx ssl", code=1),
    "waiting": Imports(57, "apsw httpx ssl"),
    "attest": Imports(57, "apsw httpx ssl", code=1),
    "doctor": Imports(74, "apsw cryptography ctypes httpx securesystemslib ssl", code=1),
    "key": Imports(55, "apsw cryptography securesystemslib"),
    "journal-backup": Imports(55, "apsw"),
    "completion": Imports(36, "apsw shtab"),
    "seatkeeper_agent.vendors.codemeter.worker": Imports(10, "ctypes"),
    "seatkeeper_agent.vendors.chaos.page.worker": Imports(13, "ssl"),
}


def test_a_command_loads_what_is_written_down(tmp_path: Path) -> None:
    """Each run for real, beside an agent that answers; the same with every Python."""
    bare = BareAgent(tmp_path / "bare")
    entries = [
        ["serve", "serve"],
        ["--help", "agent", "--help"],
        ["status", "agent", "status"],
        ["waiting", "agent", "waiting"],
        ["attest", "agent", "attest", "no-operation", "done", "Seen."],
        ["doctor", "agent", "doctor"],
        ["key", "agent", "key"],
        ["journal-backup", "agent", "journal-backup", str(tmp_path / "copy.db")],
        ["completion", "agent", "completion", "bash"],
        ["seatkeeper_agent.vendors.codemeter.worker", "import"],
        ["seatkeeper_agent.vendors.chaos.page.worker", "import"],
    ]
    counted = imports_of(
        "seatkeeper_agent",
        entries,
        environment(),
        config=str(bare.settings_path),
        socket=str(bare.socket_path),
    )
    assert_written(counted, COMMANDS)
