# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever one host answers, the report of all hosts is made: the answer is read, or is said not to
be readable.
"""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plan import Plan
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.report import (
    differences_of,
    drift_of,
    lines_of,
    rows_of,
    steps_of,
)

from .reading import declared_of

Json = t.Any

HOST, OTHER = "render-server", "old-server"
SYSTEMS = [
    {"name": name, "system_key": name, "owner": "A", "chassis": "Max1000"}
    for name in ("one", "two")
]
DECLARED = declared_of(
    HOST,
    OTHER,
    license_server_configs=[{"host": HOST, "vendor": "chaos", "dongle_service": "enabled"}],
    license_activations=[{"host": HOST, "method": "online", "account": "a", "password": "p"}],
    license_dongle_migrations=[{"host": HOST, "dongle": "90000001", "target_user": "a@b.example"}],
    license_server_borrows=[
        {"host": HOST, "name": "desk", "product": "V-Ray", "seats": 1, "until": "2099-01-01"}
    ],
    phone_systems=SYSTEMS,
    license_orders=[
        {
            "host": HOST,
            "name": "front",
            "source": "one",
            "target": "two",
            "keys": [{"key": "K", "product": "P"}],
        }
    ],
)
RULE = {"rule": "r", "verdict": "not_met", "required": "x", "observed": "y", "advice": "Do."}
QUOTE = {
    "lines": [{"text": "Move", "amount": "1.00", "to_be_asked": False}],
    "total": None,
    "currency": "USD",
    "documents": ["form"],
}
WAIT = {
    "operation": "op",
    "subject": "it",
    "step": "do",
    "title": "doing it",
    "who": "person",
    "instructions": ["Do it."],
    "verified_by": "It shows.",
    "attestable": True,
    "since": None,
    "until": None,
    "overdue": False,
}
ODD: tuple[Json, ...] = (None, True, -1, "x", [], {}, {"x": 1}, ["x"], [{}], [[]])


def answer() -> Json:
    """One in which every member that is ever read is there."""
    results = [
        {
            "id": each.id,
            "kind": each.kind,
            "outcome": "would_change",
            "changed": True,
            "present": {"state": "waiting"},
            "before": {"seats": 0, "activated": False},
            "after": {"seats": 1, "activated": True},
            "steps": [{"name": "do", "title": "do", "reversible": False, "performer": "agent"}],
            "digest": "d",
            "confirmation_required": True,
            "waits_for": WAIT,
            "next": None,
            "details": {
                "report": {"rules": [RULE]}, "quote": QUOTE, "acknowledgement": "I know.",
                "warnings": ["w"], "notes": ["n"],
            },
            "problem": {
                "code": "container-busy", "detail": "Busy.", "next_action": "Wait.",
                "rules": [RULE], "quote": QUOTE, "digest": "d", "operation": "op",
                "screenshot": "/p",
            },
        }
        for each in DECLARED
    ]  # fmt: skip
    look = {
        "agent": {
            "agent": {"name": HOST, "version": "0"},
            "vendors": [{"vendor": "chaos"}],
            "invariants": [{"holds": True, "detail": "d"}],
            "frozen": [{"code": "c", "message": "m"}],
        },
        "products": {"chaos": {"order": {"seen": [], "problem": None}}},
        "waiting": [WAIT],
        "peers": [],
        "ports_limited": False,
    }
    return {"results": copy.deepcopy(results), "documents": [], "look": copy.deepcopy(look)}


def places(value: Json, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """The paths of all members, at every depth."""
    if path:
        yield path
    if not isinstance(value, (dict, list)):
        return
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield from places(each, (*path, name))


PLACES = list(places(answer()))


def test_the_answer_itself_is_read() -> None:
    plan = Plan([HOST, OTHER], True)
    plan.declare(DECLARED)
    plan.next()
    plan.take(HOST, answer())
    assert plan.hosts[HOST].problem is None
    assert all(HOST in matter.asked for matter in plan.matters.values())


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("check", [True, False])
def test_the_report_of_all_hosts_is_made(odd: Json, check: bool) -> None:
    for path in PLACES:
        reported(path, odd, check)


def reported(path: tuple[t.Any, ...], odd: Json, check: bool) -> None:
    """A run in which one member of an answer is something else."""
    said = answer()
    place = said
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = odd
    plan = Plan([HOST, OTHER], check)
    plan.declare(DECLARED)
    plan.next()
    plan.take(HOST, said)
    plan = Plan.from_kept(plan.as_kept())
    plan.next()
    rows = rows_of(plan)
    assert {row["what"] for row in rows} >= {"server chaos", "activation", "order front"}
    lines_of(rows)
    drift_of(rows, plan)
    steps_of(plan)
    differences_of(plan, HOST)
