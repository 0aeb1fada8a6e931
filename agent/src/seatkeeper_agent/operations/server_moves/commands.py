# SPDX-License-Identifier: GPL-3.0-or-later
"""The two commands that bring a license to a machine: activating it, linking its profiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.server_moves import LicenseState, MovableLicense
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.ports import (
    CommandReport,
    DriverError,
    DriverInterrupted,
    DriverRefused,
    DriverUnavailable,
    DriverUnsupported,
)
from seatkeeper_agent.operations.server_moves.records import TRIED, note
from seatkeeper_agent.operations.server_moves.steps import (
    NothingSeen,
    ServerMoveStep,
    basis_of,
    codes_missing,
    pending,
)
from seatkeeper_agent.operations.servers.steps import OBSERVE_SECONDS_MAX, wait_until
from seatkeeper_agent.operations.steps import PlainStep, Probe, ProgramOutput, Verdict

ACTIVATE = "activate"
ADD_PROFILE = "add_profile"


@dataclass
class Command(PlainStep):
    """A command whose effect may show, or may not.

    Where it is not ``seen`` the command counts as tried when it has ended before this object's
    eyes, and it is run only once: after an interruption nothing tells whether it had an effect.
    ``tried`` is whether it was run by an earlier attempt.
    """

    base: ServerMoveStep
    number: str
    seen: bool
    tried: bool
    output: ProgramOutput = field(default_factory=ProgramOutput, init=False)
    has_run: bool = field(default=False, init=False)
    has_no_effect: bool = field(default=False, init=False)

    @property
    def arguments(self) -> dict[str, Any]:
        """Which license, who performs, and whether its effect shows."""
        return {**self.base.arguments, "number": self.number, "seen": self.seen}

    @property
    def performer(self) -> Performer:
        """Frozen when the operation was begun."""
        return self.base.by

    @property
    def instructions(self) -> Instructions | None:
        """What a person does."""
        return self.base.instructions

    @property
    def label(self) -> str:
        """How the license is called."""
        return self.base.label or self.number

    @property
    def said(self) -> str | None:
        """How the command ended, and its last lines."""
        return self.output.said

    def is_shown(self, shown: MovableLicense) -> bool | None:
        """Whether the license shows the effect; None where it does not tell."""
        raise NotImplementedError

    def effect(self) -> CommandReport:
        """EFFECT: the call itself; DriverError."""
        raise NotImplementedError

    def remember(self, unit: Unit, basis: str | None) -> None:
        """What came of it; None for nothing."""
        raise NotImplementedError

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """What the server shows, or whether the command has been run."""
        seen_license = self.base.driver.observe().license(self.number)
        shown = self.is_shown(seen_license)
        if shown:
            return Probe(Verdict.DONE)
        by_agent = self.performer is Performer.AGENT
        if self.seen:
            if shown is None and by_agent:
                is_pending = seen_license.state is LicenseState.PENDING
                reason = pending(self.number) if is_pending else "the server does not show it"
                return Probe(Verdict.UNKNOWN, reason=reason)
            return Probe(Verdict.NOT_DONE)
        if by_agent and (self.tried or self.has_run):
            return Probe(Verdict.TRIED, {"word": TRIED})
        if baseline is None or not by_agent or self.has_no_effect:
            return Probe(Verdict.NOT_DONE)
        reason = "the command was begun, and nothing here shows what came of it"
        return Probe(Verdict.UNKNOWN, reason=reason)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """The command; where its effect can be seen, also a while of looking."""
        try:
            self.output.said = report = str(self.effect())
        except DriverError as error:
            self.output.said = error.said
            # These say that nothing was run.
            nothing = (DriverInterrupted, DriverRefused, DriverUnavailable, DriverUnsupported)
            self.has_no_effect = isinstance(error, nothing)
            raise
        self.has_run = True
        driver = self.base.driver
        if self.seen and not wait_until(
            lambda: self.is_shown(driver.observe().license(self.number)) is True,
            min(OBSERVE_SECONDS_MAX, driver.call_seconds_max),
        ):
            raise NothingSeen(f"{report}, and nothing of it is seen")
        return b""

    def withdraw(self, unit: Unit) -> None:
        """Somebody said, or it was seen, that it is not so."""
        self.remember(unit, None)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """It is so, or it was tried."""
        self.remember(unit, evidence.get("word", basis_of(evidence)))


@dataclass
class Activate(Command):
    """A license becomes active on this machine, as machine nodelock.

    ``code`` is kept by nobody: None after an interruption.
    """

    code: Secret | None = None
    offline: bool = False

    type = ACTIVATE

    @property
    def arguments(self) -> dict[str, Any]:
        """Which license, and by which means a person activates it."""
        return {**super().arguments, "offline": self.offline}

    @property
    def name(self) -> str:
        """One for each license."""
        return f"activate {self.number}"

    @property
    def title(self) -> str:
        """What people read."""
        return f"activating license {self.label} as machine nodelock"

    @property
    def reversible(self) -> bool:
        """A machine nodelock stays: afterwards only this type is offered."""
        return False

    def baseline(self) -> dict[str, Any]:
        """Refuses to begin without the code."""
        if self.performer is Performer.AGENT and self.code is None:
            raise codes_missing((self.number,))
        return {}

    def is_shown(self, shown: MovableLicense) -> bool | None:
        """Active here."""
        match shown.state:
            case LicenseState.ACTIVE:
                return True
            case LicenseState.INACTIVE:
                return False
        return None

    def effect(self) -> CommandReport:
        """EFFECT: the documented command, with the code in its arguments."""
        if self.code is None:
            raise DriverInterrupted("the activation code is not kept")
        return self.base.driver.activate(self.number, self.code)

    def remember(self, unit: Unit, basis: str | None) -> None:
        """Beside the move."""
        note(unit, self.base.move, self.number, activated=basis)


@dataclass
class AddProfile(Command):
    """A license gets back the name by which applications ask for it."""

    called: str
    keep: Callable[[Unit, str | None], None]

    type = ADD_PROFILE

    @property
    def arguments(self) -> dict[str, Any]:
        """Which profile of which license."""
        return {**super().arguments, "profile": self.called}

    @property
    def name(self) -> str:
        """One for each profile."""
        return f"add_profile {self.called}"

    @property
    def title(self) -> str:
        """What people read."""
        return f"linking profile {self.called} to license {self.label}"

    def is_shown(self, shown: MovableLicense) -> bool | None:
        """Among the license's profiles."""
        return None if shown.profiles is None else self.called in shown.profiles

    def effect(self) -> CommandReport:
        """EFFECT: the documented command."""
        return self.base.driver.add_profile(self.called, self.number)

    def remember(self, unit: Unit, basis: str | None) -> None:
        """Where it was declared."""
        self.keep(unit, basis)
