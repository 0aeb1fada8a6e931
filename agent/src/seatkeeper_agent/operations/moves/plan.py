# SPDX-License-Identifier: GPL-3.0-or-later
"""What a leg of a move is asked for, its steps, and what its confirmation is bound to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from seatkeeper_agent.domain.move_legs import MoveDeclaration, MoveLeg
from seatkeeper_agent.domain.moves import (
    BackedUpLicense,
    LicenseState,
    MovableServer,
    ServerBackup,
)
from seatkeeper_agent.domain.plans import Instructions, Performer, digest
from seatkeeper_agent.domain.records import Envelope
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations import dependencies
from seatkeeper_agent.operations.moves.commands import Activate, AddProfile
from seatkeeper_agent.operations.moves.documents import Word, backup_digest
from seatkeeper_agent.operations.moves.ports import Action, ServerMoveDriver
from seatkeeper_agent.operations.moves.records import TRIED, MoveRecord, Shape, note, present
from seatkeeper_agent.operations.moves.steps import (
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
from seatkeeper_agent.operations.people import planned_view
from seatkeeper_agent.operations.ports import Grade
from seatkeeper_agent.operations.steps import Step

VOID = "void"
"""What giving up is called where legs are named."""


@dataclass(frozen=True)
class MoveOrder:
    """One leg as it was asked for; what does not concern the leg is left alone.

    ``evidence`` is the newest document of this agent that the other host keeps.
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
    refuse: bool = False
    confirmation: str | None = None
    codes: dict[str, Secret] = field(default_factory=dict)
    offline: bool = False
    target_lost: bool = False


@dataclass(frozen=True)
class Means:
    """What steps are made with besides the record."""

    driver: ServerMoveDriver
    codes: dict[str, Secret]
    heard: Callable[[tuple[str, ...]], tuple[str, ...]]
    check: Callable[[str], None]
    target_refusal: Callable[[], Any]
    not_arrived: Callable[[], Any]
    active_here: Callable[[], Any]
    not_left: Callable[[], Any]
    close: Callable[[Unit], None]


def shape_of(order: MoveOrder, record: MoveRecord, driver: ServerMoveDriver) -> Shape:
    """How the steps of a new attempt at a leg are."""
    match order.leg:
        case MoveLeg.PREPARE:
            return Shape(order.leg.value, by_person=_people(driver, "install"))
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
            return Shape(
                order.leg.value,
                left,
                by_person=people,
                unseen=unseen,
                maintenance=True,
                bound=bound,
            )
        case MoveLeg.FINISH:
            unseen = () if _sees(driver, "observe_licenses") else ("licenses",)
            people = _people(driver, "maintenance")
            return Shape(order.leg.value, record.numbers, by_person=people, unseen=unseen)
    return _bringing(order, record, driver)


