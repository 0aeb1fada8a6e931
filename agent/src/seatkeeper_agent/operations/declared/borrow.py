# SPDX-License-Identifier: GPL-3.0-or-later
"""A borrow as it is declared at its borrower: it says which transfers have to be carried for it."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.licenses import TransferType
from seatkeeper_agent.domain.transfers import Place
from seatkeeper_agent.operations.borrows import BorrowRequest, BorrowService
from seatkeeper_agent.operations.declared.kinds import LOOKED_AT_MAX, NOTHING, Asked, Outcome
from seatkeeper_agent.operations.declared.reading import item_of, moment_of, outcome_of


def borrow_request(borrow: str, declared: dict[str, Any]) -> BorrowRequest:
    """What is declared; Problem for what cannot be read."""
    return BorrowRequest(
        id=borrow,
        name=declared["name"],
        item=item_of(declared["item"]),
        type=TransferType(declared["type"]),
        source=Place.from_document(declared["source"]),
        target=Place.from_document(declared["target"]),
        seats=declared["seats"],
        until=moment_of(declared["until"]),
    )


class BorrowKind:
    """Borrows from other containers, and to them."""

    name = "borrow"
    schema = "borrow"
    confirms = None
    secrets: frozenset[str] = frozenset()
    brings = NOTHING

    def __init__(self, borrows: BorrowService) -> None:
        self._borrows = borrows

    def planning(self) -> BorrowKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Remember the declaration, whose transfers are in the details; a lender tells its own."""
        request = borrow_request(asked.id, asked.declared)
        return outcome_of(self._borrows.put(request, asked.actor, asked.is_dry_run), "borrow")

    def look(self) -> list[dict[str, Any]]:
        """What this host has declared as the borrower."""
        return self._borrows.page("", LOOKED_AT_MAX)
