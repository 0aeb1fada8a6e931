# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that takes longer than a client prefers to wait goes on and can be followed to its end."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab, LabHost

from .asking import Asker, asking, carry, declared
from .conftest import SEEDS
from .contract import Contract

SLOW_MILLISECONDS = 1200
AT_ONCE = {"Prefer": "respond-async, wait=0"}


def slow_down(host: LabHost, point: str, milliseconds: int = SLOW_MILLISECONDS) -> None:
    """Let the twin take its time once."""
    host.twin("_twin.fault", point=point, action="slow", value=milliseconds)


def begin(asker: Asker, leg: str, name: str, document: Any = None) -> str:
    """Ask for a leg without waiting; where it is to be followed."""
    body = {"transfer": declared(name), "document": document}
    path = f"/v1/transfers/{transfer_id(name)}/{leg}"
    answer = asker.ask("POST", path, json=body, headers=AT_ONCE)
    assert answer.status_code == 202
    place = answer.headers["location"]
    assert place == f"/v1/operations/{answer.json()['operation']['id']}"
    return str(place)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """The operations that a finished stream told."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = answer.text.split("\n\n")
    assert blocks.pop() == ""
    found = []
    for block in blocks:
        kind, data = block.split("\n")
        assert kind == "event: operation"
        found.append(json.loads(data.removeprefix("data: ")))
    return found


def test_a_debit_is_followed_to_the_result_that_waiting_would_have_given(
    lab: Lab, askers: dict[str, Asker], contract: Contract
) -> None:
    old = askers["old-server"]
    document = carry(askers, declared("slow-debit"), until="request")[-1]["document"]
    slow_down(lab["old-server"], "debit.before")
    place = begin(old, "issue", "slow-debit", document)
    assert old.get(place)["state"] == "running"
    reported = events(old.ask("GET", f"{place}/events"))
    assert {entry["state"] for entry in reported[:-1]} == {"running"}
    assert reported[-1]["state"] == "done"
    operation = old.get(place, wait=5)
    assert operation == reported[-1]
    assert [step["state"] for step in operation["steps"]] == ["done"]
    result = operation["result"]
    contract.schema_fits("leg-result", result)
    again = carry(askers, declared("slow-debit"), until="issue")[-1]
    assert again["document"] == result["document"]
    assert (result["changed"], again["changed"]) == (True, False)
    carry(askers, declared("slow-debit"))


def test_an_open_operation_is_listed_until_it_ends(lab: Lab, askers: dict[str, Asker]) -> None:
    old = askers["old-server"]
    document = carry(askers, declared("listed"), until="request")[-1]["document"]
    slow_down(lab["old-server"], "debit.before")
    place = begin(old, "issue", "listed", document)
    identity = place.rsplit("/", 1)[1]
    stream = old.ask("GET", f"{place}/events")
    journaled = [entry for entry in events(stream) if entry["container"]]
    assert journaled[0]["kind"] == "debit"
    assert journaled[0]["steps"][0]["state"] in ("planned", "intended")
    assert old.get("/v1/operations", state="open")["operations"] == []
    listed = old.get("/v1/operations", state="all", limit=1000)["operations"]
    assert [entry["state"] for entry in listed if entry["id"] == identity] == ["done"]
    carry(askers, declared("listed"))


def test_work_without_an_operation_in_the_journal_is_followed_as_well(
    lab: Lab, new: Asker, contract: Contract
) -> None:
    slow_down(lab["new-server"], "context.before")
    place = begin(new, "request", "slow-request")
    reported = events(new.ask("GET", f"{place}/events"))
    assert [entry["state"] for entry in reported] == ["running", "done"]
    assert (reported[0]["kind"], reported[0]["subject"]) == ("request", "transfer 'slow-request'")
    contract.schema_fits("leg-result", reported[-1]["result"])


def test_a_failure_is_followed_to_the_problem_that_waiting_would_have_given(
    askers: dict[str, Asker],
) -> None:
    old = askers["old-server"]
    path = f"/v1/transfers/{transfer_id('failing')}/issue"
    body = {"transfer": declared("failing")}
    place = begin(old, "issue", "failing")
    operation = old.get(place, wait=10)
    assert operation["state"] == "failed"
    assert operation["result"] is None
    assert operation["problem"] == old.problem("POST", path, json=body)


def test_a_wait_is_bounded_and_may_be_nothing(lab: Lab, new: Asker) -> None:
    slow_down(lab["new-server"], "context.before")
    place = begin(new, "request", "waited-for")
    assert new.get(place, wait=-5)["state"] == "running"
    assert new.get(place, wait=10**6)["state"] == "done"


@pytest.fixture
def ending() -> Iterator[Lab]:
    """Hosts of which one is ended by the test."""
    with Lab.create(SEEDS) as lab:
        yield lab


def test_work_in_doubt_is_told_as_such_everywhere(ending: Lab, contract: Contract) -> None:
    host = ending["old-server"]
    with asking(host, contract) as old, asking(ending["new-server"], contract) as new:
        askers = {"old-server": old, "new-server": new}
        document = carry(askers, declared("doubtful"), until="request")[-1]["document"]
        host.twin("_twin.fault", point="debit.after", action="die", value=0)
        place = begin(old, "issue", "doubtful", document)
        operation = old.get(place, wait=20)
        assert operation["state"] == "in_doubt"
        assert operation["problem"]["code"] == "in-doubt"
        assert events(old.ask("GET", f"{place}/events"))[-1] == operation
        (listed,) = old.get("/v1/operations", state="open")["operations"]
        assert (listed["id"], listed["state"]) == (operation["id"], "in_doubt")
        assert 'seatkeeper_operations_open{state="in_doubt"} 1.0' in old.ask("GET", "/metrics").text
        page = old.ask("GET", "/").text
        assert "in doubt" in page
        assert html.escape(operation["problem"]["next_action"]) in page
        other = declared("other", item="6000010:203", type="units")
        other_document = carry(askers, other, until="request")[-1]["document"]
        body = {"transfer": other, "document": other_document}
        path = f"/v1/transfers/{transfer_id('other')}/issue"
        assert old.problem("POST", path, json=body)["retryable"] is True
        host.engine.wait()
        host.engine.start()
        resumed = old.ask("POST", "/v1/resume").json()
        assert resumed["changed"] is True
        assert resumed["open"] == []
        assert old.get(place)["state"] == "done"
        carry(askers, declared("doubtful"))
        carry(askers, other)


def test_the_end_of_an_agent_waits_for_the_effect_under_way(
    ending: Lab, contract: Contract
) -> None:
    host = ending["old-server"]
    with asking(host, contract) as old, asking(ending["new-server"], contract) as new:
        askers = {"old-server": old, "new-server": new}
        document = carry(askers, declared("ending"), until="request")[-1]["document"]
        slow_down(host, "debit.after", 1500)
        place = begin(old, "issue", "ending", document)
        stream = old.open_stream(f"{place}/events")
        host.agent.ask_to_end()
        # The stream ends with the agent, whether or not the operation has ended by then.
        stream.read()
        assert host.agent.wait() == 0
    assert "Traceback" not in (host.folder / "agent.log").read_text("utf-8")
    host.agent.start()
    with asking(host, contract) as old:
        operation = old.get(place)
        assert operation["state"] == "done"
        assert old.get(f"/v1/transfers/{transfer_id('ending')}")["state"] == "in_transit"
        counted = old.get("/v1/ledger")["balances"]
    assert {entry["amount"] for entry in counted if entry["account"] == "escrow"} == {1}
