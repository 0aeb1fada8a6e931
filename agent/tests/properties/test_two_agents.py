# SPDX-License-Identifier: GPL-3.0-or-later
"""Two agents and the courier, over a post that loses, doubles and reorders, and crashes anywhere.

Whatever happens, no seat is made or lost at any moment, and in the end everything that was
begun comes to its end. SEATKEEPER_EXAMPLES multiplies the number of runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from operations.hosts import ACTOR, FIRM, ITEMS, Crash, Host, Pair, Twin, make_pair, make_twins

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import Courier
from properties.truth import (
    Truth,
    balances,
    broken_invariants,
    impossible_balances,
    under_way,
)
from seatkeeper_agent.domain.exchange import TAKES
from seatkeeper_agent.domain.licenses import ItemKey, Measure, TransferType
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import Account
from seatkeeper_agent.domain.transfers import Declaration, Leg, Side, State, transfer_id
from seatkeeper_agent.operations.borrows import BorrowRequest
from seatkeeper_agent.operations.views import declaration_from_view

PHASES = [Phase.explicit, Phase.generate]
SCALE = int(os.environ.get("SEATKEEPER_EXAMPLES", "1"))
HOUR = 3600
TRANSFERS_MAX = 8
ROUNDS_MAX = 6
Document = dict[str, Any]
TOTALS = {
    (f"{FIRM}:201", Measure.SEATS): 25,
    (f"{FIRM}:202", Measure.SEATS): 4,
    (f"{FIRM}:203", Measure.UNITS): 1000,
    (f"{FIRM}:204", Measure.SEATS): 5,
}
KINDS = [
    ("201", "licenses", 10), ("201", "licenses", 3), ("201", "borrow_local", None),
    ("202", "complete", None), ("202", "borrow_complete", None), ("203", "units", 400),
    ("204", "borrow_local", None),
]  # fmt: skip
FAULTS = [f"{change}.{side}" for change in ("debit", "import", "receipt", "confirm")
          for side in ("before", "after")]  # fmt: skip
FATES = ["arrives", "arrives", "lost", "twice", "late"]
NEVER_LEFT = (None, State.CREATED, State.VOID)
NEVER_CAME = (None, State.REQUESTED, State.VOID, State.REFUSED)

MakeWorld = Callable[[], Pair]


class Post:
    """Brings documents as they fared: lost, twice, or late and so behind what was sent later."""

    def __init__(self, fates: Sequence[str]) -> None:
        self._fates = list(fates)
        self._late: dict[str, list[Document]] = {}

    def arrived(self, name: str, sent: Sequence[Document]) -> list[Document]:
        """What comes to a host now, the newest first."""
        late = self._late.pop(name, [])
        arrived: list[Document] = []
        for document in sent:
            fate = self._fates.pop() if self._fates else "arrives"
            if fate in ("arrives", "twice"):
                arrived.append(document)
            if fate in ("late", "twice"):
                self._late.setdefault(name, []).append(document)
        return [*reversed(arrived), *late]


def _without_addressee(document: Document) -> Document:
    """As it is brought."""
    return {key: value for key, value in document.items() if key != "to"}


def product_of(codes: str) -> int:
    """The product code of an item as the ledger names it."""
    return int(codes.partition(":")[2])


class TwoAgents(RuleBasedStateMachine):
    """The rules are what playbooks, people and accidents do, in any order."""

    make_world: MakeWorld

    @initialize()
    def start(self) -> None:
        """New journals in front of twins as they were seeded."""
        self.pair = self.make_world()
        self.declared: list[Declaration] = []
        self.given: list[Document] = []

    # What people declare ---------------------------------------------------------------

    @precondition(lambda self: len(self.declared) < TRANSFERS_MAX)
    @rule(
        kind=st.sampled_from(KINDS),
        mode=st.sampled_from(["push", "push", "pull"]),
        source=st.sampled_from(["old", "old", "old", "new"]),
        hours=st.integers(1, 3),
    )
    def declare(self, kind: Any, mode: str, source: str, hours: int) -> None:
        """Any type, in either direction."""
        codes, type_, quantity = kind
        until = self._ahead(hours) if type_.startswith("borrow") else None
        name = f"transfer {len(self.declared)}"
        self.declared.append(
            self.pair.declare(name, codes, type_, mode, source, quantity=quantity, until=until)
        )

    @precondition(lambda self: 0 < len(self.declared) < TRANSFERS_MAX)
    @rule(which=st.integers(0, TRANSFERS_MAX), mode=st.sampled_from(["return", "extend"]))
    def declare_more(self, which: int, mode: str) -> None:
        """The return or the extension of what was declared before."""
        parent = self.declared[which % len(self.declared)]
        back = mode == "return"
        source = parent.target.agent if back else parent.source.agent
        codes = f"{parent.item.product_code}"
        quantity = parent.quantity and parent.quantity // 2 if back else None
        until = None if back else self._ahead(5)
        name = f"transfer {len(self.declared)}"
        self.declared.append(
            self.pair.declare(
                name,
                codes,
                parent.type.value,
                mode,
                source,
                quantity=quantity,
                until=until,
                parent=parent.id,
            )
        )

    @precondition(lambda self: len(self.declared) < TRANSFERS_MAX)
    @rule(seats=st.integers(0, 2), hours=st.integers(1, 3))
    def borrow(self, seats: int, hours: int) -> None:
        """Declared at the borrower: so many seats until then."""
        request = BorrowRequest(
            transfer_id("desk"), "desk", ItemKey(FIRM, 204), TransferType.BORROW_LOCAL,
            self.pair.place("old"), self.pair.place("new"), seats, self._ahead(hours),
        )  # fmt: skip
        try:
            answer = self.pair.new.borrows.put(request, ACTOR, dry_run=False)
        except Problem as problem:
            note(f"borrow refused: {problem}")
            return
        fresh = [declaration_from_view(entry["id"], entry) for entry in answer["transfers"]]
        ids = [entry.id for entry in fresh]
        self.declared = [entry for entry in self.declared if entry.id not in ids] + fresh

    # What a playbook does --------------------------------------------------------------

    @precondition(lambda self: self.declared)
    @rule(
        which=st.integers(0, TRANSFERS_MAX),
        side=st.sampled_from(list(Side)),
        stray=st.integers(0, 5),
        refuse=st.integers(0, 9),
        crash=st.one_of(st.none(), st.none(), st.integers(1, 9)),
    )
    def tell(self, which: int, side: Side, stray: int, refuse: int, crash: Any) -> None:
        """One host alone, with the documents for it that there are, perhaps a stray one."""
        declared = self.declared[which % len(self.declared)]
        host = self.pair.host_of(declared, side)
        documents = self._kept_for(declared, host.name)
        if stray == 0 and self.given:
            other = self.given[which * 5 % len(self.given)]
            documents = [{**_without_addressee(other), "declaration": declared.id}]
        decision = "refuse" if refuse == 0 else "install"
        self._tell(host, [declared], documents, decision, crash)

    @precondition(lambda self: self.declared)
    @rule(
        which=st.one_of(st.none(), st.integers(0, TRANSFERS_MAX)),
        rounds=st.sampled_from([ROUNDS_MAX, ROUNDS_MAX, ROUNDS_MAX, 3, 2, 1]),
        fates=st.lists(st.sampled_from(FATES), max_size=8),
        crash=st.one_of(st.none(), st.none(), st.integers(1, 30)),
    )
    def carry_on(self, which: Any, rounds: int, fates: list[str], crash: Any) -> None:
        """A run over all that is declared or over one of it, killed after some rounds."""
        chosen = self.declared
        if which is not None:
            chosen = [self.declared[-1 - which % len(self.declared)]]
        self._carry(chosen, rounds, list(fates), crash=crash)

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 60))
    def replay(self, which: int) -> None:
        """What was given long ago comes to the host that it was for, at any time."""
        document = self.given[which % len(self.given)]
        named = [each for each in self.declared if each.id == document["declaration"]]
        if named:
            self._tell(self.pair[document["to"]], named, [_without_addressee(document)])

    @precondition(lambda self: self.declared)
    @rule(which=st.integers(0, TRANSFERS_MAX), side=st.sampled_from(list(Side)))
    def give_up(self, which: int, side: Side) -> None:
        """Void a transfer on one side."""
        declared = self.declared[which % len(self.declared)]
        host = self.pair.host_of(declared, side)
        self._guarded(host, lambda: host.transfers.void(declared.id, ACTOR, dry_run=False))

    @rule(name=st.sampled_from(["old", "new"]), crash=st.one_of(st.none(), st.integers(1, 9)))
    def resume(self, name: str, crash: Any) -> None:
        """Take up what was interrupted."""
        host = self.pair[name]
        self._guarded(host, lambda: host.recovery.resume_all(ACTOR), crash)

    # Accidents -------------------------------------------------------------------------

    @rule(name=st.sampled_from(["old", "new"]))
    def restart(self, name: str) -> None:
        """The agent ends between two steps."""
        self.pair[name].crash()

    @rule(
        name=st.sampled_from(["old", "new"]),
        point=st.sampled_from(FAULTS),
        action=st.sampled_from(["lose", "pending"]),
    )
    def disturb(self, name: str, point: str, action: str) -> None:
        """The product loses its next answer, or says 235 first."""
        self.pair[name].twin.ask("_twin.fault", point=point, action=action)

    @rule(minutes=st.sampled_from([5, 40, 90]))
    def wait(self, minutes: int) -> None:
        """Time goes on; borrows end."""
        self.pair.later(minutes * 60)

    # What holds at every moment --------------------------------------------------------

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        """In the containers, and in the ledgers of both hosts together."""
        truth = Truth(self.pair)
        for (codes, measure), total in TOTALS.items():
            assert truth.total(product_of(codes), measure) == total, (codes, measure)
        assert broken_invariants(self.pair) == []
        assert impossible_balances(balances(self.pair), TOTALS) == []
        for host in self.pair:
            with host.journal.reading() as unit:
                at_work = unit.operations.holding(host.serial) is not None
            # An end of a borrow is posted with the next resume.
            if not at_work and not truth.has_ended_lots:
                assert self._misfits(host, truth) == []

    def _misfits(self, host: Host, truth: Truth) -> list[str]:
        """Where the ledger and the container disagree about what is owned here."""
        with host.journal.reading() as unit:
            known = {row.item for row in unit.ledger.balances()}
            seen = {
                (codes, measure): unit.ledger.balance(
                    Account.CONTAINER, host.serial, codes, measure
                )
                for codes, measure in TOTALS
                if codes in known
            }
        owned = {key: truth.owned(host, product_of(key[0]), key[1]) for key in seen}
        return [f"{host.name} {key}" for key in seen if seen[key] != owned[key]]

    # How it ends -----------------------------------------------------------------------

    def teardown(self) -> None:
        """Everything that was begun converges, and one more run changes nothing."""
        if not hasattr(self, "pair"):
            return
        try:
            self._settle()
        finally:
            for host in self.pair:
                host.close_journals()

    def _settle(self) -> None:
        for host in self.pair:
            host.twin.ask("_twin.clear")
            host.crash()
        self._converge()
        self._decide_stuck()
        self.pair.later(12 * HOUR)
        self._converge()
        self.nothing_is_made_or_lost()
        for declared in self.declared:
            source, target = self._states(declared)
            settled = (source, target) == (State.RECEIPTED, State.RECEIPTED)
            never = source in NEVER_LEFT and target in NEVER_CAME
            assert settled or never, (declared, source, target)
        self._nothing_is_open()

    def _converge(self) -> None:
        for _ in range(ROUNDS_MAX):
            before = self._all_states()
            for host in self.pair:
                host.recovery.resume_all(ACTOR)
            alive = [each for each in self.declared if State.VOID not in self._states(each)]
            self._carry(alive, ROUNDS_MAX)
            if self._all_states() == before:
                return
        raise AssertionError(f"no end after {ROUNDS_MAX} rounds: {self._all_states()}")

    def _decide_stuck(self) -> None:
        """A person has the target refuse what it cannot import; the vendor gives back."""
        for declared in self.declared:
            source, target = self._states(declared)
            left = source in (State.IN_TRANSIT, State.CREDITING_BACK)
            if left and target is not State.RECEIPTED:
                self._carry([declared], ROUNDS_MAX, decision="refuse")
                self._give_back(declared)

    def _give_back(self, declared: Declaration) -> None:
        host = self.pair.host_of(declared, Side.SOURCE)
        record = host.record(declared)
        assert record is not None
        if record.state is State.CREDITING_BACK and record.amounts and not declared.until:
            vendor_id = record.vendor_transfer_id
            host.twin.ask("_twin.restore", serial=host.serial, transfer_id=vendor_id)

    def _nothing_is_open(self) -> None:
        for host in self.pair:
            with host.journal.reading() as unit:
                held = unit.operations.holding(host.serial)
            assert held is None, held
        assert under_way(balances(self.pair)) == []
        truth = Truth(self.pair)
        assert [misfit for host in self.pair for misfit in self._misfits(host, truth)] == []

    # Helpers ---------------------------------------------------------------------------

    def _ahead(self, hours: int) -> int:
        return int(self.pair.clock()) + hours * HOUR

    def _states(self, declared: Declaration) -> tuple[State | None, State | None]:
        records = [self.pair.host_of(declared, side).record(declared) for side in Side]
        source, target = (record and record.state for record in records)
        return source, target

    def _all_states(self) -> list[Any]:
        return [self._states(declared) for declared in self.declared]

    def _kept_for(self, declared: Declaration, name: str) -> list[Document]:
        """What either host has kept for the one with this name, as it is brought."""
        at_source = declared.side_of(name) is Side.SOURCE
        other = self.pair.host_of(declared, Side.TARGET if at_source else Side.SOURCE)
        record = other.record(declared)
        kept = {} if record is None else record.documents
        awaited = [TAKES[leg] for leg in TAKES if Leg(leg).side is declared.side_of(name)]
        return [
            {"declaration": declared.id, "kind": kind.value, "envelope": kept[kind]}
            for kind in awaited
            if kind in kept
        ]

    def _carry(
        self,
        chosen: list[Declaration],
        rounds: int,
        fates: Sequence[str] = (),
        decision: str = "install",
        crash: int | None = None,
    ) -> None:
        """Tell both hosts and have the courier carry, as far as the documents get."""
        courier, post = Courier(), Post(fates)
        for host in self.pair:
            self._take(courier, host, self._tell(host, chosen, [], decision, crash))
        for _ in range(rounds):
            deliveries = courier.deliveries()
            if not deliveries:
                return
            for name, documents in deliveries.items():
                courier.brought(deliveries, name)
                arrived = post.arrived(name, documents)
                host = self.pair[name]
                self._take(courier, host, self._tell(host, chosen, arrived, decision, crash))

    def _take(self, courier: Courier, host: Host, answer: Any) -> None:
        if answer is not None:
            courier.take(host.name, answer)

    def _tell(
        self,
        host: Host,
        chosen: list[Declaration],
        documents: Sequence[Document],
        decision: str = "install",
        crash: int | None = None,
    ) -> Any:
        """What a host answers, None where it died before it could."""
        answer = self._guarded(host, lambda: host.put(chosen, documents, decision), crash)
        if answer is not None:
            for result in answer["results"]:
                if result["problem"] is not None:
                    note(f"{host.name}: {result['problem']}")
            self.given += [entry for entry in answer["documents"] if entry not in self.given]
        return answer

    def _guarded(self, host: Host, work: Callable[[], Any], crash: int | None = None) -> Any:
        """Do it; a refusal is an answer, a crash at the n-th point restarts the agent."""
        left = crash or 0

        def at_point(point: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash(point)

        host.at_point = at_point if crash else None
        try:
            return work()
        except Problem as problem:
            note(f"{host.name}: {problem.code.value}: {problem}")
        except Crash as point:
            note(f"{host.name} crashed at {point}")
            host.crash()
        finally:
            host.at_point = None
        return None


@pytest.fixture(scope="module")
def make_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeWorld]:
    """Worlds in front of the same two engines, which are brought back to their seeds."""
    folder: Path = tmp_path_factory.mktemp("two-agents")
    twins: dict[str, Twin] = make_twins(folder / "twins", ITEMS)
    made: list[Pair] = []

    def make() -> Pair:
        for twin in twins.values():
            twin.ask("_twin.rollback", name="fresh")
        drivers = {host.name: host.driver for host in made[-1]} if made else None
        made.append(make_pair(folder / f"world-{len(made)}", twins, drivers=drivers))
        return made[-1]

    yield make
    for host in made[-1]:
        host.close()
    for twin in twins.values():
        twin.stop()


@pytest.mark.timeout(120 + 120 * SCALE)
def test_no_seat_is_made_or_lost(make_world: MakeWorld) -> None:
    """Any order of declarations, legs, refusals, replays, faults, restarts and crashes."""

    class Machine(TwoAgents):
        pass

    Machine.make_world = staticmethod(make_world)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12 * SCALE,
            stateful_step_count=25,
            deadline=None,
            derandomize=SCALE == 1,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
