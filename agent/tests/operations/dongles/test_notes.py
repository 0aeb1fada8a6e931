# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is plugged in or pulled while a dongle is migrated is told within a second."""

from __future__ import annotations

import threading
import time

from seatkeeper_agent.domain.servers import UsbUnavailable
from seatkeeper_agent.journal import JournalError
from seatkeeper_agent.operations.ports import DriverRefused

from .bench import CHOSEN, LOOK_SECONDS, Bench

NOTICED_SECONDS_MAX = 60.0
OTHER = "90000004"


def texts(bench: Bench, dongle: str = CHOSEN) -> list[str]:
    """What was noticed so far."""
    return [note["text"] for note in bench.view(dongle)["notes"]]


def noticed(bench: Bench, number: int) -> list[str]:
    """The notes once there are so many."""
    deadline = time.monotonic() + NOTICED_SECONDS_MAX
    while len(found := texts(bench)) < number:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def test_while_a_person_works(desk: Bench) -> None:
    """Each change once, in its order, also in the audit; what it means is told by the run."""
    desk.go()
    desk.plug(OTHER, "1-1.4")
    assert noticed(desk, 1) == [f"The dongle {OTHER} was plugged in at 1-1.4."]
    desk.bus.unplug("1-1.1")
    assert noticed(desk, 2)[1] == f"The dongle {CHOSEN} was unplugged at 1-1.1."
    for _look in range(3):
        assert "Stop" in desk.refused().detail
        desk.migrations.resume("agent")
    time.sleep(3 * LOOK_SECONDS)
    assert len(texts(desk)) == 2
    assert desk.actions()[-3:] == ["disturbed", "plugged_in", "unplugged"]
    assert desk.view()["state"] == "waiting"


def test_while_the_vendor_works(bench: Bench) -> None:
    """The browser has clicked; the dongle is pulled before the end shows."""
    bench.page.works = False
    bench.seconds_max = 100.0
    bench.restart()
    said = bench.confirmed()
    run = threading.Thread(target=bench.refused, kwargs=said)
    run.start()
    deadline = time.monotonic() + NOTICED_SECONDS_MAX
    while not bench.page.clicks:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    bench.bus.unplug("1-1.1")
    assert noticed(bench, 1) == [f"The dongle {CHOSEN} was unplugged at 1-1.1."]
    bench.server.dongle_service = False
    bench.server.arrive({"V-Ray": {"render": 5}})
    run.join(120)
    assert (bench.view()["state"], len(texts(bench))) == ("in_doubt", 1)


def test_while_it_is_in_doubt(bench: Bench) -> None:
    """It is watched until it has ended."""
    bench.page.works, bench.page.after = False, [DriverRefused("no", 409)]
    bench.refused_run()
    bench.plug(OTHER, "1-1.4")
    assert noticed(bench, 1) == [f"The dongle {OTHER} was plugged in at 1-1.4."]


def test_again_after_the_end_of_the_agent(desk: Bench) -> None:
    """The next look begins to watch."""
    desk.go()
    desk.restart()
    desk.migrations.resume("agent")
    desk.plug(OTHER, "1-1.4")
    assert len(noticed(desk, 1)) == 1


def test_not_when_it_has_ended(desk: Bench) -> None:
    """The dongle is to be unplugged then."""
    desk.go()
    desk.server.migrate()
    desk.put()
    desk.bus.unplug("1-1.1")
    deadline = time.monotonic() + NOTICED_SECONDS_MAX
    while [thread for thread in threading.enumerate() if thread.name == "usb-watch"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert texts(desk) == []


def test_hiding_and_giving_back_is_no_change(bench: Bench) -> None:
    """The agent does that itself."""
    bench.plug(OTHER, "1-1.4")
    bench.page.meanwhile = lambda: time.sleep(3 * LOOK_SECONDS)
    bench.go(isolate=True)
    assert texts(bench) == []


def test_a_request_for_another_dongle_does_not_end_it(desk: Bench) -> None:
    """It is refused, and the waiting one is watched as before."""
    desk.plug(OTHER, "1-1.4")
    desk.go(isolate=True)
    desk.refused_alike(OTHER, isolate=True)
    desk.bus.unplug("1-1.1")
    assert len(noticed(desk, 1)) == 1


def test_a_journal_that_fails_once_does_not_end_the_watching(desk: Bench) -> None:
    """What could not be written of what it means is written at the next look."""
    desk.go()
    begin, failures = desk.journal._begin, [JournalError("The disk is full.")]

    def failing() -> object:
        if failures:
            raise failures.pop()
        return begin()

    desk.journal._begin = failing  # type: ignore[method-assign,assignment]
    desk.plug(OTHER, "1-1.4")
    deadline = time.monotonic() + NOTICED_SECONDS_MAX
    while failures:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    desk.bus.unplug("1-1.4")
    assert noticed(desk, 2)[1] == f"The dongle {OTHER} was unplugged at 1-1.4."
    assert "beside the dongle" in desk.view()["disturbance"]


def test_a_host_whose_bus_cannot_be_watched_goes_on(desk: Bench) -> None:
    """The rules tell why nothing can be seen; a person may have done it all the same."""
    desk.go()
    desk.restart()

    def unavailable(_tell: object) -> object:
        raise UsbUnavailable("This host's USB cannot be seen.")

    desk.migrations._guard._watch = unavailable  # type: ignore[assignment]
    desk.server.migrate()
    assert desk.put()["migration"]["state"] == "done"
