# SPDX-License-Identifier: GPL-3.0-or-later
"""``seatkeeper-agent doctor``: what would stop this host from moving licenses."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seatkeeper_agent.client import AgentClient, AgentRefused, AgentUnreachable
from seatkeeper_agent.domain.servers import UsbUnavailable
from seatkeeper_agent.host import host
from seatkeeper_agent.identity import Identity, IdentityError
from seatkeeper_agent.operations.findings import Finding
from seatkeeper_agent.printable import one_line
from seatkeeper_agent.settings import Settings
from seatkeeper_agent.state import JOURNAL
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.vendors.registry import vendors

_COLOURS = {"ok": "\033[32m", "warning": "\033[33m", "wrong": "\033[31m"}
_PLAIN = "\033[0m"


def show(settings: Settings, as_json: bool) -> int:
    """Print all findings; 1 when something is wrong. Changes nothing."""
    checks: tuple[Callable[[Settings], list[Finding]], ...] = (
        _state,
        _key,
        _trust,
        _products,
        _dongles,
        _agent,
    )
    findings = [finding for check in checks for finding in check(settings)]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        coloured = is_coloured()
        for finding in findings:
            print(_line(finding, coloured))
    return 1 if any(finding.verdict == "wrong" for finding in findings) else 0


def is_coloured() -> bool:
    """Whether people read it at a terminal and have not asked for plain text."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _line(finding: Finding, coloured: bool) -> str:
    verdict = f"{finding.verdict:8}"
    if coloured:
        verdict = f"{_COLOURS[finding.verdict]}{verdict}{_PLAIN}"
    return f"{verdict} {finding.name:10} {one_line(finding.detail)}"


def _state(settings: Settings) -> list[Finding]:
    folder = settings.state_folder
    try:
        openness = host().opened_to(folder)
    except FileNotFoundError:
        return [Finding("state", "warning", f"{folder} is made by the first start of the agent.")]
    except OSError as error:
        return [Finding("state", "wrong", f"{folder} cannot be looked at: {error.strerror}.")]
    if openness is not None:
        detail = f"{folder} is open to others ({openness}). Run chmod 700 on it."
        return [Finding("state", "wrong", detail)]
    return [Finding("state", "ok", f"{folder} is private"), *_room(folder)]


def _room(folder: Path) -> list[Finding]:
    from seatkeeper_agent.journal.pages import ROOM_BYTES, room_left

    left = room_left(folder)
    if left >= ROOM_BYTES:
        return []
    detail = f"{left} bytes are left on the disk of {folder}, too few for work. Make room there."
    return [Finding("disk", "wrong", detail)]


def _key(settings: Settings) -> list[Finding]:
    folder = settings.state_folder
    path = folder / "agent.key"
    try:
        openness = host().opened_to(path)
    except FileNotFoundError:
        return [Finding("key", "warning", f"{path} is made when it is first needed.")]
    except OSError as error:
        return [Finding("key", "wrong", f"{path} cannot be looked at: {error.strerror}.")]
    if openness is not None:
        detail = f"{path} is open to others ({openness}): make a new key."
        return [Finding("key", "wrong", detail)]
    try:
        identity = Identity(settings.name, path, folder / "trust")
        return [Finding("key", "ok", f"the agent signs as {identity.key_id[:16]}")]
    except IdentityError as error:
        return [Finding("key", "wrong", str(error))]


def _trust(settings: Settings) -> list[Finding]:
    folder = settings.state_folder
    identity = Identity(settings.name, folder / "agent.key", folder / "trust")
    names = identity.trusts()
    if not names:
        detail = f"No other agent is trusted: put their keys into {folder / 'trust'} as NAME.pem."
        return [Finding("trust", "warning", detail)]
    try:
        shared = identity.sharing()
    except IdentityError as error:
        return [Finding("trust", "wrong", str(error))]
    if shared:
        return [Finding("trust", "wrong", _one_key(names)) for names in shared]
    return [Finding("trust", "ok", f"documents are accepted from {', '.join(names)}")]


def _one_key(names: list[str]) -> str:
    return (
        f"{' and '.join(names)} have one key, so that a document of one counts as the other's:"
        " one is a copy. Have it make a key of its own, and run install_agents."
    )


