# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent ends at every point of a migration: run again, it converges, and it clicked once.

From the chosen point on the dead agent does nothing more, not even tidying up. Real processes
are killed in ``../../crash``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.hosts import Crash
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.journal.declarations import ISOLATION

from .bench import Bench, perpetual

STRIDE = 2 if os.environ.get("SEATKEEPER_EXAMPLES", "1") == "1" else 1
"""Usually every second point is enough."""

HIDDEN = "1-1.4"
VALUES = {"isolate": True, "licenses": perpetual()}
BOTH = {"1-1.1": True, HIDDEN: True}


def host(folder: Path, performer: str) -> Bench:
    """Two dongles, of which one is migrated."""
    made = Bench(folder, performer)
    made.seconds_max = 0.3
    made.open()
    made.plug()
    made.plug("90000004", HIDDEN)
    return made


def undisturbed(folder: Path, performer: str) -> list[str]:
    """The points of a whole migration."""
    bench = host(folder, performer)
    said = bench.confirmed(**VALUES)
    bench.point.revive()
    run(bench, said)
    passed = list(bench.point.passed)
    bench.close()
    return passed


def run(bench: Bench, said: dict[str, object]) -> None:
    """A playbook's run, and in it what a person does when asked to."""
    answer = bench.put(**said)
    if answer["waiting"] and bench.performer == "person":
        bench.page.clicks += 1
        bench.server.migrate()
        bench.put(**VALUES)


def ending(bench: Bench, said: dict[str, object], point: int) -> None:
    """A run in which the agent ends at a point."""
    bench.point.revive()
    bench.point.end_at = point
    with pytest.raises(Crash):
        run(bench, said)
    bench.restart()


def converge(bench: Bench) -> None:
    """What comes after a death: the agent's own recovery, then the playbook and its people."""
    assert_sound(bench)
    codes = set()
    try:
        bench.migrations.resume("agent")
    except Problem as problem:
        codes.add(problem.code)
    assert codes <= {ProblemCode.IN_DOUBT}
    assert_sound(bench)
    for _run in range(3):
        state = bench.view()["state"] if bench.migrations.page("", 1) else "none"
        if state == "in_doubt":
            assert bench.page.clicks == 0
            bench.migrations.attest(bench.operation(), False, "Nothing shows.", "migrator")
        elif state in ("none", "failed"):
            assert bench.page.clicks == 0
            run(bench, bench.confirmed(**VALUES))
        elif state == "waiting" and not bench.page.clicks:
            bench.page.clicks += 1
            bench.server.migrate()
            bench.put(**VALUES)
        elif state != "done":
            bench.put(**VALUES)
        assert_sound(bench)


def assert_sound(bench: Bench) -> None:
    """At any moment: at most one click, nothing claimed, nothing hidden that nobody owes."""
    assert bench.page.clicks <= 1
    shown = bench.migrations.page("", 1)
    if shown and shown[0]["gained"]:
        assert bench.page.clicks == 1
    with bench.journal.reading() as unit:
        owed = unit.declarations.page(ISOLATION, "", 10)
        assert unit.audit.first_broken_link() is None
    if not owed:
        assert bench.authorized() == BOTH


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, since real syncs would only take their time."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(params=["browser", "person"])
def performer(request: pytest.FixtureRequest) -> Iterator[str]:
    """Who works on the page."""
    return request.param


def test_at_every_point(memory: Path, performer: str) -> None:
    """Each alone."""
    points = undisturbed(memory / "undisturbed", performer)
    assert len(points) > 25
    for number in range(1, len(points) + 1, STRIDE):
        bench = host(memory / f"{number}", performer)
        try:
            ending(bench, bench.confirmed(**VALUES), number)
            converge(bench)
            assert_done(bench)
        except BaseException as error:
            error.add_note(f"{performer}: the end came at {points[number - 1]}, point {number}")
            raise
        finally:
            bench.close()


def test_at_two_points(memory: Path) -> None:
    """The second one in what the first one's recovery does."""
    points = undisturbed(memory / "undisturbed", "browser")
    for number in range(2, len(points) + 1, 4 * STRIDE):
        for second in (1, 4):
            bench = host(memory / f"{number}-{second}", "browser")
            try:
                ending(bench, bench.confirmed(**VALUES), number)
                bench.point.end_at = second
                try:
                    bench.migrations.resume("agent")
                except (Crash, Problem):
                    bench.restart()
                bench.point.revive()
                converge(bench)
                assert_done(bench)
            finally:
                bench.close()


def assert_done(bench: Bench) -> None:
    """Migrated once, everything given back, and one more run writes nothing."""
    assert (bench.page.clicks, bench.authorized()) == (1, BOTH)
    assert bench.server.seats == {"V-Ray": {"render": 9}}
    head = bench.head()
    answer = bench.put(**VALUES)
    assert (answer["changed"], answer["migration"]["state"]) == (False, "done")
    assert answer["migration"]["comparison"] == "matches"
    assert (bench.head(), bench.migrations.resume("agent")) == (head, [])
