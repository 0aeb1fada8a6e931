# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request costs when an AIMMS server moves: SQL, syncs, programs of the product."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from api.server_move_routes import NEW, OLD, PROFILE, body, codes, leg_path
from costs.counting import Cost, counting
from costs.lab import products
from costs.requests import Requests, require_markers
from costs.table import assert_written

NUMBER = "15.90.10.1"
SEEDS: dict[str, Any] = {
    OLD: {"aimms": {"machine": {"licenses": {NUMBER: ["ProLicense"]}}}},
    NEW: {"aimms": {"machine": {"installed": False, "license_files": [NUMBER]}}},
}

AWAITED = "prepare, run"
"""After the installation the product is asked until it answers: as often as the machine is slow."""

COSTS: dict[str, Cost] = {
    "agent": Cost(statements=11, vendor="2 licman"),
    "profile, dry run": Cost(statements=2, vendor="3 licman"),
    "backup, run": Cost(statements=10, transactions=1, syncs=2, vendor="6 licman"),
    "prepare, dry run": Cost(statements=6),
    AWAITED: Cost(statements=52, transactions=5, syncs=6, vendor="1 twin-installer"),
    "release, dry run": Cost(statements=12, vendor="12 licman"),
}
MOVED: dict[str, Cost] = {
    "release, run": Cost(statements=76, transactions=7, syncs=7, vendor="50 licman"),
    "install, run": Cost(statements=82, transactions=7, syncs=7, vendor="23 licman"),
    "install, again": Cost(statements=17),
}


def test_a_request_before_anything_is_given_away_costs_what_is_written_down() -> None:
    """A server with one license, up to the plan of its release; the same on every machine."""
    assert_written(counted(whole=False), COSTS)


@pytest.mark.slow  # a program of the product for each of a hundred calls
def test_every_request_of_a_move_costs_what_is_written_down() -> None:
    """On to where the new machine has it."""
    assert_written(counted(whole=True), COSTS | MOVED)


def test_nobody_looks_at_the_bus() -> None:
    """No request of a move has anything to do with dongles."""
    require_markers(COSTS | MOVED)


def counted(whole: bool) -> dict[str, Cost]:
    """Leg by leg, each asked for once, since every call of the product starts a program."""
    with counting() as meter, products(SEEDS) as (_lab, agents):
        requests = Requests(meter, agents)
        requests.ask("agent", OLD, "GET", "/v1/agent")
        requests.planned("profile", OLD, "PUT", f"{PROFILE}/Another", {"license": NUMBER})
        requested = released_when_confirmed(requests)
        if whole:
            release_and_install(requests, requested)
    costs = requests.costs
    installed = re.sub(r"\d+ licman, ", "", costs[AWAITED].vendor)
    return {**costs, AWAITED: replace(costs[AWAITED], vendor=installed)}


def released_when_confirmed(requests: Requests) -> dict[str, Any]:
    """Backed up and prepared; what the release is asked for with."""
    licenses = [{"number": NUMBER, "profiles": ["ProLicense"], "has_code": True}]
    requested = body(licenses=licenses)
    backup = requests.ask("backup, run", OLD, "POST", leg_path("backup"), requested)["backup"]
    requested = body(backup=backup)
    requests.planned("prepare", NEW, "POST", leg_path("prepare"), requested)
    prepared = requests.ask("prepare, run", NEW, "POST", leg_path("prepare"), requested)["document"]
    requested = body(document=prepared)
    plan = requests.planned("release", OLD, "POST", leg_path("release"), requested)["plan"]
    return {**requested, "plan_digest": plan["digest"]}


def release_and_install(requests: Requests, requested: dict[str, Any]) -> None:
    """The license leaves the old machine and comes to the new one."""
    released = requests.ask("release, run", OLD, "POST", leg_path("release"), requested)["document"]
    requested = body(
        document=released, codes=[code for code in codes() if code["license"] == NUMBER]
    )
    requests.ask("install, run", NEW, "POST", leg_path("install"), requested)
    requests.ask("install, again", NEW, "POST", leg_path("install"), requested)
