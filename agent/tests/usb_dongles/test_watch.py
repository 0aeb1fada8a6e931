# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching a recorded bus."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from seatkeeper_agent.domain.servers import Dongle, UsbUnavailable
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.isolation import Isolation
from seatkeeper_agent.usb.settings import UsbSettings
from seatkeeper_agent.usb.watch import Watch

from .recorded_bus import RecordedBus

TELL_SECONDS_MAX = 120
SILENCE_SECONDS = 0.5

Changes = queue.Queue[tuple[list[str], list[str]]]


def watch(bus: RecordedBus, changes: Changes) -> Watch:
    """A watch that puts the ids of what was added and removed into a queue."""

    def tell(added: list[Dongle], removed: list[Dongle]) -> None:
        changes.put(([dongle.id for dongle in added], [dongle.id for dongle in removed]))

    return Watch(bus.inventory(), tell, look_seconds=0.05)


def test_plugging_and_unplugging_is_told(bus: RecordedBus) -> None:
    bus.plug("1-1", serial="FIRST")
    changes: Changes = queue.Queue()
    with watch(bus, changes) as watching:
        assert [dongle.id for dongle in watching.dongles] == ["FIRST"]
        bus.plug("1-2", serial="SECOND")
        assert changes.get(timeout=TELL_SECONDS_MAX) == (["SECOND"], [])
        bus.plug("1-3", ids="0403:6001")
        bus.unplug("1-1")
        assert changes.get(timeout=TELL_SECONDS_MAX) == ([], ["FIRST"])
        assert [dongle.id for dongle in watching.dongles] == ["SECOND"]
    bus.unplug("1-2")
    with pytest.raises(queue.Empty):
        changes.get(timeout=SILENCE_SECONDS)


def test_another_dongle_in_the_same_port_is_both(bus: RecordedBus) -> None:
    bus.plug("1-1", serial="FIRST")
    changes: Changes = queue.Queue()
    with watch(bus, changes):
        (bus.folder / "1-1" / "serial").write_text("SECOND\n", encoding="utf-8")
        (bus.folder / "1-1" / "devnum").write_text("9\n", encoding="utf-8")
        assert changes.get(timeout=TELL_SECONDS_MAX) == (["SECOND"], ["FIRST"])


def test_hiding_and_giving_back_is_no_change(bus: RecordedBus) -> None:
    bus.plug("1-1")
    changes: Changes = queue.Queue()
    with watch(bus, changes):
        Isolation(bus.folder).hide(["1-1"])
        with pytest.raises(queue.Empty):
            changes.get(timeout=SILENCE_SECONDS)
        Isolation(bus.folder).give_back(["1-1"])
        with pytest.raises(queue.Empty):
            changes.get(timeout=SILENCE_SECONDS)


def test_a_bus_that_goes_away_is_a_problem_and_no_change(bus: RecordedBus) -> None:
    bus.plug("1-1")
    changes: Changes = queue.Queue()
    away = bus.folder.with_name("away")
    with watch(bus, changes) as watching:
        bus.folder.rename(away)
        with pytest.raises(queue.Empty):
            changes.get(timeout=SILENCE_SECONDS)
        assert "cannot be read" in str(watching.problem)
        assert [dongle.id for dongle in watching.dongles] == ["WK-1-1"]
        away.rename(bus.folder)
        bus.plug("1-2")
        assert changes.get(timeout=TELL_SECONDS_MAX) == (["WK-1-2"], [])
        assert watching.problem is None


def test_nothing_to_watch_is_told_at_the_start(tmp_path: Path) -> None:
    inventory = UsbInventory(UsbSettings(str(tmp_path / "none"), recording=True))
    with pytest.raises(UsbUnavailable), Watch(inventory, lambda _added, _removed: None):
        pass


def test_what_the_listener_raises_is_raised_at_the_end(bus: RecordedBus) -> None:
    reported = queue.Queue[int]()

    def fail(added: list[Dongle], _removed: list[Dongle]) -> None:
        reported.put(len(added))
        raise RuntimeError("the listener fails")

    def watched() -> None:
        with Watch(bus.inventory(), fail, look_seconds=0.05):
            bus.plug("1-1")
            assert reported.get(timeout=TELL_SECONDS_MAX) == 1

    with pytest.raises(RuntimeError, match="the listener fails"):
        watched()
