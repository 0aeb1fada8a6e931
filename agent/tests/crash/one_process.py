# SPDX-License-Identifier: GPL-3.0-or-later
"""The campaign in one process: agents that end at any point and are opened again on their journals.

The courier carries between real agents in front of real twins; only that the death of an agent
or of the controller is an exception, after which nothing is left but the files. The post loses,
doubles, reorders and delays. The same with processes and SIGKILL is ``campaign.py``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operations.hosts import ACTOR, FIRM, Crash, Host, Pair, Twin, make_pair
from properties.truth import (
    Truth,
    balances,
    broken_invariants,
    impossible_balances,
    under_way,
)

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import Courier
from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.transfers import Declaration, State, transfer_id
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver

from .checks import Violation

CONTROLLER = "controller"
RUNS_MAX = 8
ROUNDS_MAX = 12
POSTS = ("whole", "lossy", "double", "reordered", "late")
TOTALS = {
    (f"{FIRM}:201", Measure.SEATS): 25,
    (f"{FIRM}:202", Measure.SEATS): 4,
    (f"{FIRM}:203", Measure.UNITS): 1000,
}
Document = dict[str, Any]


class ControllerEnds(Exception):
    """The controller's process ends here; what it knew is gone."""


@dataclass(frozen=True)
class Goal:
    """One transfer as it is declared."""

    name: str
    codes: str
    type: str
    mode: str = "push"
    source: str = "old"
    quantity: int | None = None
    parent: str | None = None


@dataclass(frozen=True)
class Scenario:
    """What was done before, what is disturbed, and what the new server has in the end."""

    goal: Goal
    ends: int
    earlier: tuple[Goal, ...] = ()

    @property
    def measure(self) -> Measure:
        """What is counted."""
        return Measure.UNITS if self.goal.type == "units" else Measure.SEATS


_PUSH = Goal("push", "201", "licenses", quantity=10)
_BACK = Goal("back", "201", "licenses", "return", "new", quantity=4, parent="push")
SCENARIOS = {
    "push": Scenario(_PUSH, 10),
    "pull": Scenario(Goal("pull", "201", "licenses", "pull", quantity=10), 10),
    "complete": Scenario(Goal("whole", "202", "complete"), 4),
    "units": Scenario(Goal("some", "203", "units", quantity=400), 400),
    "return": Scenario(_BACK, 6, earlier=(_PUSH,)),
}


@dataclass(frozen=True)
class Schedule:
    """Each death counts points from the start, or from the death before it."""

    scenario: str
    deaths: tuple[int, ...] = ()
    post: str = "whole"


