# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state that a transfer can reach, over crashes, redelivery, loss and refusal.

A model of the protocol without any process: one amount moves, documents stay in flight for
good (so they are lost, delivered late and delivered twice), and at every moment a host may
forget what it did not write down. What a host may do next is the table TRANSITIONS; RULES says
for each entry when it happens and what goes with it, so a new entry needs a rule here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from seatkeeper_agent.domain.transfers import TRANSITIONS, Side, State

STATES_MAX = 100_000
REPEATS_MAX = 2  # how often a broken protocol may repeat an effect before it is stopped


@dataclass(frozen=True)
class World:
    """Both journals, both containers, the documents in flight, and what is only remembered."""

    source: State = State.NONE
    target: State = State.NONE
    debits: int = 0
    credits: int = 0
    credited_back: int = 0
    documents: frozenset[str] = frozenset()
    source_remembers: bool = False
    target_remembers: bool = False

    def sent(self, document: str) -> World:
        """The document is in flight from now on."""
        return replace(self, documents=self.documents | {document})


@dataclass(frozen=True)
class Breach:
    """One way in which an agent may be wrong; none of them is what a sound agent has."""

    credits_back_on_timeout: bool = False
    imports_again: bool = False
    forgets_refusal: bool = False
    recovers_without_probe: bool = False
    acts_before_intent: bool = False


SOUND = Breach()
Edge = tuple[Side, State, State]
Rule = tuple[Callable[[World, Breach], bool], Callable[[World], World]]


def _always(_world: World, _breach: Breach) -> bool:
    return True


def _keep(world: World) -> World:
    return world


def _given(document: str) -> Callable[[World, Breach], bool]:
    return lambda world, _breach: document in world.documents


def _debit_seen(world: World, breach: Breach) -> bool:
    if breach.recovers_without_probe or breach.acts_before_intent:
        return world.source_remembers
    return world.debits > 0


def _credit_seen(world: World, breach: Breach) -> bool:
    return world.target_remembers if breach.recovers_without_probe else world.credits > 0


def _reports(document: str) -> Callable[[World], World]:
    return lambda world: world.sent(document)


_S, _T = Side.SOURCE, Side.TARGET
RULES: dict[Edge, Rule] = {
    (_S, State.NONE, State.CREATED): (_given("request"), _keep),
    (_S, State.CREATED, State.DEBITING): (
        lambda world, breach: world.source_remembers or not breach.acts_before_intent,
        _keep,
    ),
    (_S, State.CREATED, State.VOID): (_always, _keep),
    (_S, State.DEBITING, State.CREATED): (lambda world, _: world.debits == 0, _keep),
    (_S, State.DEBITING, State.IN_TRANSIT): (_debit_seen, _reports("transfer")),
    (_S, State.IN_TRANSIT, State.RECEIPTED): (_given("installed"), _reports("acknowledgement")),
    (_S, State.IN_TRANSIT, State.CREDITING_BACK): (
        lambda world, breach: "refused" in world.documents or breach.credits_back_on_timeout,
        _keep,
    ),
    (_S, State.CREDITING_BACK, State.VOID): (lambda world, _: world.credited_back > 0, _keep),
    (_T, State.NONE, State.REQUESTED): (_always, _reports("request")),
    (_T, State.NONE, State.REFUSED): (_always, _reports("refused")),
    (_T, State.REQUESTED, State.ACCEPTED): (_given("transfer"), _keep),
    (_T, State.REQUESTED, State.REFUSED): (_always, _reports("refused")),
    (_T, State.REQUESTED, State.VOID): (_always, _keep),
    (_T, State.VOID, State.REQUESTED): (_always, _reports("request")),
    (_T, State.VOID, State.ACCEPTED): (_given("transfer"), _keep),
    (_T, State.VOID, State.REFUSED): (_always, _reports("refused")),
    (_T, State.ACCEPTED, State.CREDITING): (_always, _keep),
    (_T, State.ACCEPTED, State.REFUSED): (_always, _reports("refused")),
    (_T, State.CREDITING, State.ACCEPTED): (lambda world, _: world.credits == 0, _keep),
    (_T, State.CREDITING, State.TRANSFERRED): (_credit_seen, _reports("installed")),
    (_T, State.TRANSFERRED, State.RECEIPTED): (_given("acknowledgement"), _keep),
}


def _transitions(world: World, breach: Breach) -> Iterator[tuple[Edge, World]]:
    """What either journal may say next."""
    for side, table in TRANSITIONS.items():
        before = world.source if side is Side.SOURCE else world.target
        for after in table.get(before, frozenset()):
            edge = (side, before, after)
            allowed, effect = RULES[edge]
            if not allowed(world, breach):
                continue
            moved = effect(world)
            if side is Side.SOURCE:
                yield edge, replace(moved, source=after)
            elif after is State.REFUSED and breach.forgets_refusal:
                yield edge, moved
            else:
                yield edge, replace(moved, target=after)


