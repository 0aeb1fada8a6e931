# SPDX-License-Identifier: GPL-3.0-or-later
"""Each mistake of the table is one sentence with its place, and says what is right."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)
from inventory.declared import FOLDER, HOSTS, changed, read, right, without

Case = dict[str, Any]

TABLES = sorted((FOLDER / "wrong").glob("*.yml"))
WORDS_OF_SCHEMAS = re.compile(
    r"None|null|dict|\bobject|\barray|\bstring|\binteger|boolean|schema|property|properties"
    r"|pattern|enum|[\^$]|\[0-9|Traceback|Error"
)
HIDDEN = ("hidden", "12345678", "4111", "6132")
"""What stands for a secret or for a card in the table."""
HELD = {"product": "p", "version": "1", "perpetual": True}


def cases() -> list[Case]:
    """All mistakes of all files."""
    return [case for path in TABLES for case in yaml.safe_load(path.read_text(encoding="utf-8"))]


def made_wrong(case: Case) -> dict[str, Any]:
    """The right inventory with this mistake."""
    if "without" in case:
        return without(right(), case["without"])
    value = "x" * case["long"] if "long" in case else case["value"]
    return changed(right(), case["at"], value)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.get("at", case.get("without")))
def test_a_mistake_is_told_with_its_place_and_with_what_is_right(case: Case) -> None:
    assert read(made_wrong(case)).mistakes == case["told"]


def test_no_sentence_has_a_secret_or_the_words_of_a_schema() -> None:
    told = [sentence for case in cases() for sentence in case["told"]]
    assert len(told) >= 600
    for sentence in told:
        assert not WORDS_OF_SCHEMAS.search(sentence), sentence
        assert not any(text in sentence for text in HIDDEN), sentence
        assert re.match(r"(license_|phone_systems|seatkeeper_|dongle_|The inventory )", sentence)
        assert re.search(r"[^.?][.?]$", sentence), sentence
        assert sentence.isprintable()


def test_all_mistakes_are_told_at_once_in_the_order_in_which_they_are_written() -> None:
    variables = changed(right(), "license_transfers[0].quantity", "ten")
    variables = changed(variables, "license_transfers[1].source", "odl")
    variables = changed(variables, "license_orders[0].host", "nwe")
    variables = without(variables, "license_borrows[0].seats")
    told = read(variables).mistakes
    assert [text.partition(" ")[0] for text in told] == [
        "license_transfers[0].quantity",
        "license_transfers[1].source",
        "license_borrows[0]",
        "license_orders[0].host",
    ]


@pytest.mark.parametrize(
    ("place", "limit", "entry"),
    [
        ("license_dongle_migrations[0].licenses", 100, HELD),
        ("license_server_moves[0].licenses[0].profiles", 1000, "a"),
        ("license_orders[0].rules", 200, {"name": "a"}),
        ("license_order_rules", 200, {"name": "a"}),
    ],
)
def test_a_list_has_its_end(place: str, limit: int, entry: Any) -> None:
    assert read(changed(right(), place, [entry] * limit)).mistakes == []
    (sentence,) = read(changed(right(), place, [entry] * (limit + 1))).mistakes
    assert sentence.endswith(f" has more than {limit} entries.")


@pytest.mark.parametrize(
    ("place", "limit", "value"),
    [
        ("license_server_configs[1].settings", 50, {}),
        ("license_server_configs[1].settings.a", 200, "1"),
        ("license_orders[0].fields", 50, "1"),
        ("license_order_prices.assurance_per_year", 1000, 1),
    ],
)
def test_keys_have_their_end(place: str, limit: int, value: Any) -> None:
    variables = changed(right(), "license_server_configs[1].settings", {})
    keys = {f"k{number}": value for number in range(limit)}
    assert read(changed(variables, place, keys)).mistakes == []
    (sentence,) = read(changed(variables, place, {**keys, "more": value})).mistakes
    assert sentence.endswith(f" has more than {limit} keys.")
    (sentence,) = read(changed(variables, place, {"x" * 101: value})).mistakes or ["fits"]
    assert sentence == "fits" or sentence.endswith(" has a key of more than 100 characters.")


def test_the_guide_shows_mistakes_as_they_are_told() -> None:
    page = (FOLDER.parents[1] / "docs" / "inventory.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```\n(license_transfers\[0\].*?)```", page, re.DOTALL)
    wrong = without(right(), "license_transfers[0].quantity")
    wrong = changed(wrong, "license_transfers[0].quantitiy", 10)
    wrong = changed(wrong, "license_transfers[1].item", 360000620)
    hosts = {"old-server": {}, "new-server": {"license_server_configs": [{}]}}
    told = read(wrong).mistakes + read_inventory(hosts, HOSTS).mistakes
    for line, sentence in zip(shown.splitlines(), told, strict=True):
        assert sentence.startswith(line.rstrip("…")), sentence
