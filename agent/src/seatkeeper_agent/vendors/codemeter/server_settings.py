# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared settings of the CodeMeter license server: stop, edit, start (grade D).

The daemon reads Server.ini only at its start and rewrites it, so an edit while it runs is lost.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from seatkeeper_agent.operations.ports import DriverError, DriverRefused, DriverUnfinished
from seatkeeper_agent.vendors.codemeter.server_file import read_file, replace_file
from seatkeeper_agent.vendors.codemeter.server_ini import Settings, edited, parse, unknown_sections
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings
from seatkeeper_agent.vendors.processes import run
from seatkeeper_agent.vendors.program_output import output_tail

ASK_AGAIN_SECONDS = 0.2


class CodeMeterServerSettings:
    """SettingsDriver for one license server; ``is_running`` asks it, as the driver does."""

    vendor = "codemeter"
    restarts_to_apply = True

    def __init__(self, settings: CodeMeterSettings, is_running: Callable[[], bool]) -> None:
        self._settings = settings
        self._is_running = is_running
        self._path = Path(settings.server_ini)

    def read_settings(self) -> Settings:
        """Sections of keys as Server.ini has them, without those that look like passwords."""
        return parse(read_file(self._path))

    def check_settings(self, settings: Settings) -> list[str]:
        """DriverRefused for names and values that must not go into Server.ini."""
        content = read_file(self._path)
        edited(content, settings)
        return [
            f"Server.ini has no section [{section}], and none is known of that name: check its"
            " spelling. It is added as it is declared."
            for section in unknown_sections(content, settings)
        ]

    def write_settings(self, settings: Settings) -> None:
        """Change the named keys only; DriverRefused while the server runs.

        A file that already says so is not touched.
        """
        before = read_file(self._path)
        after = edited(before, settings)
        if after == before:
            return
        if self.is_running():
            raise DriverRefused(
                "CodeMeter is running and would overwrite Server.ini: stop it first."
            )
        replace_file(self._path, after, before)

    def is_running(self) -> bool:
        """Whether the license server answers; DriverError where that cannot be told."""
        return self._is_running()

    def stop(self) -> None:
        """EFFECT: stop the service and return when it no longer answers."""
        self._run(self._settings.stop_command)
        self._wait_until(False, "still answers after it was stopped")

    def start(self) -> None:
        """EFFECT: start the service and return when it answers."""
        self._run(self._settings.start_command)
        self._wait_until(True, "does not answer after it was started")

    def _run(self, command: Sequence[str]) -> None:
        environment = self._settings.environment()
        outcome = run(command, environment, self._settings.service_seconds_max)
        if outcome.exit_code != 0:
            tail = output_tail(outcome.output) or "no text"
            raise DriverRefused(
                f"{shlex.join(command)} ended with exit code {outcome.exit_code}: {tail}"
            )

    def _wait_until(self, running: bool, failure: str) -> None:
        deadline = time.monotonic() + self._settings.service_seconds_max
        while not self._is(running):
            if time.monotonic() > deadline:
                raise DriverUnfinished(
                    f"CodeMeter {failure}, waited for"
                    f" {self._settings.service_seconds_max:g} seconds."
                )
            time.sleep(ASK_AGAIN_SECONDS)

    def _is(self, running: bool) -> bool:
        # On its way up or down the server may give answers that tell neither.
        try:
            return self._is_running() is running
        except DriverError:
            return False
