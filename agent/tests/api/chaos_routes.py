# SPDX-License-Identifier: GPL-3.0-or-later
"""Every route of a host with a Chaos license server, in the order of a playbook."""

from __future__ import annotations

import base64
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from seatkeeper_agent.api.jobs import WORKERS_MAX
from seatkeeper_agent.domain.transfers import NAMESPACE
from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

from .asking import Asker
from .conftest import CHAOS_HOST
from .test_following import AT_ONCE

USER, PASSWORD = "admin@studio-a.example", "demo-admin-password"
DONGLE, TARGET = "90000001", "artist@studio-a.example"
MIGRATION = str(uuid.uuid5(NAMESPACE, f"migration/chaos/{DONGLE}"))
BORROW = str(uuid.uuid5(NAMESPACE, "borrow/cottage"))
SERVER = "/v1/servers/chaos"
ACTIVATION = f"{SERVER}/activation"
FOLLOW_SECONDS_MAX = 120.0
SLOW_MILLISECONDS = 3_000


def twice(asker: Asker, method: str, path: str, body: Any) -> dict[str, Any]:
    """A dry run, the run, and the run again; gives the answer of the run."""
    planned = asker.ask(method, f"{path}?dry_run=true", json=body).json()
    assert planned["changed"] is True
    assert "operation" not in planned or planned["operation"] is None
    answer = asker.ask(method, path, json=body)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    assert done["changed"] is True
    again = asker.ask(method, path, json=body).json()
    assert again["changed"] is False
    return done


def ask_settings(asker: Asker) -> None:
    """The server's settings, its dongle service and the floor of its version."""
    assert asker.get(SERVER)["dongle_service"] is False
    body = {"settings": {"proxy": {"host": "10.0.0.1"}}, "dongle_service": "enabled"}
    done = twice(asker, "PUT", SERVER, body | {"version_min": "4.5.0"})
    assert done["after"] == {"proxy": {"host": "10.0.0.1"}, "dongle": {"service": "enabled"}}
    assert [step["name"] for step in done["plan"]["steps"]] == ["edit", "dongle_service"]
    old = asker.problem("PUT", SERVER, json={"version_min": "7.0"})
    assert (old["code"], old["status"]) == ("version-too-old", 409)
    empty = asker.problem("PUT", SERVER, json={})
    assert empty["code"] == "request-invalid"
    shown = asker.get(SERVER)
    assert (shown["dongle_service"], shown["dongles_served"]) == (True, 1)


def ask_exchange(asker: Asker, cloud: str) -> None:
    """Activated by files, and given up again."""
    planned = asker.ask("POST", f"{ACTIVATION}/request?dry_run=true", json={}).json()
    assert (planned["changed"], planned["request"]) == (True, None)
    requested = asker.ask("POST", f"{ACTIVATION}/request", json={}).json()
    assert asker.ask("POST", f"{ACTIVATION}/request", json={}).json() == {
        **requested,
        "changed": False,
    }
    assert asker.get(ACTIVATION)["request_digest"] == requested["digest"]
    request = base64.b64decode(requested["request"])
    answer = base64.b64encode(people.answer_request(cloud, USER, PASSWORD, request, "station"))
    body = {"answer": answer.decode(), "request_digest": requested["digest"]}
    foreign = asker.problem(
        "POST", f"{ACTIVATION}/response", json=body | {"request_digest": "0" * 64}
    )
    assert (foreign["code"], foreign["status"]) == ("answer-foreign", 409)
    done = twice(asker, "POST", f"{ACTIVATION}/response", body)
    assert done["after"] == {
        "activated": True, "method": "offline", "account": None, "request_digest": None,
    }  # fmt: skip
    twice(asker, "DELETE", ACTIVATION, None)
    used = asker.problem("POST", f"{ACTIVATION}/response", json=body)
    assert (used["code"], used["status"]) == ("answer-used", 409)


