# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is sent about servers, activations, borrows and dongles: a problem, and no change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from seatkeeper_twins.lab.lab import Lab

from .asking import Asker, asking
from .chaos_routes import ACTIVATION, BORROW, DONGLE, MIGRATION, SERVER, TARGET, USER
from .conftest import CHAOS_CLOUD, CHAOS_HOST, CHAOS_SEED
from .contract import Contract

BORROWED = f"{SERVER}/borrows/{BORROW}"
MIGRATED = f"/v1/migrations/{MIGRATION}"
ANSWERED = f"{ACTIVATION}/response"
UNTIL = "2036-12-10T00:00:00Z"
LOGIN = {"account": USER, "password": "a password"}
SEATS: dict[str, Any] = {"name": "desk", "product": "V-Ray", "seats": 1, "until": UNTIL}
ORDER: dict[str, Any] = {"dongle": DONGLE, "target_user": TARGET}
HELD = {"product": "V-Ray", "version": "3.6", "perpetual": True}

INVALID: list[tuple[str, str, Any]] = [
    *((method, path, body) for method, path in (
        ("PUT", SERVER), ("PUT", ACTIVATION), ("POST", ANSWERED), ("PUT", BORROWED),
        ("PUT", MIGRATED),
    ) for body in ([], 1, None, {}, {"unknown": 1})),
    ("PUT", SERVER, {"dongle_service": True}),
    ("PUT", SERVER, {"dongle_service": "on"}),
    ("PUT", SERVER, {"version_min": "newest"}),
    ("PUT", SERVER, {"version_min": 6}),
    ("PUT", SERVER, {"settings": {"proxy": {"host": 1}}}),
    ("PUT", SERVER, {"settings": {"proxy": {"host": "a\u0000b"}}}),
    ("PUT", SERVER, {"settings": {"nowhere": {"key": "value"}}}),
    ("PUT", SERVER, {"settings": {"proxy": {"nothing": "value"}}}),
    ("PUT", SERVER, {"settings": {"local": {"vrlPort": "30306"}}}),
    ("PUT", SERVER, {"settings": {"local": {"vrlPort": "0"}}}),
    ("PUT", ACTIVATION, LOGIN | {"account": ""}),
    ("PUT", ACTIVATION, LOGIN | {"account": "a\nb"}),
    ("PUT", ACTIVATION, LOGIN | {"password": ""}),
    ("PUT", ACTIVATION, LOGIN | {"password": "p" * 1025}),
    ("POST", ANSWERED, {"answer": ""}),
    ("POST", ANSWERED, {"answer": "no base64 !"}),
    ("POST", ANSWERED, {"answer": "=="}),
    ("POST", ANSWERED, {"answer": "eA==", "request_digest": "short"}),
    ("POST", ANSWERED, {"answer": "A" * 1_400_004}),
    ("PUT", BORROWED, SEATS | {"seats": -1}),
    ("PUT", BORROWED, SEATS | {"seats": 1.5}),
    ("PUT", BORROWED, SEATS | {"seats": True}),
    ("PUT", BORROWED, SEATS | {"until": "2026-02-30T00:00:00Z"}),
    ("PUT", BORROWED, SEATS | {"until": "tomorrow"}),
    ("PUT", BORROWED, SEATS | {"product": ""}),
    ("PUT", BORROWED, SEATS | {"auto_renew": "yes"}),
    ("PUT", f"{SERVER}/borrows/desk", SEATS),
    ("PUT", MIGRATED, ORDER | {"dongle": ""}),
    ("PUT", MIGRATED, ORDER | {"dongle": "another"}),
    ("PUT", MIGRATED, ORDER | {"target_user": "a\u0007"}),
    ("PUT", MIGRATED, ORDER | {"isolate": "yes"}),
    ("PUT", MIGRATED, ORDER | {"licenses": [HELD | {"version": "newest"}]}),
    ("PUT", MIGRATED, ORDER | {"licenses": [HELD | {"perpetual": None}]}),
    ("PUT", MIGRATED, ORDER | {"licenses": [HELD] * 101}),
    ("PUT", MIGRATED, ORDER | {"plan_digest": "yes"}),
    ("PUT", MIGRATED, ORDER | {"acknowledgement": "a" * 1001}),
    ("PUT", MIGRATED, ORDER | {"due_after": 1}),
    ("PUT", MIGRATED, ORDER | {"due_after": 1e9}),
    ("PUT", "/v1/migrations/90000001", ORDER),
    ("DELETE", "/v1/migrations/90000001", None),
    ("DELETE", f"{MIGRATED}?dryrun=true", None),
    ("DELETE", f"{ACTIVATION}?dry_run=perhaps", None),
    ("PUT", f"{MIGRATED}?dry_run=true&dry_run=false", ORDER),
]  # fmt: skip

