# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of a whole fleet does what is declared, says how each thing ended, and then nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api.asking import SERIALS, described
from api.conftest import SEEDS
from costs.in_process import InProcess
from costs.lab import products

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.report import lines_of
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab

from .running import NEW, OLD, Ask, run

SOON = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%d")


@pytest.fixture
def fleet() -> Iterator[tuple[Lab, dict[str, InProcess]]]:
    """Two hosts whose agents live in this process."""
    with products(SEEDS) as made:
        yield made


@pytest.fixture
def ask(fleet: tuple[Lab, dict[str, InProcess]]) -> Ask:
    """Both agents by the names of their hosts."""
    _lab, agents = fleet
    return lambda host, body: dict(agents[host].ask("PUT", "/v2/state", body))


def transfer(name: str, **values: Any) -> dict[str, Any]:
    """One entry of license_transfers."""
    usual = {"item": "6000010:201", "type": "licenses", "quantity": 10}
    return {"name": name, **usual, "source": OLD, "target": NEW, **values}


def borrow(name: str, seats: int) -> dict[str, Any]:
    """One entry of license_borrows."""
    usual = {"item": "6000010:204", "until": SOON, "source": OLD, "target": NEW}
    return {"name": name, "seats": seats, **usual}


def seats(lab: Lab, host: str, product: int) -> int:
    """How many seats the twin of a host has of a product."""
    (container,) = lab[host].twin("describe")["containers"]
    found = [
        item["license_quantity"] for item in container["items"] if item["product_code"] == product
    ]
    return sum(found)


def test_a_plan_changes_nothing_a_run_does_it_and_the_next_run_asks_once(
    fleet: tuple[Lab, dict[str, InProcess]], ask: Ask
) -> None:
    lab, _agents = fleet
    variables = {"license_transfers": [transfer("ten"), transfer("five", quantity=5)]}
    before = described(lab)
    planned = run(ask, variables, check=True)
    assert planned.outcomes == {"transfer ten": "would change", "transfer five": "would change"}
    assert described(lab) == before
    done = run(ask, variables)
    assert done.outcomes == {"transfer ten": "changed", "transfer five": "changed"}
    assert seats(lab, NEW, 201) == 15
    # What is said to be done was seen done by a look at each host afterwards.
    assert [body["dry_run"] for _host, body in done.requests[-2:]] == [True, True]
    assert all(body["look"] for _host, body in done.requests[-2:])
    again = run(ask, variables)
    assert set(again.outcomes.values()) == {"same"}
    assert [host for host, _body in again.requests] == [OLD, NEW]
    assert set(run(ask, variables, check=True).outcomes.values()) == {"same"}


def test_a_borrow_is_carried_and_comes_back(
    fleet: tuple[Lab, dict[str, InProcess]], ask: Ask
) -> None:
    lab, _agents = fleet
    variables = {"license_borrows": [borrow("desk", 2)]}
    assert run(ask, variables, check=True).outcomes["borrow desk"] == "would change"
    done = run(ask, variables)
    assert done.outcomes == {
        "borrow desk": "changed",
        "transfer desk/lot-1": "changed",
        "transfer desk/lot-2": "changed",
    }, done.whys
    assert run(ask, variables).outcomes == {"borrow desk": "same"}
    fewer = {"license_borrows": [borrow("desk", 1)]}
    assert run(ask, fewer, check=True).outcomes["borrow desk"] == "would change"
    assert run(ask, fewer).outcomes["borrow desk"] == "changed"
    assert seats(lab, NEW, 204) == 1
    assert run(ask, fewer).outcomes == {"borrow desk": "same"}


class Away:
    """Hosts that do not answer after so many requests of theirs."""

    def __init__(self, ask: Ask, after: dict[str, int]) -> None:
        self._ask, self._left = ask, dict(after)

    def __call__(self, host: str, body: dict[str, Any]) -> dict[str, Any]:
        left = self._left.get(host)
        if left == 0:
            raise ConnectionError(host)
        if left is not None:
            self._left[host] = left - 1
        return self._ask(host, body)


