# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request costs on a host with a Chaos server: USB, SQL, syncs, calls and programs."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from api.chaos_routes import (
    ACTIVATION,
    BORROW,
    DONGLE,
    MIGRATION,
    PASSWORD,
    SERVER,
    TARGET,
    USER,
)
from costs.counting import Cost, counting
from costs.lab import products
from costs.requests import Requests, require_markers
from costs.table import assert_written

from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab

HOST = "render-server"
SEED: dict[str, Any] = {
    "chaos": {
        # What is switched on shows at once: an agent that asks until it shows asks once.
        "server": {"visible_seconds": 0},
        "dongles": [
            {"port": "1-1.1", "serial": DONGLE},
            {"port": "1-1.2", "serial": "90000002"},
        ],
    }
}

COSTS: dict[str, Cost] = {
    "agent": Cost(statements=11, vendor="1 GET /status"),
    "server": Cost(statements=1, vendor="1 GET /config, 2 GET /status"),
    "settings, dry run": Cost(statements=2, vendor="2 GET /config, 2 GET /status"),
    "settings, run": Cost(
        statements=21,
        transactions=3,
        syncs=4,
        vendor="6 GET /config, 4 GET /status, 1 POST /config",
    ),
    "settings, again": Cost(statements=2, vendor="2 GET /config, 2 GET /status"),
    "dongle service on, dry run": Cost(statements=4, vendor="2 GET /config, 2 GET /status"),
    "dongle service on, run": Cost(
        statements=23,
        transactions=3,
        syncs=3,
        vendor="3 GET /config, 7 GET /status, 1 POST /dongle/enable",
    ),
    "dongle service on, again": Cost(statements=2, vendor="2 GET /config, 2 GET /status"),
    "dongle service off, dry run": Cost(statements=2, vendor="2 GET /config, 2 GET /status"),
    "dongle service off, run": Cost(
        statements=21,
        transactions=3,
        syncs=3,
        vendor="3 GET /config, 7 GET /status, 1 POST /dongle/disable",
    ),
    "dongle service off, again": Cost(statements=2, vendor="2 GET /config, 2 GET /status"),
    "activation": Cost(statements=2, vendor="1 GET /status"),
    "activation request, dry run": Cost(statements=3, vendor="1 GET /status"),
    "activation request, run": Cost(
        statements=6, transactions=1, syncs=1, vendor="1 GET /csr, 1 GET /status"
    ),
    "activation request, again": Cost(statements=3, vendor="1 GET /status"),
    "activation answer, dry run": Cost(statements=4, vendor="1 GET /status"),
    "activation answer, run": Cost(
        statements=27, transactions=3, syncs=3, vendor="5 GET /status, 1 POST /crt"
    ),
    "activation answer, again": Cost(statements=4, vendor="1 GET /status"),
    "deactivation, dry run": Cost(statements=4, vendor="1 GET /sessions/online, 1 GET /status"),
    "deactivation, run": Cost(
        statements=25,
        transactions=3,
        syncs=3,
        vendor="1 GET /sessions/online, 5 GET /status, 1 POST /deactivate",
    ),
    "deactivation, again": Cost(statements=3, vendor="1 GET /status"),
    "activation by password, dry run": Cost(statements=3, vendor="1 GET /status"),
    "activation by password, run": Cost(
        statements=25, transactions=3, syncs=3, vendor="6 GET /status, 1 vrlctl"
    ),
    "activation by password, again": Cost(statements=3, vendor="1 GET /status"),
    "borrow, dry run": Cost(statements=8, vendor="1 GET /status"),
    "borrow, run": Cost(statements=39, transactions=3, syncs=3, vendor="2 GET /status"),
    "borrow, again": Cost(statements=29, transactions=1, vendor="1 GET /status"),
    "borrow, done by a person": Cost(
        statements=34, transactions=2, syncs=1, vendor="2 GET /status"
    ),
    "borrow, settled": Cost(statements=13, vendor="1 GET /status"),
    "borrows": Cost(statements=4),
    "dongles": Cost(statements=1, usb=1, descriptors=4, vendor="1 GET /status"),
    "eligibility": Cost(
        statements=1,
        usb=1,
        descriptors=4,
        vendor="1 GET /status, 1 wibukey-version",
    ),
    "migration, dry run": Cost(
        statements=5,
        usb=1,
        descriptors=4,
        vendor="1 GET /sessions/online, 1 GET /status, 1 wibukey-version",
    ),
    "migration, run": Cost(
        statements=77,
        transactions=7,
        syncs=7,
        usb=5,
        descriptors=16,
        vendor="1 GET /sessions/online, 7 GET /status, 1 POST /dongle/enable, 2 wibukey-version",
        lowered_by=22,
    ),
    "migration, again": Cost(
        statements=63, transactions=1, usb=3, descriptors=6, vendor="1 GET /status", lowered_by=22
    ),
    "migrations": Cost(statements=4),
}


