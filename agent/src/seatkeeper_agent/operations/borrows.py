# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared borrows: this item, this many seats, until then. Each lot is a transfer of its own.

A seat that is borrowed locally is one transfer, so that one of several can come back early.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from seatkeeper_agent.domain.licenses import ItemKey, TransferType
from seatkeeper_agent.domain.planned_steps import PlannedStep
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import BorrowRecord, TransferRecord
from seatkeeper_agent.domain.transfers import (
    Declaration,
    Mode,
    Place,
    Side,
    State,
    transfer_id,
)
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.observations import the_container
from seatkeeper_agent.operations.ports import DriverError, LicenseDriver
from seatkeeper_agent.operations.views import (
    borrow_view,
    declaration_view,
    moment,
    seconds,
    transfer_view,
)

_GONE = (State.VOID, State.REFUSED)
_FIXED = ("item", "type", "source", "target")
LOTS_MAX = 10_000


@dataclass(frozen=True)
class BorrowRequest:
    """What is declared at the borrower."""

    id: str
    name: str
    item: ItemKey
    type: TransferType
    source: Place
    target: Place
    seats: int
    until: int

    def as_document(self) -> dict[str, Any]:
        """As stored and shown."""
        return {
            "name": self.name,
            "item": str(self.item),
            "type": self.type.value,
            "source": {"agent": self.source.agent, "container": self.source.container},
            "target": {"agent": self.target.agent, "container": self.target.container},
            "seats": self.seats,
            "until": moment(self.until),
        }


@dataclass(frozen=True)
class Lot:
    """One opened lot: the transfer that lent it and what became of it."""

    id: str
    name: str
    record: TransferRecord | None
    returned: TransferRecord | None
    extensions: tuple[TransferRecord, ...]

    def until(self) -> int | None:
        """When it ends, extensions that arrived included."""
        arrived = [
            entry.declaration.until or 0
            for entry in self.extensions
            if entry.state in (State.TRANSFERRED, State.RECEIPTED)
        ]
        own = self.record.declaration.until if self.record else None
        return max([own or 0, *arrived]) or None

    @property
    def has_begun(self) -> bool:
        """Whether something of it arrived here or is being imported."""
        return self.record is not None and self.record.state not in (State.REQUESTED, *_GONE)

    def is_active(self, now: int) -> bool:
        """Whether the borrower holds it or is about to."""
        if self.returned is not None and self.returned.state not in (State.CREATED, State.VOID):
            return False
        if self.record is None:
            return True
        return self.record.state not in _GONE and (self.until() or 0) > now


