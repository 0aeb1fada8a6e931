# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account gained, compared with what the operator declared a dongle to hold.

Compared are products, kinds of seats and their numbers. A server's status names no version, so
versions are compared nowhere, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from seatkeeper_agent.domain.eligibility import HeldLicense
from seatkeeper_agent.domain.servers import ProductSeats


@dataclass(frozen=True, slots=True)
class Comparison:
    """Clauses of what is missing, of what came besides, and of what could not be compared."""

    missing: tuple[str, ...]
    besides: tuple[str, ...]
    not_compared: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether kinds and numbers of all declared products were compared."""
        return not any(clause.endswith(_NUMBERS) for clause in self.not_compared)


_NUMBERS = "kinds and numbers of seats, which are not declared"


def compared(declared: Iterable[HeldLicense], gained: Iterable[ProductSeats]) -> Comparison:
    """By product, kind and number; entries of one product are summed, as the account does."""
    held = list(declared)
    came = {entry.product: {kind: n for kind, n in entry.seats.items() if n} for entry in gained}
    missing, besides, unknown = [], [], []
    for product in dict.fromkeys(entry.product for entry in held):
        entries = [entry for entry in held if entry.product == product]
        seats = _sum(entries)
        there = came.pop(product, {})
        if seats is None:
            unknown.append(f"{product}: {_NUMBERS}")
            missing += [] if there else [f"{product}: declared, arrived none"]
        else:
            for kind in sorted({*seats, *there}):
                clause = f"{product}: declared {seats.get(kind, 0)} {kind}"
                clause += f", arrived {there.get(kind, 0)}"
                if there.get(kind, 0) < seats.get(kind, 0):
                    missing.append(clause)
                elif there.get(kind, 0) > seats.get(kind, 0):
                    besides.append(clause)
        versions = ", ".join(dict.fromkeys(entry.version for entry in entries))
        unknown.append(f"{product}: version {versions}, of which the server shows nothing")
    besides += [
        f"{product}: declared 0 {kind}, arrived {n}"
        for product, kinds in came.items()
        for kind, n in kinds.items()
    ]
    return Comparison(tuple(missing), tuple(besides), tuple(unknown))


def _sum(entries: list[HeldLicense]) -> dict[str, int] | None:
    """None where an entry says nothing of its seats."""
    total: dict[str, int] = {}
    for entry in entries:
        if entry.seats is None:
            return None
        for kind, number in entry.seats.items():
            total[kind] = total.get(kind, 0) + number
    return total
