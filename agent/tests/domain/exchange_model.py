# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of two agents without any process, made from the exchange's tables.

One thing moves. Documents stay in flight for good, so they are lost, late and doubled, and at
every moment a host may forget what it did not write down. Which leg a side does next, what it
waits for and what it gives is read from an ``Exchange``; between which states a journal may go
from the table TRANSITIONS of the same exchange. ``Effects`` says what no table does: in which
state the product is called.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from seatkeeper_agent.domain.exchange import Exchange
from seatkeeper_agent.domain.transfers import Side

STATES_MAX = 200_000
REPEATS_MAX = 2  # how often a broken protocol may repeat an effect before it is stopped
LEAVE, ARRIVE, COME_BACK = "leave", "arrive", "come back"
NONE, VOID, REFUSED = "none", "void", "refused"

Table = Mapping[Side, Mapping[str, Collection[str]]]
Document = tuple[str, bool]
"""Its kind, and whether the target refuses in it."""


@dataclass(frozen=True)
class Effects:
    """Which product is called in which state; ``early`` are ways back before anything was said."""

    at: Mapping[str, str]
    early: Collection[tuple[str, str]] = ()

    def of(self, effect: str) -> str:
        """The state in which it happens."""
        return next(state for state, done in self.at.items() if done == effect)


@dataclass(frozen=True)
class Model:
    """Two agents of one exchange."""

    exchange: Exchange
    table: Table
    effects: Effects


@dataclass(frozen=True)
class Breach:
    """One way in which an agent may be wrong; none of them is what a sound agent has."""

    credits_back_on_timeout: bool = False
    imports_again: bool = False
    forgets_refusal: bool = False
    recovers_without_probe: bool = False
    acts_before_intent: bool = False


@dataclass(frozen=True)
class World:
    """Both journals, both products, the documents in flight, and what is only remembered."""

    source: str = NONE
    target: str = NONE
    left: int = 0
    arrived: int = 0
    back: int = 0
    documents: frozenset[Document] = frozenset()
    source_remembers: bool = False
    target_remembers: bool = False

    def state(self, side: Side) -> str:
        """Where one side stands."""
        return self.source if side is Side.SOURCE else self.target

    def entered(self, side: Side, state: str, given: Collection[str]) -> World:
        """A side has written its next state, and gives what it owes in it."""
        sent = {(kind, state == REFUSED) for kind in given}
        moved = replace(self, documents=self.documents | sent)
        if side is Side.SOURCE:
            return replace(moved, source=state)
        return replace(moved, target=state)


Edge = tuple[Side, str, str]


@dataclass
class Explored:
    """All reachable worlds, what follows each, where the courier gets, which edges were used."""

    follows: dict[World, set[World]]
    carried: dict[World, set[World]]
    used: set[Edge]


