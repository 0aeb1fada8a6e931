# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps at a license server that moves: maintenance mode, licenses, profiles, installing.

Where the agent sees what became of a license, only that counts. Where it does not, a command of
the agent counts as run when it has ended, once, and a person's word on the license follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.server_moves import LicenseState, MovableServer
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.ports import (
    CommandReport,
    DriverError,
    DriverRefused,
    DriverUnfinished,
)
from seatkeeper_agent.operations.server_moves.documents import Basis
from seatkeeper_agent.operations.server_moves.ports import ServerMoveDriver
from seatkeeper_agent.operations.server_moves.records import TRIED, note, present
from seatkeeper_agent.operations.servers.steps import OBSERVE_SECONDS_MAX, wait_until
from seatkeeper_agent.operations.steps import PlainStep, Probe, ProgramOutput, Verdict

DEACTIVATE = "deactivate"
MAINTENANCE = "maintenance"
VERIFY = "verify"


class NothingSeen(DriverRefused):
    """A program has ended, however it ended, and the server does not show what it was run for."""

    advice = (
        "Read what the program said and look at the license server; mend the cause, then run the"
        " playbook again."
    )


def unheard() -> tuple[str, ...]:
    """Of a step whose performer has to know of no program."""
    return ()


def basis_of(evidence: dict[str, Any]) -> str:
    """Observed, or by a person's word."""
    return (Basis.ATTESTED if "attested" in evidence else Basis.OBSERVED).value


