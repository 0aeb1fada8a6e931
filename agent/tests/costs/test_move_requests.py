# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request costs when an AIMMS server moves: SQL, syncs, programs of the product."""

from __future__ import annotations

from typing import Any

from api.move_routes import BACKUP, NEW, OLD, PROFILE, body, codes, leg_path
from costs.counting import Cost, counting
from costs.lab import products
from costs.requests import Requests, require_markers
from costs.table import assert_written

NUMBER = "15.90.10.1"
SEEDS: dict[str, Any] = {
    OLD: {"aimms": {"machine": {"licenses": {NUMBER: ["ProLicense"]}}}},
    NEW: {"aimms": {"machine": {"installed": False, "license_files": [NUMBER]}}},
}

COSTS: dict[str, Cost] = {
    "agent": Cost(statements=7, vendor="2 licman"),
    "profile, dry run": Cost(vendor="3 licman"),
    "server backup, dry run": Cost(statements=2, vendor="3 licman"),
    "backup, run": Cost(statements=10, transactions=1, syncs=1, vendor="6 licman"),
    "prepare, dry run": Cost(statements=1),
    "prepare, run": Cost(
        statements=49, transactions=5, syncs=5, vendor="13 licman, 1 twin-installer"
    ),
    "release, dry run": Cost(statements=4, vendor="12 licman"),
    "release, run": Cost(statements=69, transactions=7, syncs=7, vendor="50 licman"),
    "install, run": Cost(statements=75, transactions=9, syncs=9, vendor="23 licman"),
    "install, again": Cost(statements=10),
}


def test_every_request_costs_what_is_written_down() -> None:
    """A server with one license, up to where the new machine has it; the same on every machine."""
    require_markers(COSTS)
    with counting() as meter, products(SEEDS) as (_lab, agents):
        requests = Requests(meter, agents)
        requests.ask("agent", OLD, "GET", "/v1/agent")
        requests.planned("profile", OLD, "PUT", f"{PROFILE}/Another", {"license": NUMBER})
        licenses = [{"number": NUMBER, "profiles": ["ProLicense"], "has_code": True}]
        requests.planned("server backup", OLD, "PUT", BACKUP, {"licenses": licenses})
        move(requests, licenses)
    assert_written(requests.costs, COSTS)


def move(requests: Requests, licenses: list[dict[str, Any]]) -> None:
    """Leg by leg, each asked for once, since every call of the product starts a program."""
    asked = body(licenses=licenses)
    backup = requests.ask("backup, run", OLD, "POST", leg_path("backup"), asked)["backup"]
    asked = body(backup=backup)
    requests.planned("prepare", NEW, "POST", leg_path("prepare"), asked)
    prepared = requests.ask("prepare, run", NEW, "POST", leg_path("prepare"), asked)["document"]
    asked = body(document=prepared)
    plan = requests.planned("release", OLD, "POST", leg_path("release"), asked)["plan"]
    asked["confirmation"] = plan["digest"]
    released = requests.ask("release, run", OLD, "POST", leg_path("release"), asked)["document"]
    asked = body(document=released, codes=[code for code in codes() if code["license"] == NUMBER])
    requests.ask("install, run", NEW, "POST", leg_path("install"), asked)
    requests.ask("install, again", NEW, "POST", leg_path("install"), asked)
