# SPDX-License-Identifier: GPL-3.0-or-later
"""One profile of a license server: the name by which applications ask for a license."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.planned_steps import Performer
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DeclarationKey, OperationRecord, OperationState
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import Engine, driver_problem
from seatkeeper_agent.operations.in_the_way import require_unheld
from seatkeeper_agent.operations.people import planned_view
from seatkeeper_agent.operations.ports import DriverError, Grade
from seatkeeper_agent.operations.server_moves.attempts import program_reports
from seatkeeper_agent.operations.server_moves.commands import ADD_PROFILE, AddProfile
from seatkeeper_agent.operations.server_moves.documents import Basis
from seatkeeper_agent.operations.server_moves.ports import ServerMoveDriver
from seatkeeper_agent.operations.server_moves.steps import (
    VERIFY,
    Attested,
    ServerMoveStep,
    basis_of,
)
from seatkeeper_agent.operations.server_moves.views import operation_view, waiting_view
from seatkeeper_agent.operations.servers.settings import holder_of
from seatkeeper_agent.operations.steps import Makers, OperationSpec, Step, work_from

KIND = "server_profile"


@dataclass(frozen=True)
class ProfileAttestation(Attested):
    """Somebody's word on a profile whose command was tried: it counts, or is tried again."""

    keep: Callable[[Unit, str | None], None]

    def withdraw(self, unit: Unit) -> None:
        """It does not work."""
        self.keep(unit, None)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """It works."""
        self.keep(unit, basis_of(evidence))


