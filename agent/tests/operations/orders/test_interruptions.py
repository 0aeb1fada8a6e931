# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent ends at every commit of an order, and around the mail: it converges, with one mail.

From the chosen point on the dead agent does nothing more. A real agent is killed in
``tests/integration/test_orders.py``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from crash.share import chosen, repeating, seed, share

from operations.hosts import Crash
from seatkeeper_agent.domain.problems import Problem, ProblemCode

from .bench import NAME, Bench
from .support import KEYS, NEW, OLD, Support

SHARE = 0.15
"""Of the points, usually; ``make test-crash`` runs all of them."""

RUNS_MAX = 12


class People:
    """Who acts on what is shown, tells the truth, and forgets nothing that was done."""

    def __init__(self, bench: Bench, support: Support) -> None:
        self.bench = bench
        self.support = support
        self.case: str | None = None
        self.done: set[str] = set()

    def placed(self) -> dict[str, Any] | None:
        """The order, if the agent knows of it."""
        found = self.bench.orders.page("", 1)
        return found[0] if found else None

    def run(self) -> None:
        """The playbook, with what is known by now."""
        said = {"case_number": self.case} if self.case else {}
        self.bench.put(**self.bench.confirmed(**said) if _is_new(self.placed()) else said)

    def act(self) -> None:
        """Do what is asked for, if it was not done yet, and say so."""
        for entry in self.bench.awaited():
            step = entry["step"]
            if step == "case":
                self.case = self.case or self.support.open_case()
                continue
            if step not in self.done:
                self.perform(step)
                self.done.add(step)
            self.bench.attest(statement=f"{step} is done.")

    def perform(self, step: str) -> None:
        """One step outside of the agent."""
        assert self.case is not None
        if step == "authorize":
            self.support.fax(self.case)
        elif step == "move":
            self.support.work()
        elif step == "register_old":
            self.support.register(OLD)
        else:
            assert step == "register_new"
            self.support.register(NEW, *KEYS)

    def look_into_the_mailbox(self) -> None:
        """Somebody was told that the mail is in doubt."""
        arrived = any(mail["case"] == self.case for mail in self.support.mails())
        self.bench.attest(arrived, statement="Looked into the mailbox.")

    def whole(self) -> None:
        """Everything up to the end, by playbooks and people in turns."""
        for _run in range(RUNS_MAX):
            placed = self.placed()
            if placed is not None and placed["state"] == "done":
                return
            if placed is not None and placed["state"] == "in_doubt":
                self.look_into_the_mailbox()
            else:
                self.run()
                self.act()
            self.check()
        raise AssertionError(f"not done within {RUNS_MAX} runs: {self.bench.steps()}")

    def check(self) -> None:
        """At any moment: one mail at most, and no claim ahead of what is true."""
        mails = [mail for mail in self.support.mails() if mail["case"] == self.case]
        assert len(mails) <= 1
        placed = self.placed()
        steps = self.bench.steps() if placed and placed["operation"] else {}
        if steps.get("send") == "done":
            assert len(mails) == 1
        for step in ("authorize", "move", "register_old", "register_new"):
            assert step in self.done or steps.get(step) != "done"
        with self.bench.journal.reading() as unit:
            assert unit.audit.first_broken_link() is None


def _is_new(placed: dict[str, Any] | None) -> bool:
    return placed is None or placed["state"] in ("none", "failed")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, since real syncs would only take their time."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def undisturbed(folder: Path, support: Support) -> list[str]:
    """The points of a whole order."""
    bench = Bench(folder, support)
    People(bench, support).whole()
    passed = list(bench.point.passed)
    bench.close()
    return passed


def ended_and_converged(bench: Bench, people: People, ends: tuple[int, ...]) -> None:
    """The agent ends at points, one after the other, and each time another one takes it up."""
    for end in ends:
        bench.point.revive()
        bench.point.end_at = end
        with suppress(Crash):
            people.whole()
        ended = len(bench.point.passed) >= end
        assert ended or end is not ends[0]
        bench.restart()
        people.check()
        codes = set()
        try:
            bench.orders.resume("agent")
        except Problem as problem:
            codes.add(problem.code)
        assert codes <= {ProblemCode.IN_DOUBT}
        people.check()
    people.whole()


def assert_done(bench: Bench, people: People) -> None:
    """Moved once, mailed once, and one more run writes nothing."""
    support = people.support
    assert set(KEYS) <= set(support.has(NEW))
    assert not set(KEYS) & set(support.has(OLD))
    assert [mail["case"] for mail in support.mails()] == [people.case]
    assert set(bench.steps(NAME).values()) == {"done"}
    content = bench.content()
    assert bench.put(case_number=people.case)["changed"] is False
    assert bench.orders.resume("agent") == []
    assert bench.content() == content


def test_at_a_share_of_the_points(memory: Path, support: Support) -> None:
    """Each alone, those around the mail always; and some with a second end in what follows."""
    points = undisturbed(memory / "undisturbed", support)
    assert {"mail.before", "mail.after"} <= set(points)
    assert len(points) > 40
    alone = [(number,) for number in range(1, len(points) + 1)]
    pairs = [(number, second) for number in range(2, len(points) + 1, 5) for second in (1, 4)]
    around = [(points.index(f"mail.{when}") + 1,) for when in ("before", "after")]
    taken = [*chosen(alone, share(SHARE), seed()), *chosen(pairs, share(SHARE), seed())]
    for ends in dict.fromkeys([*around, *taken]):
        support.fresh()
        bench = Bench(memory / "-".join(map(str, ends)), support)
        people = People(bench, support)
        try:
            ended_and_converged(bench, people, ends)
            assert_done(bench, people)
        except BaseException as error:
            error.add_note(f"the first end came at {points[ends[0] - 1]}; ends at {ends}")
            error.add_note(f"again with {repeating()}")
            raise
        finally:
            bench.close()
