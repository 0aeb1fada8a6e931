# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver reads from a runtime, over the library and a process of its own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing

import pytest

from seatkeeper_agent.domain.licenses import Item, ItemKey, TransferType
from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnsupported,
    Grade,
)
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver

from .conftest import DONGLE, FIRM, SEATS, SEED, SOURCE, TARGET, UNITS, WHOLE, MakeTwin, Twin, item

DRIVER = "seatkeeper_agent.vendors.codemeter.driver"


def test_containers_in_the_order_of_their_serial_numbers(reader: CodeMeterDriver) -> None:
    found = reader.containers()
    assert [box.serial for box in found] == [DONGLE, SOURCE, TARGET]
    assert [box.kind for box in found] == ["dongle", "cmact_license", "cmact_license"]
    assert "active" in found[1].status


def test_items_with_their_amounts_and_options(reader: CodeMeterDriver) -> None:
    items = {entry.key.product_code: entry for entry in reader.items(SOURCE)}
    assert items[SEATS].license_quantity == 25
    assert items[SEATS].unit_counter is None
    assert items[SEATS].feature_map == 3
    assert items[SEATS].name == "Beispiel Größe"
    assert items[UNITS].units == 1000
    assert items[WHOLE].feature_map is None
    option = items[SEATS].option(TransferType.BORROW_LOCAL)
    assert option is not None
    assert option.pull_allowed
    assert option.transfer_depth == 3
    assert option.borrow_seconds_max == 2_592_000
    assert not option.firm_item_required


def test_a_key_names_the_items_that_are_read(reader: CodeMeterDriver) -> None:
    found = reader.items(SOURCE, ItemKey(FIRM, UNITS))
    assert [entry.key.product_code for entry in found] == [UNITS]
    assert found[0].option(TransferType.UNITS) is not None
    assert reader.items(SOURCE, found[0].key) == found
    assert reader.items(SOURCE, ItemKey(FIRM + 1, UNITS)) == []
    assert found[0] in reader.items(SOURCE)


def test_firm_items_without_items_are_seen(reader: CodeMeterDriver) -> None:
    assert set(reader.firm_items(TARGET)) == {FIRM}
    assert list(reader.items(TARGET)) == []


def test_the_clocks_are_those_of_this_host(reader: CodeMeterDriver) -> None:
    clock = reader.clock(SOURCE)
    assert abs(clock.box_at - time.time()) < 60
    assert abs(clock.system_at - time.time()) < 60


def test_serial_numbers_that_no_container_has(reader: CodeMeterDriver) -> None:
    with pytest.raises(DriverRefused, match="Error 201"):
        reader.items("130-5")
    with pytest.raises(DriverRefused, match="is not a serial number"):
        reader.items("130-5; reboot")
    with pytest.raises(DriverRefused, match="larger than any"):
        reader.items("130-9999999999")
    with pytest.raises(DriverUnsupported, match="three parts"):
        reader.items("140-560129638-1439315497")


def test_ten_thousand_items_are_read_in_bounded_calls(make_twin: MakeTwin) -> None:
    items = [item(number, (), license_quantity=number) for number in range(10_000)]
    items[-1] = item(9_999, ("licenses",), license_quantity=9_999)
    driver = make_twin({"containers": [{"serial": SOURCE, "items": items}]}).driver()
    found = driver.items(SOURCE)
    assert len(found) == 10_000
    assert [len(entry.options) for entry in found[-2:]] == [0, 1]


