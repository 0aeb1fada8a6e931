# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a license transfer, checked before anything is touched.

Each rule is a function of what was observed; it returns a Problem or None. The rules are
the vendor's (grade D) unless they are marked as the operator's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from seatkeeper_agent.domain.abilities import (
    amount_there,
    has_levels,
    is_universal,
    may_be_pulled,
    may_be_returned,
    period_limits,
)
from seatkeeper_agent.domain.licenses import (
    UNIVERSAL_FIRM_CODE_MIN,
    ContainerClock,
    HistoryRow,
    Item,
    ItemStatus,
    TransferOption,
    TransferType,
)
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.transfers import Declaration, Mode


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator of a host adds to the vendor's rules.

    ``clock_seconds_max`` is how far the host's clock and the container's may be apart;
    the vendor refuses a difference that is too large without telling the limit.
    """

    borrow_seconds_max: int | None = None
    transfer_blocked: bool = False
    receipt_required: bool = False
    clock_seconds_max: int = 3600


@dataclass(frozen=True, slots=True)
class PeerFacts:
    """What the target told about itself; None for what it did not, or was not asked yet."""

    firm_item_present: bool | None = None
    box_at: int | None = None
    is_requested: bool = False

    @property
    def withholds_clock(self) -> bool:
        """Whether it was asked for its container's time and told none."""
        return self.is_requested and self.box_at is None


@dataclass(frozen=True, slots=True)
class SourceView:
    """Everything that the source side's rules look at.

    ``parent_vendor_id`` is the vendor's id of the lot that an extension prolongs;
    ``lending_nothing`` are the vendor's ids of transfers of which the journal knows that they
    lend nothing from here: they came in, went back, prolong a borrow, or are back.
    """

    declaration: Declaration
    item: Item
    parent_vendor_id: str | None
    history: tuple[HistoryRow, ...]
    """The rows of all items of these codes."""
    runtime_types: tuple[TransferType, ...]
    clock: ContainerClock
    now: int
    policy: Policy
    peer: PeerFacts
    lending_nothing: frozenset[str] = frozenset()

    @property
    def option(self) -> TransferOption | None:
        """The licensor's option for the declared type."""
        return self.item.option(self.declaration.type)

    @property
    def item_history(self) -> tuple[HistoryRow, ...]:
        """The rows of this very item."""
        return tuple(row for row in self.history if row.item == self.item.key)


Rule = Callable[[SourceView], Problem | None]


def source_problems(view: SourceView) -> list[Problem]:
    """All rules that forbid the transfer at its source, the most telling first."""
    return [problem for rule in _rules(view.declaration.mode) if (problem := rule(view))]


def target_problems(
    declaration: Declaration, runtime_types: tuple[TransferType, ...], policy: Policy
) -> list[Problem]:
    """What the receiving host can tell before the source is asked."""
    checks = (
        _firm_code(declaration),
        _runtime_type(declaration, runtime_types),
        _blocked(declaration, policy),
        _form(declaration),
    )
    return [problem for problem in checks if problem]


def _rules(mode: Mode) -> Iterator[Rule]:
    yield lambda view: _firm_code(view.declaration)
    yield lambda view: _runtime_type(view.declaration, view.runtime_types)
    yield lambda view: _blocked(view.declaration, view.policy)
    yield lambda view: _form(view.declaration)
    if mode is Mode.RETURN:
        yield from (_only_to_origin, _returned_as_received, _return_allowed)
        yield from (_enabled, _nothing_lent, _amount)
    elif mode is Mode.EXTEND:
        yield from (_item_type, _lot_known, _period, _clocks)
    else:
        yield from (_item_type, _not_borrowed, _enabled, _pull_allowed, _depth)
        yield from (_nothing_lent, _amount, _period, _clocks, _firm_item, _unreceipted)


def _named(declaration: Declaration) -> str:
    return f"item {declaration.item} of transfer {declaration.name!r}"


