# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is declared of a host in one request, and all that is known of it in another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import borrow_id
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import Courier
from seatkeeper_agent.domain.licenses import TransferType
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab

from .asking import SERIALS, Asker, asking, declared, described
from .conftest import CHAOS_CLOUD, CHAOS_HOST, CHAOS_SEED

OLD, NEW = "old-server", "new-server"
SOON = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
SAID_ONCE = "never-to-be-shown"


def entry(name: str, **values: Any) -> dict[str, Any]:
    """A transfer as the inventory declares it to either host."""
    return {
        "kind": "transfer",
        "id": transfer_id(name),
        "declared": {"transfer": declared(name, **values)},
    }


def borrow(name: str) -> dict[str, Any]:
    """One seat of a borrow as the inventory declares it to either host."""
    ends = {
        side: {"agent": agent, "container": SERIALS[agent]}
        for side, agent in (("source", OLD), ("target", NEW))
    }
    lent = {"item": "6000010:204", "type": "borrow_local", "seats": 1, "until": SOON}
    return {
        "kind": "borrow",
        "id": borrow_id(name),
        "declared": {"name": name, **lent, **ends},
    }


def state(*entries: dict[str, Any], dry_run: bool = False, **more: Any) -> dict[str, Any]:
    """A request's body."""
    return {"dry_run": dry_run, "declarations": list(entries), **more}