class ProfileService:
    """The profiles of one vendor's license server. All failures are Problems.

    Only adding is documented. Where profiles do not show, what was done or said is remembered.
    """

    def __init__(self, journal: Journal, engine: Engine, driver: ServerMoveDriver) -> None:
        self._journal = journal
        self._engine = engine
        self._driver = driver
        self._holder = holder_of(driver.vendor)

    def put(self, name: str, number: str, actor: str, dry_run: bool) -> dict[str, Any]:
        """Link a profile to a license, unless it is."""
        before = self._owner(name)
        if before == number:
            return _answer(False, before, before, [], None)
        if before is not None:
            raise Problem(
                ProblemCode.CAPABILITY_REFUSED,
                f"The profile {name} is linked to license {before}, and no document tells how to"
                " link it to another one.",
                "Have a person do it in the vendor's own way, or name another profile.",
            )
        document = self._document(name, number)
        open_before = self._open_of(name)
        if open_before is not None and not dry_run:
            spec = self._spec_of(open_before, actor)
            self._engine.resume(spec)
        else:
            identity = str(uuid.uuid4())
            steps = self._steps(identity, name, document)
            if dry_run:
                own = None if open_before is None else open_before.id
                with self._journal.reading() as unit:
                    require_unheld(unit, self._holder, own)
                shown = [planned_view(step) for step in steps]
                return _answer(True, before, number, shown, None)

            def declare(unit: Unit) -> None:
                unit.declarations.put(KIND, name, document)

            key = DeclarationKey(KIND, name)
            spec = OperationSpec(
                identity, KIND, f"profile {name}", None, self._holder, actor, steps, key
            )
            self._engine.run(spec, declare)
        with self._journal.reading() as unit:
            operation = unit.operations.get(spec.id)
        shown = [planned_view(step) for step in (operation.steps if operation else ())]
        return _answer(True, before, self._owner(name), shown, operation)

    def absent(self, name: str) -> dict[str, Any]:
        """Only adding is documented, so this is refused unless it is so already."""
        owner = self._owner(name)
        if owner is None and self._shows():
            return _answer(False, None, None, [], None)
        raise Problem(
            ProblemCode.CAPABILITY_REFUSED,
            f"No document tells how to remove the profile {name} from the license server.",
            "Have a person remove or rename it in the vendor's own way; applications that ask for"
            " it stop.",
        )

    def resume(self, actor: str) -> list[str]:
        """Take up what was interrupted or waits."""
        with self._journal.reading() as unit:
            operation = unit.operations.holding(self._holder)
        if operation is None or operation.kind != KIND:
            return []
        if operation.state is OperationState.IN_DOUBT:
            return []
        resumed = self._engine.resume(self._spec_of(operation, operation.actor))
        return [] if resumed is None else [operation.id]

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on what cannot be observed."""
        self._engine.attest(
            self._spec_of(operation, operation.actor), operation, happened, statement, actor
        )

    def _owner(self, name: str) -> str | None:
        """The license that has the profile, as the server shows it or somebody has said."""
        try:
            shown = self._driver.observe().licenses
        except DriverError as error:
            raise driver_problem("looking at the license server", error) from error
        found = [entry.number for entry in shown if name in (entry.profiles or ())]
        if found or self._shows():
            return found[0] if found else None
        with self._journal.reading() as unit:
            known = unit.declarations.get(KIND, name)
        basis = None if known is None else known.document["word"]
        sure = basis in (Basis.OBSERVED, Basis.ATTESTED)
        return known.document["license"] if known is not None and sure else None

    def _shows(self) -> bool:
        return self._driver.can("observe_profiles") is Grade.DOCUMENTED

    def _document(self, name: str, number: str) -> dict[str, Any]:
        by_agent = self._driver.can("add_profile") is Grade.DOCUMENTED
        by = Performer.AGENT if by_agent else Performer.PERSON
        return {"license": number, "by": by.value, "seen": self._shows(), "word": None}

    def _steps(self, operation: str, name: str, document: dict[str, Any]) -> tuple[Step, ...]:
        by, number, seen = document["by"], document["license"], document["seen"]
        makers, what = self._makers(operation, name), {"number": number, "profile": name}
        add = makers[ADD_PROFILE]({"by": by, "seen": seen, **what})
        if seen or by == Performer.PERSON:
            return (add,)
        return add, makers[VERIFY]({"by": Performer.PERSON.value, **what})

    def _makers(self, operation: str, name: str) -> Makers:
        driver, guidance = self._driver, self._driver.instructions()

        def keep(unit: Unit, basis: str | None) -> None:
            known = unit.declarations.get(KIND, name)
            if known is None:
                raise LookupError(f"the profile {name} was not declared")
            unit.declarations.put(KIND, name, {**known.document, "word": basis})

        def add(by: str, number: str, profile: str, seen: bool) -> Step:
            to_do = guidance.add_profile(profile, number)
            base = ServerMoveStep(driver, "", Performer(by), to_do)
            return AddProfile(base, number, seen, False, profile, keep)

        def look(by: str, number: str, profile: str) -> Step:
            return ProfileAttestation(
                driver,
                "",
                Performer(by),
                guidance.verify((number,)),
                VERIFY,
                f"profile {profile} working for license {number}",
                keep,
                program_reports=lambda: program_reports(
                    self._journal, [operation], [(ADD_PROFILE, {})]
                ),
                given={"number": number, "profile": profile},
            )

        return {ADD_PROFILE: lambda given: add(**given), VERIFY: lambda given: look(**given)}

    def _spec_of(self, operation: OperationRecord, actor: str) -> OperationSpec:
        makers = self._makers(operation.id, operation.declared_id)
        return work_from(operation, makers, actor)

    def _open_of(self, name: str) -> OperationRecord | None:
        with self._journal.reading() as unit:
            held = unit.operations.holding(self._holder)
        return held if held and held.declaration == DeclarationKey(KIND, name) else None


def _answer(
    changed: bool,
    before: str | None,
    after: str | None,
    steps: list[dict[str, Any]],
    operation: OperationRecord | None,
) -> dict[str, Any]:
    return {
        "changed": changed,
        "before": {"license": before},
        "after": {"license": after},
        "plan": {"steps": steps},
        "operation": operation_view(operation),
        "waiting": waiting_view(operation),
    }
