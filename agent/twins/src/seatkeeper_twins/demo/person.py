# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the person who works on a server's page where there is no browser."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

from seatkeeper_twins.agent_client import AgentError
from seatkeeper_twins.chaos import people
from seatkeeper_twins.demo.screen import Screen
from seatkeeper_twins.lab.lab import LabHost
from seatkeeper_twins.parts import control

STEP = "transfer"
LOOK_AGAIN_SECONDS = 0.2
CLOSE_SECONDS_MAX = 600.0


class StandIn:
    """Clicks on the page of a host's server what its agent waits for, until the block's end."""

    def __init__(self, screen: Screen, host: LabHost, target_user: str) -> None:
        self._screen = screen
        self._host = host
        self._target_user = target_user
        self._done: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stand-in", daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_AGAIN_SECONDS):
            try:
                for wait in self._host.client.get("/v1/waiting")["waiting"]:
                    self._work(wait)
            except (AgentError, OSError, control.TwinRefused) as error:
                # The run waits in vain then, and fails the demo.
                self._screen.output(f"the stand-in could not go on: {error}")
                return

    def _work(self, wait: dict[str, Any]) -> None:
        if wait["step"] != STEP or wait["operation"] in self._done:
            return
        self._done.add(wait["operation"])
        self._screen.output(
            f"(a person's part: {wait['subject']}, TRANSFER, {self._target_user}, TRANSFER >>)"
        )
        people.transfer(self._host.chaos.address, self._target_user)
        deadline = time.monotonic() + CLOSE_SECONDS_MAX
        while time.monotonic() < deadline and not self._ended.wait(LOOK_AGAIN_SECONDS):
            try:
                people.close_transfer(self._host.chaos.address)
            except control.TwinRefused:
                continue  # the page shows CLOSE when the licenses were transferred
            return
