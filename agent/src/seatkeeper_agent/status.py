# SPDX-License-Identifier: GPL-3.0-or-later
"""``seatkeeper-agent status``, ``waiting`` and ``attest``: what the agent holds, what waits."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from seatkeeper_agent.client import AgentClient, AgentRefused, AgentUnreachable
from seatkeeper_agent.printable import complain, say
from seatkeeper_agent.settings import Settings
from seatkeeper_agent.vendors.registry import vendors


def show(settings: Settings, as_json: bool) -> int:
    """Print it; 1 when something is broken or in doubt, or agent or product do not answer."""
    try:
        with AgentClient(settings.socket) as client:
            about = client.get("/v1/agent")
            unready = _unready(client)
            found: dict[str, Any] = {
                "agent": about,
                "containers": _containers(client, about["vendors"]),
                "operations": client.pages("/v1/operations", "operations", state="open"),
                "transfers": client.pages("/v1/transfers", "transfers", state="open"),
                "waiting": client.pages("/v1/waiting", "waiting"),
                "dongles": client.pages("/v1/dongles", "dongles"),
                "moves": _moves(client),
            }
    except AgentUnreachable as error:
        complain(error)
        return 1
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        say(*_lines(found))
    if unready is not None:
        complain(unready)
    broken = [entry for entry in found["agent"]["invariants"] if not entry["holds"]]
    doubtful = [entry for entry in found["operations"] if entry["state"] == "in_doubt"]
    silent = found["containers"] is None or not about["vendors"]
    return 1 if broken or doubtful or silent or unready is not None else 0


def _unready(client: AgentClient) -> str | None:
    """Why the journal takes no work, None where it does; what is broken or frozen is shown."""
    try:
        client.readiness()
    except AgentRefused as error:
        return str(error)
    return None


def show_waiting(settings: Settings, as_json: bool) -> int:
    """Print the steps that wait for somebody, the oldest first; 1 when the agent is silent."""
    try:
        with AgentClient(settings.socket) as client:
            waiting = client.pages("/v1/waiting", "waiting")
    except AgentUnreachable as error:
        complain(error)
        return 1
    if as_json:
        print(json.dumps(waiting, indent=2))
        return 0
    for entry in waiting:
        say(*_waiting(entry), *_handles(entry))
    if not waiting:
        say("Nothing waits for anybody.")
    return 0


def _handles(entry: dict[str, Any]) -> tuple[str, str]:
    """What attest is given."""
    return f"            operation: {entry['operation']}", f"            step: {entry['step']}"


def attest(
    settings: Settings, operation: str, outcome: str, statement: str, step: str | None = None
) -> int:
    """Give a person's word on a step; 1 with the agent's sentence when it does not take it."""
    path = f"/v1/operations/{quote(operation, safe='')}/attest"
    # A container that went back in time has no step that may have happened.
    said = {} if outcome == "settled" else {"outcome": outcome}
    said |= {} if step is None else {"step": step}
    try:
        with AgentClient(settings.socket) as client:
            answer = client.post(path, {**said, "statement": statement})
    except AgentUnreachable as error:
        complain(error)
        return 1
    say(f"Written down. {answer['kind']} of {answer['subject']} is now: {answer['state']}")
    return 0


def _abilities(name: str) -> frozenset[str]:
    """None of a vendor that only the agent's own environment knows."""
    vendor = vendors().get(name)
    return frozenset() if vendor is None else vendor.abilities