def test_options_are_read_in_several_calls_and_remembered(
    make_twin: MakeTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{DRIVER}.ITEMS_PER_CALL", 7)
    items = [item(number, ("licenses",), license_quantity=5) for number in range(40)]
    twin = make_twin({"containers": [{"serial": SOURCE, "items": items}]})
    driver = twin.driver()
    first = list(driver.items(SOURCE))
    assert all(entry.options for entry in first)
    log = twin.directory / "engine.log"
    before = log.read_text().count("CmGetInfo")
    assert list(driver.items(SOURCE)) == first
    assert log.read_text().count("CmGetInfo") == before


def requested(twin: Twin, work: Callable[[], object]) -> int:
    """How often the product was asked for options or history in a piece of work."""
    log = twin.directory / "engine.log"
    before = log.read_text().count("CmGetInfo")
    work()
    return log.read_text().count("CmGetInfo") - before


def programmed(twin: Twin, statement: str) -> None:
    """The licensor's update, or a transfer: the counter moves, and with it some items."""
    with closing(sqlite3.connect(twin.directory / "containers.db", timeout=30)) as connection:
        connection.execute("UPDATE firm_item SET update_counter = update_counter + 1")
        connection.execute(statement)
        connection.commit()


def test_what_one_item_changes_is_no_reason_to_ask_for_all(make_twin: MakeTwin) -> None:
    items = [item(number, ("licenses",), license_quantity=5) for number in range(30)]
    twin = make_twin({"containers": [{"serial": SOURCE, "items": items}]})
    driver = twin.driver()
    listed = driver.items(SOURCE)
    assert requested(twin, lambda: listed[:10]) == 10, "only what is looked at is read"
    assert requested(twin, lambda: list(driver.items(SOURCE))) == 20
    programmed(twin, "UPDATE item SET license_quantity = 4 WHERE product_code = 7")
    assert requested(twin, lambda: list(driver.items(SOURCE))) == 1
    assert requested(twin, lambda: list(driver.items(SOURCE))) == 0
    assert requested(twin, lambda: driver.all_history(SOURCE)) == 0


def test_a_first_read_asks_three_times_for_each_item(make_twin: MakeTwin) -> None:
    """Open, read, release: no document has a call that tells the options of several items."""

    def calls(count: int) -> int:
        items = [item(number, ("licenses",), license_quantity=5) for number in range(count)]
        twin = make_twin({"containers": [{"serial": SOURCE, "items": items}]})
        driver, log = twin.driver(), twin.directory / "engine.log"
        driver.containers()
        before = len(log.read_text().splitlines())
        assert len(list(driver.items(SOURCE))) == count
        return len(log.read_text().splitlines()) - before

    few, many = calls(10), calls(60)
    assert many - few == 3 * 50
    assert few == 3 * 10 + 3, "the entries of all items come with one call"


def test_what_is_to_be_moved_is_read_as_it_is_now(
    make_twin: MakeTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The licensor changed nothing but the options: a listing sees it later, a transfer at once."""
    items = [item(number, ("licenses",), license_quantity=5) for number in range(3)]
    twin = make_twin({"containers": [{"serial": SOURCE, "items": items}]})
    driver, key = twin.driver(), ItemKey(FIRM, 1)
    assert depths(driver.items(SOURCE)) == [3, 3, 3]
    programmed(twin, "UPDATE item SET options = replace(options, '_depth\": 3', '_depth\": 1')")
    assert depths(driver.items(SOURCE, key)) == [1]
    assert depths(driver.items(SOURCE)) == [3, 1, 3]
    monkeypatch.setattr(f"{DRIVER}.LISTED_OPTIONS_SECONDS_MAX", 0.0)
    assert depths(driver.items(SOURCE)) == [1, 1, 1]


@pytest.mark.parametrize(("status", "shown"), [(3, "deleted"), (4, "disabled")])
def test_what_ended_on_a_newer_runtime_does_not_hide_the_rest(
    make_twin: MakeTwin, status: int, shown: str
) -> None:
    """Returned and expired are no longer usable here (grade H, 6.80)."""
    items = [item(number, ("licenses",), license_quantity=5) for number in range(2)]
    twin = make_twin({"containers": [{"serial": SOURCE, "items": items}]})
    statements = {3: "UPDATE item SET status = 3 WHERE product_code = 1"}
    statements[4] = statements[3].replace("= 3", "= 4")
    programmed(twin, statements[status])
    driver = twin.driver()
    assert [(entry.status.value, entry.seats) for entry in driver.items(SOURCE)] == [
        ("enabled", 5),
        (shown, 0),
    ]
    assert driver.all_history(SOURCE) == []
    assert driver.history(SOURCE, FIRM, 1) == []


def depths(items: Sequence[Item]) -> list[int]:
    """How often each may be transferred on."""
    return [option.transfer_depth for entry in items for option in entry.options]


def test_a_current_runtime_is_described(reader: CodeMeterDriver) -> None:
    found = reader.describe()
    assert (found.version, found.running, found.security_floor_met) == ("9.10.0", True, True)
    assert set(found.transfer_types) == set(TransferType)
    grades = {capability.name: capability.grade for capability in found.capabilities}
    assert grades["license_transfer"] is Grade.DOCUMENTED
    assert grades["credit_back"] is Grade.REFUSED
    assert grades["update_repeat"] is Grade.REFUSED
    assert all(capability.reason.endswith(".") for capability in found.capabilities)


def test_an_old_runtime_offers_two_types_and_is_below_the_floor(make_twin: MakeTwin) -> None:
    driver = make_twin(SEED, "6.10").driver()
    found = driver.describe()
    assert found.version == "6.10.0"
    assert found.security_floor_met is False
    assert found.transfer_types == (TransferType.LICENSES, TransferType.BORROW_LOCAL)
    with pytest.raises(DriverUnsupported, match="CmActLicense containers only"):
        driver.require_transfer(DONGLE, TransferType.LICENSES, sends=False)
    with pytest.raises(DriverUnsupported, match="not documented to transfer by type units"):
        driver.require_transfer(DONGLE, TransferType.UNITS, sends=False)


def test_a_runtime_that_does_not_run_is_described_as_such(twin: Twin) -> None:
    driver = twin.driver()
    assert driver.is_running()
    twin.stop()
    assert not driver.is_running()
    found = driver.describe()
    assert (found.running, found.version) == (False, "9.10.0")
    assert found.capabilities[0].reason.endswith("Error 110")
    with pytest.raises(DriverUnavailable, match="Error 110"):
        driver.containers()
    twin.start()
    assert driver.is_running()
