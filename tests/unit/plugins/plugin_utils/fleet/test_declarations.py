# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory declares is read in one spelling, however it was written."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Declaration,
    borrow_of,
    transfer_of,
)

ENDS = {"source": "old", "target": "new"}
TRANSFER = {"name": "seats", "item": "6000010:201", "type": "licenses", "quantity": 10, **ENDS}
BORROW = {"name": "cad", "item": "6000010:204", "seats": 2, "until": "2030-01-31", **ENDS}


def transfer(**changes: t.Any) -> Declaration:
    return transfer_of({**TRANSFER, **changes}, str)


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": "10"},
        {"item": "06000010:0201"},
        {"item": " 6000010:201 "},
        {"mode": "push"},
        {"until": None},
        {"source_container": None},
    ],
)
def test_two_spellings_of_one_transfer_are_the_same(changes: dict[str, t.Any]) -> None:
    assert transfer(**changes) == transfer()


def test_a_reference_is_part_of_an_item() -> None:
    assert transfer(item="06000010:201@03").declared["transfer"]["item"] == "6000010:201@3"


def test_dates_are_read_as_yaml_and_people_write_them() -> None:
    read = {
        borrow_of({**BORROW, "until": until}, str).declared["until"]
        for until in ("2030-01-31", "2030-01-31 00:00:00+00:00", "2030-01-31T00:00:00Z")
    }
    assert read == {"2030-01-31T00:00:00Z"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"item": 360000620}, "put it into quotes"),
        ({"item": "6000010"}, "is not FIRM_CODE:PRODUCT_CODE"),
        ({"quantity": "ten"}, "The value ten of quantity of seats is no whole number"),
        ({"quantity": 1.5}, "The value 1.5 of quantity of seats is no whole number"),
        ({"quantity": True}, "is no whole number"),
        ({"until": "tomorrow"}, "is not a date such as 2026-11-28"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_is_right(
    changes: dict[str, t.Any], sentence: str
) -> None:
    with pytest.raises(LicenseProblem, match=sentence):
        transfer(**changes)


def test_each_agent_is_told_what_is_its_own_to_confirm() -> None:
    declaration = transfer(plan_digest="f" * 64)
    assert declaration.told("old")["declared"]["plan_digest"] == "f" * 64
    assert "plan_digest" not in declaration.told("new")["declared"]
    assert Declaration.from_kept(declaration.as_kept()) == declaration
