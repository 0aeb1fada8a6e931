# SPDX-License-Identifier: GPL-3.0-or-later
"""What a leg of a move is asked for, its steps, and what its confirmation is bound to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from seatkeeper_agent.domain.planned_steps import Instructions, Performer, digest
from seatkeeper_agent.domain.records import Envelope
from seatkeeper_agent.domain.server_move_legs import MoveDeclaration, MoveLeg
from seatkeeper_agent.domain.server_moves import (
    BackedUpLicense,
    LicenseState,
    MovableServer,
    ServerBackup,
)
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations import dependencies
from seatkeeper_agent.operations.people import planned_view
from seatkeeper_agent.operations.ports import Grade
from seatkeeper_agent.operations.server_moves.commands import (
    ACTIVATE,
    ADD_PROFILE,
    Activate,
    AddProfile,
)
from seatkeeper_agent.operations.server_moves.documents import Basis, backup_digest
from seatkeeper_agent.operations.server_moves.ports import (
    Action,
    MoveInstructions,
    ServerMoveDriver,
)
from seatkeeper_agent.operations.server_moves.records import (
    TRIED,
    LegOutline,
    MoveRecord,
    note,
    present,
)
from seatkeeper_agent.operations.server_moves.steps import (
    DEACTIVATE,
    MAINTENANCE,
    VERIFY,
    Attested,
    Close,
    Deactivate,
    HoldStill,
    Install,
    ServerMoveStep,
    SupportReleases,
    SwitchMaintenance,
    Verify,
)
from seatkeeper_agent.operations.steps import Makers, Step

VOID = "void"
"""What giving up is called where legs are named."""


@dataclass(frozen=True)
class MoveRequest:
    """One leg as it was asked for; what does not concern the leg is left alone.

    ``evidence`` is the newest document of this agent that the other host keeps. In a dry run
    ``is_foreseen`` says that the document is not there yet and the other host plans to give it.
    ``codes`` are the activation codes by license; ``refuse`` is the target's word that it will
    never take the licenses.
    """

    leg: MoveLeg
    declaration: MoveDeclaration
    actor: str
    licenses: tuple[BackedUpLicense, ...] | None = None
    backup: ServerBackup | None = None
    required: dict[str, Any] = field(default_factory=dict)
    document: Envelope | None = None
    evidence: Envelope | None = None
    is_foreseen: bool = False
    refuse: bool = False
    confirmation: str | None = None
    codes: dict[str, Secret] = field(default_factory=dict)
    offline: bool = False
    target_lost: bool = False


@dataclass(frozen=True)
class StepContext:
    """What steps are made with besides the record."""

    driver: ServerMoveDriver
    codes: dict[str, Secret]
    program_reports: Callable[[Sequence[tuple[str, dict[str, Any]]]], tuple[str, ...]]
    check: Callable[[str], None]
    target_refusal: Callable[[], Any]
    not_arrived: Callable[[], Any]
    active_here: Callable[[], Any]
    not_left: Callable[[], Any]
    close: Callable[[Unit, str], None]


def outline_of(request: MoveRequest, record: MoveRecord, driver: ServerMoveDriver) -> LegOutline:
    """How the steps of a new attempt at a leg are."""
    match request.leg:
        case MoveLeg.PREPARE:
            return LegOutline(request.leg.value, by_person=_people(driver, "install"))
        case MoveLeg.RELEASE:
            sees, seen = _sees(driver, "observe_licenses"), driver.observe()
            # What can be seen is looked at again in every attempt, whatever was said of it.
            left = tuple(n for n in record.numbers if sees or record.progress(n).released is None)
            people = _people(driver, "maintenance", "deactivate")
            # What cannot be seen is not done by a program either: somebody has to say so anyway.
            if "deactivate" not in people and not sees:
                people = (*people, "deactivate")
            bound = bound_to(seen, left)
            unseen = () if sees else ("licenses",)
            return LegOutline(
                request.leg.value,
                left,
                by_person=people,
                unseen=unseen,
                maintenance=True,
                bound=bound,
            )
        case MoveLeg.FINISH:
            unseen = () if _sees(driver, "observe_licenses") else ("licenses",)
            people = _people(driver, "maintenance")
            return LegOutline(request.leg.value, record.numbers, by_person=people, unseen=unseen)
    return _bringing(request, record, driver)


def _bringing(request: MoveRequest, record: MoveRecord, driver: ServerMoveDriver) -> LegOutline:
    """Licenses come to this machine: to the target, or back to the source."""
    is_restore = request.leg is MoveLeg.RESTORE
    lost = request.target_lost if is_restore else request.declaration.source_lost
    left = _left(record, driver) if is_restore else ()
    wanted = [n for n in record.numbers if not is_restore or _comes_back(record, n, lost, left)]
    support = lost and any(record.progress(n).freed is None for n in wanted)
    people = _people(driver, "activate", "add_profile", *(("maintenance",) if is_restore else ()))
    if request.offline and "activate" not in people:
        people = ("activate", *people)
    unseen = tuple(
        what for what in ("licenses", "profiles") if not _sees(driver, f"observe_{what}")
    )
    profiles_of = {entry.number: entry.profiles for entry in record.backup.licenses}
    numbers, profiles, verified = [], [], []
    for number in wanted:
        known = record.progress(number)
        names = [
            n for n in profiles_of[number] if _is_open(known.profiles.get(n), unseen, "profiles")
        ]
        is_open = _is_open(known.activated, unseen, "licenses")
        numbers += [number] if is_open else []
        profiles += [(name, number) for name in names]
        blindly_active = is_open and "licenses" in unseen and "activate" not in people
        blindly_linked = names and "profiles" in unseen and "add_profile" not in people
        verified += [number] if blindly_active or blindly_linked else []
    return LegOutline(
        request.leg.value,
        tuple(numbers),
        tuple(profiles),
        tuple(verified),
        people,
        unseen,
        support=support,
        maintenance=is_restore,
        offline=request.offline,
    )


def _left(record: MoveRecord, driver: ServerMoveDriver) -> tuple[str, ...]:
    """What has left; where it can be seen, also what has left without having been noticed."""
    server = driver.observe() if _sees(driver, "observe_licenses") else None
    return tuple(
        number
        for number in record.numbers
        if record.progress(number).released is not None
        or (server is not None and server.license(number).state is not LicenseState.ACTIVE)
    )


def _comes_back(record: MoveRecord, number: str, lost: bool, left: tuple[str, ...]) -> bool:
    gone = record.progress(number).there in (Basis.OBSERVED, Basis.ATTESTED)
    return number in left and (lost or not gone)


def _is_open(basis: str | None, unseen: tuple[str, ...], what: str) -> bool:
    """Whether it is still to be done; what can be seen is looked at again in every attempt."""
    return what not in unseen or basis in (None, TRIED)


def steps_of(record: MoveRecord, outline: LegOutline, context: StepContext) -> tuple[Step, ...]:
    """The steps of a new operation."""
    makers = makers_of(record, context)
    wanted = [*_wanted(record, outline), (Close.type, {"leg": outline.leg})]
    return tuple(makers[step_type](arguments) for step_type, arguments in wanted)


Wanted = tuple[str, dict[str, Any]]
"""A step's type and its arguments."""