def _bringing(order: MoveOrder, record: MoveRecord, driver: ServerMoveDriver) -> Shape:
    """Licenses come to this machine: to the target, or back to the source."""
    is_restore = order.leg is MoveLeg.RESTORE
    lost = order.target_lost if is_restore else order.declaration.source_lost
    left = _left(record, driver) if is_restore else ()
    wanted = [n for n in record.numbers if not is_restore or _comes_back(record, n, lost, left)]
    support = lost and any(record.progress(n).freed is None for n in wanted)
    people = _people(driver, "activate", "add_profile", *(("maintenance",) if is_restore else ()))
    if order.offline and "activate" not in people:
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
    return Shape(
        order.leg.value,
        tuple(numbers),
        tuple(profiles),
        tuple(verified),
        people,
        unseen,
        support=support,
        maintenance=is_restore,
        offline=order.offline,
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
    gone = record.progress(number).there in (Word.OBSERVED, Word.ATTESTED)
    return number in left and (lost or not gone)


def _is_open(word: str | None, unseen: tuple[str, ...], what: str) -> bool:
    """Whether it is still to be done; what can be seen is looked at again in every attempt."""
    return what not in unseen or word in (None, TRIED)


def steps_of(record: MoveRecord, shape: Shape, means: Means) -> tuple[Step, ...]:
    """The steps of an operation, from what was frozen when it was begun."""
    maker = _Maker(record, shape, means)
    match shape.leg:
        case MoveLeg.PREPARE:
            steps = maker.prepare()
        case MoveLeg.RELEASE:
            steps = maker.release()
        case MoveLeg.INSTALL:
            steps = maker.install()
        case MoveLeg.FINISH:
            steps = maker.finish()
        case MoveLeg.RESTORE:
            steps = [*maker.bring(), *maker.maintenance_off()]
        case _:
            steps = maker.maintenance_off()
    return (
        *steps,
        Close(f"ending the leg {shape.leg} of {record.declaration.subject}", means.close),
    )


@dataclass(frozen=True)
class _Maker:
    record: MoveRecord
    shape: Shape
    means: Means

    def prepare(self) -> list[Step]:
        """The product is there before anything leaves the source, and the machine fits."""
        told = self.means.driver.instructions().install()
        refusal = self.means.target_refusal
        fits = HoldStill("fits", "the target fitting what was backed up", refusal)
        return [Install(*self._base("install", told)), fits]

    def release(self) -> list[Step]:
        """Maintenance mode, then license by license; at the end all are looked at together."""
        told = self.means.driver.instructions()
        on = SwitchMaintenance(
            *self._base("maintenance", told.set_maintenance(True)), True, self.means.check
        )
        steps: list[Step] = [on]
        steps += [
            Deactivate(
                *self._base("deactivate", told.deactivate(number)),
                number,
                self.means.check,
                label=self.record.label(number),
            )
            for number in self.shape.numbers
        ]
        if "licenses" not in self.shape.unseen:
            what = "no license being active here any more"
            steps.append(HoldStill("left", what, self.means.not_left))
        return steps

    def install(self) -> list[Step]:
        """All licenses; for a lost source also what its agent would have had done."""
        steps = self.bring()
        if self.record.declaration.source_lost:
            steps.append(self._repointing(()))
        return steps

    def finish(self) -> list[Step]:
        """Nothing is active here any more; applications go to the new server."""
        steps: list[Step] = []
        if "licenses" not in self.shape.unseen:
            what = "no license being active on the old server"
            steps.append(HoldStill("gone", what, self.means.active_here, freezes=True))
        warning = self.means.driver.instructions().restart_warning()
        return [*steps, self._repointing((f"Then: {warning}",)), *self.maintenance_off()]

    def maintenance_off(self) -> list[Step]:
        """Where it was on."""
        if not self.shape.maintenance and self.shape.leg in (MoveLeg.RESTORE, VOID):
            return []
        told = self.means.driver.instructions().set_maintenance(False)
        return [SwitchMaintenance(*self._base("maintenance", told), False)]

    def bring(self) -> list[Step]:
        """Activate all, link all profiles, and have looked at what the agent cannot see."""
        told, shape = self.means.driver.instructions(), self.shape
        steps: list[Step] = []
        if shape.support:
            lost = shape.numbers
            base = self._base("support", told.release(lost), Performer.VENDOR)
            labels = ", ".join(self.record.label(number) for number in lost)
            steps.append(SupportReleases(*base, lost, label=labels))
        for number in shape.numbers:
            tell = told.activate_offline if shape.offline else told.activate
            known = self.record.progress(number)
            steps.append(
                Activate(
                    ServerMoveStep(
                        *self._base("activate", tell(number)), label=self.record.label(number)
                    ),
                    number,
                    "licenses" not in shape.unseen,
                    known.activated == TRIED,
                    self.means.codes.get(number),
                )
            )
        for name, number in shape.profiles:
            steps.append(self._profile(name, number, told.add_profile(name, number)))
        steps += [self._verify(number, told.verify((number,))) for number in shape.verified]
        if "licenses" not in shape.unseen:
            what = "all licenses being active here"
            steps.append(HoldStill("arrived", what, self.means.not_arrived))
        return steps

    def _verify(self, number: str, told: Instructions) -> Verify:
        """Who looks is told first what the commands said that were run for this license."""
        known = next(entry for entry in self.record.backup.licenses if entry.number == number)
        names = (f"activate {number}", *(f"add_profile {name}" for name in known.profiles))
        base = self._base("verify", told, Performer.PERSON)
        return Verify(*base, number, heard=lambda: self.means.heard(names), label=known.label)

    def _profile(self, name: str, number: str, told: Instructions) -> AddProfile:
        move = self.record.id

        def keep(unit: Unit, word: str | None) -> None:
            others = {
                key: value
                for key, value in present(unit, move).progress(number).profiles.items()
                if key != name
            }
            note(unit, move, number, profiles=others if word is None else {**others, name: word})

        known = self.record.progress(number).profiles.get(name)
        base = ServerMoveStep(*self._base("add_profile", told), label=self.record.label(number))
        seen = "profiles" not in self.shape.unseen
        return AddProfile(base, number, seen, known == TRIED, name, keep)

    def _repointing(self, more: tuple[str, ...]) -> Attested:
        told = self.means.driver.instructions().repoint(self.record.declaration.target_host)
        told = Instructions(
            (*told.steps, *more), told.verified_by, told.attestable, told.seconds_max
        )
        what = f"applications using {self.record.declaration.target_host}"
        return Attested(*self._base("repoint", told, Performer.PERSON), "repoint", what)

    def _base(
        self, kind: str, told: Instructions, by: Performer | None = None
    ) -> tuple[ServerMoveDriver, str, Performer, Instructions]:
        default = Performer.PERSON if kind in self.shape.by_person else Performer.AGENT
        return self.means.driver, self.record.id, by or default, told


def bound_to(seen: MovableServer, numbers: tuple[str, ...]) -> dict[str, str]:
    """What a confirmation of a release is bound to, by part; room and ports change by themselves.

    Each license that leaves is a part of its own, because it changes when it is its turn.
    """
    shown = seen.as_document()
    server = {key: shown[key] for key in ("installed", "version", "license_files")}
    others = [entry for entry in shown["licenses"] if entry["number"] not in numbers]
    parts = {number: _license(seen, number) for number in numbers}
    return {
        "server": digest({**server, "licenses": others, "tells": seen.tells_licenses}),
        "maintenance": digest(seen.maintenance),
        **{number: digest(part) for number, part in parts.items()},
    }


def _license(seen: MovableServer, number: str) -> dict[str, Any]:
    """One license as plain values."""
    entry = seen.license(number)
    profiles = None if entry.profiles is None else sorted(entry.profiles)
    return {"state": entry.state.value, "profiles": profiles}


def needs_confirmation(shape: Shape) -> bool:
    """Whether it sets something going that cannot be taken back."""
    return shape.leg == MoveLeg.RELEASE or shape.support


def plan_view(
    order: MoveOrder,
    record: MoveRecord,
    shape: Shape,
    steps: tuple[Step, ...],
    warnings: tuple[str, ...],
) -> dict[str, Any]:
    """The steps, and the digest that a confirmation is for."""
    shown = [planned_view(step) for step in steps]
    bound = {
        "move": order.declaration.as_document(),
        "leg": order.leg.value,
        "backup": backup_digest(record.backup),
        "shape": shape.as_document(),
        "steps": shown,
        "warnings": list(warnings),
    }
    return {
        "digest": digest(bound),
        "confirmation_required": needs_confirmation(shape),
        "warnings": list(warnings),
        "codes_needed": list(codes_needed(shape)),
        "steps": shown,
    }


def codes_needed(shape: Shape) -> tuple[str, ...]:
    """The licenses that the agent would activate, for which it needs their codes."""
    by_agent = "activate" not in shape.by_person
    brings = shape.leg in (MoveLeg.INSTALL, MoveLeg.RESTORE)
    return shape.numbers if brings and by_agent else ()


def warnings_of(shape: Shape, driver: ServerMoveDriver) -> tuple[str, ...]:
    """What whoever confirms has to know."""
    if shape.leg == MoveLeg.RELEASE:
        gap = (
            "From its deactivation on a license is active nowhere, until the target has activated"
            " it."
        )
        depending = dependencies.of_moving_server().sentences()
        return (driver.instructions().restart_warning(), gap, *depending)
    if shape.support:
        return ("What the vendor's support deactivates never comes back to the lost machine.",)
    return ()


def _people(driver: ServerMoveDriver, *kinds: Action) -> tuple[str, ...]:
    return tuple(kind for kind in kinds if driver.can(kind) is not Grade.DOCUMENTED)


def _sees(driver: ServerMoveDriver, what: Any) -> bool:
    return driver.can(what) is Grade.DOCUMENTED
