# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be done to an item by what it shows itself, for the rules and for whoever looks.

What the item does not show is looked at when something is declared: its history, what the journal
knows to be lent, the other host.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seatkeeper_agent.domain.licenses import (
    UNIVERSAL_FIRM_CODE_MIN,
    Item,
    ItemStatus,
    TransferOption,
    TransferType,
)

LICENSORS, ADMINISTRATORS = "the licensor's", "the administrator's"


def is_universal(firm_code: int) -> bool:
    """Whether licenses of this firm code can be transferred at all (grade D)."""
    return firm_code > UNIVERSAL_FIRM_CODE_MIN


def may_be_pulled(option: TransferOption) -> bool:
    """Whether the receiving side may begin; never of what has an end (grade D)."""
    return option.pull_allowed and not option.type.is_borrow


def may_be_returned(item: Item, option: TransferOption | None) -> bool:
    """Whether it may go back; what is borrowed always may (grade D), whatever the option says."""
    return item.borrowed_until is not None or (option is not None and option.return_allowed)


def has_levels(option: TransferOption) -> bool:
    """Whether it may be transferred on."""
    return option.transfer_depth > 0


def amount_there(item: Item, type_: TransferType) -> int | None:
    """How many units or licenses this type could take; None where it takes no number of them."""
    match type_:
        case TransferType.UNITS:
            return item.unit_counter or 0
        case TransferType.LICENSES | TransferType.BORROW_LOCAL:
            return item.license_quantity or 0
        case _:
            return None


def period_limits(
    option: TransferOption | None, administrators_seconds: int | None
) -> dict[str, int]:
    """The longest borrow in seconds, by whose limit it is; empty where nobody sets one."""
    limits = {
        # An option without a number has no maximum; the operator's 0 means no borrowing at all.
        LICENSORS: (option.borrow_seconds_max or None) if option else None,
        ADMINISTRATORS: administrators_seconds,
    }
    return {whose: limit for whose, limit in limits.items() if limit is not None}


@dataclass(frozen=True, slots=True)
class Sending:
    """One type by which an item may leave.

    ``amount_max`` is None for a type that takes all there is, ``seconds_max`` where a borrow has no
    longest period, or the type has no end.
    """

    type: TransferType
    amount_max: int | None
    pull: bool
    returnable: bool
    depth: int
    seconds_max: int | None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What may be done to an item: leave, go back, and come in here once more.

    It goes back to ``return_to`` and as what it came in, which is one of ``return_types``.
    """

    sendings: tuple[Sending, ...]
    return_to: str | None
    return_types: tuple[TransferType, ...]
    receivable: tuple[TransferType, ...]


def abilities(
    item: Item,
    sent: Iterable[TransferType],
    received: Iterable[TransferType],
    administrators_seconds: int | None,
) -> Abilities:
    """Of an item in a container that can send and receive these types."""
    if not is_universal(item.key.firm_code):
        return Abilities((), None, (), ())
    found = frozenset(sent)
    returned = tuple(type_ for type_ in TransferType if type_ in found and _goes_back(item, type_))
    moves = item.status is ItemStatus.ENABLED and item.borrowed_until is None
    offered = [option for option in item.options if moves and option.type in found]
    made = (_sending(item, option, administrators_seconds) for option in offered)
    return Abilities(
        sendings=tuple(sending for sending in made if sending is not None),
        return_to=item.origin_serial if returned else None,
        return_types=returned,
        receivable=tuple(received),
    )


def _sending(
    item: Item, option: TransferOption, administrators_seconds: int | None
) -> Sending | None:
    amount = amount_there(item, option.type)
    limits = period_limits(option, administrators_seconds) if option.type.is_borrow else {}
    longest = min(limits.values(), default=None)
    if not has_levels(option) or amount == 0 or longest == 0:
        return None
    return Sending(
        type=option.type,
        amount_max=amount,
        pull=may_be_pulled(option),
        returnable=option.type.is_borrow or option.return_allowed,
        depth=option.transfer_depth,
        seconds_max=longest,
    )


def _goes_back(item: Item, type_: TransferType) -> bool:
    if item.origin_serial is None or item.status is not ItemStatus.ENABLED:
        return False
    if type_.is_borrow != (item.borrowed_until is not None):
        return False
    return may_be_returned(item, item.option(type_)) and amount_there(item, type_) != 0