def _at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _firm_code(declaration: Declaration) -> Problem | None:
    if is_universal(declaration.firm_code):
        return None
    return Problem(
        ProblemCode.FIRM_CODE_NOT_UNIVERSAL,
        f"The {_named(declaration)} cannot be transferred: license transfer exists only for"
        f" Universal Firm Codes above {UNIVERSAL_FIRM_CODE_MIN}.",
        "Ask the licensor to convert or reissue the license.",
    )


def _runtime_type(
    declaration: Declaration, runtime_types: tuple[TransferType, ...]
) -> Problem | None:
    if declaration.type in runtime_types:
        return None
    offered = ", ".join(type_.value for type_ in runtime_types) or "none"
    return Problem(
        ProblemCode.TYPE_NOT_OFFERED_BY_RUNTIME,
        f"The {_named(declaration)} cannot be transferred as {declaration.type.value}: the"
        f" runtime on this host offers these types only: {offered}.",
        "Update the vendor's runtime or declare another type.",
    )


def _blocked(declaration: Declaration, policy: Policy) -> Problem | None:
    if not policy.transfer_blocked:
        return None
    return Problem(
        ProblemCode.CAPABILITY_REFUSED,
        f"The {_named(declaration)} cannot be transferred: the administrator of this host"
        " has blocked license transfers.",
        "Set transfer_blocked to false in the agent's settings if they shall be allowed.",
    )


def _form(declaration: Declaration) -> Problem | None:
    # The agent's own rule: what a type does not take would be dropped without a word.
    transfers_part = declaration.type.is_partial and declaration.mode is not Mode.EXTEND
    if declaration.quantity is not None and not transfers_part:
        return Problem(
            ProblemCode.AMOUNT_INVALID,
            f"The {_named(declaration)} has a quantity, which a transfer of type"
            f" {declaration.type.value} in mode {declaration.mode.value} does not take.",
            "Leave the quantity out, or declare type licenses or units.",
        )
    if declaration.until is not None and not declaration.type.is_borrow:
        return Problem(
            ProblemCode.REQUEST_INVALID,
            f"The {_named(declaration)} has an end, which only a borrow has, not type"
            f" {declaration.type.value}.",
            "Leave until out, or declare a borrow.",
        )
    names_lot = declaration.mode is Mode.EXTEND or (
        declaration.mode is Mode.RETURN and declaration.type.is_borrow
    )
    if names_lot and declaration.parent is None:
        return Problem(
            ProblemCode.REQUEST_INVALID,
            f"The {_named(declaration)} does not say which borrow it is about.",
            "Name the transfer that lent it as parent.",
        )
    return None


def _item_type(view: SourceView) -> Problem | None:
    if view.option is not None:
        return None
    offered = ", ".join(sorted({option.type.value for option in view.item.options})) or "none"
    return Problem(
        ProblemCode.TYPE_NOT_OFFERED_BY_ITEM,
        f"The {_named(view.declaration)} cannot be transferred as"
        f" {view.declaration.type.value}: the licensor allows these types only: {offered}.",
        "Declare one of them or ask the licensor.",
    )


def _not_borrowed(view: SourceView) -> Problem | None:
    if view.item.borrowed_until is None:
        return None
    return Problem(
        ProblemCode.ITEM_BORROWED,
        f"The {_named(view.declaration)} is borrowed from {view.item.origin_serial} until"
        f" {_at(view.item.borrowed_until)}: a borrowed license moves no further.",
        "Return it to its origin first.",
    )


def _enabled(view: SourceView) -> Problem | None:
    if view.item.status is ItemStatus.ENABLED:
        return None
    return Problem(
        ProblemCode.ITEM_BORROWED,
        f"The {_named(view.declaration)} is {view.item.status.value}: it is lent as a whole, or it"
        " was borrowed and its time is over.",
        "Have it returned to its origin first.",
    )


def _pull_allowed(view: SourceView) -> Problem | None:
    if view.declaration.mode is not Mode.PULL or view.option is None:
        return None
    if may_be_pulled(view.option):
        return None
    return Problem(
        ProblemCode.PULL_NOT_ALLOWED,
        f"The {_named(view.declaration)} cannot be pulled as {view.declaration.type.value}:"
        " the licensor does not allow pulling it.",
        "Declare mode push.",
    )


