# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents without a vendor product, for tests of the process itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import forking

from seatkeeper_twins.agent_client import AgentClient
from seatkeeper_twins.lab.process import LabProcess

COMMAND_SECONDS_MAX = 120
AGENT = [sys.executable, "-P", "-m", "seatkeeper_agent"]


def environment(**values: str) -> dict[str, str]:
    """The environment of the tests without what points an agent elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LISTEN_", "SEATKEEPER_"))
    }
    return kept | values


class BareAgent:
    """One agent in a folder of its own; its product is not installed."""

    def __init__(self, folder: Path, name: str = "bare", **agent: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.settings_path = folder / "agent.toml"
        self.socket_path = Path(agent.get("socket", str(folder / "agent.sock")))
        self.state_folder = Path(agent.get("state_folder", str(folder / "state")))
        values = {
            "name": name,
            "socket": str(self.socket_path),
            "state_folder": str(self.state_folder),
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        absent = {"library": "absent.so", "cmu": "cmu", "server_ini": "Server.ini"}
        product = ["[codemeter]", *(f'{key} = "{folder}/{file}"' for key, file in absent.items())]
        self.settings_path.write_text("\n".join(["[agent]", *lines, *product, ""]), "utf-8")
        self.client = AgentClient(self.socket_path)
        self.process = LabProcess(
            f"The agent {name}",
            self.command("serve"),
            folder,
            folder / "agent.log",
            environment(),
            self.client.is_ready,
        )

    def command(self, *arguments: str) -> list[str]:
        """The agent's command line with these settings."""
        return [*AGENT, "--config", str(self.settings_path), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return forking.run(self.command(*arguments), environment(), COMMAND_SECONDS_MAX)

    def refusal(self) -> str:
        """What ``serve`` says when it cannot begin: one line, exit code 1."""
        done = self.run("serve")
        assert done.returncode == 1, done
        assert done.stdout == ""
        assert done.stderr.startswith("seatkeeper-agent: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr
