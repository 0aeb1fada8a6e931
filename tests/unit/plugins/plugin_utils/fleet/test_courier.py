# SPDX-License-Identifier: GPL-3.0-or-later
"""The courier brings what is awaited to whom it is addressed, once, and nothing else."""

from __future__ import annotations

from typing import Any

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import (
    DELIVERIES_MAX,
    Courier,
)

OLD, NEW = "old-server", "new-server"


def document(to: str, kind: str, envelope: Any = "signed", **facts: Any) -> dict[str, Any]:
    """What an agent gives for the one declaration of these tests."""
    named = {"declaration": "d", "to": to, "kind": kind}
    planned = envelope is None
    return {**named, "envelope": envelope, "facts": facts, "planned": planned, "signed": True}


def told(to: str, kind: str, **facts: Any) -> dict[str, Any]:
    """What an agent tells without a signature, and what is so."""
    return {**document(to, kind, None, **facts), "planned": False, "signed": False}


def answer(awaits: str | None, *documents: dict[str, Any]) -> dict[str, Any]:
    """What an agent answers: what it awaits next, and what it gives."""
    following = {"leg": "some", "awaits": awaits, "gives": None}
    return {"results": [{"id": "d", "next": following}], "documents": list(documents)}


def kinds(courier: Courier, agent: str) -> list[str]:
    """The kinds of what an agent is to be brought now."""
    return [entry["kind"] for entry in courier.deliveries().get(agent, [])]


def test_what_is_awaited_is_brought_once() -> None:
    courier = Courier()
    courier.take(OLD, answer("request"))
    assert courier.deliveries() == {}
    courier.take(NEW, answer("transfer", document(OLD, "request")))
    deliveries = courier.deliveries()
    assert list(deliveries) == [OLD]
    assert deliveries[OLD][0]["envelope"] == "signed"
    assert "to" not in deliveries[OLD][0]
    courier.brought(deliveries, OLD)
    assert courier.deliveries() == {}, "an agent that still awaits it has said what is in its way"


def test_another_document_of_the_kind_is_brought_again() -> None:
    courier = Courier()
    courier.take(OLD, answer("request"))
    courier.take(NEW, answer("transfer", document(OLD, "request")))
    courier.brought(courier.deliveries(), OLD)
    courier.take(NEW, answer("transfer", document(OLD, "request", "signed anew")))
    assert courier.deliveries()[OLD][0]["envelope"] == "signed anew"


def test_what_nobody_awaits_is_left_where_it_is() -> None:
    courier = Courier()
    courier.take(OLD, answer("receipt", document(NEW, "transfer")))
    courier.take(NEW, answer(None, document(OLD, "refusal")))
    assert courier.deliveries() == {}


def test_a_plan_is_brought_all_that_was_told_for_it() -> None:
    """A dry run keeps nothing, so that its later legs need what its earlier legs were told."""
    courier = Courier()
    courier.take(OLD, answer("receipt", document(NEW, "transfer", None, amounts={"seats": 1})))
    courier.take(NEW, answer("transfer", document(OLD, "request", None)))
    assert kinds(courier, NEW) == ["transfer"]
    courier.brought(courier.deliveries(), NEW)
    courier.take(NEW, answer("acknowledgement", document(OLD, "receipt", None)))
    courier.take(OLD, answer("receipt", document(NEW, "acknowledgement", None)))
    assert kinds(courier, OLD) == ["receipt", "request"]
    assert kinds(courier, NEW) == ["acknowledgement", "transfer"]


def test_what_is_told_without_a_signature_is_brought_once_with_all_for_its_declaration() -> None:
    """It may change what the other host has begun already, so nobody has to await it."""
    courier = Courier()
    courier.take(OLD, answer("prepared", told(NEW, "backup", licenses=["1"])))
    courier.take(NEW, answer("released", document(OLD, "prepared")))
    assert kinds(courier, NEW) == ["backup"]
    deliveries = courier.deliveries()
    courier.brought(deliveries, NEW)
    courier.brought(deliveries, OLD)
    courier.take(OLD, answer("prepared", told(NEW, "backup", licenses=["1"])))
    assert courier.deliveries() == {}
    released = document(NEW, "released")
    courier.take(OLD, answer("arrived", told(NEW, "backup", licenses=["1", "2"]), released))
    courier.take(NEW, answer("backup"))
    assert kinds(courier, NEW) == ["backup", "released"], "who gave up takes what had left"


def test_two_that_answer_each_other_for_ever_are_left_alone() -> None:
    courier = Courier()
    courier.take(OLD, answer("request"))
    rounds = 0
    for number in range(100):
        courier.take(NEW, answer("transfer", document(OLD, "request", f"signed {number}")))
        if deliveries := courier.deliveries():
            courier.brought(deliveries, OLD)
            rounds += 1
    assert rounds <= DELIVERIES_MAX


def test_who_has_no_part_in_the_run_is_waited_for() -> None:
    courier = Courier()
    courier.take(NEW, answer("transfer", document(OLD, "request")))
    assert courier.deliveries() == {}
    assert courier.waiting([NEW]) == [
        {"agent": NEW, "declaration": "d", "document": "transfer"},
        {"agent": OLD, "declaration": "d", "document": "request"},
    ]
    courier.take(OLD, answer(None))
    courier.take(NEW, answer(None))
    assert courier.waiting([NEW, OLD]) == []