def _wanted(record: MoveRecord, outline: LegOutline) -> list[Wanted]:
    """What a leg does, in its order."""
    sees_licenses = "licenses" not in outline.unseen
    match outline.leg:
        case MoveLeg.PREPARE:
            # The product is there before anything leaves the source, and the machine fits.
            return [_by(outline, Install.type), (FITS, {})]
        case MoveLeg.RELEASE:
            # Maintenance mode, then license by license; at the end all are looked at together.
            return [
                _by(outline, MAINTENANCE, enabled=True),
                *(_by(outline, DEACTIVATE, number=number) for number in outline.numbers),
                *([(LEFT, {})] if sees_licenses else []),
            ]
        case MoveLeg.INSTALL:
            # For a lost source also what its agent would have had done.
            is_lost = record.declaration.source_lost
            return [*_bring(outline), *([_repointing(False)] if is_lost else [])]
        case MoveLeg.FINISH:
            gone: list[Wanted] = [(GONE, {})] if sees_licenses else []
            return [*gone, _repointing(True), _by(outline, MAINTENANCE, enabled=False)]
        case MoveLeg.RESTORE:
            return [*_bring(outline), *_maintenance_off(outline)]
    return _maintenance_off(outline)


def _bring(outline: LegOutline) -> list[Wanted]:
    """Activate all, link all profiles, and have looked at what the agent cannot see."""
    sees = {what: what not in outline.unseen for what in ("licenses", "profiles")}
    support = {"by": Performer.VENDOR.value, "numbers": list(outline.numbers)}
    shown = {"seen": sees["licenses"], "offline": outline.offline}
    steps: list[Wanted] = [(SupportReleases.type, support)] if outline.support else []
    steps += [_by(outline, ACTIVATE, number=number, **shown) for number in outline.numbers]
    steps += [
        _by(outline, ADD_PROFILE, number=number, profile=name, seen=sees["profiles"])
        for name, number in outline.profiles
    ]
    person = {"by": Performer.PERSON.value}
    steps += [(VERIFY, {**person, "number": number}) for number in outline.verified]
    return [*steps, (ARRIVED, {})] if sees["licenses"] else steps


