# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's preflight and the twin's own rules, written apart, allow the same.

What the runtime cannot know, or the agent cannot, is left out of the cases on purpose:
- the operator's policy (blocked, longest period, clocks against the host's own clock);
- what the runtime's administrator set there, which no documented function tells;
- the limit of the clocks' difference, which the vendor does not publish (both use an hour);
- the form of a declaration: the agent refuses a quantity or an end that a type does not take,
  where the runtime would never see or not use it.
A receipt that must come first is the operator's policy here and a rule per item there: the
cases set both alike.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st
from operations.hosts import DAY, FIRM, Pair, Twin, item, make_pair, make_twins, option

from seatkeeper_agent.domain.licenses import Item
from seatkeeper_agent.domain.preflight import Policy
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.transfers import Declaration, Leg, Mode, Side, State
from seatkeeper_agent.operations.checks import Checks
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.ports import DriverError, TransferCommand

EXAMPLES = int(os.environ.get("SEATKEEPER_EXAMPLES", "1")) * 150
PRODUCT, SEATS, UNITS = 201, 5, 5
OLD_TYPES = ("licenses", "borrow_local")
TYPES = ("complete", "units", *OLD_TYPES, "borrow_complete")
OPTION_NUMBERS = {"complete": 1, "units": 2, "licenses": 3, "borrow_local": 4, "borrow_complete": 5}
PERMISSIVE = [option(type_) for type_ in TYPES]
LONGEST = 10 * DAY