class Explorer:
    """Walks from the first world through every one that can follow."""

    def __init__(self, model: Model, breach: Breach) -> None:
        self._exchange, self._table = model.exchange, model.table
        self._effects, self._breach = model.effects, breach

    def explore(self) -> Explored:
        """Breadth first."""
        found = Explored({}, {}, set())
        waiting = deque([World()])
        while waiting:
            world = waiting.popleft()
            if world in found.follows:
                continue
            assert len(found.follows) < STATES_MAX
            moves = list(self._moves(world))
            found.used |= {edge for edge, _, _ in moves}
            effects = set(self._product(world))
            found.carried[world] = {after for _, after, is_due in moves if is_due} | effects
            found.follows[world] = {after for _, after, _ in moves} | effects | crashes(world)
            found.follows[world].discard(world)
            waiting.extend(found.follows[world])
        return found

    def _moves(self, world: World) -> Iterator[tuple[Edge, World, bool]]:
        """What either journal may say next, and whether it is a leg that is due."""
        for side, befores in self._table.items():
            before = world.state(side)
            for after in befores.get(before, ()):
                may_begin = self._may_begin(world, side, before, after)
                if not (may_begin or self._is_decided(world, side, before, after)):
                    continue
                leg = self._exchange.follows[side].get(before)
                is_due = leg == self._leg(side, before, after) or self._comes_back(before, after)
                is_due &= self._may_begin(self._without_lost(world), side, before, after)
                given = self._exchange.owed[side].get(after, ())
                moved = world.entered(side, after, given)
                if after == REFUSED and self._breach.forgets_refusal:
                    moved = replace(moved, target=before)
                yield (side, before, after), moved, is_due

    def _may_begin(self, world: World, side: Side, before: str, after: str) -> bool:
        """Whether the leg that leads from one state to the other has what it needs now."""
        leg = self._leg(side, before, after)
        if leg is None or (after in (VOID, REFUSED) and not self._comes_back(before)):
            return False
        legs = self._exchange.follows[side]
        if before in self._effects.at and legs.get(before) == legs.get(after):
            return not self._seen(world, before)  # withdrawn, because nothing has happened
        if before in self._effects.at and legs.get(before) == leg:
            return self._seen(world, before)
        return self._has(world, side, leg, before, after)

    def _without_lost(self, world: World) -> World:
        """The post has lost everything; each side gives again what it owes where it stands."""
        owed = {
            (kind, world.state(side) == REFUSED)
            for side in Side
            for kind in self._exchange.owed[side].get(world.state(side), ())
        }
        return replace(world, documents=frozenset(owed))

    def _leg(self, side: Side, before: str, after: str) -> str | None:
        """In a state that is under way a leg is being done, any other one ends a leg."""
        legs = self._exchange.follows[side]
        is_within = after in self._exchange.under_way or after in self._effects.at
        return legs.get(after) if is_within else legs.get(before)

    def _comes_back(self, *states: str) -> bool:
        return self._effects.of(COME_BACK) in states

    def _has(self, world: World, side: Side, leg: str, before: str, after: str) -> bool:
        """Whether what a leg takes was brought, or was when it began."""
        under_way = before in self._exchange.under_way
        if under_way and self._exchange.follows[side].get(before) == leg:
            return True
        if (before, after) in self._effects.early:
            return True
        comes_back = self._comes_back(before, after)
        if comes_back and self._breach.credits_back_on_timeout:
            return True
        if self._breach.acts_before_intent and self._effects.of(LEAVE) == after:
            return world.source_remembers
        kind = self._exchange.takes.get(leg)
        return kind is None or (kind, comes_back) in world.documents

    def _is_decided(self, world: World, side: Side, before: str, after: str) -> bool:
        """What people decide at any time: to give up or to refuse, where nothing has happened."""
        if after not in (VOID, REFUSED) or self._comes_back(before):
            return False
        return before not in self._effects.at or not self._seen(world, before)

    def _seen(self, world: World, state: str) -> bool:
        """Whether an agent that looks finds the effect of a state."""
        effect = self._effects.at[state]
        blind = self._breach.recovers_without_probe
        if effect == LEAVE:
            if blind or self._breach.acts_before_intent:
                return world.source_remembers
            return world.left > 0
        if effect == ARRIVE:
            return world.target_remembers if blind else world.arrived > 0
        return world.back >= world.left

    def _product(self, world: World) -> Iterator[World]:
        """What the products do, asked by an agent that sees that it has not happened yet."""
        leaving, arriving = self._effects.of(LEAVE), self._effects.of(ARRIVE)
        starts = {leaving}
        if self._breach.acts_before_intent:
            befores = self._table[Side.SOURCE].items()
            starts = {before for before, afters in befores if leaving in afters}
        if world.source in starts and not self._seen(world, leaving) and world.left < REPEATS_MAX:
            yield replace(world, left=world.left + 1, source_remembers=True)
        again = self._breach.imports_again and self._has_arrived(world)
        due = world.target == arriving and not self._seen(world, arriving)
        if (due or again) and world.arrived < REPEATS_MAX:
            yield replace(world, arrived=world.arrived + 1, target_remembers=True)
        if world.source == self._effects.of(COME_BACK) and world.back < world.left:
            yield replace(world, back=world.back + 1)

    def _has_arrived(self, world: World) -> bool:
        return world.arrived > 0 and world.target != self._effects.of(ARRIVE)


def crashes(world: World) -> set[World]:
    """A host forgets what is not in its journal or its product."""
    return {replace(world, source_remembers=False), replace(world, target_remembers=False)}


