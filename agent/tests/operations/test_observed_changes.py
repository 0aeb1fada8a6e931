# SPDX-License-Identifier: GPL-3.0-or-later
"""A container that was restored is noticed on the change itself, not at the next interval."""

from __future__ import annotations

from pathlib import Path

import pytest
from usb_dongles.recorded_bus import RecordedBus

from seatkeeper_agent.operations.inventory import Inventory
from seatkeeper_agent.operations.observer import COMPARE_SECONDS, Observer

from .hosts import ACTOR, Host, Pair
from .test_rolled_back import (
    frozen,
    keep_container,
    raise_counter,
    restore_container,
    ten,
)


class Eye:
    """One host's observer with a clock and a bus of its own, as its thread asks it."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host = host
        self.bus = RecordedBus(folder)
        self.seconds = 0.0
        self.observer = Observer(
            host.journal, host.driver, host.clock, self.bus.inventory().plugged, self._passed
        )
        self.inventory = Inventory(host.driver, self.observer.saw)

    def _passed(self) -> float:
        return self.seconds

    def look(self) -> list[str]:
        """One beat of the thread; what is frozen after it."""
        self.observer.look(ACTOR)
        return frozen(self.host)

    def read(self) -> None:
        """Somebody lists the items, as a page or a playbook does."""
        self.inventory.items(self.host.serial, 0, 10)


@pytest.fixture
def eye(pair: Pair, tmp_path: Path) -> Eye:
    """On a source that was compared, moved seats and was then restored; nobody looked since."""
    pair.carry(pair.declare("first", "201", "licenses", quantity=1))
    made = Eye(pair.old, tmp_path)
    assert made.look() == []
    keep_container(pair.old)
    pair.carry(ten(pair))
    made.read()
    assert made.look() == []
    return made


def test_nothing_is_compared_while_nothing_changes(eye: Eye) -> None:
    restore_container(eye.host)
    assert eye.look() == []


def test_a_read_that_shows_another_counter_is_a_change(eye: Eye) -> None:
    restore_container(eye.host)
    eye.read()
    assert eye.look() == [eye.host.serial]


def test_so_is_one_whose_counter_has_risen_again(eye: Eye) -> None:
    restore_container(eye.host)
    raise_counter(eye.host)
    eye.read()
    assert eye.look() == [eye.host.serial]


def test_plugging_and_unplugging_is_a_change(eye: Eye) -> None:
    restore_container(eye.host)
    eye.bus.plug("1-1", ids="064f:2af9")
    assert eye.look() == [eye.host.serial]


def test_what_the_product_shows_late_after_plugging_is_compared_as_well(eye: Eye) -> None:
    """Its service needs seconds to show what was plugged in."""
    restore_container(eye.host)
    eye.host.twin.stop()
    eye.bus.plug("1-1", ids="064f:2af9")
    assert eye.look() == []
    eye.host.twin.start()
    assert eye.look() == [eye.host.serial]


def test_without_any_change_it_is_compared_at_intervals(eye: Eye) -> None:
    restore_container(eye.host)
    eye.seconds += COMPARE_SECONDS - 1
    assert eye.look() == []
    eye.seconds += 1
    assert eye.look() == [eye.host.serial]