def put(asker: Asker, body: dict[str, Any]) -> dict[str, Any]:
    """What is answered to it."""
    answer = asker.ask("PUT", "/v2/state", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def carried(
    askers: dict[str, Asker], *entries: dict[str, Any], dry_run: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """Tell both hosts and carry what they give; all results by host, in their order."""
    courier = Courier()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in askers}

    def ask(name: str, documents: list[dict[str, Any]]) -> None:
        answer = put(askers[name], state(*entries, dry_run=dry_run, documents=documents))
        courier.take(name, answer)
        found[name] += answer["results"]

    for name in askers:
        ask(name, [])
    rounds = 0
    while deliveries := courier.deliveries():
        rounds += 1
        assert rounds <= 4, "more rounds than legs"
        for name, documents in deliveries.items():
            courier.brought(deliveries, name)
            ask(name, documents)
    # Only what was refused at the source is still waited for at the target.
    refused = {result["id"] for result in found["old-server"] if result["problem"]}
    assert {row["declaration"] for row in courier.waiting(list(askers))} <= refused
    return found


def outcomes(results: list[dict[str, Any]]) -> list[str]:
    """How each went."""
    return [result["outcome"] for result in results]


def test_a_transfer_is_declared_to_both_hosts_and_carried(askers: dict[str, Asker]) -> None:
    entries = [entry("state-whole")]
    planned = carried(askers, *entries, dry_run=True)
    done = carried(askers, *entries)
    for name in askers:
        # The plan of the last round has the legs of all rounds, as the run did them one by one.
        legs = [step["leg"] for step in planned[name][-1]["steps"]]
        assert legs == [step["leg"] for result in done[name] for step in result["steps"]]
        assert set(outcomes(planned[name])) == {"would_change"}
        assert done[name][-1]["next"] is None
        assert done[name][-1]["present"]["state"] == "transferred_receipted"
    again = carried(askers, *entries)
    assert {name: outcomes(results) for name, results in again.items()} == {
        "old-server": ["same"],
        "new-server": ["same"],
    }


def test_each_answer_says_what_comes_next(askers: dict[str, Asker]) -> None:
    body = state(entry("state-next"))
    (asked,) = put(askers["new-server"], body)["results"]
    assert asked["next"] == {"leg": "install", "awaits": "transfer", "gives": "receipt"}
    assert asked["waits_for"] == {"agent": "old-server", "document": "transfer"}
    (waiting,) = put(askers["old-server"], body)["results"]
    assert waiting["outcome"] == "waits"
    assert waiting["next"] == {"leg": "issue", "awaits": "request", "gives": "transfer"}
    record = askers["new-server"].get(f"/v1/transfers/{transfer_id('state-next')}")
    assert record["next"] == asked["next"]


def test_a_plan_asks_the_source_before_the_target_is_touched(askers: dict[str, Asker]) -> None:
    held = {name: asker.get("/v1/agent")["journal"] for name, asker in askers.items()}
    body = state(entry("state-too-much", quantity=2_000), dry_run=True)
    (result,) = put(askers["old-server"], body)["results"]
    assert (result["outcome"], result["problem"]["code"]) == ("failed", "not-enough")
    planned = carried(askers, entry("state-enough"), dry_run=True)
    assert outcomes(planned["old-server"])[0] == "would_change"
    assert {name: asker.get("/v1/agent")["journal"] for name, asker in askers.items()} == held


def test_one_that_fails_does_not_hide_the_others(lab: Lab, new: Asker) -> None:
    desk = borrow("state-desk")
    odd = {
        "kind of nobody": {"kind": "parking_space", "id": "p1", "declared": {}},
        "nothing declared": {"kind": "transfer", "id": transfer_id("x"), "declared": {}},
        "of no date": {
            **desk,
            "declared": {**desk["declared"], "until": "2030-02-31T00:00:00Z"},
        },
        "between others": entry(
            "state-others",
            source={"agent": "third-server", "container": "130-3000000003"},
            target={"agent": "fourth-server", "container": "130-4000000004"},
        ),
        "of another vendor": {**entry("state-vendor"), "vendor": "chaos"},
    }
    held = described(lab)
    results = put(new, state(*odd.values(), desk, dry_run=True))["results"]
    assert outcomes(results) == ["failed"] * len(odd) + ["would_change"]
    assert [result["problem"]["code"] for result in results[:-1]] == [
        "vendor-unknown",
        "request-invalid",
        "request-invalid",
        "wrong-host",
        "vendor-unknown",
    ]
    assert all(result["problem"]["next_action"] for result in results[:-1])
    assert described(lab) == held


def test_what_is_brought_is_held_against_what_is_declared(askers: dict[str, Asker]) -> None:
    """A document answers a declaration; it declares nothing, and is no other's."""
    old, new = askers["old-server"], askers["new-server"]
    given = put(new, state(entry("state-mine")))["documents"]
    (document,) = given
    assert (document["to"], document["kind"]) == ("old-server", "request")
    brought = {member: document[member] for member in ("kind", "envelope")}
    alone = state(documents=[{**brought, "declaration": document["declaration"]}])
    assert put(old, alone) == {"dry_run": False, "results": [], "documents": []}
    other = {**brought, "declaration": transfer_id("state-other")}
    (result,) = put(old, state(entry("state-other"), documents=[other]))["results"]
    assert result["problem"]["code"] == "document-misaddressed"
    assert result["present"] is None


def test_no_answer_repeats_a_password_or_a_card(chaos_server: Asker) -> None:
    activation = {"account": "admin@example.com", "password": SAID_ONCE}
    card = {"account": "4111 1111 1111 1111", "password": "x"}
    body = state(
        {"kind": "activation", "id": "chaos", "declared": activation},
        {"kind": "activation", "id": "chaos", "declared": {**activation, "odd": 1}},
        {"kind": "activation", "id": "chaos", "declared": card},
        dry_run=True,
    )
    answer = chaos_server.ask("PUT", "/v2/state", json=body)
    assert answer.status_code == 200
    assert SAID_ONCE not in answer.text
    assert "4111" not in answer.text
    first, *_others = answer.json()["results"]
    assert first["declared"] == {"account": activation["account"]}


def test_a_server_is_declared_by_its_kinds(chaos_server: Asker) -> None:
    entries = [
        {"kind": "server", "id": "chaos", "vendor": "chaos", "declared": {"running": True}},
        {
            "kind": "activation",
            "id": "chaos",
            "declared": {"account": "admin@example.com", "password": "x"},
        },
    ]
    results = put(chaos_server, state(*entries, dry_run=True))["results"]
    assert [result["vendor"] for result in results] == ["chaos", "chaos"]
    assert outcomes(results) == ["same", "would_change"]
    # Another one of this host, which does not run: whether it is as declared nobody knows.
    other = {**entries[0], "vendor": "codemeter", "declared": {"settings": {}}}
    (unseen,) = put(chaos_server, state(other))["results"]
    assert (unseen["outcome"], unseen["problem"]["code"]) == ("unknown", "runtime-unavailable")


def test_look_shows_products_peers_and_work_and_writes_nothing(askers: dict[str, Asker]) -> None:
    carried(askers, entry("state-look"))
    put(askers["new-server"], state(entry("state-open")))
    for name, asker in askers.items():
        journal = asker.get("/v1/agent")["journal"]
        seen = asker.get("/v2/look")
        assert asker.get("/v1/agent")["journal"] == journal
        assert seen["agent"]["agent"]["name"] == name
        product = seen["products"]["codemeter"]
        (container,) = product["containers"]["seen"]
        page = asker.get(f"/v1/containers/{container['serial']}/items", limit=1000)
        allowed = [item.pop("allowed") for item in container["items"]]
        assert (container["items"], container["more"]) == (page["items"], False)
        for item, may in zip(container["items"], allowed, strict=True):
            offered = {option["type"]: option for option in item["options"]}
            assert {sending["type"] for sending in may["transfers"]} <= set(offered)
            assert may["receivable"] == [type_.value for type_ in TransferType]
        assert any(may["transfers"] for may in allowed)
        assert [peer["agent"] for peer in seen["peers"]] == [
            other for other in askers if other != name
        ]
    opened = product["transfer"]["seen"]
    assert transfer_id("state-open") in {record["id"] for record in opened}
    assert all(record["next"] is not None for record in opened)


def test_what_cannot_be_seen_says_why_and_hides_nothing_else(chaos_lab: Lab) -> None:
    host = chaos_lab[CHAOS_HOST]
    host.products()["chaos"].stop()
    with asking(host) as asker:
        product = asker.get("/v2/look")["products"]["chaos"]
        body = state({"kind": "server", "id": "chaos", "declared": {"settings": {}}})
        (result,) = put(asker, body)["results"]
    assert product["activation"]["seen"] is None
    assert product["activation"]["problem"]["code"] == "runtime-unavailable"
    assert product["dongle_migration"] == {"seen": [], "problem": None}
    assert result["outcome"] != "changed"


@pytest.fixture(scope="module")
def chaos_server() -> Any:
    """A host with a Chaos license server."""
    with (
        Lab.create({"chaos-server": CHAOS_SEED}, cloud_seed=CHAOS_CLOUD) as lab,
        asking(lab["chaos-server"]) as asker,
    ):
        yield asker


TOGETHER: dict[str, list[dict[str, Any]]] = {
    "more than there is": [
        entry("sum-1", item="6000010:203", type="units", quantity=60),
        entry("sum-2", item="6000010:203", type="units", quantity=60),
    ],
    "some of what goes whole": [
        entry("whole-1", item="6000010:202", type="complete", quantity=None),
        entry("whole-2", item="6000010:202", type="complete", quantity=None),
    ],
    "more seats than there are to lend": [
        entry(f"lot-{n}", item="6000010:204", type="borrow_local", quantity=None, until=SOON)
        for n in range(6)
    ],
}


@pytest.mark.parametrize("which", TOGETHER)
def test_a_plan_counts_what_is_planned_before_it(askers: dict[str, Asker], which: str) -> None:
    entries = TOGETHER[which]
    held = {name: asker.get("/v1/agent")["journal"] for name, asker in askers.items()}
    results = put(askers["old-server"], state(*entries, dry_run=True))["results"]
    assert outcomes(results) == [*["would_change"] * (len(entries) - 1), "failed"], results[-1]
    alone = put(askers["old-server"], state(entries[-1], dry_run=True))["results"]
    assert outcomes(alone) == ["would_change"]
    planned = carried(askers, *entries, dry_run=True)
    last = planned["old-server"][-len(entries) :]
    assert outcomes(last) == outcomes(results)
    assert {name: asker.get("/v1/agent")["journal"] for name, asker in askers.items()} == held


ODD: dict[str, dict[str, Any]] = {
    "a kind that nobody gives": {"kind": "postcard"},
    "facts of another form": {"kind": "request", "facts": {"amounts": "many"}},
    "facts that nobody has": {"kind": "transfer", "facts": {"odd": 1}},
}


@pytest.mark.parametrize("which", ODD)
@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_brought_and_is_no_document_is_refused_in_a_sentence(
    old: Asker, which: str, dry_run: bool
) -> None:
    named = entry("state-odd")
    body = state(named, dry_run=dry_run, documents=[{"declaration": named["id"], **ODD[which]}])
    (result,) = put(old, body)["results"]
    assert (result["outcome"], result["problem"]["code"]) == ("failed", "request-invalid")
    assert result["problem"]["next_action"]


def test_a_done_transfer_is_the_same_with_containers_left_out_and_not_with_another_amount(
    askers: dict[str, Asker],
) -> None:
    carried(askers, entry("state-told-again"))
    blank = {side: {"agent": agent} for side, agent in (("source", OLD), ("target", NEW))}
    for name, asker in askers.items():
        (same,) = put(asker, state(entry("state-told-again", **blank)))["results"]
        assert (name, same["outcome"]) == (name, "same")
        other = state(entry("state-told-again", **blank, quantity=2))
        (differing,) = put(asker, other)["results"]
        assert differing["problem"]["code"] == "declaration-differs"
        assert "another quantity" in differing["problem"]["detail"]


def test_a_lender_tells_what_it_lent_of_a_borrow_and_its_borrower_declares_it(
    askers: dict[str, Asker],
) -> None:
    desk = borrow("state-lent")
    lots = put(askers[NEW], state(desk))["results"][0]["details"]["transfers"]
    entries = [
        {"kind": "transfer", "id": lot.pop("id"), "declared": {"transfer": lot}} for lot in lots
    ]
    carried(askers, *entries)
    del desk["declared"]["source"]["container"]
    assert put(askers[NEW], state(desk))["results"][0]["outcome"] == "same"
    (told,) = put(askers[OLD], state(desk))["results"]
    assert (told["outcome"], told["changed"]) == ("same", False)
    (lent,) = told["present"]["lent"]
    assert (lent["name"], lent["side"]) == ("state-lent/lot-1", "source")


def test_one_request_asks_and_looks(old: Asker, new: Asker) -> None:
    answer = put(old, state(entry("state-looked"), dry_run=True, look=True))
    assert answer["look"]["agent"]["agent"]["name"] == OLD
    assert set(answer["look"]["products"]["codemeter"]) >= {"containers", "transfer", "borrow"}
    known, unknown = transfer_id("state-looked-up"), transfer_id("state-of-nobody")
    put(old, state(entry("state-looked-up")))
    put(new, state(entry("state-looked-up")))
    (record,) = put(new, state(dry_run=True, records=[known, unknown]))["records"]
    assert (record["id"], record["side"]) == (known, "target")
    assert "look" not in put(old, state(entry("state-looked"), dry_run=True))