@dataclass(frozen=True)
class ServerMoveStep(PlainStep):
    """What the steps share: the server, the move, who performs and what that one is told.

    ``program_reports`` gives what programs said before, for the instructions of whoever has to
    judge. ``label`` is how the step's license is called in its title.
    """

    driver: ServerMoveDriver
    move: str
    by: Performer
    guidance: Instructions | None
    program_reports: Callable[[], tuple[str, ...]] = field(default=unheard, kw_only=True)
    output: ProgramOutput = field(default_factory=ProgramOutput, kw_only=True, compare=False)
    label: str = field(default="", kw_only=True)

    @property
    def arguments(self) -> dict[str, Any]:
        """Who performs, frozen when the operation was begun."""
        return {"by": self.by.value}

    @property
    def performer(self) -> Performer:
        """Frozen when the operation was begun."""
        return self.by

    @property
    def instructions(self) -> Instructions | None:
        """None for the agent's own steps; else first what programs have said of it."""
        if self.by is Performer.AGENT or self.guidance is None:
            return None
        return replace(self.guidance, steps=(*self.program_reports(), *self.guidance.steps))

    @property
    def said(self) -> str | None:
        """How the command ended, and its last lines."""
        return self.output.said

    def run(self) -> str:
        """EFFECT: the call, with what its program said kept; gives that in a clause."""
        try:
            self.output.said = str(self.effect())
        except DriverError as error:
            self.output.said = error.said
            raise
        return self.output.said

    def is_seen(self, server: MovableServer) -> bool | None:
        """Whether the server shows the effect; None where it does not tell."""
        raise NotImplementedError

    def effect(self) -> CommandReport:
        """EFFECT: the call itself; DriverError."""
        raise NotImplementedError

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """What the server shows; a person is waited for where it shows nothing."""
        seen = self.is_seen(self.driver.observe())
        if seen is None and self.by is Performer.AGENT:
            return Probe(Verdict.UNKNOWN, reason="the server does not show it")
        return Probe(Verdict.DONE if seen else Verdict.NOT_DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """The command, and a while of looking, because neither its code nor its text proves it."""
        if self.by is not Performer.AGENT:
            raise DriverRefused("a person does this step")
        output_text = self.run()
        seconds_max = min(OBSERVE_SECONDS_MAX, self.driver.call_seconds_max)
        if not wait_until(lambda: self.is_seen(self.driver.observe()) is True, seconds_max):
            raise NothingSeen(f"{output_text}, and nothing of it is seen")
        return b""


@dataclass(frozen=True)
class SwitchMaintenance(ServerMoveStep):
    """Maintenance mode; leaving it restarts the server and ends all jobs.

    ``check`` refuses to begin when what a confirmation was given for is so no more.
    """

    enabled: bool
    check: Callable[[str], None] | None = None

    type = MAINTENANCE

    @property
    def arguments(self) -> dict[str, Any]:
        """Which way."""
        return {**super().arguments, "enabled": self.enabled}

    @property
    def name(self) -> str:
        """On and off are two steps."""
        return f"maintenance_{'on' if self.enabled else 'off'}"

    @property
    def title(self) -> str:
        """What people read."""
        return f"switching maintenance mode {'on' if self.enabled else 'off'}"

    def baseline(self) -> dict[str, Any]:
        """Looked at once more right before the intent."""
        if self.check is not None:
            self.check("maintenance")
        return {}

    def is_seen(self, server: MovableServer) -> bool | None:
        """What the server shows."""
        return None if server.maintenance is None else server.maintenance is self.enabled

    def effect(self) -> CommandReport:
        """EFFECT: the operator's command; the server that restarts is waited for."""
        report = self.driver.set_maintenance(self.enabled)
        wait_until(lambda: self.driver.observe().serving is True)
        return report


@dataclass(frozen=True)
class Deactivate(ServerMoveStep):
    """A license goes back to the vendor: from now on it is active nowhere.

    ``check`` refuses to begin when what a confirmation was given for is so no more.
    """

    number: str
    check: Callable[[str], None]

    type = DEACTIVATE

    @property
    def arguments(self) -> dict[str, Any]:
        """Which license."""
        return {**super().arguments, "number": self.number}

    @property
    def name(self) -> str:
        """One for each license."""
        return f"deactivate {self.number}"

    @property
    def title(self) -> str:
        """What people read."""
        return f"deactivating license {self.label or self.number}"

    @property
    def reversible(self) -> bool:
        """Only with the activation code, and with the vendor's consent."""
        return False

    def baseline(self) -> dict[str, Any]:
        """Maintenance mode may have been waited for for days: looked at once more."""
        self.check(self.number)
        return {}

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Not done by this operation is done as well, whoever did it."""
        state = self.driver.observe().license(self.number).state
        if state is LicenseState.PENDING:
            return Probe(Verdict.UNKNOWN, reason=pending(self.number))
        return super().probe(baseline)

    def is_seen(self, server: MovableServer) -> bool | None:
        """Inactive here; a product that is gone has taken its activations nowhere."""
        state = server.license(self.number).state
        if server.installed is False:
            return None
        return None if state is LicenseState.UNKNOWN else state is LicenseState.INACTIVE

    def effect(self) -> CommandReport:
        """EFFECT: the operator's command."""
        return self.driver.deactivate(self.number)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Released: known at once, whatever comes then."""
        known = present(unit, self.move).progress(self.number)
        since = unit.now if known.released_at is None else known.released_at
        note(unit, self.move, self.number, released=basis_of(evidence), released_at=since)


@dataclass(frozen=True)
class SupportReleases(ServerMoveStep):
    """The vendor's support deactivates what a lost machine held."""

    numbers: tuple[str, ...]

    type = "support_release"

    @property
    def arguments(self) -> dict[str, Any]:
        """Which licenses."""
        return {**super().arguments, "numbers": list(self.numbers)}

    @property
    def title(self) -> str:
        """What people read."""
        return f"the vendor's support deactivating {self.label or ', '.join(self.numbers)}"

    @property
    def reversible(self) -> bool:
        """What support has taken from a machine does not come back to it."""
        return False

    def is_seen(self, server: MovableServer) -> bool | None:
        """Nothing here shows it."""
        return None

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Nobody has them now; what the other machine was told to have does not count."""
        basis = basis_of(evidence)
        for number in self.numbers:
            known = present(unit, self.move).progress(number)
            since = unit.now if known.released_at is None else known.released_at
            changes = {"released": basis, "released_at": since, "freed": basis, "there": None}
            note(unit, self.move, number, **changes)


@dataclass(frozen=True)
class Verify(ServerMoveStep):
    """A person looks at a license that the agent has handled blindly."""

    number: str

    type = VERIFY

    @property
    def arguments(self) -> dict[str, Any]:
        """Which license."""
        return {**super().arguments, "number": self.number}

    @property
    def name(self) -> str:
        """One for each license, so that a no is about that one."""
        return f"verify {self.number}"

    @property
    def title(self) -> str:
        """What people read."""
        return f"license {self.label or self.number} working here with its profiles"

    def is_seen(self, server: MovableServer) -> bool | None:
        """Nothing shows all of it."""
        return None

    def withdraw(self, unit: Unit) -> None:
        """It does not work: the next attempt does it again."""
        note(unit, self.move, self.number, activated=None, profiles={})

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """What was tried has worked; what was observed stays observed."""
        known = present(unit, self.move).progress(self.number)
        basis = basis_of(evidence)
        profiles = {name: basis if w == TRIED else w for name, w in known.profiles.items()}
        activated = basis if known.activated in (None, TRIED) else known.activated
        note(unit, self.move, self.number, activated=activated, profiles=profiles)


@dataclass(frozen=True)
class Install(ServerMoveStep):
    """The product on the target, before anything leaves the source."""

    type, title = "install", "installing the license server"

    def is_seen(self, server: MovableServer) -> bool | None:
        """It is there and its ports answer."""
        return server.installed is not False and server.serving is True

    def baseline(self) -> dict[str, Any]:
        """What is installed and does not run is not installed once more."""
        server = self.driver.observe()
        if server.installed and not server.serving:
            raise Problem(
                ProblemCode.RUNTIME_UNAVAILABLE,
                "The license server is installed on the target and does not answer on its ports.",
                "Start it and look why it was down, then run the playbook again.",
            )
        return {}

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """The operator's command; the service starts by itself."""
        try:
            output_text = self.run()
        except DriverUnfinished as error:
            output_text = str(error).rstrip(".")
        # What was killed on its way is not run a second time: a person looks first.
        if not wait_until(lambda: self.is_seen(self.driver.observe()) is True):
            raise NothingSeen(f"{output_text}, and the license server does not answer")
        return b""

    def effect(self) -> CommandReport:
        """EFFECT: the operator's command."""
        return self.driver.install()


@dataclass(frozen=True)
class HoldStill(PlainStep):
    """Something that must be so, looked at once more; nothing is done for it."""

    called: str
    what: str
    refusal: Callable[[], Problem | None]
    freezes: bool = False

    @property
    def type(self) -> str:
        """By what must be so."""
        return self.called

    @property
    def title(self) -> str:
        """What people read."""
        return self.what

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Nothing speaks against it."""
        return Probe(Verdict.NOT_DONE if self.refusal() else Verdict.DONE)

    def baseline(self) -> dict[str, Any]:
        """Why it is not so; that ends the operation, and the next one looks again."""
        problem = None if self.freezes else self.refusal()
        if problem is not None:
            raise problem
        return {}

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Why it is not so; a person has to decide, and until then nothing changes here."""
        try:
            problem = self.refusal()
        except DriverError as error:
            problem = driver_problem(self.what, error)
        if problem is not None:
            raise problem

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """It has become so meanwhile."""
        return b""


@dataclass(frozen=True)
class Attested(ServerMoveStep):
    """What nothing shows: somebody says so."""

    called: str
    what: str
    given: dict[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def type(self) -> str:
        """Each is made in its own way."""
        return self.called

    @property
    def arguments(self) -> dict[str, Any]:
        """What its instructions are made from."""
        return {**super().arguments, **self.given}

    @property
    def title(self) -> str:
        """What people read."""
        return self.what

    def is_seen(self, server: MovableServer) -> bool | None:
        """Nothing shows it."""
        return None


@dataclass(frozen=True)
class Close(PlainStep):
    """The leg's end: its document is signed together with the move's new state."""

    move: str
    leg: str
    close: Callable[[Unit, str], None]

    type = "close"

    @property
    def arguments(self) -> dict[str, Any]:
        """Which leg."""
        return {"leg": self.leg}

    @property
    def title(self) -> str:
        """What people read."""
        return f"ending the leg {self.leg} of {self.move}"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Nothing is to be done but to write it down."""
        return Probe(Verdict.DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Nothing."""
        return b""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """The leg's outcome."""
        self.close(unit, self.leg)


def codes_missing(numbers: tuple[str, ...]) -> Problem:
    """Activation codes that nobody has brought."""
    return Problem(
        ProblemCode.CODES_MISSING,
        f"The activation codes of {', '.join(numbers)} are not given, and the agent keeps none.",
        "Run the playbook again with the codes of these licenses.",
        {"codes_needed": list(numbers)},
    )


def pending(number: str) -> str:
    """Why nothing is done to a license between the two files of an offline activation."""
    return f"license {number} waits for the response file of an offline activation"
