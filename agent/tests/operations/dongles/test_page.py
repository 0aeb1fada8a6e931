# SPDX-License-Identifier: GPL-3.0-or-later
"""The irreversible click: made when all is well, counted, and never made a second time."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.records import OperationState
from seatkeeper_agent.operations.dongles.screenshots import is_kept
from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverPending,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)
from seatkeeper_agent.operations.server_ports import PageLabelMissing

from .bench import CHOSEN, Bench

HANGS_SECONDS = 600.0
PICTURE = b"\x89PNG\r\n\x1a\n a picture"


def missing(picture: bytes | None = PICTURE) -> PageLabelMissing:
    """What a page without TRANSFER is."""
    return PageLabelMissing("The page shows no TRANSFER.", "TRANSFER", picture)


def test_a_page_without_transfer_shows_every_rule_and_what_it_showed(bench: Bench) -> None:
    """The vendor gives no reason; the picture is for the agent's user only."""
    bench.page.before = [missing()]
    problem = bench.refused_run()
    assert problem.code is ProblemCode.PAGE_DIFFERS
    assert (problem.facts["label"], problem.facts["verdict"]) == ("TRANSFER", "open")
    assert len(problem.facts["rules"]) == 9
    path = Path(problem.facts["screenshot"])
    assert path.parent == bench.folder / "screenshots"
    assert path.read_bytes() == PICTURE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (bench.page.clicks, bench.view()["state"]) == (0, "failed")
    assert bench.go()["migration"]["state"] == "done"


def test_a_picture_is_not_written_through_a_link(bench: Bench) -> None:
    """Nor readable by others because one was there before."""
    for attempt, prepare in enumerate((_linked, _readable), 1):
        bench.page.before = [missing()]
        folder = bench.folder / "screenshots"
        folder.mkdir(exist_ok=True)
        elsewhere = bench.folder / "elsewhere"
        elsewhere.write_text("kept")
        name = f"{_identity(bench)}-{attempt}.png"
        prepare(folder / name, elsewhere)
        problem = bench.refused_run()
        path = Path(problem.facts["screenshot"])
        assert path.name == name
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert elsewhere.read_text() == "kept"


def _identity(bench: Bench) -> str:
    from seatkeeper_agent.operations.dongles.requests import migration_id

    return migration_id(bench.server.vendor, CHOSEN)


def _linked(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere)


def _readable(path: Path, _elsewhere: Path) -> None:
    path.write_bytes(b"old")
    path.chmod(0o644)


def test_a_picture_that_cannot_be_kept_hides_no_problem(bench: Bench) -> None:
    """The rules are told all the same."""
    (bench.folder / "screenshots").write_text("not a folder")
    bench.page.before = [missing()]
    problem = bench.refused_run()
    assert problem.code is ProblemCode.PAGE_DIFFERS
    assert ("screenshot" in problem.facts, len(problem.facts["rules"])) == (False, 9)
    assert not is_kept(Path("/proc/nowhere/picture.png"), PICTURE)


def test_a_page_that_took_no_picture_shows_every_rule(bench: Bench) -> None:
    """There may be no browser left to take one."""
    bench.page.before = [missing(None)]
    problem = bench.refused_run()
    assert ("screenshot" in problem.facts, len(problem.facts["rules"])) == (False, 9)
    assert not (bench.folder / "screenshots").exists()


def _replace(bench: Bench) -> None:
    bench.bus.unplug("1-1.1")
    bench.plug("90000004", "1-1.1")