def _only_to_origin(view: SourceView) -> Problem | None:
    origin = view.item.origin_serial
    if origin == view.declaration.target.container:
        return None
    from_where = "was not received from any container" if origin is None else f"is from {origin}"
    return Problem(
        ProblemCode.NOT_FROM_ORIGIN,
        f"The {_named(view.declaration)} cannot be returned to"
        f" {view.declaration.target.container}: it {from_where}.",
        "Declare the container it came from as target, or mode push.",
    )


def _return_allowed(view: SourceView) -> Problem | None:
    if may_be_returned(view.item, view.option):
        return None
    return Problem(
        ProblemCode.RETURN_NOT_ALLOWED,
        f"The {_named(view.declaration)} cannot be returned: the licensor does not allow"
        " returning it.",
        "Keep it where it is or ask the licensor.",
    )


def _returned_as_received(view: SourceView) -> Problem | None:
    received = [row for row in view.item_history if row.transfer_id == view.item.transfer_id]
    if not received or received[-1].type == view.declaration.type.value:
        return None
    return Problem(
        ProblemCode.TYPE_NOT_OFFERED_BY_ITEM,
        f"The {_named(view.declaration)} cannot be returned as {view.declaration.type.value}: it"
        f" was received as {received[-1].type}.",
        f"Declare type {received[-1].type}.",
    )


def _lot_known(view: SourceView) -> Problem | None:
    lots = [row for row in _lent(view) if row.container == view.declaration.target.container]
    lot = next((row for row in lots if row.transfer_id == view.parent_vendor_id), None)
    until = view.declaration.until
    end = None if lot is None else lot.borrow_expires_at
    if end is not None and (until is None or until > end):
        return None
    finding = "is not lent from here" if end is None else f"ends {_at(end)}"
    return Problem(
        ProblemCode.BORROW_UNKNOWN,
        f"The borrow of {_named(view.declaration)} cannot be extended: it {finding}.",
        "Declare a later end while the borrow lasts, or a new borrow.",
    )


def _lent(view: SourceView) -> list[HistoryRow]:
    """The lots of the declared type, or of part of the item, that are lent and not back yet.

    What is borrowed moves no further (grade D), so no row of a borrowed item lends anything.
    """
    if view.item.borrowed_until is not None:
        return []
    type_ = TransferType.BORROW_LOCAL
    if view.declaration.mode is Mode.EXTEND:
        type_ = view.declaration.type
    # A whole item that is usable again is not lent, whatever its rows say.
    back = type_ is TransferType.BORROW_COMPLETE and view.item.status is ItemStatus.ENABLED
    return [
        row
        for row in view.item_history
        if row.type == type_.value
        and row.transfer_id not in view.lending_nothing
        and row.transfer_id != view.item.transfer_id
        and row.returned_quantity == 0
        and (row.borrow_expires_at or 0) > view.now
        and not back
    ]


def _nothing_lent(view: SourceView) -> Problem | None:
    whole = not view.declaration.type.is_partial
    if not whole or view.declaration.type is TransferType.BORROW_LOCAL:
        return None
    lent = _lent(view)
    if not lent:
        return None
    return Problem(
        ProblemCode.ITEM_BORROWED,
        f"The {_named(view.declaration)} cannot be moved whole: {len(lent)} of its seats are lent"
        f" to {lent[-1].container}.",
        "Have them returned first, or move the free ones with type licenses.",
    )


def _depth(view: SourceView) -> Problem | None:
    if view.option is None or has_levels(view.option):
        return None
    return Problem(
        ProblemCode.DEPTH_EXHAUSTED,
        f"The {_named(view.declaration)} cannot be transferred on: the licensor's number of"
        " levels (transfer depth) is used up.",
        "Return it to its origin and transfer it from there.",
    )


