# SPDX-License-Identifier: GPL-3.0-or-later
"""The quote, on cases worked out by hand from the vendor's article, and what always holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.orders import OrderLine, merged
from seatkeeper_agent.domain.quotes import (
    LineKind,
    Prices,
    Quote,
    QuoteLine,
    parse_prices,
    quote,
)

from .phone_systems import NEW, OLD, ON, PRODUCTS, day, days, key, order_lines, system

YEARLY = {"ALTI-STATION-10": Decimal(120)}
PRICES = Prices(assurance_per_year=YEARLY)
SOFT = system("soft", chassis="software_only")


def lines(found: Quote, kind: LineKind) -> list[QuoteLine]:
    """The lines of one kind."""
    return [line for line in found.lines if line.kind is kind]


def assurance(
    source: str | None, target: str | None, prices: Prices = PRICES, on: date = ON
) -> QuoteLine:
    """The one line of Software Assurance of a move between systems with these ends of it."""
    order_line = OrderLine(
        system("old", assurance_until=day(source)), system("new", assurance_until=day(target)),
        (key(),),
    )  # fmt: skip
    (line,) = lines(quote((order_line,), prices, on), LineKind.SOFTWARE_ASSURANCE)
    return line


A, B, C, D = (system(name) for name in "abcd")


@pytest.mark.parametrize(
    ("pairs", "fees"),
    [
        ([(A, B)], 1),
        ([(A, B), (A, B)], 1),  # the same pair twice
        ([(A, B), (A, C)], 2),  # several targets
        ([(A, C), (B, C)], 2),  # several sources
        ([(A, B), (B, A)], 2),  # there and back are two pairs
        ([(A, B), (A, C), (D, B), (A, B), (D, C)], 4),
    ],
)
def test_a_fee_for_each_pair(pairs: list[tuple[Any, Any]], fees: int) -> None:
    found = quote([OrderLine(*pair, (key(n),)) for n, pair in enumerate(pairs)], PRICES, ON)
    charged = lines(found, LineKind.MOVE_FEE)
    assert [line.amount for line in charged] == [Decimal(300)] * fees
    assert len({(line.source, line.target) for line in charged}) == fees


@pytest.mark.parametrize("count", [1, 2, 50])
def test_one_fee_however_many_keys(count: int) -> None:
    found = quote([OrderLine(A, B, tuple(key(n) for n in range(count)))], PRICES, ON)
    (line,) = lines(found, LineKind.MOVE_FEE)
    assert line.amount == Decimal(300)
    assert line.text == f"Move of {count} license key{'s' * (count > 1)}, a to b: one fee"


# The day is 22 November 2026. 120 for a year of 365 days are 0.328767… a day.
@pytest.mark.parametrize(
    ("source", "target", "counted", "amount"),
    [
        # The source's has expired, the target's is active: from one end to the other.
        ("2026-11-21", "2026-11-22", 1, "0.33"),
        ("2026-11-20", "2026-11-22", 2, "0.66"),  # 0.6575…
        ("2026-11-21", "2026-11-23", 2, "0.66"),
        ("2026-05-22", "2027-05-22", 365, "120.00"),
        ("2025-11-22", "2027-11-22", 730, "240.00"),
        ("2026-09-10", "2026-11-22", 73, "24.00"),
        # Both have expired: the target's must be renewed, so its end is not known.
        ("2026-11-21", "2026-11-21", None, None),  # on the same day
        ("2026-11-20", "2026-11-21", None, None),  # the target's later
        ("2026-11-21", "2026-11-20", None, None),  # the target's earlier
        # The source's is active, on its last day too: the article does not say from when.
        ("2026-11-22", "2027-11-22", None, None),
        ("2026-11-23", "2027-11-22", None, None),
        ("2027-11-22", "2027-11-22", None, None),
        ("2027-11-23", "2027-11-22", None, None),
        ("2027-11-23", "2026-11-21", None, None),
        ("2026-11-22", "2026-11-22", None, None),
        # Not declared.
        (None, "2027-11-22", None, None),
        ("2026-11-21", None, None, None),
        (None, None, None, None),
    ],
)
def test_assurance_with_its_dates_in_every_order(
    source: str | None, target: str | None, counted: int | None, amount: str | None
) -> None:
    line = assurance(source, target)
    assert line.days == counted
    assert line.amount == (None if amount is None else Decimal(amount))
    known = counted is not None
    assert (line.since, line.until) == ((day(source), day(target)) if known else (None, None))
    assert line.to_be_asked is not known


@pytest.mark.parametrize(
    ("source", "target", "on", "counted", "amount"),
    [
        ("2027-02-28", "2027-03-01", "2027-03-01", 1, "0.33"),  # no leap year
        ("2028-02-28", "2028-03-01", "2028-02-29", 2, "0.66"),  # over 29 February
        ("2028-02-28", "2028-02-29", "2028-02-29", 1, "0.33"),  # until it
        ("2028-02-29", "2029-02-28", "2028-03-01", 365, "120.00"),  # from it
        ("2028-02-29", "2032-02-29", "2028-03-01", 1461, "480.33"),  # from one to the next
        ("2027-03-01", "2028-03-01", "2027-03-02", 366, "120.33"),  # a year with it
        ("2028-03-01", "2029-03-01", "2028-03-02", 365, "120.00"),  # the year after it
        ("2100-02-28", "2100-03-01", "2100-03-01", 1, "0.33"),  # a century without it
    ],
)
def test_leap_days_are_days(source: str, target: str, on: str, counted: int, amount: str) -> None:
    line = assurance(source, target, on=date.fromisoformat(on))
    assert (line.days, line.amount) == (counted, Decimal(amount))


@pytest.mark.parametrize(
    ("yearly", "days_per_year", "amount"),
    [
        ("0", 365, "0.00"),
        ("1.82", 365, "0.00"),  # 0.00498…
        ("1.825", 365, "0.01"),  # half a cent exactly
        ("9.1249", 365, "0.02"),  # just below two and a half
        ("9.125", 365, "0.03"),  # two and a half: up, not to the even cent
        ("365", 365, "1.00"),
        ("365", 360, "1.01"),  # 1.01388…
        ("365", 366, "1.00"),  # 0.99726…
        ("366", 366, "1.00"),
    ],
)
def test_a_day_is_rounded_half_up_to_cents(yearly: str, days_per_year: int, amount: str) -> None:
    prices = Prices(None, {"ALTI-STATION-10": Decimal(yearly)}, days_per_year)
    assert assurance("2026-11-21", "2026-11-22", prices).amount == Decimal(amount)


def test_a_price_that_nobody_gave_is_asked_and_never_zero() -> None:
    expired = replace(OLD, assurance_until=date(2026, 5, 22))
    target = replace(NEW, assurance_until=date(2027, 5, 22))
    found = quote([OrderLine(expired, target, (key(1), key(2, "ALTI-TRUNK-4")))], PRICES, ON)
    station, trunk = lines(found, LineKind.SOFTWARE_ASSURANCE)
    assert (station.amount, station.to_be_asked) == (Decimal(120), False)
    assert (trunk.amount, trunk.to_be_asked, trunk.days) == (None, True, 365)
    assert "the price to be asked" in trunk.text
    assert found.total is None
    assert found.as_document()["total"] is None
    assert [line["amount"] for line in found.as_document()["lines"]] == ["300.00", "120.00", None]


def test_a_fee_that_is_to_be_asked_leaves_no_total() -> None:
    expired = replace(OLD, assurance_until=date(2026, 5, 22))
    found = quote([OrderLine(expired, NEW, (key(),))], Prices(None, YEARLY), ON)
    assert lines(found, LineKind.MOVE_FEE)[0].to_be_asked
    assert found.total is None


def test_a_whole_order_worked_out_by_hand() -> None:
    """Two sources, two targets, one of them software-only; everything is priced."""
    hq = system("hq", assurance_until=date(2026, 6, 30))
    branch = system("branch", assurance_until=date(2026, 10, 31))
    new = system("new", assurance_until=date(2027, 6, 30))
    soft = system("soft", chassis="software_only", assurance_until=date(2026, 12, 31))
    prices = Prices(
        Decimal("250.5"),
        {"ALTI-STATION-10": Decimal(146), "ALTI-ACMAGENT-5": Decimal("99.99")},
    )
    found = quote(
        [
            OrderLine(hq, new, (key(1),)),  # 30 June 2026 to 30 June 2027: 365 days, 146.00
            OrderLine(hq, soft, (key(2),)),  # 30 June to 31 December: 184 days, 73.60
            OrderLine(branch, new, (key(3, "ALTI-ACMAGENT-5"),)),  # 242 days, 66.2947…
            OrderLine(hq, new, (key(4),)),  # again 146.00, in the same pair as the first
            OrderLine(branch, soft, (key(5, "ALTI-ACMAGENT-5"),)),  # 61 days, 16.7106…
        ],
        prices,
        ON,
    )
    assert [
        (line.kind, line.source, line.target, line.key, line.amount) for line in found.lines
    ] == [
        (LineKind.MOVE_FEE, "KEY-hq", "KEY-new", None, Decimal("250.50")),
        (LineKind.MOVE_FEE, "KEY-hq", "KEY-soft", None, Decimal("250.50")),
        (LineKind.MOVE_FEE, "KEY-branch", "KEY-new", None, Decimal("250.50")),
        (LineKind.MOVE_FEE, "KEY-branch", "KEY-soft", None, Decimal("250.50")),
        (LineKind.SOFTWARE_ASSURANCE, "KEY-hq", "KEY-new", "LK-0001", Decimal("146.00")),
        (LineKind.SOFTWARE_ASSURANCE, "KEY-hq", "KEY-new", "LK-0004", Decimal("146.00")),
        (LineKind.SOFTWARE_ASSURANCE, "KEY-hq", "KEY-soft", "LK-0002", Decimal("73.60")),
        (LineKind.SOFTWARE_ASSURANCE, "KEY-branch", "KEY-new", "LK-0003", Decimal("66.29")),
        (LineKind.SOFTWARE_ASSURANCE, "KEY-branch", "KEY-soft", "LK-0005", Decimal("16.71")),
        (LineKind.CONVERSION, "KEY-hq", "KEY-soft", "LK-0002", None),
        (LineKind.CONVERSION, "KEY-branch", "KEY-soft", "LK-0005", None),
        (LineKind.PURCHASE_ORDER, None, "KEY-soft", None, Decimal("0.00")),
    ]
    # 4 · 250.50 + 146 + 146 + 73.60 + 66.29 + 16.71
    assert (found.total, found.currency) == (Decimal("1450.60"), "USD")


def test_the_same_key_twice_in_a_pair_is_charged_once() -> None:
    expired = replace(OLD, assurance_until=date(2026, 5, 22))
    once = quote([OrderLine(expired, NEW, (key(),))], PRICES, ON)
    twice = quote(
        [OrderLine(expired, NEW, (key(), key())), OrderLine(expired, NEW, (key(),))], PRICES, ON
    )
    assert once == twice


@pytest.mark.parametrize(
    ("product", "reported"),
    [
        ("ALTI-STATION-10", "ALTI-STATION-10 becomes SSW-STATION-10 on soft"),
        ("ALTI-ACMAGENT-05", "ALTI-ACMAGENT-05 becomes SSW-ACMAGENT-05 on soft"),
        ("ACC-AGENT-5", "ACC-AGENT-5 becomes SSW-ACMAGENT-5 on soft"),
        ("ALTI-TRUNK-4", "ALTI-TRUNK-4 becomes a new license, which one is to be asked on soft"),
        ("SSW-STATION-10", None),
    ],
)
def test_conversions_to_software_only(product: str, reported: str | None) -> None:
    found = quote([OrderLine(OLD, SOFT, (key(product=product),))], PRICES, ON)
    converted = lines(found, LineKind.CONVERSION)
    assert [line.text for line in converted] == ([] if reported is None else [reported])
    # No document gives a conversion a price of its own, so it has none, not even zero.
    assert all(line.amount is None and not line.to_be_asked for line in converted)


def test_documents_and_purchase_order_come_with_software_only() -> None:
    two = [OrderLine(OLD, SOFT, (key(1),)), OrderLine(NEW, SOFT, (key(2),))]
    found = quote(two, PRICES, ON)
    (line,) = lines(found, LineKind.PURCHASE_ORDER)
    assert (line.source, line.target, line.amount) == (None, "KEY-soft", Decimal(0))
    assert found.as_document()["documents"] == [
        "license_transfer_form", "credit_card_authorization", "software_only_worksheet",
        "no_charge_purchase_order",
    ]  # fmt: skip
    plain = quote([OrderLine(OLD, NEW, (key(),))], PRICES, ON)
    assert not lines(plain, LineKind.PURCHASE_ORDER)
    assert not lines(plain, LineKind.CONVERSION)
    assert plain.as_document()["documents"] == [
        "license_transfer_form", "credit_card_authorization",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "fee", "currency"),
    [
        ({}, Decimal(300), "USD"),
        ({"currency": "USD"}, Decimal(300), "USD"),
        ({"currency": "EUR"}, None, "EUR"),  # 300 dollars are not 300 euros
        ({"currency": "EUR", "move_fee": "280.00"}, Decimal(280), "EUR"),
        ({"move_fee": 0}, Decimal(0), "USD"),
        ({"move_fee": 250.1}, Decimal("250.1"), "USD"),
        ({"move_fee": None}, Decimal(300), "USD"),
    ],
)
def test_prices_of_a_document(document: Any, fee: Decimal | None, currency: str) -> None:
    found = parse_prices(document)
    assert (found.move_fee, found.currency, found.days_per_year) == (fee, currency, 365)


@pytest.mark.parametrize(
    ("document", "reported"),
    [
        ([], "prices must be an object"),
        ({"fee": 1}, "unknown key 'fee'"),
        ({"move_fee": "many"}, "move_fee must be an amount"),
        ({"move_fee": True}, "move_fee must be an amount"),
        ({"move_fee": [1]}, "move_fee must be an amount"),
        ({"move_fee": -0.01}, "move_fee must be from 0"),
        ({"move_fee": "1000000000.01"}, "move_fee must be from 0"),
        ({"move_fee": "NaN"}, "move_fee must be from 0"),
        ({"move_fee": "Infinity"}, "move_fee must be from 0"),
        ({"assurance_per_year": {"ALTI-STATION-10": "-1"}}, "the price of ALTI-STATION-10"),
        ({"assurance_per_year": {"X": None}}, "the price of X must be an amount"),
        ({"assurance_per_year": []}, "assurance_per_year an object"),
        ({"days_per_year": 364}, "days_per_year must be 360, 365 or 366"),
        ({"days_per_year": "365"}, "days_per_year"),
        ({"days_per_year": True}, "days_per_year"),
        ({"currency": "usd"}, "currency must be three capital letters"),
        ({"currency": 1}, "currency must be a text"),
    ],
)
def test_prices_that_cannot_be_are_named(document: Any, reported: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        parse_prices(document)
    assert reported in str(caught.value)


amounts = st.decimals(0, 10_000, places=3)
prices = st.builds(
    Prices, st.none() | amounts, st.dictionaries(st.sampled_from(PRODUCTS), amounts),
    st.sampled_from((360, 365, 366)),
)  # fmt: skip


def priced(found: Quote) -> Decimal:
    """What is known of the sum."""
    return sum((line.amount for line in found.lines if line.amount is not None), Decimal(0))


@settings(max_examples=40, deadline=None)
@given(order_lines(), prices, days)
def test_there_are_as_many_fees_as_pairs(
    ordered: tuple[OrderLine, ...], given_prices: Prices, on: date
) -> None:
    found = quote(ordered, given_prices, on)
    assert len(lines(found, LineKind.MOVE_FEE)) == len({order_line.pair for order_line in ordered})


@settings(max_examples=40, deadline=None)
@given(order_lines(), prices, days)
def test_nothing_unknown_becomes_an_amount(
    ordered: tuple[OrderLine, ...], given_prices: Prices, on: date
) -> None:
    found = quote(ordered, given_prices, on)
    for line in found.lines:
        assert line.amount is None or line.amount >= 0
        assert (line.days is None) == (line.since is None) == (line.until is None)
    for line in lines(found, LineKind.MOVE_FEE):
        assert (line.amount is None) == (given_prices.move_fee is None)
    products = {
        (*order_line.pair, each.key): each.product
        for order_line in merged(ordered)
        for each in order_line.keys
    }
    for line in lines(found, LineKind.SOFTWARE_ASSURANCE):
        product = products[str(line.source), line.target, line.key]
        known = line.days is not None and product in given_prices.assurance_per_year
        assert (line.amount is not None) == known
        assert line.until is None or line.until >= on
        assert line.days is None or line.days > 0
    requested = any(line.to_be_asked for line in found.lines)
    assert (found.total is None) == requested
    assert requested or found.total == priced(found)


@settings(max_examples=40, deadline=None)
@given(order_lines(), prices, days, st.data())
def test_one_key_more_never_lowers_the_sum(
    ordered: tuple[OrderLine, ...], given_prices: Prices, on: date, data: st.DataObject
) -> None:
    before = quote(ordered, given_prices, on)
    place = data.draw(st.integers(0, len(ordered) - 1))
    more = key(data.draw(st.integers(1, 20)), data.draw(st.sampled_from(PRODUCTS)))
    grown = replace(ordered[place], keys=(*ordered[place].keys, more))
    after = quote((*ordered[:place], grown, *ordered[place + 1 :]), given_prices, on)
    assert priced(after) >= priced(before)
    assert before.total is not None or after.total is None