def broken_promises(explored: Explored, model: Model) -> set[str]:
    """What does not hold in some reachable world, and where nothing goes on."""
    broken = _misaddressed(model.exchange) | _untrue(explored, model)
    for world in explored.follows:
        broken |= _broken_in(world, model)
    if any(world not in _leading(explored, model, _is_over) for world in begun(explored)):
        broken.add("stuck")
    able = _leading(explored, model, _is_through)
    if any(_is_open(world, model) and world not in able for world in explored.follows):
        broken.add("never arrives")
    return broken


def begun(explored: Explored) -> set[World]:
    """The worlds in which something has left."""
    return {world for world in explored.follows if world.left}


def _broken_in(world: World, model: Model) -> set[str]:
    found = {
        "doubled": world.arrived + world.back > world.left,
        "repeated": max(world.left, world.arrived, world.back) > 1,
        "no intent": (world.left and world.source in _not_begun(model, Side.SOURCE, LEAVE))
        or (world.arrived and world.target in _not_begun(model, Side.TARGET, ARRIVE)),
        "lost": world.source not in model.table[Side.SOURCE]
        and world.left > world.arrived + world.back,
        "unasked": world.left and world.target == NONE,
    }
    return {name for name, is_broken in found.items() if is_broken}


Ending = Callable[[World, Model], bool]


def _leading(explored: Explored, model: Model, ending: Ending) -> set[World]:
    """From where the courier, without anybody's decision, gets to such an end."""
    reverse: dict[World, set[World]] = {world: set() for world in explored.follows}
    for world, following in explored.carried.items():
        for after in following:
            reverse[after].add(world)
    found = {world for world in explored.follows if ending(world, model)}
    waiting = deque(found)
    while waiting:
        for before in reverse[waiting.popleft()] - found:
            found.add(before)
            waiting.append(before)
    return found


def _is_over(world: World, model: Model) -> bool:
    """Where the source has it back the target need not know: it waits for nothing that exists."""
    rests = world.target not in model.table[Side.TARGET] or world.back == world.left
    is_void = world.source == VOID and world.back == world.left
    return (is_void or world.source not in model.table[Side.SOURCE]) and rests


def _is_through(world: World, model: Model) -> bool:
    ended = all(world.state(side) not in table for side, table in model.table.items())
    return ended and world.arrived == 1


def _is_open(world: World, model: Model) -> bool:
    """Whether it may still go as declared: nothing has left, and neither side is at its end."""
    ends = [
        state
        for side, befores in model.table.items()
        for state in [world.state(side)]
        if state not in befores
    ]
    refused = (world.target == REFUSED) or any(refuses for _, refuses in world.documents)
    return not (ends or refused or world.left or world.source == model.effects.of(COME_BACK))


def _not_begun(model: Model, side: Side, effect: str) -> set[str]:
    """The states from which the intent of an effect is still to be written, or was withdrawn."""
    intended = model.effects.of(effect)
    legs = model.exchange.follows[side]
    return {
        state
        for state in {NONE, *model.table[side]}
        if state != intended and legs.get(state) == legs.get(intended)
    }


def _misaddressed(exchange: Exchange) -> set[str]:
    """Every document is given by one side and taken by a leg of the other, none by nobody."""
    owed = {
        kind for states in exchange.owed.values() for kinds in states.values() for kind in kinds
    }
    taken = set(exchange.takes.values())
    told = set(exchange.gives.values())
    return set() if owed == taken and told <= taken else {"misaddressed"}


def _untrue(explored: Explored, model: Model) -> set[str]:
    """Whether what a leg is said to give is what its end owes, wherever a leg ends."""
    exchange = model.exchange
    for side, before, after in explored.used:
        leg, legs = exchange.follows[side].get(before), exchange.follows[side]
        is_within = after in exchange.under_way or legs.get(after) == leg
        if leg is None or after in (VOID, REFUSED) or is_within:
            continue
        first = next(iter(exchange.owed[side].get(after, ())), None)
        if exchange.gives.get(leg) != first:
            return {"gives otherwise"}
    return set()