PREFIXES = (
    "nothing", "unreceipted", "lent", "lent returned", "lent extended returned", "lent ended",
    "received", "received and lent on", "received and ended", "received after a borrow",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """An item with a past, and what is asked for it now."""

    prefix: str
    past_type: str
    options: dict[str, dict[str, Any]]
    seats: int | None
    units: int | None
    firm_item: bool
    receipt_required: bool
    type: str
    mode: str
    quantity: int | None
    period: int | None


def options_of(types: list[str]) -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    """Options for any of these types, more often generous than not."""
    mostly, rarely = st.sampled_from([True, True, False]), st.sampled_from([True, False, False])
    one = st.fixed_dictionaries(
        {
            "pull_allowed": mostly,
            "return_allowed": mostly,
            "firm_item_required": rarely,
            "transfer_depth": st.sampled_from([0, 1, 2, 3]),
            "max_borrow_seconds": st.just(LONGEST),
        }
    )
    return st.dictionaries(st.sampled_from(types), one, min_size=1)


def prefixes_of(mode: str) -> list[str]:
    """Pasts in which the mode makes sense, and a few in which it does not."""
    word = {"return": "received", "extend": "lent"}.get(mode, "nothing")
    related = [prefix for prefix in PREFIXES if prefix.startswith(word)]
    return [*[word] * 12, *related * 3, *PREFIXES]


@st.composite
def cases(draw: st.DrawFn, types: tuple[str, ...]) -> Case:
    """A past that the runtime's types allow; what is asked is mostly what could be allowed."""
    mode = draw(st.sampled_from(list(Mode))).value
    prefix = draw(st.sampled_from(prefixes_of(mode)))
    past_type = draw(st.sampled_from([entry for entry in types if fits(prefix, entry)]))
    options = draw(options_of([*types, *TYPES]))
    likely = [past_type] if mode in ("return", "extend") else list(options)
    if mode == "pull":
        likely = [entry for entry in likely if not entry.startswith("borrow")] or likely
    if mode == "extend":
        options.setdefault(past_type, {**option(past_type), "max_borrow_seconds": LONGEST})
    type_ = draw(st.sampled_from([*likely * 8, *TYPES]))
    numbers = st.sampled_from([None, 0, 1, SEATS, SEATS])
    partial = type_ in ("units", "licenses") and mode != "extend"
    amounts = st.sampled_from([-1, 0, 1, 1, 1, SEATS, SEATS + 1])
    ends = [*[3 * DAY] * 6, None, -100, 60, LONGEST - 100, LONGEST + 100]
    if not type_.startswith("borrow"):
        ends = [*[None] * 9, 60] if mode in ("push", "pull") else [None]
    return Case(
        prefix=prefix,
        past_type=past_type,
        options=options,
        seats=draw(numbers),
        units=draw(numbers),
        firm_item=draw(st.booleans()),
        receipt_required=draw(st.booleans()),
        type=type_,
        mode=mode,
        quantity=draw(amounts) if partial else None,
        period=draw(st.sampled_from(ends)),
    )


def fits(prefix: str, type_: str) -> bool:
    """Whether a past can have come about by this type."""
    borrow = type_.startswith("borrow")
    if prefix.startswith("lent"):
        return borrow
    return prefix != "unreceipted" or type_ == "licenses"


class World:
    """Two hosts whose containers are put into the state that a case asks for."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.number = 0

    def prepare(self, case: Case) -> tuple[str, Declaration | None]:
        """Bring about the past; the name of the host with the item, and its parent transfer."""
        self.number += 1
        self.pair.later(-self.pair.clock.offset_seconds)
        for host in self.pair:
            host.twin.ask("_twin.rollback", name="fresh")
            host.driver._options.clear()
        word, _, rest = case.prefix.partition(" ")
        if word == "nothing":
            return "old", None
        if rest == "after a borrow":
            self._lend_and_take_back()
        type_ = case.past_type
        parent = self._move("past", type_, receipted=word != "unreceipted")
        if word == "received":
            return self._received(rest), parent
        if "extended" in rest:
            self._move("longer", type_, "extend", parent=parent, days=2)
        if "returned" in rest:
            self._move("back", type_, "return", "new", parent=parent)
        if "ended" in rest:
            self.pair.later(2 * DAY)
        return "old", parent

    def _lend_and_take_back(self) -> None:
        earlier = self._move("earlier", "borrow_local")
        self._move("earlier back", "borrow_local", "return", "new", parent=earlier)

    def _received(self, rest: str) -> str:
        if rest == "and lent on":
            found = self.pair.new.twin.items(PRODUCT)[0]
            if found["license_quantity"] and found["borrow_end"] is None:
                self._move("on", "borrow_local", "push", "new")
        if rest == "and ended":
            self.pair.later(2 * DAY)
        return "new"

    def _move(
        self,
        name: str,
        type_: str,
        mode: str = "push",
        source: str = "old",
        receipted: bool = True,
        parent: Declaration | None = None,
        days: int = 1,
    ) -> Declaration:
        """A transfer by the drivers alone; the journals learn only of the vendor's id."""
        until = int(self.pair.clock()) + days * DAY if type_.startswith("borrow") else None
        quantity = 2 if type_ in ("licenses", "units") else None
        values = {"quantity": quantity, "until": until, "parent": parent and parent.id}
        declared = self.pair.declare(
            f"{name} {self.number}", f"{PRODUCT}", type_, mode, source, **values
        )
        giver = self.pair.host_of(declared, Side.SOURCE)
        taker = self.pair.host_of(declared, Side.TARGET)
        (moved,) = self._items(source) if source == "new" else self._items(source)[:1]
        index = self._lot_index(source, parent) if mode == "extend" else None
        command = TransferCommand(declared.type, declared.mode, quantity, until, index)
        request = taker.driver.create_request(taker.serial, FIRM, declared.mode)
        update = giver.driver.do_transfer(giver.serial, moved, command, request)
        if receipted:
            taker.driver.import_update(taker.serial, update)
            receipt = taker.driver.create_receipt(taker.serial, FIRM)
            giver.driver.confirm_transfer(giver.serial, receipt)
        self._remember(declared)
        return declared

    def _lot_index(self, source: str, parent: Declaration | None) -> int | None:
        assert parent is not None
        host = self.pair[source]
        with host.journal.reading() as unit:
            record = unit.transfers.get(parent.id, Side.SOURCE)
        rows = host.driver.history(host.serial, FIRM, PRODUCT)
        found = (row for row in rows if record and row.transfer_id == record.vendor_transfer_id)
        return next(found).index

    def _remember(self, declared: Declaration) -> None:
        source = self.pair.host_of(declared, Side.SOURCE)
        rows = source.driver.history(source.serial, FIRM, PRODUCT)
        vendor_id = max(rows, key=lambda row: (row.at, row.index)).transfer_id
        for side, state in ((Side.SOURCE, State.CREATED), (Side.TARGET, State.REQUESTED)):
            with self.pair.host_of(declared, side).journal.transaction() as unit:
                unit.transfers.insert(declared, side, state)
                unit.transfers.note(declared.id, side, {}, vendor_id, 0)

    def _items(self, name: str) -> list[Item]:
        host = self.pair[name]
        return [found for found in host.driver.items(host.serial) if found.status != "deleted"]

    def shape(self, case: Case, holder: str) -> Item:
        """Give the item the options and amounts of the case, as a licensor would program it."""
        host = self.pair[holder]
        *_gone, found = host.twin.items(PRODUCT)
        lent_whole = found["status"] != "enabled"
        options = [
            {**values, "type": OPTION_NUMBERS[type_]} for type_, values in case.options.items()
        ]
        seats = found["license_quantity"] if lent_whole else case.seats
        units = found["unit_counter"] if lent_whole else case.units
        host.twin.write(
            "UPDATE item SET options = ?, license_quantity = ?, unit_counter = ?,"
            " receipt_required = ?",
            json.dumps(options), seats, units, case.receipt_required,
        )  # fmt: skip
        other = self.pair["new" if holder == "old" else "old"]
        present = other.twin.rows("SELECT 1 FROM firm_item")
        if case.firm_item and not present:
            other.twin.write("INSERT INTO firm_item VALUES (1, ?, '', 1)", FIRM)
        host.driver._options.clear()
        (shown,) = [entry for entry in host.driver.items(host.serial) if entry.status != "deleted"]
        return shown


def declared_of(pair: Pair, case: Case, holder: str, parent: Declaration | None) -> Declaration:
    """What the case asks for."""
    until = None if case.period is None else int(pair.clock()) + case.period
    belongs = case.mode in ("return", "extend")
    return pair.declare(
        "asked", f"{PRODUCT}", case.type, case.mode, holder,
        quantity=case.quantity, until=until, parent=parent.id if parent and belongs else None,
    )  # fmt: skip


def preflight(pair: Pair, declared: Declaration, policy: Policy) -> Problem | None:
    """What the agents say before anything is touched."""
    for host in pair:
        host.transfers._checks = Checks(host.driver, policy, pair.clock)
    source, target = (pair.host_of(declared, side) for side in Side)
    try:
        facts = target.transfers.plan(LegRequest(Leg.REQUEST, declared, "tester"))["facts"]
        source.transfers.plan(LegRequest(Leg.ISSUE, declared, "tester", facts=facts))
    except Problem as problem:
        return problem
    return None


def product(pair: Pair, declared: Declaration, shown: Item) -> str | None:
    """What the twins say when they are asked to do it, without any preflight."""
    source, target = (pair.host_of(declared, side) for side in Side)
    with source.journal.reading() as unit:
        parent = declared.parent and unit.transfers.get(declared.parent, Side.SOURCE)
    index = None
    if declared.mode is Mode.EXTEND and parent:
        rows = source.driver.history(source.serial, FIRM, PRODUCT)
        same = [row.index for row in rows if row.transfer_id == parent.vendor_transfer_id]
        index = same[-1] if same else None
    command = TransferCommand(
        declared.type, declared.mode, declared.quantity, declared.until, index
    )
    try:
        request = target.driver.create_request(target.serial, FIRM, declared.mode)
        source.driver.do_transfer(source.serial, shown, command, request)
    except DriverError as error:
        return f"{type(error).__name__}: {error}"
    return None


def check(world: World, case: Case) -> None:
    """Both verdicts on one case are the same."""
    holder, parent = world.prepare(case)
    shown = world.shape(case, holder)
    declared = declared_of(world.pair, case, holder, parent)
    problem = preflight(world.pair, declared, Policy(receipt_required=case.receipt_required))
    refusal = product(world.pair, declared, shown)
    note(f"preflight: {problem and problem.code}: {problem}")
    note(f"twin: {refusal}")
    event(f"{case.mode}: {problem.code.value if problem else 'allowed'}")
    assert (problem is None) == (refusal is None), (problem, refusal, case, shown)


def world_of(tmp_path_factory: pytest.TempPathFactory, profile: str) -> Iterator[World]:
    """Twins of one version with one item that has a bit of everything."""
    folder = tmp_path_factory.mktemp("agree")
    options = [entry for entry in PERMISSIVE if profile != "6.10" or entry["type"] in OLD_TYPES]
    seeded = item(PRODUCT, *options, license_quantity=SEATS, unit_counter=UNITS)
    twins: dict[str, Twin] = make_twins(folder / "twins", [seeded], profile)
    pair = make_pair(folder / "hosts", twins)
    yield World(pair)
    for host in pair:
        host.close()
        host.twin.stop()


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The runtime of today."""
    yield from world_of(tmp_path_factory, "current")


@pytest.fixture(scope="module")
def ancient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Version 6.10, which has two types."""
    yield from world_of(tmp_path_factory, "6.10")


CHECKED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@CHECKED
@given(case=cases(TYPES))
def test_the_runtime_of_today(current: World, case: Case) -> None:
    """All five types."""
    check(current, case)


@settings(CHECKED, max_examples=EXAMPLES // 3)
@given(case=cases(OLD_TYPES))
def test_the_runtime_of_6_10(ancient: World, case: Case) -> None:
    """Two types; the others are refused whatever the item says."""
    check(ancient, case)