def _containers(client: AgentClient, found: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """None where the product does not tell; what waits is then worth knowing all the more."""
    if not any("containers" in _abilities(entry["vendor"]) for entry in found):
        return []
    try:
        return client.pages("/v1/containers", "containers")
    except AgentRefused as error:
        complain(error)
        return None


def _moves(client: AgentClient) -> list[dict[str, Any]]:
    """Empty where no license server is that moves; those that are over have no news."""
    try:
        moves = client.pages("/v1/moves", "moves")
    except AgentRefused:
        return []
    return [entry for entry in moves if entry["state"] not in _MOVED]


_MOVED = ("finished", "restored", "arrived", "refused", "void")


def _lines(found: dict[str, Any]) -> list[str]:
    about = found["agent"]
    lines = [f"agent       {about['agent']['name']}, version {about['agent']['version']}"]
    lines += [f"product     {_product(vendor)}" for vendor in about["vendors"]] or [
        "product     none found on this host"
    ]
    lines += [
        f"container   {container['serial']} ({container['kind']})"
        for container in found["containers"] or []
    ]
    lines += [
        f"dongle      {dongle['id']} at {dongle['path']} ({dongle['model']}){_dongle_state(dongle)}"
        for dongle in found["dongles"]
    ]
    lines += _frozen(about)
    lines += [
        f"invariant   {entry['name']} {'holds' if entry['holds'] else 'BROKEN'}"
        for entry in about["invariants"]
    ]
    for entry in found["operations"]:
        lines += [f"operation   {entry['kind']} of {entry['subject']}: {entry['state']}"]
        lines += _problem(entry)
    lines += [] if found["operations"] else ["operation   none open"]
    lines += [
        f"transfer    {entry['name']} ({entry['side']}): {entry['status']}"
        for entry in found["transfers"]
    ] or ["transfer    none open"]
    for entry in found["moves"]:
        lines += [f"move        {entry['name']} ({entry['side']}): {entry['state']}"]
        lines += _problem(entry)
        for orphaned in entry["adrift"]:
            lines += _orphaned(orphaned)
    for entry in found["waiting"]:
        lines += _waiting(entry)
    return lines


def _problem(entry: dict[str, Any]) -> list[str]:
    """Why it does not go on and what to do, with what a vendor's program said."""
    answer = entry["problem"]
    return [] if answer is None else [f"            {answer['detail']} {answer['next_action']}"]


def _frozen(about: dict[str, Any]) -> list[str]:
    """What is kept from all work, why and what to do; and when containers were last compared."""
    lines = []
    for entry in about["frozen"]:
        lines += [f"FROZEN      {entry['subject']} since {entry['since']}: {entry['message']}"]
        lines += [f"            operation: {entry['operation']}"]
    words = {True: "consistent with the journal", False: "ROLLED BACK", None: "unknown"}
    return lines + [
        f"compared    {entry['container']} at {entry['at']}: {words[entry['consistent']]}"
        for entry in about["comparisons"]
    ]


def _product(vendor: dict[str, Any]) -> str:
    if vendor["running"] and vendor["version"] is None:
        return str(vendor["product"])
    running = "running" if vendor["running"] else "not running"
    return f"{vendor['product']} {vendor['version'] or '-'}, {running}"


def _dongle_state(dongle: dict[str, Any]) -> str:
    if dongle["migrated"]:
        return ", migrated: no longer usable"
    return ", hidden from drivers" if dongle["authorized"] is False else ""


def _orphaned(entry: dict[str, Any]) -> list[str]:
    """A license that nobody can use: where it may be, since when, and what helps."""
    place = "ACTIVE NOWHERE" if entry["place"] == "nowhere" else "MAYBE ACTIVE NOWHERE"
    since = "" if entry["since"] is None else f" since {entry['since']}"
    name = "" if entry["name"] is None else f" ({entry['name']})"
    return [f"license     {entry['license']}{name} {place}{since}: {' '.join(entry['advice'])}"]


def _waiting(entry: dict[str, Any]) -> list[str]:
    """A step of somebody else: who, since when, until when, what to do."""
    until = "" if entry["until"] is None else f", until {entry['until']}"
    late = ", OVERDUE" if entry["overdue"] else ""
    lines = [f"waiting     {entry['who']} since {entry['since']}{until}{late}: {entry['title']}"]
    lines += [f"            {n}. {text}" for n, text in enumerate(entry["instructions"], 1)]
    return [*lines, f"            seen when: {entry['verified_by']}"]