REFUSED: list[tuple[str, str, Any, str]] = [
    ("GET", "/v1/servers/nobody", None, "vendor-unknown"),
    ("GET", "/v1/servers/codemeter/activation", None, "capability-refused"),
    ("PUT", "/v1/servers/codemeter/activation", LOGIN, "capability-refused"),
    ("GET", "/v1/servers/codemeter/borrows", None, "capability-refused"),
    ("GET", BORROWED, None, "borrow-unknown"),
    ("GET", MIGRATED, None, "migration-unknown"),
    ("GET", "/v1/dongles/nobody/eligibility", None, "dongle-unknown"),
    ("POST", ANSWERED, {"answer": "eA=="}, "exchange-missing"),
    ("PUT", BORROWED, SEATS, "period-too-long"),
    ("PUT", MIGRATED, ORDER, "dongle-not-eligible"),
]


@pytest.fixture(scope="module")
def chaos(contract: Contract) -> Iterator[tuple[Lab, Asker]]:
    """A host that no request of these changes."""
    with (
        Lab.create({CHAOS_HOST: CHAOS_SEED}, cloud_seed=CHAOS_CLOUD) as lab,
        asking(lab[CHAOS_HOST], contract) as asker,
    ):
        before = state(lab, asker)
        yield lab, asker
        assert state(lab, asker) == before
        log = (lab[CHAOS_HOST].folder / "agent.log").read_text("utf-8")
        assert "defect" not in log
        assert "Traceback" not in log


def state(lab: Lab, asker: Asker) -> dict[str, Any]:
    """What must not change: the server, the account, and what the agent remembers."""
    ignored = ("faults",)
    twins = (lab[CHAOS_HOST].chaos.describe(), lab.cloud.describe())
    return {
        "twins": [
            {key: reported[key] for key in reported if key not in ignored} for reported in twins
        ],
        "operations": asker.get("/v1/operations", state="all"),
        "migrations": asker.get("/v1/migrations"),
        "borrows": asker.get(f"{SERVER}/borrows"),
        "audit": asker.get("/v1/audit"),
    }


@pytest.mark.parametrize(("method", "path", "body"), INVALID)
def test_what_is_no_request_is_refused_as_such(
    chaos: tuple[Lab, Asker], method: str, path: str, body: Any
) -> None:
    _lab, asker = chaos
    problem = asker.problem(method, path, content=json.dumps(body).encode())
    assert (problem["code"], problem["status"]) == ("request-invalid", 400), problem
    assert len(problem["detail"]) < 700


@pytest.mark.parametrize(("method", "path", "body", "code"), REFUSED)
def test_what_cannot_be_is_refused_with_its_reason(
    chaos: tuple[Lab, Asker], method: str, path: str, body: Any, code: str
) -> None:
    _lab, asker = chaos
    for query in ("", "?dry_run=true"):
        if query and (method == "GET" or code == "dongle-not-eligible"):
            continue
        problem = asker.problem(method, path + query, json=body)
        assert problem["code"] == code, problem
