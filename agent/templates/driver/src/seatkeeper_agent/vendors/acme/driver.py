# SPDX-License-Identifier: GPL-3.0-or-later
"""One Acme license server on this host: whether it runs, and switching it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence

from seatkeeper_agent.operations.ports import (
    Description,
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.vendors.acme.capabilities import capabilities
from seatkeeper_agent.vendors.acme.settings import AcmeSettings
from seatkeeper_agent.vendors.processes import Outcome, run

RUNS, RUNS_NOT = 0, 3
"""How a status command ends (grade D, systemctl(1))."""

ASK_AGAIN_SECONDS = 0.2
_VERSION = re.compile(r"(?<![\d.])\d{1,4}(?:\.\d{1,5}){1,3}(?![\w.]*\d)")


class AcmeDriver:
    """SettingsDriver by commands of the operator; usable from several threads.

    Which facts this stands on, and what is unproven, is listed in README.md beside this file.
    """

    vendor = "acme"
    restarts_to_apply = False

    def __init__(self, settings: AcmeSettings) -> None:
        self._settings = settings

    def describe(self) -> Description:
        """Version and capabilities of the server; never raises."""
        running, trouble = False, None
        try:
            running = self.is_running()
        except DriverError as error:
            trouble = str(error)
        return Description(
            vendor=self.vendor,
            product="Acme license server",
            version=self._version(),
            running=running,
            security_floor=None,
            security_floor_met=None,
            transfer_types=(),
            capabilities=capabilities(trouble, self._settings),
        )

    def read_settings(self) -> dict[str, dict[str, str]]:
        """None is known."""
        return {}

    def check_settings(self, settings: dict[str, dict[str, str]]) -> list[str]:
        """DriverRefused for whatever is declared; nothing is left to be warned of."""
        for section, keys in settings.items():
            for key in keys:
                raise DriverRefused(f"no document names a setting {section}.{key} of Acme.")
        return []

    def write_settings(self, settings: dict[str, dict[str, str]]) -> None:
        """DriverUnsupported: there is nothing that could be written."""
        raise DriverUnsupported("no document names the settings of the Acme license server")

    def is_running(self) -> bool:
        """Whether the operator's command says that it runs; DriverError if that cannot be told."""
        outcome = self._run("status_command")
        if outcome.exit_code not in (RUNS, RUNS_NOT):
            raise DriverUnavailable(
                f"the status command ended with exit code {outcome.exit_code}, which tells neither"
                f" that the license server runs nor that it does not: {_reported(outcome)}"
            )
        return outcome.exit_code == RUNS

    def start(self) -> None:
        """EFFECT: the operator's command; returns when the server runs."""
        self._switch("start_command", True)

    def stop(self) -> None:
        """EFFECT: the operator's command; returns when the server no longer runs."""
        self._switch("stop_command", False)

    def _switch(self, name: str, running: bool) -> None:
        outcome = self._run(name)
        if outcome.exit_code != 0:
            raise DriverRefused(
                f"the {name} ended with exit code {outcome.exit_code}: {_reported(outcome)}"
            )
        deadline = time.monotonic() + self._settings.service_seconds_max
        while not self._is(running):
            if time.monotonic() > deadline:
                raise DriverUnfinished(
                    f"the license server {'does not run' if running else 'still runs'},"
                    f" waited for {self._settings.service_seconds_max:g} seconds"
                )
            time.sleep(ASK_AGAIN_SECONDS)

    def _is(self, running: bool) -> bool:
        # On its way up or down the service may tell neither.
        try:
            return self.is_running() is running
        except DriverError:
            return False

    def _version(self) -> str | None:
        """The first version number that the operator's command prints; None where it does not."""
        try:
            outcome = self._run("version_command")
        except DriverError:
            return None
        found = _VERSION.search(outcome.output) if outcome.exit_code == 0 else None
        return None if found is None else found.group()

    def _run(self, name: str) -> Outcome:
        command: Sequence[str] = getattr(self._settings, name)
        if not command:
            raise DriverUnsupported(
                f"no document names the unit of the license server: set acme.{name}"
                " in the agent's settings, or do it yourself"
            )
        return run(command, os.environ, self._settings.call_seconds_max)


def _reported(outcome: Outcome) -> str:
    return " ".join(outcome.output.split())[:300] or "no text"