def test_what_nobody_looked_at_is_never_the_same(ask: Ask) -> None:
    variables = {"license_transfers": [transfer("ten")]}
    dead = run(Away(ask, {NEW: 0}), variables)
    assert dead.outcomes == {"host": "not looked at", "transfer ten": "not looked at"}
    assert "Start seatkeeper-agent." in dead.whys
    assert run(ask, variables).outcomes == {"transfer ten": "changed"}
    # What is done is so by the receipt, and its other host is still said to be dead.
    dead = run(Away(ask, {NEW: 0}), variables)
    assert dead.outcomes == {"host": "not looked at", "transfer ten": "not looked at"}


@pytest.mark.parametrize("requests", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("host", [OLD, NEW])
def test_a_host_that_goes_away_in_the_middle_is_told_and_the_next_run_ends_it(
    fleet: tuple[Lab, dict[str, InProcess]], ask: Ask, host: str, requests: int
) -> None:
    lab, _agents = fleet
    variables = {"license_transfers": [transfer("ten")]}
    broken = run(Away(ask, {host: requests}), variables)
    if broken.outcomes.get("host") is None:
        assert broken.outcomes == {"transfer ten": "changed"}
    else:
        assert broken.outcomes["transfer ten"] in ("waits", "unknown", "not looked at")
    assert run(ask, variables).outcomes["transfer ten"] in ("changed", "same")
    assert (seats(lab, OLD, 201), seats(lab, NEW, 201)) == (990, 10)


@pytest.mark.parametrize("host", [OLD, NEW])
def test_a_host_outside_the_play_is_waited_for_and_nothing_is_begun(
    fleet: tuple[Lab, dict[str, InProcess]], ask: Ask, host: str
) -> None:
    lab, _agents = fleet
    variables = {"license_transfers": [transfer("ten")]}
    before = described(lab)
    (row,) = run(ask, variables, hosts=[host]).rows
    other = {OLD: NEW, NEW: OLD}[host]
    assert (row["outcome"], row["who"]) == ("waits", f"{other}, not in this play")
    assert described(lab) == before
    run(ask, variables)
    assert run(ask, variables, hosts=[host]).outcomes == {"transfer ten": "same"}


def test_what_was_done_otherwise_is_no_match(ask: Ask) -> None:
    run(ask, {"license_transfers": [transfer("ten")]})
    other = run(ask, {"license_transfers": [transfer("ten", quantity=11)]})
    assert other.outcomes == {"transfer ten": "failed"}
    assert "another quantity" in other.whys


def test_what_cannot_be_done_touches_nobody_and_holds_nothing_up(ask: Ask) -> None:
    variables = {"license_transfers": [transfer("all", quantity=1001), transfer("ten")]}
    for check, outcome in ((True, "would change"), (False, "changed")):
        made = run(ask, variables, check)
        assert made.outcomes == {"transfer all": "failed", "transfer ten": outcome}
        told = [
            each["id"]
            for _host, body in made.requests
            if not body["dry_run"]
            for each in body["declarations"]
        ]
        assert len(set(told)) == (0 if check else 1)


def test_what_nobody_declares_any_more_is_brought_to_its_end(
    fleet: tuple[Lab, dict[str, InProcess]], ask: Ask
) -> None:
    lab, _agents = fleet
    # The source has issued, and its document never arrives.
    run(Away(ask, {NEW: 3}), {"license_transfers": [transfer("ten")]})
    assert (seats(lab, OLD, 201), seats(lab, NEW, 201)) == (990, 0)
    assert run(ask, {}, check=True).outcomes == {"transfer ten": "would change"}
    assert run(ask, {}).outcomes == {"transfer ten": "changed"}
    assert (seats(lab, OLD, 201), seats(lab, NEW, 201)) == (990, 10)
    assert run(ask, {}).rows == []


def test_what_cannot_be_undone_is_done_with_the_digest_that_check_mode_shows() -> None:
    seeds = json.loads(json.dumps(SEEDS))
    items = seeds[OLD]["containers"][0]["items"]
    items[1]["options"][0]["return_allowed"] = False
    whole = transfer("for-good", item="6000010:202", type="complete", quantity=None)
    with products(seeds) as (lab, agents):

        def ask(host: str, body: dict[str, Any]) -> dict[str, Any]:
            return dict(agents[host].ask("PUT", "/v2/state", body))

        (planned,) = run(ask, {"license_transfers": [whole]}, check=True).rows
        assert planned["outcome"] == "would change"
        before = described(lab)
        refused = run(ask, {"license_transfers": [whole]})
        assert refused.outcomes == {"transfer for-good": "failed"}
        assert planned["digest"] in " ".join(lines_of(refused.rows))
        # Nobody was told of what is not confirmed.
        assert all(body["dry_run"] for _host, body in refused.requests)
        assert described(lab) == before
        confirmed = {**whole, "plan_digest": planned["digest"]}
        assert run(ask, {"license_transfers": [confirmed]}).outcomes == {
            "transfer for-good": "changed"
        }
        assert seats(lab, NEW, 202) == 5


def test_what_is_lost_or_doubled_in_a_run_is_said_of_all(ask: Ask) -> None:
    def doubling(host: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = ask(host, body)
        # As if the source had not been debited: only the look at the end shows it.
        if host == OLD and body["look"] and body["declarations"] and len(seen) > 0:
            for container in answer["look"]["products"]["codemeter"]["containers"]["seen"]:
                for item in container["items"]:
                    item["seats"] += 10 if item["item"].startswith("6000010:201") else 0
        seen.append(host)
        return answer

    seen: list[str] = []
    doubled = run(doubling, {"license_transfers": [transfer("ten")]})
    assert doubled.outcomes["sum"] == "failed"
    assert "There were 1000 seats of item 6000010:201 over all hosts" in doubled.whys


Change = Callable[[dict[str, Any]], None]


def looking(ask: Ask, host: str, change: Change) -> Ask:
    """The same agents, of which one's looks are changed."""

    def changed(asked: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = ask(asked, body)
        if asked == host and "look" in answer:
            change(answer["look"])
        return answer

    return changed


def test_what_went_back_is_said_also_where_nothing_is_to_be_done(ask: Ask) -> None:
    variables = {"license_transfers": [transfer("ten")]}
    run(ask, variables)

    def freeze(look: dict[str, Any]) -> None:
        look["agent"]["frozen"] = [
            {"code": "snapshot-rolled-back", "message": "It went\x1b[2J\nback."}
        ]

    (journal, row) = run(looking(ask, OLD, freeze), variables).rows
    # What an agent says stays one line, and clears no terminal.
    said = ("journal", "failed", "It went\\x1b[2J\\nback.")
    assert (journal["what"], journal["outcome"], journal["why"]) == said
    assert journal["failed_at"] == [OLD]
    assert row["outcome"] == "same"


@pytest.mark.parametrize("name", ["containers", "transfer"])
def test_a_product_that_cannot_be_seen_is_unknown_and_no_loss(ask: Ask, name: str) -> None:
    problem = {
        "code": "runtime-unavailable",
        "detail": "The runtime does not answer.",
        "next_action": "Start it.",
    }

    def hide(look: dict[str, Any]) -> None:
        look["products"]["codemeter"][name] = {"seen": None, "problem": problem}

    made = run(looking(ask, OLD, hide), {})
    assert made.outcomes == {"products": "unknown"}
    assert made.whys == "The runtime does not answer. Start it."


def test_what_comes_up_at_the_end_of_a_run_is_never_said_to_be_so(ask: Ask) -> None:
    """Another controller begins a transfer meanwhile: the next run is about it."""
    looks: list[dict[str, Any]] = []

    def begin(look: dict[str, Any]) -> None:
        looks.append(look)
        if len(looks) > 1:
            seen = look["products"]["codemeter"]["transfer"]["seen"]
            ends = {
                side: {"agent": agent, "container": SERIALS[agent]}
                for side, agent in (("source", OLD), ("target", NEW))
            }
            other = {"name": "other", "item": "6000010:203", "type": "units", "mode": "push"}
            stands = {"side": "source", "state": "in_transit", "status": "", "amounts": {}}
            meant = {"id": transfer_id("other"), "quantity": 1, "until": None, "parent": None}
            seen.append({**other, **ends, **stands, **meant})

    made = run(looking(ask, OLD, begin), {"license_transfers": [transfer("ten")]})
    assert len(looks) == 2
    assert made.outcomes == {"transfer ten": "changed"}
