# SPDX-License-Identifier: GPL-3.0-or-later
"""A listing puts into JSON what has changed, and shows of everything what is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from seatkeeper_agent.domain.licenses import Item
from seatkeeper_agent.operations import item_texts
from seatkeeper_agent.operations.inventory import Inventory
from seatkeeper_agent.operations.views import item_view
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver

from .conftest import SOURCE, MakeTwin, Twin, item
from .test_reading import programmed

ITEMS = 30
SECOND_CONTAINER = "130-3000000077"
CHANGES = {
    "nothing but the counter": ("SELECT 1", 0),
    "seats": ("UPDATE item SET license_quantity = 4 WHERE product_code = 7", 1),
    "feature maps": ("UPDATE item SET feature_map = 2 WHERE product_code < 3", 3),
    "options": ("UPDATE item SET options = '[]' WHERE product_code = 7", 1),
    "a status": ("UPDATE item SET status = 3 WHERE product_code = 7", 1),
    "one less": ("DELETE FROM item WHERE product_code = 7", 0),
}
"""What is programmed, and how many items it touches."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Item]:
    """The items that were put into JSON, in their order."""
    found: list[Item] = []

    def noting(of: Item, view: Callable[[Item], dict[str, Any]] = item_view) -> dict[str, Any]:
        found.append(of)
        return view(of)

    monkeypatch.setattr(item_texts, "item_view", noting)
    return found


@pytest.fixture
def twin(make_twin: MakeTwin) -> Twin:
    """Two containers whose items have the same codes."""
    items = [item(number, ("licenses",), license_quantity=5) for number in range(ITEMS)]
    fewer = [item(number, ("licenses",), license_quantity=6) for number in range(3)]
    return make_twin(
        {
            "containers": [
                {"serial": SOURCE, "items": items},
                {"serial": SECOND_CONTAINER, "items": fewer},
            ]
        }
    )


def listed(inventory: Inventory, serial: str, limit: int) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    after: str | None = "0"
    while after is not None:
        page = json.loads(inventory.items(serial, int(after), limit))
        assert page["container"] == serial
        found += page["items"]
        after = page["next"]
    return found


def shown(driver: CodeMeterDriver, serial: str) -> list[dict[str, Any]]:
    """What there is, from a driver that has kept nothing."""
    return [item_view(entry) for entry in driver.items(serial)]


def inventory_of(driver: CodeMeterDriver) -> Inventory:
    """An inventory that tells nobody what it saw."""
    return Inventory(driver, lambda _serial, _counters: None)


@pytest.mark.parametrize(("statement", "touched"), CHANGES.values(), ids=CHANGES)
def test_only_what_a_change_touched_is_put_into_json_again(
    twin: Twin, made: list[Item], statement: str, touched: int
) -> None:
    inventory = inventory_of(twin.driver())
    assert listed(inventory, SOURCE, 7) == shown(twin.driver(), SOURCE)
    assert len(made) == ITEMS
    assert listed(inventory, SOURCE, 7) == shown(twin.driver(), SOURCE)
    assert len(made) == ITEMS
    programmed(twin, statement)
    assert listed(inventory, SOURCE, 7) == shown(twin.driver(), SOURCE)
    assert len(made) == ITEMS + touched


def test_a_container_does_not_show_another_ones_items(twin: Twin) -> None:
    inventory = inventory_of(twin.driver())
    for serial in (SOURCE, SECOND_CONTAINER, SOURCE):
        assert listed(inventory, serial, 500) == shown(twin.driver(), serial)