class Post:
    """How documents fare on their way."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._sent: dict[str, list[Document]] = {}
        self.held: dict[str, list[Document]] = {}

    def arriving(self, name: str, documents: list[Document]) -> list[Document]:
        """What comes to a host now."""
        earlier = self._sent.get(name, [])
        fresh = [each for each in documents if each not in earlier]
        self._sent[name] = [*earlier, *fresh]
        match self._kind:
            case "lossy":
                return [each for each in documents if each in earlier]
            case "double":
                return [*earlier, *documents, *documents]
            case "reordered":
                return [*reversed(documents), *reversed(earlier)]
            case "late":
                return self._exchanged(name, documents)
        return documents

    def _exchanged(self, name: str, documents: list[Document]) -> list[Document]:
        held = self.held.pop(name, [])
        if documents:
            self.held[name] = documents
        return held


@dataclass
class Points:
    """Counts what all three pass, and ends the one that passes the chosen point."""

    deaths: list[int] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    since_death: int = 0

    def __call__(self, who: str, point: str) -> None:
        """Pass a point."""
        self.passed.append(f"{who}: {point}")
        self.since_death += 1
        if self.deaths and self.since_death == self.deaths[0]:
            self.deaths.pop(0)
            self.since_death = 0
            raise ControllerEnds if who == CONTROLLER else Crash(point)


class Course:
    """One schedule from its beginning to a run that changes nothing."""

    def __init__(self, pair: Pair, schedule: Schedule) -> None:
        self._pair, self._scenario = pair, SCENARIOS[schedule.scenario]
        self._schedule, self._post = schedule, Post(schedule.post)
        self.points = Points(list(schedule.deaths))
        self._declared = declared(pair, self._scenario.goal)
        self._changed = False
        self._watch()

    def drive(self) -> int:
        """How many points were passed after the last death; Violation."""
        runs_max = RUNS_MAX + len(self._schedule.deaths)
        for _ in range(runs_max):
            self._run()
            if self._states() == {State.RECEIPTED} and not self.points.deaths:
                break
        else:
            raise Violation("converges", f"not after {runs_max} runs: {self._states()}")
        points = self.points.since_death
        self._check_end()
        heads = self._heads()
        self._run()
        if self._changed or self._heads() != heads:
            raise Violation("unchanged", "one more run changed or wrote something")
        return points

    def _run(self) -> None:
        """A playbook from its beginning, as far as it gets."""
        self._changed = False
        with suppress(ControllerEnds):
            for host in self._pair:
                self._reached(host, lambda host=host: host.recovery.resume_all(ACTOR))
            self._carry()
        self._check()

    def _carry(self) -> None:
        courier = Courier()
        due: dict[str, list[Document]] = {host.name: [] for host in self._pair}
        for _ in range(ROUNDS_MAX):
            for name, documents in due.items():
                host = self._pair[name]
                arriving = self._post.arriving(name, documents)
                self.points(CONTROLLER, f"before it tells {name}")
                answer = self._reached(host, lambda h=host, a=arriving: h.put([self._declared], a))
                self.points(CONTROLLER, f"after it told {name}")
                if answer is not None:
                    self._changed |= any(each["changed"] for each in answer["results"])
                    courier.take(name, answer)
            deliveries = courier.deliveries()
            for name in deliveries:
                courier.brought(deliveries, name)
            due = deliveries or {name: [] for name in self._post.held}
            if not due:
                return

    def _reached(self, host: Host, work: Callable[[], Any]) -> Any:
        """What a host answers; None where it ended, and was started again."""
        try:
            return work()
        except Problem:
            return None
        except Crash:
            host.crash()
            self._watch()
            self._check()
            return None

    def _watch(self) -> None:
        for host in self._pair:
            host.at_point = lambda point, name=host.name: self.points(name, point)

    def _states(self) -> set[Any]:
        records = [host.record(self._declared) for host in self._pair]
        return {record and record.state for record in records}

    def _heads(self) -> list[Any]:
        heads = []
        for host in self._pair:
            with host.journal.reading() as unit:
                heads.append(unit.audit.head())
        return heads

    def _check(self) -> None:
        """What holds at every moment, in the containers and in both ledgers together."""
        truth = Truth(self._pair)
        for (codes, measure), total in TOTALS.items():
            seen = truth.total(int(codes.partition(":")[2]), measure)
            if seen != total:
                raise Violation("I1" if seen > total else "I2", f"{codes}: {seen} of {total}")
        broken = broken_invariants(self._pair)
        if broken:
            raise Violation("I3", str(broken))
        impossible = impossible_balances(balances(self._pair), TOTALS)
        if impossible:
            raise Violation("I2", str(impossible))

    def _check_end(self) -> None:
        product = int(self._scenario.goal.codes)
        held = Truth(self._pair).owned(self._pair.new, product, self._scenario.measure)
        if held != self._scenario.ends:
            raise Violation("end", f"the new server holds {held}, not {self._scenario.ends}")
        left = under_way(balances(self._pair))
        if left:
            raise Violation("end", f"on their way for good: {left}")


def declared(pair: Pair, goal: Goal) -> Declaration:
    """As both hosts are told it."""
    parent = None if goal.parent is None else transfer_id(goal.parent)
    return pair.declare(
        goal.name, goal.codes, goal.type, goal.mode, goal.source,
        quantity=goal.quantity, parent=parent,
    )  # fmt: skip


def singles(scenario: str, post: str, points: int) -> Iterator[Schedule]:
    """A death at each point."""
    for number in range(1, points + 1):
        yield Schedule(scenario, (number,), post)


def pairs(single: Schedule, points: int) -> Iterator[Schedule]:
    """After one death another one at each point of what follows."""
    for second in range(1, points + 1):
        yield Schedule(single.scenario, (*single.deaths, second), single.post)


class Bench:
    """Two hosts and their twins, put back to where a scenario begins for each schedule."""

    def __init__(self, folder: Path, twins: dict[str, Twin]) -> None:
        self._folder, self._twins = folder, twins
        self._drivers: dict[str, CodeMeterDriver] = {}
        self._begun: set[str] = set()

    def run(self, schedule: Schedule) -> int:
        """How many points follow its last death; Violation."""
        pair = self._pair_at(schedule.scenario)
        try:
            return Course(pair, schedule).drive()
        finally:
            for host in pair:
                host.close_journals()

    def close(self) -> None:
        """End the drivers' workers."""
        for driver in self._drivers.values():
            driver.close()

    def _pair_at(self, name: str) -> Pair:
        kept, world = self._folder / "kept" / name, self._folder / "world"
        if name not in self._begun:
            self._begin(name, kept)
        shutil.rmtree(world, ignore_errors=True)
        shutil.copytree(kept, world)
        for twin in self._twins.values():
            twin.ask("_twin.rollback", name=name)
        return self._made(world)

    def _begin(self, name: str, kept: Path) -> None:
        for twin in self._twins.values():
            twin.ask("_twin.rollback", name="fresh")
        pair = self._made(kept)
        for goal in SCENARIOS[name].earlier:
            pair.carry(declared(pair, goal))
        for host in pair:
            host.close_journals()
        for twin in self._twins.values():
            twin.ask("_twin.snapshot", name=name)
        self._begun.add(name)

    def _made(self, folder: Path) -> Pair:
        pair = make_pair(folder, self._twins, drivers=self._drivers)
        self._drivers = {host.name: host.driver for host in pair}
        return pair
