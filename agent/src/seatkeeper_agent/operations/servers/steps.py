# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps whose effect a license server shows in its status."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seatkeeper_agent.domain.servers import ServerStatus
from seatkeeper_agent.operations.ports import CommandReport, DriverError
from seatkeeper_agent.operations.server_ports import LicenseServerDriver
from seatkeeper_agent.operations.steps import PlainStep, Probe, ProgramOutput, Verdict

OBSERVE_SECONDS_MAX = 10.0
"""How long an effect may take to show; the vendor's service needs about a second (grade T)."""

ASK_AGAIN_SECONDS = 0.25


@dataclass(frozen=True)
class ServerStep(PlainStep):
    """What these steps share: the server and a look at it."""

    driver: LicenseServerDriver
    output: ProgramOutput = field(default_factory=ProgramOutput, kw_only=True, compare=False)

    @property
    def said(self) -> str | None:
        """Where a program was run: how it ended, and its last lines."""
        return self.output.said

    def is_seen(self, status: ServerStatus) -> bool | None:
        """Whether the status shows the effect; None where it does not tell."""
        raise NotImplementedError

    def effect(self) -> CommandReport | None:
        """EFFECT: the call itself, None for one that runs no program; DriverError."""
        raise NotImplementedError

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Asked of the server."""
        seen = self.is_seen(self.driver.status())
        if seen is None:
            return Probe(Verdict.UNKNOWN, reason="the server's status does not tell")
        return Probe(Verdict.DONE if seen else Verdict.NOT_DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """The call, and then a while of looking: the server shows its effect with delay.

        A call that ended well and shows nothing is not made again: it is looked at later.
        """
        try:
            report = self.effect()
        except DriverError as error:
            self.output.said = error.said
            raise
        self.output.said = None if report is None else str(report)
        wait_until(lambda: self.is_seen(self.driver.status()) is True)
        return b""


def wait_until(
    is_true: Callable[[], bool],
    seconds_max: float = OBSERVE_SECONDS_MAX,
    ask_again_seconds: float = ASK_AGAIN_SECONDS,
) -> bool:
    """Ask until it is so or the time is over; a server that does not answer is asked again."""
    deadline = time.monotonic() + seconds_max
    while True:
        try:
            if is_true():
                return True
        except DriverError:
            # On its way up or down it may not answer.
            pass
        if time.monotonic() >= deadline:
            return False
        time.sleep(ask_again_seconds)
