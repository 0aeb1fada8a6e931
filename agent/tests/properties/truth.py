# SPDX-License-Identifier: GPL-3.0-or-later
"""Where all seats and units really are, read from the twins' own files, beside the ledgers."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from operations.hosts import Host, Pair

from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.records import Account, Posting
from seatkeeper_agent.operations.invariants import check

ENABLED, DISABLED = 1, 2
HIDDEN, BORROW_TYPES = 0, (4, 5)
COLUMN = {Measure.SEATS: "license_quantity", Measure.UNITS: "unit_counter"}
HELD = {Measure.SEATS: "held_licenses", Measure.UNITS: "held_units"}


class Truth:
    """One look at both twins."""

    def __init__(self, pair: Pair) -> None:
        # Asking makes each twin end the borrows whose time has come.
        for host in pair:
            host.twin.ask("describe")
        self.items = {host.name: host.twin.rows("SELECT * FROM item") for host in pair}
        query = "SELECT h.*, i.product_code FROM history h JOIN item i ON i.id = h.item"
        self.rows = [row for host in pair for row in host.twin.rows(query)]
        self.imported = {
            row["transfer_id"] for host in pair for row in host.twin.rows("SELECT * FROM imported")
        }

    def total(self, product: int, measure: Measure) -> int:
        """Usable, on the way and lent but standing still, over both hosts."""
        usable = sum(
            item[COLUMN[measure]] or 0
            for items in self.items.values()
            for item in items
            if item["product_code"] == product and item["status"] == ENABLED
        )
        away = sum(
            row[HELD[measure]] or 0
            for row in self.rows
            if row["product_code"] == product and row["sent"] and self._is_away(row)
        )
        return usable + away

    def _is_away(self, row: dict[str, Any]) -> bool:
        if row["status"] == HIDDEN or (row["lot"] not in (None, "lent")):
            return False
        if row["transfer_id"] in self.imported:
            # Prolonged at the origin, but the holder has not learnt of it and has stopped.
            return row["lot"] == "lent" and self._holder_stopped(row["transfer_id"])
        if row["lot"] is None and row["type"] in BORROW_TYPES:
            return self._is_lent(row["parent"])
        return True

    def _is_lent(self, transfer_id: bytes) -> bool:
        return any(row["transfer_id"] == transfer_id and row["lot"] == "lent" for row in self.rows)

    def _holder_stopped(self, transfer_id: bytes) -> bool:
        return any(
            item["arrival_id"] == transfer_id and item["status"] == DISABLED
            for items in self.items.values()
            for item in items
        )

    def owned(self, host: Host, product: int, measure: Measure) -> int:
        """Usable on a host and not borrowed."""
        return sum(
            item[COLUMN[measure]] or 0
            for item in self.items[host.name]
            if item["product_code"] == product
            and item["status"] == ENABLED
            and item["borrow_end"] is None
        )

    @property
    def has_ended_lots(self) -> bool:
        """Whether a borrow fell back, which a ledger may not have seen yet."""
        return any(row["lot"] == "expired" for row in self.rows)


def balances(pair: Pair) -> list[Posting]:
    """All balances of both ledgers."""
    found: list[Posting] = []
    for host in pair:
        with host.journal.reading() as unit:
            found += unit.ledger.balances()
    return found


def broken_invariants(pair: Pair) -> list[str]:
    """What the hosts' own check complains of."""
    broken: list[str] = []
    for host in pair:
        with host.journal.reading() as unit:
            broken += [f"{host.name}: {one}" for one in check(unit) if not one.holds]
    return broken


def under_way(found: list[Posting]) -> list[str]:
    """What is in escrow or lent over both hosts together."""
    sums: Counter[tuple[Account, str, str, Measure]] = Counter()
    for row in found:
        if row.account in (Account.ESCROW, Account.LENT):
            sums[row.account, row.reference, row.item, row.measure] += row.amount
    return [f"{key} is {amount}" for key, amount in sums.items() if amount]


def impossible_balances(found: list[Posting], totals: dict[tuple[str, Measure], int]) -> list[str]:
    """Escrow or lent below zero over both hosts; more or less brought in than there was."""
    sums: Counter[tuple[Account, str, str, Measure]] = Counter()
    brought: dict[tuple[str, Measure], int] = defaultdict(int)
    for row in found:
        if row.account is Account.VENDOR:
            brought[row.item, row.measure] -= row.amount
        elif row.account is not Account.CONTAINER:
            sums[row.account, row.reference, row.item, row.measure] += row.amount
    wrong = [f"{key} is {amount}" for key, amount in sums.items() if amount < 0]
    return wrong + [
        f"{key}: {amount} came from the vendor, {totals[key]} did"
        for key, amount in brought.items()
        if amount not in (0, totals[key])
    ]
