# SPDX-License-Identifier: GPL-3.0-or-later
"""A container that a declaration leaves out is the one that can only be meant."""

from __future__ import annotations

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.places import (
    Items,
    is_placed,
    placed,
)

from .reading import declared_of

(DECLARED,) = declared_of(
    "old",
    "new",
    license_transfers=[
        {
            "name": "simulation",
            "item": "6000010:201@1",
            "type": "licenses",
            "quantity": 10,
            "source": "old",
            "target": "new",
        }
    ],
)
NEW: Items = {"130-9": []}


def containers(old: Items) -> tuple[str | None, str | None]:
    found = placed(DECLARED, {"old": old, "new": NEW}, {})
    transfer = found.declared["transfer"]
    assert is_placed(found) == all(transfer[side].get("container") for side in ("source", "target"))
    return transfer["source"].get("container"), transfer["target"].get("container")


def test_of_several_it_is_the_one_that_has_the_item() -> None:
    assert containers({"130-1": []}) == ("130-1", "130-9")
    assert containers({"130-1": ["6000010:201"], "130-2": ["6000010:202"]}) == ("130-1", "130-9")
    assert containers({"130-1": ["6000010:201"], "130-2": ["6000010:201"]}) == (None, "130-9")
    # Of this one not all items were shown.
    assert containers({"130-1": ["6000010:201"], "130-2": None}) == (None, "130-9")
    assert containers({}) == (None, "130-9")


def test_what_a_journal_has_comes_first() -> None:
    found = placed(DECLARED, {"old": {"130-1": [], "130-2": []}, "new": NEW}, {"source": "130-2"})
    assert found.declared["transfer"]["source"] == {"agent": "old", "container": "130-2"}