def _maintenance_off(outline: LegOutline) -> list[Wanted]:
    """Where it was on."""
    return [_by(outline, MAINTENANCE, enabled=False)] if outline.maintenance else []


def _repointing(restarts: bool) -> Wanted:
    return REPOINT, {"by": Performer.PERSON.value, "restarts": restarts}


def _by(outline: LegOutline, step_type: str, **arguments: Any) -> Wanted:
    """A step of the agent, or of a person where the shape says so."""
    by = Performer.PERSON if step_type in outline.by_person else Performer.AGENT
    return step_type, {"by": by.value, **arguments}


def makers_of(record: MoveRecord, context: StepContext) -> Makers:
    """By type of step the function that makes it for an operation of this move."""
    make = _Maker(record, context)
    return {
        Install.type: lambda given: make.install(**given),
        FITS: lambda _: make.still(FITS, context.target_refusal),
        LEFT: lambda _: make.still(LEFT, context.not_left),
        GONE: lambda _: make.still(GONE, context.active_here, freezes=True),
        ARRIVED: lambda _: make.still(ARRIVED, context.not_arrived),
        MAINTENANCE: lambda given: make.maintenance(**given),
        DEACTIVATE: lambda given: make.deactivate(**given),
        SupportReleases.type: lambda given: make.support(**given),
        ACTIVATE: lambda given: make.activate(**given),
        ADD_PROFILE: lambda given: make.profile(**given),
        VERIFY: lambda given: make.verify(**given),
        REPOINT: lambda given: make.repoint(**given),
        Close.type: lambda given: Close(record.declaration.subject, close=context.close, **given),
    }


FITS, LEFT, GONE, ARRIVED, REPOINT = "fits", "left", "gone", "arrived", "repoint"
_STILL = {
    FITS: "the target fitting what was backed up",
    LEFT: "no license being active here any more",
    GONE: "no license being active on the old server",
    ARRIVED: "all licenses being active here",
}


@dataclass(frozen=True)
class _Maker:
    record: MoveRecord
    context: StepContext

    def still(self, step_type: str, refusal: Callable[[], Any], freezes: bool = False) -> HoldStill:
        return HoldStill(step_type, _STILL[step_type], refusal, freezes)

    def install(self, by: str) -> Install:
        return Install(*self._base(by, self._reported.install()))

    def maintenance(self, by: str, enabled: bool) -> SwitchMaintenance:
        base = self._base(by, self._reported.set_maintenance(enabled))
        # Only what begins a release is bound to a confirmation.
        return SwitchMaintenance(*base, enabled, self.context.check if enabled else None)

    def deactivate(self, by: str, number: str) -> Deactivate:
        base = self._base(by, self._reported.deactivate(number))
        return Deactivate(*base, number, self.context.check, label=self.record.label(number))

    def support(self, by: str, numbers: list[str]) -> SupportReleases:
        lost = tuple(numbers)
        labels = ", ".join(self.record.label(number) for number in lost)
        return SupportReleases(*self._base(by, self._reported.release(lost)), lost, label=labels)

    def activate(self, by: str, number: str, seen: bool, offline: bool) -> Activate:
        tell = self._reported.activate_offline if offline else self._reported.activate
        base = ServerMoveStep(*self._base(by, tell(number)), label=self.record.label(number))
        tried = self.record.progress(number).activated == TRIED
        return Activate(base, number, seen, tried, self.context.codes.get(number), offline)

    def profile(self, by: str, number: str, profile: str, seen: bool) -> AddProfile:
        move, guidance = self.record.id, self._reported.add_profile(profile, number)

        def keep(unit: Unit, basis: str | None) -> None:
            others = {
                key: value
                for key, value in present(unit, move).progress(number).profiles.items()
                if key != profile
            }
            changed = others if basis is None else {**others, profile: basis}
            note(unit, move, number, profiles=changed)

        known = self.record.progress(number).profiles.get(profile)
        base = ServerMoveStep(*self._base(by, guidance), label=self.record.label(number))
        return AddProfile(base, number, seen, known == TRIED, profile, keep)

    def verify(self, by: str, number: str) -> Verify:
        """Who looks is told first what the commands said that were run for this license."""
        known = next(entry for entry in self.record.backup.licenses if entry.number == number)
        commands: tuple[Wanted, ...] = (
            (ACTIVATE, {"number": number}),
            *((ADD_PROFILE, {"profile": name}) for name in known.profiles),
        )
        base = self._base(by, self._reported.verify((number,)))
        return Verify(
            *base,
            number,
            program_reports=lambda: self.context.program_reports(commands),
            label=known.label,
        )

    def repoint(self, by: str, restarts: bool) -> Attested:
        host = self.record.declaration.target_host
        guidance = self._reported.repoint(host)
        if restarts:
            more = f"Then: {self._reported.restart_warning()}"
            guidance = replace(guidance, steps=(*guidance.steps, more))
        given = {"restarts": restarts}
        what = f"applications using {host}"
        return Attested(*self._base(by, guidance), REPOINT, what, given=given)

    @property
    def _reported(self) -> MoveInstructions:
        return self.context.driver.instructions()

    def _base(
        self, by: str, guidance: Instructions
    ) -> tuple[ServerMoveDriver, str, Performer, Instructions]:
        return self.context.driver, self.record.id, Performer(by), guidance


