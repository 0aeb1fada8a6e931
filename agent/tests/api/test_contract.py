# SPDX-License-Identifier: GPL-3.0-or-later
"""Every route is described, every answer fits its description, and legs may be repeated."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from seatkeeper_agent.api import schemas
from seatkeeper_agent.api.jobs import WORKERS_MAX
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab

from .asking import LEGS, SERIALS, Asker, agent_of, asking, carry, declared, described
from .chaos_routes import SLOW_MILLISECONDS, ask_every_chaos_route, follow
from .conftest import CHAOS_HOST
from .contract import Contract
from .order_routes import ORDER_HOST, ORDER_SEED, ask_every_order_route
from .server_move_routes import ask_every_move_route
from .test_following import begin, slow_down

OLD, NEW = SERIALS["old-server"], SERIALS["new-server"]
"""Only where a host places orders; asked by their own tests."""

BORROW_END = "2036-12-10T00:00:00Z"


def borrow(name: str, seats: int) -> dict[str, Any]:
    """A declared borrow of the item that may be borrowed."""
    return {
        "name": name,
        "item": "6000010:204",
        "type": "borrow_local",
        "source": {"agent": "old-server", "container": OLD},
        "target": {"agent": "new-server", "container": NEW},
        "seats": seats,
        "until": BORROW_END,
    }


def test_the_description_is_valid_openapi_and_holds_every_schema_file(contract: Contract) -> None:
    OpenAPIV31SpecValidator(contract.document).validate()
    parts = contract.document["components"]["schemas"]
    assert set(schemas.names()) == set(parts) - {"Leg", "MoveLeg"}
    assert all(part["title"] for part in parts.values())
    for method, path in contract.operations():
        operation = contract.document["paths"][path][method.lower()]
        assert operation["summary"]
        assert operation["description"]


def test_the_examples_of_the_schemas_fit_them() -> None:
    shown = 0
    for name in schemas.names():
        for example in schemas.schema(name).get("examples", []):
            schemas.check(name, example)
            shown += 1
    assert shown >= 6


def test_the_command_prints_the_description_that_the_agent_serves(
    contract: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    from seatkeeper_agent.cli import main

    assert main(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out) == contract.document


def ask_every_codemeter_route(askers: dict[str, Asker]) -> None:
    """All routes of transfers and borrows, of settings and of what reads only."""
    old, new = askers["old-server"], askers["new-server"]
    carry(askers, declared("every-route"))
    known = transfer_id("every-route")
    operation = old.get("/v1/operations", state="all")["operations"][0]["id"]
    borrowed = transfer_id("every-route-borrow")
    old.ask("GET", f"/v1/operations/{operation}/events")
    settings = {"settings": {"General": {"LogLicenseTracking": "1"}}}
    for method, path, body in (
        ("POST", f"/v1/transfers/{known}/resume", None),
        ("POST", "/v1/resume", None),
        ("PUT", "/v1/servers/codemeter?dry_run=true", settings),
        ("PUT", "/v1/servers/codemeter", settings),
        ("PUT", "/v1/servers/codemeter", settings),
        ("PUT", "/v2/state", {"dry_run": True, "declarations": []}),
    ):
        assert old.ask(method, path, json=body).status_code == 200
    requested = borrow("every-route", 1)
    assert new.ask("PUT", f"/v1/borrows/{borrowed}", json=requested).json()["changed"]
    given_up = declared("every-route-void")
    carry(askers, given_up, until="request")
    path = f"/v1/transfers/{transfer_id(given_up['name'])}"
    voided = new.ask("DELETE", path)
    assert voided.json()["transfer"]["state"] == "void"
    paths = [f"/v1/containers/{OLD}/items", f"/v1/containers/{OLD}/history?item=6000010:201"]
    paths += [f"/v1/transfers/{known}", f"/v1/operations/{operation}", "/v1/servers/codemeter"]
    for path in paths:
        assert old.ask("GET", path).status_code == 200
    assert new.get(f"/v1/borrows/{borrowed}")["seats"] == 1


def ask_without_waiting(lab: Lab, new: Asker) -> None:
    """While a slow product keeps all workers busy, what follows is answered with 202."""
    names = [f"busy-{number}" for number in range(WORKERS_MAX)]
    slow_down(lab["new-server"], "context.before", SLOW_MILLISECONDS)
    places = [begin(new, "request", name) for name in names]
    settings = {"settings": {"General": {"LogLicenseTracking": "1"}}}
    places += [
        follow(new, "POST", f"/v1/transfers/{transfer_id('every-route')}/resume"),
        follow(new, "POST", "/v1/resume"),
        follow(new, "PUT", "/v1/servers/codemeter?dry_run=true", settings),
        follow(new, "PUT", "/v2/state", {"dry_run": True, "declarations": []}),
    ]
    assert [new.get(place, wait=30)["state"] for place in places] == ["done"] * len(places)
    for name in names:
        assert new.ask("DELETE", f"/v1/transfers/{transfer_id(name)}").json()["changed"]


def test_every_route_answers_as_described(
    lab: Lab, askers: dict[str, Asker], chaos_lab: Lab
) -> None:
    old, new = askers["old-server"], askers["new-server"]
    ask_every_codemeter_route(askers)
    ask_without_waiting(lab, new)
    with asking(chaos_lab[CHAOS_HOST], old.contract) as chaos:
        ask_every_chaos_route(chaos_lab, chaos)
        for method, path in sorted(old.contract.operations()):
            # Migrations, orders and moves are there only where a vendor is that has them.
            if method == "GET" and "{" not in path and path not in ("/v1/orders", "/v1/moves"):
                asker = chaos if path == "/v1/migrations" else new
                assert asker.ask("GET", path).status_code == 200
    with (
        Lab.create({ORDER_HOST: ORDER_SEED}) as orders,
        asking(orders[ORDER_HOST], old.contract) as office,
    ):
        ask_every_order_route(orders, office)
    ask_every_move_route(old.contract)
    assert old.contract.successes() - old.contract.answered == set()


def test_what_is_not_frozen_is_not_attested(old: Asker, askers: dict[str, Asker]) -> None:
    carry(askers, declared("attested"))
    operation = old.get("/v1/operations", state="all")["operations"][0]["id"]
    assert old.problem("POST", f"/v1/operations/{operation}/attest", json={})["status"] == 400
    for outcome in ({}, {"outcome": "done"}, {"outcome": "not_done"}):
        statement = {"statement": "The licensor said that these count.", **outcome}
        refused = old.problem("POST", f"/v1/operations/{operation}/attest", json=statement)
        assert refused["status"] in (404, 409)


@pytest.mark.parametrize("leg", LEGS)
def test_a_leg_repeated_gives_the_same_document_unchanged(
    lab: Lab, askers: dict[str, Asker], leg: str
) -> None:
    declaration = declared(f"repeated-{leg}")
    answers = carry(askers, declaration, until=leg)
    before = described(lab)
    body = {"transfer": declaration, "document": answers[-2]["document"] if answers[1:] else None}
    path = f"/v1/transfers/{transfer_id(declaration['name'])}/{leg}"
    again = askers[agent_of(declaration, leg)].ask("POST", path, json=body).json()
    assert answers[-1]["changed"] is True
    assert again["changed"] is False
    assert again["document"] == answers[-1]["document"]
    assert described(lab) == before


def test_a_dry_run_of_every_leg_changes_nothing_and_tells_what_the_run_does(
    lab: Lab, askers: dict[str, Asker]
) -> None:
    declaration = declared("dry", quantity=3)
    before = described(lab)
    heads = {name: asker.get("/v1/agent")["journal"] for name, asker in askers.items()}
    facts: dict[str, Any] = {}
    planned = []
    for leg in LEGS:
        path = f"/v1/transfers/{transfer_id('dry')}/{leg}?dry_run=true"
        body = {"transfer": declaration, "facts": facts}
        answer = askers[agent_of(declaration, leg)].ask("POST", path, json=body).json()
        facts = {**facts, **answer["facts"]}
        planned.append(answer)
    assert described(lab) == before
    assert {name: asker.get("/v1/agent")["journal"] for name, asker in askers.items()} == heads
    done = carry(askers, declaration)
    for plan, run in zip(planned, done, strict=True):
        assert plan["after"] == run["after"] or plan["before"] != run["before"]
        titles = [[step["title"] for step in answer["plan"]["steps"]] for answer in (plan, run)]
        assert titles[0] == titles[1]
        assert {step["state"] for step in plan["plan"]["steps"]} == {"planned"}
        assert {step["state"] for step in run["plan"]["steps"]} == {"done"}


def test_a_borrow_tells_what_is_to_be_carried_and_its_names_fit_a_transfer(new: Asker) -> None:
    path = f"/v1/borrows/{transfer_id('longest')}?dry_run=true"
    requested = borrow("n" * 150, 2_000)
    answer = new.ask("PUT", path, json=requested).json()
    steps, transfers = answer["plan"]["steps"], answer["transfers"]
    assert len(steps) == len(transfers) == 2_000
    assert {step["state"] for step in steps} == {"planned"}
    declaration = {name: value for name, value in transfers[-1].items() if name != "id"}
    schemas.check("declaration", declaration)
    assert new.problem("PUT", path, json=borrow("n" * 151, 1))["code"] == "request-invalid"


def test_pages_are_whole_and_end(old: Asker, askers: dict[str, Asker]) -> None:
    for name in ("page-1", "page-2", "page-3"):
        carry(askers, declared(name), until="issue")
    for path, member in (
        ("/v1/transfers", "transfers"),
        ("/v1/operations", "operations"),
        ("/v1/audit", "entries"),
        (f"/v1/containers/{OLD}/items", "items"),
        (f"/v1/containers/{OLD}/history", "history"),
    ):
        whole = old.get(path, limit=1000)
        assert whole["next"] is None
        found: list[Any] = []
        page = old.get(path, limit=2)
        for _turn in range(1000):
            found += page[member]
            if page["next"] is None:
                break
            page = old.get(path, limit=2, after=page["next"])
        assert found == whole[member], path


def test_the_schema_files_are_shipped() -> None:
    folder = resources.files("seatkeeper_agent.api.schemas")
    assert {f"{name}.json" for name in schemas.names()} <= {path.name for path in folder.iterdir()}
