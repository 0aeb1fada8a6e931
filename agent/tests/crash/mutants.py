# SPDX-License-Identifier: GPL-3.0-or-later
"""Five agents broken on purpose, in one way each: the campaign must notice every one of them.

Where the twin would shield a broken agent by its own care, it is broken too, in a way that a
careful agent survives: then it is the agent's care that is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.records import (
    Account,
    DocumentKind,
    Past,
    StepRecord,
    StepState,
    TransferRecord,
)
from seatkeeper_agent.domain.transfers import Leg, Side, State
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.declared.kinds import Asked, Given
from seatkeeper_agent.operations.declared.transfer import TransferKind
from seatkeeper_agent.operations.documents import seal
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.operations.recovery import Recovery
from seatkeeper_agent.operations.refusals import Refusals
from seatkeeper_agent.operations.steps import OperationSpec, Probe, Step, Verdict
from seatkeeper_agent.operations.transfer_operations import operation_id
from seatkeeper_agent.operations.transfer_steps.credit_back import post_credit_back
from seatkeeper_agent.operations.transfers import TransferService
from seatkeeper_twins.codemeter import control
from seatkeeper_twins.codemeter.store import Store

from .schedules import Bench, Result, Schedule, today
from .world import NEW, OLD, Variant


def credit_back_on_a_timeout() -> None:
    """What is still on its way when the source is asked to resume is taken back."""
    resume_all = Recovery.resume_all

    def impatient(self: Recovery, actor: str) -> Any:
        with self._journal.reading() as unit:
            records = unit.transfers.page(only_open=True, after="", limit=10)
        for record in records:
            if record.side is Side.SOURCE and record.state is State.IN_TRANSIT:
                # The twin has a way back that the product's documents do not have.
                twin = Path(self._driver._library.path).parent  # type: ignore[attr-defined]
                control.send(
                    twin,
                    {
                        "op": "_twin.restore",
                        "serial": record.container,
                        "transfer_id": record.vendor_transfer_id,
                    },
                )
                with self._journal.transaction() as unit:
                    _take_back(unit, record)
        return resume_all(self, actor)

    Recovery.resume_all = impatient  # type: ignore[method-assign]


def _take_back(unit: Unit, record: TransferRecord) -> None:
    identity = record.declaration.id
    unit.transfers.advance(identity, Side.SOURCE, State.CREDITING_BACK)
    post_credit_back(unit, record, Account.ESCROW, operation_id(identity, "debit"))
    unit.transfers.advance(identity, Side.SOURCE, State.VOID)


def no_deduplication() -> None:
    """The target does not care whether a transfer that it is given arrived before."""
    run = TransferService.run

    def greedy(self: TransferService, wanted: LegRequest) -> Any:
        record = self._record(wanted.declaration.id, Side.TARGET)
        arrived = record is not None and record.state in (State.TRANSFERRED, State.RECEIPTED)
        if wanted.leg is Leg.INSTALL and wanted.document is not None and arrived:
            artefact = self._evidence.take(wanted, None, True).artefact
            with suppress(DriverError):
                self._driver.import_update(wanted.declaration.target.container, artefact)
        return run(self, wanted)

    TransferService.run = greedy  # type: ignore[method-assign]


def import_twice() -> None:
    """A product that takes the same update again; no document says that it would not."""
    row, write = Store.row, Store.write

    def forgetful_row(self: Store, statement: str, *values: Any) -> Any:
        return None if " FROM imported " in statement else row(self, statement, *values)

    def forgiving_write(self: Store, statement: str, *values: Any) -> int:
        ignoring = statement.replace("INSERT INTO imported", "INSERT OR IGNORE INTO imported")
        return write(self, ignoring, *values)

    Store.row = forgetful_row  # type: ignore[method-assign]
    Store.write = forgiving_write  # type: ignore[method-assign]


def no_durable_refusal() -> None:
    """The target says no without writing it down."""

    def say_no(self: Refusals, wanted: LegRequest, record: TransferRecord | None) -> None:
        if wanted.declaration.id in _Said.receipts:
            return
        with self._journal.reading() as unit:
            record = unit.transfers.get(wanted.declaration.id, Side.TARGET)
            past = Past(*unit.audit.head())
        assert record is not None
        facts = {"decision": "refused"}
        receipt = seal(
            self._identity,
            DocumentKind.RECEIPT,
            record.declaration,
            b"",
            wanted.given,
            facts,
            past,
            None,
        )
        _Said.receipts[wanted.declaration.id] = receipt

    given = TransferKind._given

    def saying(self: TransferKind, progress: Any, asked: Asked) -> list[Given]:
        receipt = _Said.receipts.get(asked.id)
        if receipt is None or asked.declared.get("decision") != "refuse":
            return given(self, progress, asked)
        return [Given(progress.peer, DocumentKind.RECEIPT.value, receipt)]

    Refusals.refuse = say_no  # type: ignore[method-assign]
    TransferKind._given = saying  # type: ignore[method-assign]


class _Said:
    """What an agent said and forgets when it dies."""

    receipts: dict[str, Any] = {}  # noqa: RUF012 - one agent in one process


def recovery_without_a_probe() -> None:
    """What was intended when the agent died is taken for not done, and begun anew."""
    advance = Engine._advance

    def rash(
        self: Engine, spec: OperationSpec, position: int, step: Step, record: StepRecord
    ) -> None:
        if record.state is StepState.INTENDED:
            with self._journal.transaction() as unit:
                step.withdraw(unit)
                unit.operations.set_step(spec.id, position, StepState.PLANNED)
        advance(self, spec, position, step, self._record(spec, position))

    Engine._advance = rash  # type: ignore[method-assign]


def effect_before_intent() -> None:
    """The product is called first, and the intent is written when it has answered."""

    def eager(
        self: Engine, spec: OperationSpec, position: int, step: Step, baseline: dict[str, object]
    ) -> tuple[bytes | None, Probe]:
        try:
            returned = step.perform(baseline)
        except DriverError as error:
            return None, Probe(Verdict.UNKNOWN, reason=str(error))
        self._intend(spec, position, step, baseline, self._clock())
        return returned, self._looked(spec, position, baseline)

    Engine._attempt = eager  # type: ignore[method-assign]


@dataclass(frozen=True)
class Mutant:
    """How it is made, where somebody dies to bring it out, and which promise then breaks."""

    mutate_agent: Callable[[], None]
    scenario: str
    deaths: tuple[str, ...]
    breaks: str
    mutate_twin: Callable[[], None] | None = None

    def variant(self) -> Variant:
        """A world of such agents."""
        return Variant(mutate_agent=self.mutate_agent, mutate_twin=self.mutate_twin)

    def run(self, folder: Path, variant: Variant) -> list[Result]:
        """Its schedules, one for each death, with agents of any kind."""
        bench = Bench(folder, today(), variant)
        try:
            points = bench.trace(Schedule(self.scenario))
            numbers = [points.index(death) + 1 for death in self.deaths]
            return [bench.run(Schedule(self.scenario, (number,))) for number in numbers]
        finally:
            bench.world.kill()


MUTANTS = {
    # The target took the transfer up before it died; the source takes the seats back meanwhile.
    "credit back on a timeout": Mutant(
        credit_back_on_a_timeout,
        "push",
        (f"agent of {NEW}: after the commit of Engine._intend",),
        "I1",
    ),
    # The second run delivers the transfer that the first one delivered.
    "no deduplication": Mutant(
        no_deduplication,
        "push",
        (f"agent of {NEW}: after the commit of Engine._conclude",),
        "I1",
        import_twice,
    ),
    # The refused transfer is delivered again, when the source has its seats back.
    "no durable refusal": Mutant(
        no_durable_refusal,
        "refusal",
        (f"agent of {OLD}: after the commit of TransferService._confirm",),
        "I1",
    ),
    # The debit happened; begun anew it is not seen to happen, and its seats are written off.
    "recovery without a probe": Mutant(
        recovery_without_a_probe,
        "push",
        (f"agent of {OLD}: after the call of do_transfer", f"twin of {OLD}: debit.after"),
        "I2",
    ),
    "effect before intent": Mutant(
        effect_before_intent,
        "push",
        (f"agent of {OLD}: after the call of do_transfer",),
        "I3",
    ),
}
