# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory declares is read in one spelling, however it was written."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Declaration,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import (
    secrets_of,
)

from .reading import declared_of

ENDS = {"source": "old", "target": "new"}
TRANSFER = {"name": "seats", "item": "6000010:201", "type": "licenses", "quantity": 10, **ENDS}
BORROW = {"name": "cad", "item": "6000010:204", "seats": 2, "until": "2030-01-31", **ENDS}
ACCOUNT = {"method": "online", "account": "a", "password": "secret", "state": "activated"}


def transfer(**changes: t.Any) -> Declaration:
    (found,) = declared_of("old", "new", license_transfers=[{**TRANSFER, **changes}])
    return found


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
        found.declared["until"]
        for until in ("2030-01-31", "2030-01-31 00:00:00+00:00", "2030-01-31T00:00:00Z")
        for found in declared_of("old", "new", license_borrows=[{**BORROW, "until": until}])
    }
    assert read == {"2030-01-31T00:00:00Z"}


def test_each_agent_is_told_what_is_its_own_to_confirm() -> None:
    declaration = transfer(plan_digest="f" * 64)
    assert declaration.told("old")["declared"]["plan_digest"] == "f" * 64
    assert "plan_digest" not in declaration.told("new")["declared"]
    assert Declaration.from_kept(declaration.as_kept()) == declaration


def test_an_entry_without_a_host_is_for_each_and_optional() -> None:
    found = declared_of("a", "b", license_activations=[{"method": "offline"}])
    assert [(each.agents, each.is_optional) for each in found] == [(("a",), True), (("b",), True)]
    assert len({each.key for each in found}) == 2


def test_a_secret_is_in_no_declaration() -> None:
    variables = {"license_activations": [ACCOUNT]}
    assert "secret" not in repr(declared_of("a", **variables))
    assert secrets_of(variables, "a") == {"activation": {"server": {"password": "secret"}}}
    assert secrets_of(variables, "a", ("transfers",)) == {}
