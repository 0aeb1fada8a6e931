# SPDX-License-Identifier: GPL-3.0-or-later
"""A container that was restored is noticed on the change itself, not at the next interval."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from usb_dongles.recorded_bus import RecordedBus

from seatkeeper_agent.domain.records import OperationState
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.operations.inventory import Inventory
from seatkeeper_agent.operations.observer import COMPARE_SECONDS, GLANCE_SECONDS, Observer

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


def calls(eye: Eye, work: Callable[[], object]) -> int:
    """How many of the vendor's functions are called in a piece of work."""
    log = eye.host.twin.directory / "engine.log"
    before = len(log.read_text().splitlines())
    work()
    return len(log.read_text().splitlines()) - before


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


def test_a_restored_file_is_noticed_although_nobody_reads(eye: Eye) -> None:
    restore_container(eye.host)
    eye.seconds += GLANCE_SECONDS - 1
    assert eye.look() == []
    eye.seconds += 1
    assert eye.look() == [eye.host.serial]
    assert calls(eye, eye.look) == 0, "what is frozen is not asked for again"


def test_a_glance_costs_three_calls_and_compares_nothing_that_is_as_it_was(eye: Eye) -> None:
    eye.seconds += GLANCE_SECONDS
    assert calls(eye, eye.look) == 3
    assert calls(eye, eye.look) == 0


def test_a_container_from_which_nothing_was_moved_is_not_glanced_at(
    pair: Pair, tmp_path: Path
) -> None:
    eye = Eye(pair.old, tmp_path)
    eye.look()
    eye.seconds += GLANCE_SECONDS
    assert calls(eye, eye.look) == 0


def test_work_under_way_is_not_glanced_at_and_is_compared_when_it_has_ended(eye: Eye) -> None:
    with eye.host.journal.transaction() as unit:
        unit.operations.open("x", "settings", "work", Side.SOURCE, eye.host.serial, ACTOR, [])
    restore_container(eye.host)
    eye.seconds += GLANCE_SECONDS
    assert calls(eye, eye.look) == 0
    with eye.host.journal.transaction() as unit:
        unit.operations.set_state("x", OperationState.DONE)
    eye.seconds += GLANCE_SECONDS
    assert eye.look() == [eye.host.serial]


def test_a_product_that_stands_still_while_its_file_is_restored(pair: Pair, tmp_path: Path) -> None:
    """As it is done to a real one: stop, put the older file there, start."""
    twin = pair.old.twin
    pair.carry(pair.declare("first", "201", "licenses", quantity=1))
    file = twin.directory / "containers.db"
    twin.stop()
    kept = shutil.copy2(file, tmp_path / "kept.db")
    twin.start()
    pair.carry(ten(pair))
    eye = Eye(pair.old, tmp_path)
    assert eye.look() == []
    twin.stop()
    shutil.copy2(kept, file)
    eye.seconds += GLANCE_SECONDS
    assert eye.look() == [], "a product that does not answer shows nothing"
    twin.start()
    eye.seconds += GLANCE_SECONDS
    assert eye.look() == [eye.host.serial]


def test_where_no_counter_tells_it_is_compared_at_intervals(eye: Eye) -> None:
    """The licensor's updates have brought the restored container to just the counter it had."""
    counter = eye.host.driver.firm_items(eye.host.serial)
    restore_container(eye.host)
    for firm_code, value in counter.items():
        eye.host.twin.write(
            "UPDATE firm_item SET update_counter = ? WHERE firm_code = ?", value, firm_code
        )
    eye.seconds += COMPARE_SECONDS - 1
    assert eye.look() == []
    eye.seconds += 1
    assert eye.look() == [eye.host.serial]