def _amount(view: SourceView) -> Problem | None:
    declaration = view.declaration
    there = amount_there(view.item, declaration.type)
    if there is None:
        return None
    unit = "units" if declaration.type is TransferType.UNITS else "licenses"
    wanted = declaration.quantity or 0 if declaration.type.is_partial else 1
    if 1 <= wanted <= there:
        return None
    if wanted < 1:
        return Problem(
            ProblemCode.AMOUNT_INVALID,
            f"The {_named(declaration)} needs a quantity of at least 1 for type"
            f" {declaration.type.value}, not {declaration.quantity}.",
            "Declare how many.",
        )
    return Problem(
        ProblemCode.NOT_ENOUGH,
        f"The {_named(declaration)} holds {there} {unit}, {wanted} were asked for: there is not"
        " enough.",
        f"Declare at most {there}, or bring back what is lent.",
        {"available": there, "wanted": wanted},
    )


def _period(view: SourceView) -> Problem | None:
    declaration = view.declaration
    if not declaration.type.is_borrow:
        return None
    if declaration.until is None or declaration.until <= view.now:
        finding = "no end" if declaration.until is None else f"the end {_at(declaration.until)}"
        return Problem(
            ProblemCode.PERIOD_IN_THE_PAST,
            f"The {_named(declaration)} has {finding}: a borrow needs an end in the future.",
            "Declare until as a date ahead.",
        )
    limits = period_limits(view.option, view.policy.borrow_seconds_max)
    if not limits:
        return None
    whose, limit = min(limits.items(), key=lambda pair: pair[1])
    if declaration.until - view.now <= limit:
        return None
    return Problem(
        ProblemCode.PERIOD_TOO_LONG,
        f"The {_named(declaration)} cannot be borrowed until {_at(declaration.until)}: {whose}"
        f" maximum is {limit} seconds.",
        f"Declare an end no later than {_at(view.now + limit)}.",
    )


def _clocks(view: SourceView) -> Problem | None:
    if not view.declaration.type.is_borrow:
        return None
    limit = view.policy.clock_seconds_max
    clocks = {"the container": view.clock.box_at, "the target container": view.peer.box_at}
    for whose, shown in clocks.items():
        if shown is not None and abs(shown - view.now) > limit:
            return Problem(
                ProblemCode.CLOCKS_APART,
                f"The {_named(view.declaration)} cannot be borrowed: the clock of {whose} shows"
                f" {_at(shown)}, this host {_at(view.now)}, more than {limit} seconds apart.",
                "Set the host's clock right or update the container's certified time.",
            )
    if view.peer.withholds_clock:
        return Problem(
            ProblemCode.CLOCKS_APART,
            f"The {_named(view.declaration)} cannot be borrowed: its target has not told the clock"
            " of its container.",
            "Run the leg request on the target again, so that it tells it.",
        )
    if view.peer.box_at is not None and abs(view.peer.box_at - view.clock.box_at) > limit:
        return Problem(
            ProblemCode.CLOCKS_APART,
            f"The {_named(view.declaration)} cannot be borrowed: the clock of the container shows"
            f" {_at(view.clock.box_at)}, that of the target container {_at(view.peer.box_at)},"
            f" more than {limit} seconds apart.",
            "Set the clocks of both hosts right or update the containers' certified times.",
        )
    return None


def _firm_item(view: SourceView) -> Problem | None:
    required = view.option is not None and view.option.firm_item_required
    present, may_be_shown = view.peer.firm_item_present, not view.peer.is_requested
    if not required or present or (present is None and may_be_shown):
        return None
    does = "does not tell whether it holds it" if present is None else "does not hold it"
    return Problem(
        ProblemCode.FIRM_ITEM_MISSING,
        f"The {_named(view.declaration)} cannot be transferred: the licensor requires the Firm"
        f" Item {view.declaration.firm_code} at the target, and"
        f" {view.declaration.target.container} {does}.",
        "Have the licensor's Firm Item installed on the target first.",
    )


def _unreceipted(view: SourceView) -> Problem | None:
    if not view.policy.receipt_required:
        return None
    waiting = [row for row in view.item_history if row.status.in_transit]
    if not waiting:
        return None
    return Problem(
        ProblemCode.UNRECEIPTED_TRANSFER,
        f"The {_named(view.declaration)} has an older transfer to {waiting[-1].container} that"
        " is not receipted yet.",
        "Run the playbook again so that its receipt is brought back first.",
    )