def _effects(world: World, breach: Breach) -> Iterator[World]:
    """What the products do, asked by an agent that sees that it has not happened yet."""
    starts = State.CREATED if breach.acts_before_intent else State.DEBITING
    if world.source is starts and not _debit_seen(world, breach) and world.debits < REPEATS_MAX:
        yield replace(world, debits=world.debits + 1, source_remembers=True)
    imports = world.target is State.CREDITING and not _credit_seen(world, breach)
    imports |= (
        breach.imports_again
        and world.target in (State.TRANSFERRED, State.RECEIPTED)
        and "transfer" in world.documents
    )
    if imports and world.credits < REPEATS_MAX:
        yield replace(world, credits=world.credits + 1, target_remembers=True)
    if world.source is State.CREDITING_BACK and world.credited_back == 0:
        yield replace(world, credited_back=1)


def _crashes(world: World) -> Iterator[World]:
    """A host forgets what is not in its journal or its container."""
    yield replace(world, source_remembers=False)
    yield replace(world, target_remembers=False)


@dataclass
class Explored:
    """All reachable states, what follows each, and which entries of the table were used."""

    follows: dict[World, set[World]]
    used: set[Edge]


def explore(breach: Breach) -> Explored:
    """Every state from the first one, breadth first."""
    explored = Explored({}, set())
    waiting = deque([World()])
    while waiting:
        world = waiting.popleft()
        if world in explored.follows:
            continue
        assert len(explored.follows) < STATES_MAX
        moves = list(_transitions(world, breach))
        explored.used |= {edge for edge, _ in moves}
        following = {after for _, after in moves}
        following |= {*_effects(world, breach), *_crashes(world)} - {world}
        explored.follows[world] = following
        waiting.extend(following)
    return explored


def broken_promises(explored: Explored) -> set[str]:
    """Which invariants do not hold in some reachable state."""
    broken: set[str] = set()
    for world, following in explored.follows.items():
        back = world.credits + world.credited_back
        if back > world.debits:
            broken.add("doubled")
        if max(world.debits, world.credits, world.credited_back) > 1:
            broken.add("repeated")
        if world.debits and world.source in (State.NONE, State.CREATED):
            broken.add("no intent")
        if world.credits and world.target in (State.NONE, State.REQUESTED, State.ACCEPTED):
            broken.add("no intent")
        if not following - set(_crashes(world)) and world.debits != back:
            broken.add("lost")
    return broken


def _can_settle(explored: Explored) -> set[World]:
    """From where an end without anything on its way can still be reached."""
    reverse: dict[World, set[World]] = {world: set() for world in explored.follows}
    for world, following in explored.follows.items():
        for after in following:
            reverse[after].add(world)
    ends = [world for world in explored.follows if _is_settled(world)]
    found, waiting = set(ends), deque(ends)
    while waiting:
        for before in reverse[waiting.popleft()] - found:
            found.add(before)
            waiting.append(before)
    return found


def _is_settled(world: World) -> bool:
    sides = all(state.is_settled for state in (world.source, world.target))
    return sides and world.debits == world.credits + world.credited_back


def test_each_entry_of_the_table_has_a_rule_and_is_used() -> None:
    """The model walks the table that the journal enforces, all of it and nothing else."""
    table = {
        (side, before, after)
        for side, befores in TRANSITIONS.items()
        for before, afters in befores.items()
        for after in afters
    }
    assert set(RULES) == table
    assert explore(SOUND).used == table


def test_nothing_is_lost_doubled_or_stuck_in_any_state() -> None:
    """Of a transfer whose hosts crash, whose documents come late, twice or never."""
    explored = explore(SOUND)
    assert broken_promises(explored) == set()
    reached = {world.source for world in explored.follows}
    assert reached | {world.target for world in explored.follows} == set(State)
    begun = {world for world in explored.follows if world.source is not State.NONE}
    assert begun <= _can_settle(explored)


@pytest.mark.parametrize(
    ("breach", "breaks"),
    [
        pytest.param(Breach(credits_back_on_timeout=True), "doubled", id="timeout"),
        pytest.param(Breach(imports_again=True), "doubled", id="no deduplication"),
        pytest.param(Breach(forgets_refusal=True), "doubled", id="no durable refusal"),
        pytest.param(Breach(recovers_without_probe=True), "lost", id="no probe"),
        pytest.param(Breach(acts_before_intent=True), "lost", id="effect before intent"),
    ],
)
def test_each_of_the_five_broken_protocols_is_caught(breach: Breach, breaks: str) -> None:
    """Each change that transfers are known to break by breaks its promise here, too."""
    assert breaks in broken_promises(explore(breach))
