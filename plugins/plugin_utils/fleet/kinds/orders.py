# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders of license moves that a vendor performs."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import order_id
from ansible_collections.seatkeeper.licensing.plugins.module_utils._order import order_declaration
from ansible_collections.seatkeeper.licensing.plugins.module_utils._papers import keep_papers
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    SIDES,
    AgentOf,
    Declaration,
    Entry,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import (
    Kind,
    Run,
    Variables,
    first_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter

_OVER: t.Final = ("none", "failed")


def read_orders(variables: Variables, host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """The orders of a host, each with those that are declared before it: the later one of two is
    the one too many.
    """
    entries = variables.get("license_orders") or ()
    for number, entry in enumerate(entries):
        if entry["host"] != host:
            continue
        meant = {
            **dict.fromkeys(("date", "fields", "case_number", "new_keys")),
            **entry,
            **{side: _found(variables, entry[side]) for side in SIDES},
            "prices": entry.get("prices") or variables.get("license_order_prices"),
            "rules": [*(variables.get("license_order_rules") or ()), *(entry.get("rules") or ())],
            "others": list(_before(variables, entries[:number], host)),
        }
        agent, digest = agent_of(host), entry.get("plan_digest")
        declared = order_declaration(meant)
        if entry.get("documents_dir"):
            declared["papers"] = True
        yield Declaration(
            "order",
            order_id(entry["name"]),
            entry["name"],
            (agent,),
            declared,
            {agent: {"plan_digest": digest}} if digest else {},
            local={"documents_dir": entry.get("documents_dir")},
        )


def _before(variables: Variables, entries: t.Sequence[Entry], host: str) -> t.Iterator[Entry]:
    for entry in entries:
        # One whose system nobody declared is an error of its own.
        ends = {side: _found(variables, entry[side]) for side in SIDES}
        if all(ends.values()):
            named = {"name": entry["name"], "keys": entry["keys"]}
            yield {**named, **ends, "shares_fee": entry["host"] == host}


def _found(variables: Variables, name: str) -> t.Optional[Entry]:
    systems = variables.get("phone_systems") or ()
    return next((system for system in systems if system["name"] == name), None)


def _with_others(matter: Matter, run: Run) -> Declaration:
    """With what other hosts have placed, which counts as they know it.

    What the agent gave of papers is kept in the operator's folder. LicenseProblem where one cannot
    be written.
    """
    (agent,) = matter.agents
    papers = ((matter.last(agent) or {}).get("details") or {}).pop("papers", ())
    if papers:
        folder = matter.declaration.local["documents_dir"]
        keep_papers(folder, matter.declaration.name, papers, run.is_check)
    own = {each.declaration.name for each in run.matters if each.agents == matter.agents}
    others = {other["name"]: other for other in matter.declaration.declared["others"]}
    for other in run.matters[: run.matters.index(matter)]:
        if other.declaration.kind == "order" and other.agents != matter.agents:
            body = other.declaration.declared
            named = {name: body[name] for name in ("name", "keys", *SIDES)}
            others.setdefault(body["name"], {**named, "shares_fee": False})
    for name, host in run.hosts.items():
        for record in host.orders if name != agent else ():
            if record["name"] not in own and record["state"] not in _OVER:
                others[record["name"]] = _known(record)
    declared = {**matter.declaration.declared, "others": list(others.values())}
    return dataclasses.replace(matter.declaration, declared=declared)


def _known(record: Entry) -> Entry:
    ended = {} if record["ended_on"] is None else {"ended_on": record["ended_on"]}
    ends = {side: _known_system(record, side) for side in SIDES}
    return {"name": record["name"], "keys": record["keys"], **ended, **ends}


def _known_system(record: Entry, side: str) -> Entry:
    named = {"name": record[side], "system_key": record[f"{side}_key"]}
    return {**named, "owner": "", "chassis": ""}


def _declared_text(matter: Matter) -> str:
    declared = matter.declaration.declared
    count = len(declared["keys"])
    keys = "1 key" if count == 1 else f"{count} keys"
    return f"{keys} from {declared['source']['name']} to {declared['target']['name']}"


def _present_text(matter: Matter) -> t.Optional[str]:
    first = first_of(matter)
    record = first.get("present")
    return str(record["state"]) if record else "not placed" if first else None


ORDER: t.Final = Kind(
    "orders",
    read_orders,
    _declared_text,
    _present_text,
    completed=_with_others,
)