CHANGES: dict[str, Callable[[Bench], object]] = {
    "another is plugged in": lambda bench: bench.plug("90000004", "1-1.4"),
    "it is unplugged": lambda bench: bench.bus.unplug("1-1.1"),
    "it is replaced by another": _replace,
    "it is hidden": lambda bench: (bench.bus.folder / "1-1.1" / "authorized").write_text("0\n"),
    "the bus cannot be seen": lambda bench: bench.bus.folder.rename(bench.folder / "gone"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_bus_that_changes_right_before_the_click_stops_it(bench: Bench, change: str) -> None:
    """Nothing is clicked, nothing is held."""
    bench.page.meanwhile = lambda: CHANGES[change](bench)
    problem = bench.refused_run()
    assert problem.code is ProblemCode.RUNTIME_REFUSED
    assert "not the only one that the driver can have" in problem.detail
    assert (bench.page.clicks, bench.operation().state) == (0, OperationState.FAILED)


def test_a_dongle_that_is_moved_right_before_the_click_is_planned_anew(bench: Bench) -> None:
    """It was away, and nobody saw what was there meanwhile."""

    def move() -> None:
        bench.bus.unplug("1-1.1")
        bench.bus.plug("1-1.2", serial=CHOSEN)

    bench.page.meanwhile = move
    problem = bench.refused_run()
    assert "was moved from 1-1.1 to 1-1.2" in problem.detail
    assert "plan and confirm it anew" in problem.next_action
    bench.page.meanwhile = lambda: None
    assert (bench.page.clicks, bench.go()["migration"]["state"]) == (0, "done")


@pytest.mark.parametrize(
    "error", [DriverRefused("no", 409), DriverUnavailable("gone"), missing()], ids=str
)
def test_an_error_before_the_click_did_nothing(bench: Bench, error: DriverError) -> None:
    """The container is free, and it can be confirmed anew."""
    bench.page.before = [error]
    bench.refused_run()
    assert (bench.page.clicks, bench.operation().state) == (0, OperationState.FAILED)
    assert bench.go()["migration"]["state"] == "done"
    assert bench.page.clicks == 1


def test_a_service_that_dies_before_the_click_leaves_no_doubt(bench: Bench) -> None:
    """The agent knows that it did not click, though nothing can be seen any more."""
    bench.page.meanwhile = lambda: setattr(bench.server, "is_up", False)
    bench.page.before = [DriverUnavailable("The page cannot be reached.")]
    problem = bench.refused_run()
    assert problem.code is ProblemCode.RUNTIME_UNAVAILABLE
    assert bench.operation().state is OperationState.FAILED


@pytest.mark.parametrize(
    "error",
    [
        DriverRefused("no", 409),
        DriverUnavailable("gone"),
        DriverUnfinished("lost"),
        DriverPending("busy"),
        missing(),
    ],
    ids=str,
)
@pytest.mark.parametrize("works", [True, False])
def test_an_error_after_the_click_is_judged_by_what_is_seen(
    bench: Bench, error: DriverError, works: bool
) -> None:
    """Done where the end shows, the vendor's or in doubt where it does not: never clicked again."""
    bench.page.after, bench.page.works = [error], works
    if works:
        assert bench.go()["migration"]["state"] == "done"
    elif isinstance(error, DriverUnfinished):
        assert bench.go()["waiting"][0]["who"] == "vendor"
        bench.restart()
        assert bench.put()["migration"]["state"] == "waiting"
    else:
        assert bench.refused_run().code is ProblemCode.IN_DOUBT
        for _run in range(3):
            bench.restart()
            assert bench.refused().code is ProblemCode.IN_DOUBT
        assert bench.view()["state"] == "in_doubt"
    assert bench.page.clicks == 1


def test_what_was_clicked_and_does_not_show_is_waited_for_and_keeps_nobody(bench: Bench) -> None:
    """It may take minutes: the agent looks on by itself, and a person's word is taken at once."""
    bench.page.works = False
    (waiting,) = bench.go()["waiting"]
    assert (waiting["who"], waiting["step"], waiting["attestable"]) == ("vendor", "transfer", True)
    assert "have a migrator attest the operation" in waiting["instructions"][1]
    assert bench.refused("90000009").code is ProblemCode.DONGLE_UNKNOWN
    bench.restart()
    bench.server.migrate()
    bench.migrations.resume("agent")
    assert (bench.view()["state"], bench.put()["changed"]) == ("done", False)
    assert bench.page.clicks == 1


def test_a_browser_that_hangs_after_its_click_keeps_nobody(bench: Bench) -> None:
    """It stays at the page for half an hour; the end counts when the server shows it."""
    released = threading.Event()
    bench.page.works = False
    bench.page.after_click = lambda: released.wait(HANGS_SECONDS)
    try:
        (waiting,) = bench.go()["waiting"]
        assert waiting["who"] == "vendor"
        bench.migrations.attest(bench.operation(), False, "The page shows nothing.", "migrator")
        assert bench.view()["state"] == "failed"
    finally:
        released.set()


def test_what_the_page_said_last_is_told(bench: Bench) -> None:
    """To whoever has to judge."""
    bench.page.works, bench.page.after = False, [DriverUnfinished("the page says: try later")]
    (waiting,) = bench.go()["waiting"]
    assert waiting["instructions"][0] == "What the page said last: the page says: try later"


def test_what_the_agent_has_clicked_is_not_planned_anew(bench: Bench) -> None:
    """The dongle is pulled while the vendor works; nobody can say that it was not begun."""
    bench.page.works = False
    said = bench.confirmed()
    bench.put(**said)
    bench.bus.unplug("1-1.1")
    bench.bus.plug("1-1.1", serial=CHOSEN)
    bench.restart()
    bench.migrations.resume("agent")
    assert bench.view()["disturbance"] is not None
    assert bench.put(**said)["migration"]["state"] == "waiting"
    bench.server.migrate()
    assert bench.refused().code is ProblemCode.IN_DOUBT
    assert bench.page.clicks == 1


def test_a_doubt_is_resolved_by_what_shows_later(bench: Bench) -> None:
    """The agent was killed at the click: each run looks, and says what else to do."""
    doubtful(bench)
    problem = bench.refused()
    assert bench.operation().id in problem.next_action
    assert "Run the playbook again: it looks" in problem.next_action
    bench.server.migrate()
    answer = bench.put()
    assert (answer["changed"], answer["migration"]["state"]) == (True, "done")
    assert bench.page.clicks == 1


def doubtful(bench: Bench) -> None:
    """An agent that died when it had clicked, and nothing shows."""
    bench.page.works, bench.page.after = False, [DriverRefused("no", 409)]
    assert bench.refused_run().code is ProblemCode.IN_DOUBT
    bench.restart()


@pytest.mark.parametrize("happened", [True, False])
def test_a_doubt_is_resolved_by_a_persons_word(bench: Bench, happened: bool) -> None:
    """And only what did not happen is clicked anew, with a new confirmation."""
    doubtful(bench)
    bench.migrations.attest(bench.operation(), happened, "The vendor said so.", "migrator")
    assert bench.view()["state"] == ("done" if happened else "failed")
    bench.page.works = True
    if happened:
        assert bench.put()["changed"] is False
    else:
        assert bench.refused().code is ProblemCode.CONFIRMATION_REQUIRED
        assert bench.go()["migration"]["state"] == "done"
    assert bench.page.clicks == (1 if happened else 2)


@pytest.mark.parametrize("performers", [("browser", "person"), ("person", "browser")])
def test_the_performer_changes_in_between(bench: Bench, performers: tuple[str, str]) -> None:
    """What one began the other neither does nor is asked for."""
    first, second = performers
    bench.restart(first)
    if first == "browser":
        doubtful(bench)
        bench.restart(second)
        assert bench.refused().code is ProblemCode.IN_DOUBT
    else:
        bench.go()
        bench.restart(second)
        assert bench.put()["migration"]["state"] == "waiting"
    clicks = bench.page.clicks
    assert clicks == (first == "browser")
    bench.server.migrate()
    bench.migrations.resume("agent")
    assert (bench.view()["state"], bench.page.clicks) == ("done", clicks)


def test_an_agent_that_ends_while_the_vendor_works_does_not_wait_for_it(bench: Bench) -> None:
    """The end is looked for at the next start."""
    bench.page.works = False
    bench.seconds_max = 60.0
    bench.restart()
    bench.page.meanwhile = bench.migrations.close
    assert bench.go()["waiting"][0]["who"] == "vendor"
    bench.server.migrate()
    bench.page.meanwhile = lambda: None
    bench.restart()
    bench.migrations.resume("agent")
    assert (bench.view()["state"], bench.page.clicks) == ("done", 1)