def bound_to(seen: MovableServer, numbers: tuple[str, ...]) -> dict[str, str]:
    """What a confirmation of a release is bound to, by part; room and ports change by themselves.

    Each license that leaves is a part of its own, because it changes when it is its turn.
    """
    shown = seen.as_document()
    server = {key: shown[key] for key in ("installed", "version", "license_files")}
    others = [entry for entry in shown["licenses"] if entry["number"] not in numbers]
    parts = {number: _license(seen, number) for number in numbers}
    return {
        "server": digest({**server, "licenses": others, "tells": seen.reports_licenses}),
        "maintenance": digest(seen.maintenance),
        **{number: digest(part) for number, part in parts.items()},
    }


def _license(seen: MovableServer, number: str) -> dict[str, Any]:
    """One license as plain values."""
    entry = seen.license(number)
    profiles = None if entry.profiles is None else sorted(entry.profiles)
    return {"state": entry.state.value, "profiles": profiles}


def needs_confirmation(outline: LegOutline) -> bool:
    """Whether it sets something going that cannot be taken back."""
    return outline.leg == MoveLeg.RELEASE or outline.support


def plan_view(
    request: MoveRequest,
    record: MoveRecord,
    outline: LegOutline,
    steps: tuple[Step, ...],
    warnings: tuple[str, ...],
) -> dict[str, Any]:
    """The steps, and the digest that a confirmation is for."""
    shown = [planned_view(step) for step in steps]
    bound = {
        "move": request.declaration.as_document(),
        "leg": request.leg.value,
        "backup": backup_digest(record.backup),
        "shape": outline.as_document(),
        "steps": shown,
        "warnings": list(warnings),
    }
    return {
        "digest": digest(bound),
        "confirmation_required": needs_confirmation(outline),
        "warnings": list(warnings),
        "codes_needed": list(codes_needed(outline)),
        "steps": shown,
    }


def codes_needed(outline: LegOutline) -> tuple[str, ...]:
    """The licenses that the agent would activate, for which it needs their codes."""
    by_agent = "activate" not in outline.by_person
    brings = outline.leg in (MoveLeg.INSTALL, MoveLeg.RESTORE)
    return outline.numbers if brings and by_agent else ()


def warnings_of(outline: LegOutline, driver: ServerMoveDriver) -> tuple[str, ...]:
    """What whoever confirms has to know."""
    if outline.leg == MoveLeg.RELEASE:
        gap = (
            "From its deactivation on a license is active nowhere, until the target has activated"
            " it."
        )
        depending = dependencies.of_moving_server().sentences()
        return (driver.instructions().restart_warning(), gap, *depending)
    if outline.support:
        return ("What the vendor's support deactivates never comes back to the lost machine.",)
    return ()


def _people(driver: ServerMoveDriver, *kinds: Action) -> tuple[str, ...]:
    return tuple(kind for kind in kinds if driver.can(kind) is not Grade.DOCUMENTED)


def _sees(driver: ServerMoveDriver, what: Any) -> bool:
    return driver.can(what) is Grade.DOCUMENTED
