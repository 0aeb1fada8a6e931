# SPDX-License-Identifier: GPL-3.0-or-later
"""The invariants I1 to I4, read from copies of all disks: both journals and both containers.

The containers are read as the twins keep them, so what is checked is where the seats are, not
what an agent believes. At any moment: usable + on the way = total, where on the way is what a
container sent and no other has received.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import apsw

from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations import invariants

from .scenarios import ITEM, Scenario
from .world import CONTAINERS, World

ENABLED, HIDDEN, ACTIVE = 1, 0, 4  # how the twin keeps statuses of items and of history rows


class Violation(Exception):
    """A promise that was broken: which one, and what was seen."""

    def __init__(self, promise: str, seen: str) -> None:
        super().__init__(f"{promise}: {seen}")
        self.promise = promise


@dataclass(frozen=True)
class Container:
    """What one container holds of the scenario's item, in the scenario's measure."""

    usable: int
    sent: dict[str, int]
    received: frozenset[str]
    confirmed: int


def inspect(world: World, scenario: Scenario) -> None:
    """Violation unless everything holds at this moment; no process is touched."""
    with world.disks() as disks:
        held = {
            name: _container(disks / name / "containers.db", scenario.measure)
            for name in CONTAINERS
        }
        own_ledgers = {name: _Ledger(disks / name / "journal.db") for name in CONTAINERS}
        try:
            _check_truth(scenario, held)
            for name, own_ledger in own_ledgers.items():
                own_ledger.check(name, held[name])
            _check_union(scenario, list(own_ledgers.values()))
        finally:
            for own_ledger in own_ledgers.values():
                own_ledger.close()


def inspect_end(world: World, scenario: Scenario) -> None:
    """Besides: everybody holds what was declared, the ledgers say so, and nothing is on its way."""
    inspect(world, scenario)
    escrow = 0
    with world.disks() as disks:
        for name, container in CONTAINERS.items():
            held = _container(disks / name / "containers.db", scenario.measure)
            if held.usable != scenario.ends[name]:
                raise Violation("end", f"{name} holds {held.usable}, not {scenario.ends[name]}")
            own_ledger = _Ledger(disks / name / "journal.db")
            balances = own_ledger.balances(scenario.measure)
            own_ledger.close()
            escrow += sum(n for (account, _), n in balances.items() if account == "escrow")
            lent = sum(n for (account, _), n in balances.items() if account == "lent")
            known = balances[("container", container)] + lent
            if known != held.usable:
                raise Violation("end", f"the ledger of {name} says {known}, not {held.usable}")
    if escrow:
        raise Violation("end", f"{escrow} {scenario.measure} are on their way for good")


def _container(path: Path, measure: str) -> Container:
    column = 0 if measure == "seats" else 1
    connection = sqlite3.connect(path)
    try:
        usable = connection.execute(
            "SELECT coalesce(sum(license_quantity), 0), coalesce(sum(unit_counter), 0)"
            " FROM item WHERE status = ?",
            (ENABLED,),
        ).fetchone()
        sent = connection.execute(
            "SELECT coalesce(held_licenses, 0), coalesce(held_units, 0), hex(transfer_id), status"
            " FROM history WHERE sent = 1 AND status <> ?",
            (HIDDEN,),
        ).fetchall()
        received = connection.execute("SELECT hex(transfer_id) FROM history WHERE sent = 0")
        return Container(
            usable[column],
            {row[2]: row[column] for row in sent},
            frozenset(identity for (identity,) in received),
            sum(row[3] == ACTIVE for row in sent),
        )
    finally:
        connection.close()


def _check_truth(scenario: Scenario, held: dict[str, Container]) -> None:
    usable = sum(container.usable for container in held.values())
    received: set[str] = set().union(*(container.received for container in held.values()))
    away = sum(
        amount
        for container in held.values()
        for identity, amount in container.sent.items()
        if identity not in received
    )
    if usable > scenario.total:
        raise Violation("I1", f"{usable} usable {scenario.measure} of {scenario.total}")
    if usable + away != scenario.total:
        raise Violation("I2", f"{usable} usable and {away} on the way, not {scenario.total}")


def _check_union(scenario: Scenario, own_ledgers: list[_Ledger]) -> None:
    union: Counter[tuple[str, str]] = Counter()
    for own_ledger in own_ledgers:
        union.update(own_ledger.balances(scenario.measure))
    negative = {key: n for key, n in union.items() if n < 0 and key[0] != "vendor"}
    if negative:
        raise Violation("I2", f"both ledgers together hold less than nothing: {negative}")
    known = -sum(n for key, n in union.items() if key[0] == "vendor")
    if known not in (0, scenario.total):
        raise Violation("I2", f"the ledgers count {known} {scenario.measure}, not {scenario.total}")
    usable = sum(n for key, n in union.items() if key[0] == "container")
    if usable > scenario.total:
        raise Violation("I1", f"the ledgers count {usable} usable of {scenario.total}")
    posted = Counter(event for own_ledger in own_ledgers for event in own_ledger.events())
    repeated = [f"{event} of {transfer}" for (transfer, event), n in posted.items() if n > 1]
    if repeated:
        raise Violation("I4", f"posted more than once in both ledgers together: {repeated}")


class _Ledger:
    """One agent's journal, as its own code reads it and as plain rows."""

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._rows = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)

    def close(self) -> None:
        """Close the file."""
        self._rows.close()
        self._journal.close()

    def balances(self, measure: str) -> dict[tuple[str, str], int]:
        """Accounts of the scenario's item by kind and reference."""
        found: dict[tuple[str, str], int] = defaultdict(int)
        rows = self._rows.execute(
            "SELECT account, reference, amount FROM postings WHERE item = ? AND measure = ?",
            (ITEM, measure),
        )
        for account, reference, amount in rows:
            found[str(account), str(reference)] += int(str(amount))
        return found

    def events(self) -> list[tuple[str, str]]:
        """Transfers and what happened to each: debit, credit, credit_back."""
        rows = self._rows.execute(
            "SELECT transfer_id, event FROM entries WHERE event <> 'observed'"
        )
        return [(str(transfer), str(event)) for transfer, event in rows]

    def check(self, name: str, held: Container) -> None:
        """What one journal promises, alone and against its container."""
        with self._journal.reading() as unit:
            for promise in invariants.check(unit):
                if not promise.holds:
                    raise Violation(promise.name, f"{name}: {promise.detail}")
        if self._number("SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok'"):
            raise Violation("journal", f"the file of {name} is damaged")
        effects = {
            "debit": len(held.sent),
            "credit": len(held.received),
            "confirm": held.confirmed,
        }
        for step, happened in effects.items():
            intended = self._number(
                "SELECT count(*) FROM steps WHERE name = ? AND intended_at IS NOT NULL", step
            )
            if happened > intended:
                raise Violation(
                    "I3", f"{name}: {happened} effects of kind {step}, {intended} intents before"
                )

    def _number(self, statement: str, *values: str) -> int:
        return int(str(self._rows.execute(statement, values).get))