def ask_login(asker: Asker) -> None:
    """Activated by a password, given up, and activated once more."""
    wrong = asker.problem("PUT", ACTIVATION, json={"account": USER, "password": "wrong"})
    assert (wrong["code"], wrong["status"]) == ("credentials-refused", 422)
    body = {"account": USER, "password": PASSWORD}
    done = twice(asker, "PUT", ACTIVATION, body)
    assert (done["after"]["method"], done["after"]["account"]) == ("online", USER)
    other = asker.problem("PUT", ACTIVATION, json=body | {"account": TARGET})
    assert (other["code"], other["status"]) == ("activated-otherwise", 409)
    assert asker.get(ACTIVATION)["activated"] is True


def ask_borrow(asker: Asker, server: str) -> None:
    """A person borrows and returns; the agent sees both by itself."""
    until = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"name": "cottage", "product": "V-Ray", "seats": 2, "until": until}
    path = f"{SERVER}/borrows/{BORROW}"
    assert asker.ask("PUT", f"{path}?dry_run=true", json=body).json()["changed"] is True
    for wanted, act in (
        (body, lambda: people.borrow(server, **{"V-Ray": 2})),
        (body | {"seats": 0}, lambda: people.release(server, "V-Ray")),
    ):
        answer = asker.ask("PUT", path, json=wanted).json()
        assert (answer["changed"], answer["operation"]["state"]) == (True, "waiting")
        (waiting,) = answer["waiting"]
        assert waiting in asker.get("/v1/waiting")["waiting"]
        act()
        operation = asker.get(f"/v1/operations/{answer['operation']['id']}", wait=30)
        assert (operation["state"], operation["waiting"]) == ("done", None)
        assert asker.ask("PUT", path, json=wanted).json()["changed"] is False
    assert asker.get(path)["borrowed"] is None
    assert [entry["id"] for entry in asker.get(f"{SERVER}/borrows")["borrows"]] == [BORROW]


def ask_migration(asker: Asker, server: str) -> None:
    """A dongle is looked at, judged, and migrated by a person; what follows is attested."""
    (dongle,) = asker.get("/v1/dongles")["dongles"]
    assert (dongle["id"], dongle["vendor"], dongle["seen_by_service"]) == (DONGLE, "chaos", True)
    report = asker.get(f"/v1/dongles/{DONGLE}/eligibility", target_user=TARGET)
    assert (report["verdict"], len(report["rules"])) == ("open", 9)
    path = f"/v1/migrations/{MIGRATION}"
    held = [{"product": name, "version": "3.6", "perpetual": True} for name in ("V-Ray", "Corona")]
    order = {"dongle": DONGLE, "target_user": TARGET, "isolate": True, "licenses": held}
    elsewhere = asker.problem("PUT", f"/v1/migrations/{BORROW}", json=order)
    assert (elsewhere["code"], MIGRATION in elsewhere["next_action"]) == ("request-invalid", True)
    nothing = asker.ask("DELETE", path).json()
    assert nothing == {"changed": False, "migration": None}
    assert asker.problem("GET", path)["code"] == "migration-unknown"
    plan = asker.ask("PUT", f"{path}?dry_run=true", json=order).json()["plan"]
    unconfirmed = asker.problem("PUT", path, json=order)
    assert (unconfirmed["code"], unconfirmed["status"]) == ("confirmation-required", 428)
    said = order | {"plan_digest": plan["digest"]}
    unsaid = asker.problem("PUT", path, json=said)
    assert (unsaid["code"], unsaid["status"]) == ("acknowledgement-required", 428)
    spoken = said | {"acknowledgement": plan["acknowledgement"]}
    begun = asker.ask("PUT", path, json=spoken).json()
    assert begun["migration"]["state"] == "waiting"
    assert asker.problem("DELETE", path)["code"] == "in-doubt"
    people.transfer(server, TARGET)
    awaited(asker, "arrive")
    operation = begun["operation"]["id"]
    statement = {"statement": "The vendor wrote that there was no Corona.", "outcome": "done"}
    attested = asker.ask("POST", f"/v1/operations/{operation}/attest", json=statement)
    assert (attested.status_code, attested.json()["state"]) == (200, "done")
    migration = asker.get(path)
    assert (migration["state"], migration["comparison"]) == ("done", "attested")
    assert asker.get("/v1/migrations")["migrations"] == [migration]
    again = asker.ask("PUT", path, json=order).json()
    assert (again["changed"], again["after"]["migrated"]) == (False, True)
    assert asker.get("/v1/dongles")["dongles"][0]["migrated"] is True
    left_off = asker.ask("PUT", SERVER, json={"dongle_service": "enabled"}).json()
    assert (left_off["changed"], len(left_off["notes"])) == (False, 1)


