# SPDX-License-Identifier: GPL-3.0-or-later
"""Card numbers in texts are found however they are spaced; what else people write is not."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.card_data import has_card_number

COLLECTION = run_path(str(Path(__file__).parents[3] / "plugins" / "module_utils" / "_card_data.py"))

# Numbers that payment networks publish for tests.
CARDS = (
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "6304000000000000",
    "4000000000000000006",
)


def check_digit(digits: str) -> str:
    """What makes the number right, worked out digit by digit."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if position % 2 == 0 else 1)
        total += number // 10 + number % 10
    return str(-total % 10)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize(
    "text",
    [
        "{}", "card {}, valid", "Visa{}", "12 {}", "{} 12/29", "CC-{} of the office", "({})",
        "2026-11-30 {}", "no.{}.",
    ],
)  # fmt: skip
def test_a_card_number_is_found_in_a_text(card: str, text: str) -> None:
    assert has_card_number(text.format(card))
    for size, between in ((4, " "), (4, "-"), (1, " "), (5, " - "), (4, "\u00a0"), (4, "\u2013")):
        groups = between.join(card[n : n + size] for n in range(0, len(card), size))
        assert has_card_number(text.format(groups)), groups
    wide = "".join(chr(0xFF10 + int(digit)) for digit in card)
    assert has_card_number(text.format(wide))


@pytest.mark.parametrize("card", CARDS)
def test_one_wrong_digit_is_no_card_number(card: str) -> None:
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert not has_card_number(f"number {wrong}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Seen on the screen at 10:05 on 2026-11-30.",
        "The case CAS-100001 says that LK10-AAAA-0001 was moved.",
        "Faxed to 408-597-9020, called 888-2584436 or 408-597-9000 option 5.",
        "The container 130-1000000001 shows it, and 140-560129638-1439315497 as well.",
        "0012-3456-7890 lists the keys no more",
        "license 15.90.10.7 with profile 2",
        "9999999999999995",  # a right check digit, but no card begins so
        "1234567890123452",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "0d8b53fd-7d3a-5b7f-9a2e-2f6f6a6b1c11",
        "411111111111111141111",  # longer than any card
    ],
)
def test_what_people_write_otherwise_is_none(text: str) -> None:
    assert not has_card_number(text)


@settings(max_examples=500, deadline=None)
@given(
    st.text("0123456789", min_size=12, max_size=18),
    st.sampled_from("23456"),
    st.lists(st.sampled_from(("", "", " ", "-", " - ")), min_size=19, max_size=19),
    st.text("abc .:,", max_size=5),
)
def test_every_right_number_is_found_and_every_wrong_one_is_not(
    digits: str, first: str, between: list[str], around: str
) -> None:
    body = (first + digits)[: len(digits)]
    number = body + check_digit(body)
    spaced = "".join(d + s for d, s in zip(number, between, strict=False)).rstrip(" -")
    assert has_card_number(f"{around}x{spaced}x{around}")
    wrong = body + str((int(number[-1]) + 1) % 10)
    assert not has_card_number(f"{around}x{wrong}x{around}")


def test_a_text_of_the_greatest_length_takes_no_time() -> None:
    for text in ("1 " * 1_000, "11-1 " * 400, "9" * 2_000):
        assert not has_card_number(text)


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789 -x", max_size=60) | st.sampled_from(CARDS))
def test_the_collection_finds_the_same(text: str) -> None:
    """Its modules cannot use the agent's code, so it has its own copy."""
    assert has_card_number(text) == COLLECTION["has_card_number"](text)
