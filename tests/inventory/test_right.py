# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared rightly is no mistake, and is read in one spelling."""

from __future__ import annotations

from inventory.declared import HOSTS, read, right


def test_an_inventory_that_declares_everything_has_no_mistake() -> None:
    found = read(right())
    assert found.mistakes == []
    assert set(found.variables) == set(HOSTS)


def test_values_are_read_in_one_spelling_with_their_defaults() -> None:
    variables = read(right()).variables["old"]
    assert variables["license_transfers"][1] == {
        "name": "lent",
        "item": "6000010:202@1",
        "type": "borrow_local",
        "mode": "push",
        "source": "old",
        "target": "new",
        "until": "2027-01-31T00:00:00Z",
    }
    assert variables["license_orders"][0]["fields"] == {"cost_centre": "4711"}