def awaited(asker: Asker, step: str) -> None:
    """Wait until this step is what is waited for; the agent looks every two seconds."""
    deadline = time.monotonic() + FOLLOW_SECONDS_MAX
    while [entry["step"] for entry in asker.get("/v1/waiting")["waiting"]] != [step]:
        assert time.monotonic() < deadline, asker.get("/v1/waiting")
        time.sleep(0.1)


def ask_every_chaos_route(lab: Lab, asker: Asker) -> None:
    """All of them, with every success that is described."""
    server, cloud = lab[CHAOS_HOST].chaos.address, lab.cloud.address
    vendors = {entry["vendor"]: entry for entry in asker.get("/v1/agent")["vendors"]}
    assert (vendors["chaos"]["running"], vendors["chaos"]["version"]) == (True, "6.0.1")
    ask_settings(asker)
    ask_exchange(asker, cloud)
    ask_login(asker)
    ask_borrow(asker, server)
    ask_migration(asker, server)
    ask_without_waiting(asker, server)


def ask_without_waiting(asker: Asker, server: str) -> None:
    """While a slow server keeps all workers busy, what follows is answered with 202."""
    control.set_fault(server, "status.before", "slow", SLOW_MILLISECONDS, times=WORKERS_MAX)
    account = {"account": USER, "password": PASSWORD}
    until = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    borrow = {"name": "cottage", "product": "V-Ray", "seats": 0, "until": until}
    occupy(asker, "PUT", f"{SERVER}?dry_run=true", {"dongle_service": "disabled"})
    states = [
        follow(asker, method, f"{path}?dry_run=true", body)
        for method, path, body in (
            ("PUT", SERVER, {"dongle_service": "disabled"}),
            ("PUT", ACTIVATION, account),
            ("DELETE", ACTIVATION, None),
            ("POST", f"{ACTIVATION}/response", {"answer": "eA=="}),
            ("PUT", f"{SERVER}/borrows/{BORROW}", borrow),
            ("PUT", f"/v1/migrations/{MIGRATION}", {"dongle": DONGLE, "target_user": TARGET}),
            ("DELETE", f"/v1/migrations/{MIGRATION}", None),
        )
    ]
    ended = [asker.get(state, wait=30) for state in states]
    codes = [entry["problem"] and entry["problem"]["code"] for entry in ended]
    # An answer file is refused where it is activated already, and a done migration stays.
    refused = {3: "activated-otherwise", 6: "dongle-migrated"}
    assert codes == [refused.get(number) for number in range(len(states))], codes


def occupy(asker: Asker, method: str, path: str, body: Any) -> None:
    """Keep every worker of the agent busy with something slow."""
    for _worker in range(WORKERS_MAX):
        asker.ask(method, path, json=body, headers=AT_ONCE)


def follow(asker: Asker, method: str, path: str, body: Any = None) -> str:
    """Ask without waiting; where it is to be followed."""
    answer = asker.ask(method, path, json=body, headers=AT_ONCE)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])