class BorrowService:
    """The borrows of this host: the borrower declares, the lender tells. Failures are Problems."""

    def __init__(
        self,
        journal: Journal,
        driver: LicenseDriver,
        identity: Identity,
        clock: Callable[[], float] = time.time,
        sure_clock: Callable[[], float] | None = None,
    ) -> None:
        """``sure_clock`` raises a Problem while the host's clock cannot be right."""
        self._journal = journal
        self._driver = driver
        self._identity = identity
        self._clock = clock
        self._sure_clock = sure_clock or clock

    def put(self, request: BorrowRequest, actor: str, dry_run: bool) -> dict[str, Any]:
        """Remember the declaration and tell which transfers have to be carried for it."""
        if request.source.agent == self._identity.name:
            return self._lent(request)
        now = int(self._sure_clock())
        with self._journal.reading() as unit:
            known = unit.borrows.get(request.id)
        request = self._settle(request, known)
        with self._journal.reading() as unit:
            lots = self._lots(unit, request, known)
        self._check(request, known, lots, now)
        wanted = request.seats if request.until > now else 0
        active = [lot for lot in lots if lot.is_active(now) and _fits(request, lot)]
        # What has not begun is given up before anything is returned.
        active.sort(key=lambda lot: not lot.has_begun)
        opened = [_new_lot(request, len(lots) + n) for n in range(max(0, wanted - len(active)))]
        kept = (active + opened)[:wanted]
        dropped = _dropped(request, lots, kept)
        transfers = self._transfers(request, lots, kept, active, now)
        declared = known is None or known.declaration != request.as_document()
        if not dry_run and (declared or opened or dropped):
            ids = [lot.id for lot in lots + opened]
            with self._journal.transaction() as unit:
                unit.borrows.put(request.id, request.as_document(), ids)
                detail = {"seats": request.seats, "until": moment(request.until)}
                unit.audit.append(actor, "borrow", f"borrow {request.name!r}", detail)
                _give_up(unit, dropped, actor)
        return {
            "changed": bool(declared or opened or dropped or transfers),
            "before": _shown(active, known),
            "after": {
                "seats": wanted,
                "until": moment(request.until),
                "lots": [lot.name for lot in kept],
            },
            "transfers": [{"id": entry.id, **declaration_view(entry)} for entry in transfers],
            "borrow": self.view(request.id),
            "plan": {"steps": [_step(entry) for entry in transfers]},
        }

    def _lent(self, request: BorrowRequest) -> dict[str, Any]:
        """What the lender knows of it: that is the borrower's to declare, so nothing changes."""
        with self._journal.reading() as unit:
            known = unit.transfers.below(request.name, LOTS_MAX)
        lent = {"id": request.id, "lent": [transfer_view(record, None) for record in known]}
        return {"changed": False, "before": {}, "after": {}, "borrow": lent}

    def view(self, borrow_id: str) -> dict[str, Any] | None:
        """The borrow as the API shows it, None if it was never declared."""
        with self._journal.reading() as unit:
            record = unit.borrows.get(borrow_id)
            if record is None:
                return None
            return self._view(unit, record)

    def page(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Declared borrows in the order of their ids."""
        with self._journal.reading() as unit:
            return [self._view(unit, record) for record in unit.borrows.page(after, limit)]

    def _view(self, unit: Unit, record: BorrowRecord) -> dict[str, Any]:
        request = _request(record)
        now = int(self._clock())
        lots = [
            {
                "transfer": lot.id,
                "name": lot.name,
                "state": lot.record.state.value if lot.record else "none",
                "until": moment(lot.until()),
                "returned_by": lot.returned.declaration.id if lot.returned else None,
                "active": lot.is_active(now),
            }
            for lot in self._lots(unit, request, record)
        ]
        return borrow_view(record, lots)

    def _settle(self, request: BorrowRequest, known: BorrowRecord | None) -> BorrowRequest:
        if request.target.agent != self._identity.name:
            raise Problem(
                ProblemCode.WRONG_HOST,
                f"The borrow {request.name!r} is declared for the agent {request.target.agent!r},"
                f" this one is {self._identity.name!r}.",
                "Declare it at the borrower.",
            )
        if known is not None and not request.source.container:
            lender = Place(**known.declaration["source"])
            if lender.agent == request.source.agent:
                request = replace(request, source=lender)
        if not request.source.container:
            raise Problem(
                ProblemCode.REQUEST_INVALID,
                f"The borrow {request.name!r} does not name the container that lends.",
                "Declare source_container, the serial number of the container that lends.",
            )
        try:
            container = the_container(self._driver, request.target.container or None)
        except DriverError as error:
            raise driver_problem("reading the containers", error) from error
        return replace(request, target=Place(request.target.agent, container))

    def _check(
        self, request: BorrowRequest, known: BorrowRecord | None, lots: list[Lot], now: int
    ) -> None:
        if not request.type.is_borrow:
            raise Problem(
                ProblemCode.REQUEST_INVALID,
                f"The borrow {request.name!r} has the type {request.type.value}, which is no"
                " borrow.",
                "Declare borrow_local or borrow_complete.",
            )
        if known is None and request.until <= now and request.seats:
            raise Problem(
                ProblemCode.PERIOD_IN_THE_PAST,
                f"The borrow {request.name!r} of item {request.item} would end at"
                f" {moment(request.until)}, which is past.",
                "Declare until as a date ahead.",
            )
        whole = request.type is TransferType.BORROW_COMPLETE
        if request.seats > (1 if whole else LOTS_MAX):
            raise Problem(
                ProblemCode.AMOUNT_INVALID,
                f"The borrow {request.name!r} asks for {request.seats} seats of type"
                f" {request.type.value}, which lends {'one whole item' if whole else LOTS_MAX} at"
                " most.",
                "Declare fewer.",
            )
        if known is not None and any(lot.has_begun for lot in lots):
            self._check_same(request, known)

    def _check_same(self, request: BorrowRequest, known: BorrowRecord) -> None:
        requested = request.as_document()
        differing = [name for name in _FIXED if known.declaration[name] != requested[name]]
        if differing:
            raise Problem(
                ProblemCode.DECLARATION_DIFFERS,
                f"The borrow {request.name!r} is known here with another {', '.join(differing)}.",
                "Return it, and give the new borrow a new name.",
            )

    def _transfers(
        self, request: BorrowRequest, lots: list[Lot], kept: list[Lot], active: list[Lot], now: int
    ) -> list[Declaration]:
        """What is to be carried, begun transfers first."""
        declarations: list[Declaration] = []
        kept_ids, active_ids = {lot.id for lot in kept}, {lot.id for lot in active}
        for lot in {lot.id: lot for lot in [*lots, *kept]}.values():
            is_kept = lot.id in kept_ids
            given_up = lot.id in active_ids and not is_kept and lot.has_begun
            if is_kept and (lot.record is None or not lot.record.state.is_settled):
                declarations.append(_lend(request, lot))
            elif given_up and lot.record is not None:
                if not lot.record.state.is_settled:
                    declarations.append(lot.record.declaration)
                declarations.append(_return(request, lot))
            elif lot.returned is not None and not lot.returned.state.is_settled:
                declarations.append(lot.returned.declaration)
            elif is_kept and (lot.until() or 0) < request.until and request.until > now:
                declarations.append(_extend(request, lot))
            declarations += [
                entry.declaration
                for entry in lot.extensions
                if not entry.state.is_settled and entry.state is not State.REQUESTED
            ]
        return list({entry.id: entry for entry in declarations}.values())

    def _lots(self, unit: Unit, request: BorrowRequest, known: BorrowRecord | None) -> list[Lot]:
        ids = known.lots if known else ()
        return [self._lot(unit, request, number, lot_id) for number, lot_id in enumerate(ids)]

    def _lot(self, unit: Unit, request: BorrowRequest, number: int, lot_id: str) -> Lot:
        name = _lot_name(request, number)
        record = unit.transfers.get(lot_id, Side.TARGET)
        returned = unit.transfers.get(transfer_id(f"{name}/return"), Side.SOURCE)
        extensions = unit.transfers.children(lot_id, Side.TARGET, Mode.EXTEND)
        return Lot(lot_id, name, record, returned, tuple(extensions))


def _lot_name(request: BorrowRequest, number: int) -> str:
    return f"{request.name}/lot-{number + 1}"


def _new_lot(request: BorrowRequest, number: int) -> Lot:
    name = _lot_name(request, number)
    return Lot(transfer_id(name), name, None, None, ())


def _fits(request: BorrowRequest, lot: Lot) -> bool:
    """Whether a lot is one of the declared borrow; one of another that never began is not."""
    if lot.record is None or lot.has_begun:
        return True
    requested = lot.record.declaration
    return (requested.item, requested.type, requested.source, requested.target) == (
        request.item,
        request.type,
        request.source,
        request.target,
    )


def _dropped(request: BorrowRequest, lots: list[Lot], kept: list[Lot]) -> list[TransferRecord]:
    """What was asked for, never began, and is not wanted any more, or not until then."""
    kept_ids = {lot.id for lot in kept}
    lent = [lot.record for lot in lots if lot.record is not None and lot.id not in kept_ids]
    extensions = [
        entry
        for lot in lots
        for entry in lot.extensions
        if lot.id not in kept_ids or entry.declaration.until != request.until
    ]
    return [record for record in lent + extensions if record.state is State.REQUESTED]


def _give_up(unit: Unit, dropped: list[TransferRecord], actor: str) -> None:
    """Void what has not begun by now; if its source had debited it, it still arrives."""
    for record in dropped:
        declaration = record.declaration
        present = unit.transfers.get(declaration.id, record.side)
        if present is not None and present.state is State.REQUESTED:
            unit.transfers.advance(declaration.id, record.side, State.VOID)
            unit.audit.append(actor, "void", f"transfer {declaration.name!r}", {})


def _lend(request: BorrowRequest, lot: Lot) -> Declaration:
    if lot.record is not None and lot.has_begun:
        return lot.record.declaration
    return Declaration(
        id=lot.id,
        name=lot.name,
        item=request.item,
        type=request.type,
        mode=Mode.PUSH,
        source=request.source,
        target=request.target,
        until=request.until,
    )


def _return(request: BorrowRequest, lot: Lot) -> Declaration:
    name = f"{lot.name}/return"
    return Declaration(
        id=transfer_id(name),
        name=name,
        item=_codes(request.item),
        type=request.type,
        mode=Mode.RETURN,
        source=request.target,
        target=request.source,
        parent=lot.id,
    )


def _extend(request: BorrowRequest, lot: Lot) -> Declaration:
    name = f"{lot.name}/until-{moment(request.until)}"
    return Declaration(
        id=transfer_id(name),
        name=name,
        item=request.item,
        type=request.type,
        mode=Mode.EXTEND,
        source=request.source,
        target=request.target,
        until=request.until,
        parent=lot.id,
    )


def _step(declaration: Declaration) -> dict[str, Any]:
    """What carrying one transfer means; the agent cannot do it alone, so it stays planned."""
    item, source, target = declaration.item, declaration.source, declaration.target
    title = {
        Mode.RETURN: f"return {item} from {source.container} to {target.container}",
        Mode.EXTEND: f"extend the borrow of {item} until {moment(declaration.until)}",
    }.get(
        declaration.mode,
        f"borrow {item} from {source.container} until {moment(declaration.until)}",
    )
    side = Side.SOURCE if declaration.mode is Mode.RETURN else Side.TARGET
    step = PlannedStep(declaration.mode.value, title, side.value, reversible=True)
    return {**step.as_document(), "state": "planned"}


def _codes(item: ItemKey) -> ItemKey:
    return ItemKey(item.firm_code, item.product_code)


def _shown(active: list[Lot], known: BorrowRecord | None) -> dict[str, Any]:
    held = [lot for lot in active if lot.record and lot.record.state is State.RECEIPTED]
    until = known.declaration["until"] if known else None
    return {"seats": len(held), "until": until, "lots": [lot.name for lot in held]}


def _request(record: BorrowRecord) -> BorrowRequest:
    declaration = record.declaration
    return BorrowRequest(
        id=record.id,
        name=declaration["name"],
        item=ItemKey.parse(declaration["item"]),
        type=TransferType(declaration["type"]),
        source=Place(**declaration["source"]),
        target=Place(**declaration["target"]),
        seats=declaration["seats"],
        until=seconds(declaration["until"]) or 0,
    )
