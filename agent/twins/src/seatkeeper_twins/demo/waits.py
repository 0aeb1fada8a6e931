# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for people on a host of the demo, and their word on it by the agent's commands."""

from __future__ import annotations

import shlex
import subprocess
import sys

from seatkeeper_twins.demo.screen import DemoError, Screen
from seatkeeper_twins.lab.lab import LabHost

COMMAND_SECONDS_MAX = 300


class Waits:
    """The steps of people at one host."""

    def __init__(self, screen: Screen, host: LabHost) -> None:
        self._screen = screen
        self._host = host

    def show(self) -> None:
        """List them as a person would."""
        self._command("waiting")

    def attest(self, step: str, statement: str) -> None:
        """Say that the step which waits is done; DemoError when another one waits."""
        self._command("attest", self.require(step), "done", statement)

    def require(self, step: str) -> str:
        """Claim that exactly this step waits; the id of its operation."""
        waits = self._host.client.get("/v1/waiting")["waiting"]
        reported = ", ".join(f"{wait['who']}: {wait['title']}" for wait in waits) or "nobody"
        self._screen.require(
            [wait["step"] for wait in waits] == [step],
            f"{self._host.name} waits for {reported}",
            f"{self._host.name} waits for {reported}, and not for the step {step}.",
        )
        return str(waits[0]["operation"])

    def _command(self, *words: str) -> None:
        """Run it and show what it prints; DemoError when it fails."""
        self._screen.line(f"  $ seatkeeper-agent {shlex.join(words)}")
        ended = subprocess.run(  # noqa: S603 - this interpreter, and words written here
            [
                *(sys.executable, "-P", "-m", "seatkeeper_agent"),
                *("--config", str(self._host.settings_path), *words),
            ],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        for line in (ended.stdout + ended.stderr).splitlines():
            self._screen.output(line)
        if ended.returncode:
            raise DemoError(f"seatkeeper-agent {words[0]} failed, exit code {ended.returncode}.")