def test_every_request_costs_what_is_written_down() -> None:
    """From the settings to a migration that waits for a person; the same on every machine."""
    require_markers(COSTS)
    with counting() as meter, products({HOST: SEED}) as (lab, agents):
        requests = Requests(meter, agents)
        requests.ask("agent", HOST, "GET", "/v1/agent")
        settings(requests)
        activation(requests, lab)
        borrow(requests, lab)
        migration(requests)
    assert_written(requests.costs, COSTS)


def settings(requests: Requests) -> None:
    """The server's settings, its dongle service and the least version."""
    requests.ask("server", HOST, "GET", SERVER)
    body = {"settings": {"proxy": {"host": "10.0.0.1"}}, "version_min": "4.5.0"}
    requests.both("settings", HOST, "PUT", SERVER, body)
    requests.both("dongle service on", HOST, "PUT", SERVER, {"dongle_service": "enabled"})
    requests.both("dongle service off", HOST, "PUT", SERVER, {"dongle_service": "disabled"})


def activation(requests: Requests, lab: Lab) -> None:
    """By two files, and by a password."""
    requests.ask("activation", HOST, "GET", ACTIVATION)
    requested = requests.both("activation request", HOST, "POST", f"{ACTIVATION}/request", {})
    request = base64.b64decode(requested["request"])
    answer = people.answer_request(lab.cloud.address, USER, PASSWORD, request, "station")
    body = {"answer": base64.b64encode(answer).decode(), "request_digest": requested["digest"]}
    requests.both("activation answer", HOST, "POST", f"{ACTIVATION}/response", body)
    requests.both("deactivation", HOST, "DELETE", ACTIVATION)
    body = {"account": USER, "password": PASSWORD}
    requests.both("activation by password", HOST, "PUT", ACTIVATION, body)


def borrow(requests: Requests, lab: Lab) -> None:
    """A person borrows on the server's page; what waits is seen when it is asked for again."""
    until = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
    body = {"name": "cottage", "product": "V-Ray", "seats": 2, "until": until}
    path = f"{SERVER}/borrows/{BORROW}"
    requests.both("borrow", HOST, "PUT", path, body)
    people.borrow(lab[HOST].chaos.address, **{"V-Ray": 2})
    requests.ask("borrow, done by a person", HOST, "PUT", path, body)
    requests.ask("borrow, settled", HOST, "PUT", path, body)
    requests.ask("borrows", HOST, "GET", f"{SERVER}/borrows")


def migration(requests: Requests) -> None:
    """Planned, confirmed, and begun as far as the agent can: the person never comes."""
    requests.ask("dongles", HOST, "GET", "/v1/dongles")
    requests.ask("eligibility", HOST, "GET", f"/v1/dongles/{DONGLE}/eligibility")
    path = f"/v1/migrations/{MIGRATION}"
    held = [{"product": name, "version": "3.6", "perpetual": True} for name in ("V-Ray", "Corona")]
    order = {"dongle": DONGLE, "target_user": TARGET, "isolate": True, "licenses": held}
    plan = requests.planned("migration", HOST, "PUT", path, order)["plan"]
    order |= {name: plan[found] for name, found in CONFIRMED.items()}
    requests.run("migration", HOST, "PUT", path, order)
    requests.ask("migrations", HOST, "GET", "/v1/migrations")


CONFIRMED = {"plan_digest": "digest", "acknowledgement": "acknowledgement"}
