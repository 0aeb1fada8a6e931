# SPDX-License-Identifier: GPL-3.0-or-later
"""What an order may say, what a key's product tells, and how moves are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from seatkeeper_agent.domain.orders import (
    LicenseKey,
    Order,
    OrderLine,
    canonical_chassis,
    merged,
)

from .phone_systems import NEW, OLD, ON, key, order, order_lines, system


@pytest.mark.parametrize(
    ("product", "size", "stations", "becomes"),
    [
        ("ALTI-STATION-10", 10, 10, "SSW-STATION-10"),
        ("alti-station-10", 10, 10, "SSW-STATION-10"),
        ("ALTI-STATION-05", 5, 5, "SSW-STATION-05"),
        ("ALTI-STATION-1", 1, 1, "SSW-STATION-1"),
        ("ALTI-STATION-0", None, None, None),
        ("ALTI-STATION", None, None, None),
        ("ALTI-STATION-TEN", None, None, None),
        ("SSW-STATION-10", 10, 10, None),
        ("ALTI-ACMAGENT-5", 5, 0, "SSW-ACMAGENT-5"),
        ("ALTI-ACCAGENT-20", 20, 0, "SSW-ACMAGENT-20"),
        ("ACC-AGENT-5", 5, 0, "SSW-ACMAGENT-5"),
        ("SSW-ACMAGENT-5", 5, 0, None),
        ("ALTI-TRUNK-4", None, 0, None),
    ],
)
def test_a_product_tells_what_it_holds_and_becomes(
    product: str, size: int | None, stations: int | None, becomes: str | None
) -> None:
    found = key(product=product)
    assert (found.size, found.stations, found.converted_product) == (size, stations, becomes)


def test_a_declared_quantity_counts_where_the_name_tells_none() -> None:
    assert key(product="ALTI-STATION", quantity=25).stations == 25
    # Such a key moves whole, so all ten stations arrive.
    assert key(product="ALTI-STATION-10", quantity=4).stations == 10


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Max1000", "max1000"), ("MAX 1000", "max1000"), ("max-1000", "max1000"),
        ("Max1000R", "max1000r"), ("software_only", "softwareonly"),
        ("Software-Only", "softwareonly"),
    ],
)  # fmt: skip
def test_a_chassis_is_known_however_it_is_written(written: str, name: str) -> None:
    assert canonical_chassis(written) == name


@pytest.mark.parametrize(
    ("source", "target", "upgrade"),
    [
        ("Max1000", "software_only", True),
        ("Office", "software_only", True),
        ("office server", "Software Only", True),
        ("software_only", "software_only", False),
        ("", "software_only", False),
        ("Max1000", "Max2000", False),
        ("Office", "", False),
    ],
)
def test_an_upgrade_leads_from_hardware_to_software_only(
    source: str, target: str, upgrade: bool
) -> None:
    order_line = OrderLine(system("a", chassis=source), system("b", chassis=target), (key(),))
    assert order(order_line).is_upgrade is upgrade


def test_one_upgrade_among_the_moves_is_told() -> None:
    to_software = OrderLine(OLD, system("soft", chassis="software_only"), (key(2),))
    assert order(OrderLine(OLD, NEW, (key(1),)), to_software).is_upgrade


@pytest.mark.parametrize(
    ("make", "reported"),
    [
        (lambda: system(""), "a system's name"),
        (lambda: system("a\nb"), "a system's name"),
        (lambda: system(" a"), "a system's name"),
        (lambda: system("a" * 201), "1 to 200 characters"),
        (lambda: system("a", system_key=""), "the system key of a"),
        (lambda: system("a", owner="b\n"), "the owner of a must be one line of 0 to 200"),
        (lambda: system("a", stations=-1), "the stations of a must be from 0 to 1000000"),
        (lambda: LicenseKey("", "ALTI-STATION-10"), "a license key"),
        (lambda: LicenseKey("LK", ""), "the product of license key LK"),
        (lambda: key(quantity=0), "the quantity of license key LK-0001 must be from 1"),
        (lambda: OrderLine(OLD, NEW, ()), "the move old to new names no license key"),
        (lambda: Order("an order", (), ON, ON), "the order an order moves nothing"),
        (lambda: Order("", (OrderLine(OLD, NEW, (key(),)),), ON, ON), "an order's name"),
        (lambda: order(Cost="1"), "the field 'Cost'"),
        (lambda: order(cost="a\0"), "the field cost must be one line"),
        (
            lambda: order(
                OrderLine(OLD, NEW, (key(),)), OrderLine(replace(OLD, stations=3), NEW, (key(2),))
            ),
            "the system key KEY-old is declared in two ways",
        ),
        (
            lambda: order(OrderLine(OLD, replace(NEW, name="old"), (key(),))),
            "two systems have the name old",
        ),
    ],
)
def test_what_cannot_be_declared_is_named(make: Callable[[], Any], reported: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        make()
    assert reported in str(caught.value)


def test_limits_themselves_are_allowed() -> None:
    longest = system("a" * 200, system_key="b" * 200, owner="", chassis="", stations=1_000_000)
    assert longest.stations == 1_000_000
    assert key(quantity=1).quantity == 1
    assert order(a="", **{"b" * 64: "c" * 200}).field("b" * 64) == "c" * 200


def test_an_empty_field_counts_as_not_given() -> None:
    assert order(cost_centre="").field("cost_centre") is None
    assert order().field("cost_centre") is None


def test_moves_of_one_pair_are_put_together_in_their_order() -> None:
    back = OrderLine(NEW, OLD, (key(9),))
    found = merged((
        OrderLine(OLD, NEW, (key(2), key(1))), back, OrderLine(OLD, NEW, (key(1), key(3), key(3)))
    ))  # fmt: skip
    assert [order_line.title for order_line in found] == ["old to new", "new to old"]
    assert [each.key for each in found[0].keys] == ["LK-0002", "LK-0001", "LK-0003"]
    assert found[1] == back


def test_each_target_has_an_order_of_its_own() -> None:
    third = system("third")
    first, second, last = (
        OrderLine(OLD, NEW, (key(1),)), OrderLine(OLD, third, (key(2),)),
        OrderLine(third, NEW, (key(3),)),
    )  # fmt: skip
    whole = order(first, second, last, cost_centre="7")
    parts = whole.by_target()
    assert [part.order_lines for part in parts] == [(first, last), (second,)]
    assert all(len(part.targets) == 1 and part.fields == whole.fields for part in parts)


@settings(max_examples=40, deadline=None)
@given(order_lines())
def test_putting_together_loses_no_key(found: tuple[OrderLine, ...]) -> None:
    together = merged(found)
    assert {(order_line.pair, each.key) for order_line in found for each in order_line.keys} == {
        (order_line.pair, each.key) for order_line in together for each in order_line.keys
    }
    assert len({order_line.pair for order_line in together}) == len(together)
    assert merged(together) == together