def _products(settings: Settings) -> list[Finding]:
    """What all products of this host show; wrong where there is none at all."""
    known = [(vendors()[name], listed) for name, listed in settings.vendors.items()]
    findings = [finding for vendor, listed in known for finding in vendor.check(listed)]
    if findings:
        return findings
    places = [place for vendor, listed in known if (place := vendor.looked_for(listed)) is not None]
    detail = (
        "No vendor's license server was found on this host. Install one, or say in the agent's"
        f" settings where it is ({'; '.join(places)})."
    )
    return [Finding("products", "wrong", detail)]


def _dongles(settings: Settings) -> list[Finding]:
    uses_them = any("dongles" in vendors()[name].abilities for name in settings.vendors)
    try:
        dongles = UsbInventory(settings.usb).dongles()
    except UsbUnavailable as error:
        return [Finding("usb", "warning", str(error))] if uses_them else []
    listed = ", ".join(f"{entry.model} {entry.id}" for entry in dongles)
    return [Finding("usb", "ok", listed or "no dongle")] if listed or uses_them else []


def _agent(settings: Settings) -> list[Finding]:
    """The running agent; without one its journal is looked into from here."""
    try:
        with AgentClient(settings.socket) as client:
            about = client.get("/v1/agent")
            unready = _unready(client)
    except AgentUnreachable as error:
        return [Finding("agent", "wrong", str(error)), *_journal(settings.state_folder / JOURNAL)]
    broken = [entry["name"] for entry in about["invariants"] if not entry["holds"]]
    return [
        Finding("agent", "ok", f"answers, and takes you for a {about['role']}"),
        *unready,
        *_ledger(broken, about["frozen"], about["journal"]["operations_open"]),
        _clock(about["clock"]),
    ]


def _unready(client: AgentClient) -> list[Finding]:
    """Why no work can be done; what is broken or frozen is told in full by the agent itself."""
    try:
        client.readiness()
    except AgentRefused as error:
        return [Finding("journal", "wrong", str(error))]
    return []


def _journal(path: Path) -> list[Finding]:
    from seatkeeper_agent.journal import JournalError
    from seatkeeper_agent.journal.migrations import SCHEMA_VERSION, JournalTooNew
    from seatkeeper_agent.journal.read_only import read_only
    from seatkeeper_agent.operations import invariants
    from seatkeeper_agent.operations.people import frozen_view

    try:
        if not path.exists():
            return [Finding("journal", "warning", f"{path} is made by the first start.")]
        with read_only(path) as unit:
            if unit is None:
                detail = f"{path} is brought to schema version {SCHEMA_VERSION} by the next start."
                return [Finding("journal", "warning", detail)]
            fault = unit.pages.first_fault()
            if fault is not None:
                return [Finding("journal", "wrong", f"{path} is damaged: {fault}.")]
            broken = [entry.name for entry in invariants.check(unit) if not entry.holds]
            frozen = [frozen_view(entry) for entry in unit.operations.in_doubt()]
            findings = _ledger(broken, frozen, unit.operations.count_open())
    except (JournalError, JournalTooNew) as error:
        return [Finding("journal", "wrong", str(error))]
    except OSError as error:
        return [Finding("journal", "wrong", f"{path} cannot be looked at: {error.strerror}.")]
    return findings or [Finding("journal", "ok", f"{path} is consistent, and nothing is open")]


def _ledger(broken: list[str], frozen: list[dict[str, Any]], operations_open: int) -> list[Finding]:
    """What the journal says is broken, frozen or open."""
    findings = []
    if broken:
        findings.append(Finding("journal", "wrong", f"broken: {', '.join(broken)}"))
    for entry in frozen:
        detail = f"{entry['subject']}: {entry['message']}"
        findings.append(Finding("frozen", "wrong", detail))
    if operations_open:
        detail = f"{operations_open} operations are open; see status."
        findings.append(Finding("journal", "warning", detail))
    return findings


def _clock(clock: dict[str, Any]) -> Finding:
    """As the agent judges it: it knows how much time has passed."""
    if clock["plausible"]:
        return Finding("clock", "ok", "the clock of this host is plausible")
    problem = clock["problem"]
    return Finding("clock", "wrong", f"{problem['detail']} {problem['next_action']}")
