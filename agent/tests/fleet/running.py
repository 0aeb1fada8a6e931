# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the fleet program over agents of a lab, as a playbook does them: task by task.

Between two tasks nothing lives on but what JSON can hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.asking import SERIALS

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._state import body_of
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.folder import Folder
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import (
    read_declarations,
    secrets_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plan import Plan
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.report import Row, rows_of

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Asks the agent of a host to take a body, and gives its answer."""

ROUNDS_MAX = 12
OLD, NEW = SERIALS
GONE = LicenseProblem.of("agent-stopped", "Nobody listens.", "Start seatkeeper-agent.").document


@dataclass
class Run:
    """What a run came to, and each request that it made."""

    rows: list[Row]
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)
    """What was kept from each task to the next."""

    @property
    def outcomes(self) -> dict[str, str]:
        """How each declared thing ended."""
        return {row["what"]: row["outcome"] for row in self.rows}

    @property
    def whys(self) -> str:
        """All reasons."""
        return " ".join(row["why"] for row in self.rows if row["why"])


def run(
    ask: Ask,
    variables: Mapping[str, Any],
    check: bool = False,
    hosts: Iterable[str] = (OLD, NEW),
    folder: str | None = None,
) -> Run:
    """One run of all hosts; an agent that cannot be asked raises ConnectionError."""
    made = Run([])
    courier = None if folder is None else Folder(folder, check)
    plan = Plan(list(hosts), check, courier)
    read = read_inventory(dict.fromkeys(plan.hosts, variables), _named(variables, plan.hosts))
    assert not read.mistakes, read.mistakes
    for host in plan.hosts:
        plan.declare(read_declarations(read.variables[host], host, lambda each: each))
    for _round in range(ROUNDS_MAX):
        orders = plan.next()
        if not orders:
            made.rows = rows_of(plan)
            return made
        made.kept.append([orders, json.loads(json.dumps(plan.as_kept()))])
        plan = Plan.from_kept(made.kept[-1][1], courier)
        for host, order in orders.items():
            plan.take(host, _answer(ask, host, _whole(order, read.variables[host], host), made))
    raise AssertionError(f"more than {ROUNDS_MAX} rounds")


def _named(variables: Mapping[str, Any], hosts: Iterable[str]) -> set[str]:
    """All hosts of the inventory, of which some may be in no play."""
    entries = [entry for each in variables.values() for entry in each if isinstance(entry, dict)]
    found = {entry.get(name) for entry in entries for name in ("host", "source", "target")}
    return {name for name in found if name} | set(hosts)


def _whole(order: dict[str, Any], variables: Mapping[str, Any], host: str) -> dict[str, Any]:
    """The request that module and action make of an order."""
    given = {**order, "secrets": secrets_of(variables, host), "wait_timeout": 0}
    return body_of(given, bool(order["dry_run"]))


def _answer(ask: Ask, host: str, body: dict[str, Any], made: Run) -> dict[str, Any]:
    made.requests.append((host, body))
    try:
        return ask(host, body)
    except ConnectionError:
        return {"problem": GONE}
