# SPDX-License-Identifier: GPL-3.0-or-later
"""Which licenses are active, by the operator's list command and by nodelock files.

What neither shows is unknown, and what they show differently too.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from seatkeeper_agent.domain.server_moves import LicenseState, MovableLicense
from seatkeeper_agent.vendors.aimms.line_form import parse_line_form
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings

CONNECT_SECONDS_MAX = 5.0
LINES_MAX = 10_000
LINE_LENGTH_MAX = 500
PENDING_TEXT = "Pending Activation"
"""Shown of a license between the two files of an offline activation (grade D)."""

NO_PROFILE = ("", "-")


@dataclass(frozen=True, slots=True)
class Shown:
    """Licenses, and whether they are all."""

    licenses: tuple[MovableLicense, ...] = ()
    complete: bool = False


def listening(host: str, ports: Sequence[int]) -> tuple[int, ...] | None:
    """The ports that take a connection; what listens there is not asked.

    None where none does and one of them gives no answer: only a refusal shows a free port.
    """
    found = {port: _takes(host, port) for port in ports}
    busy = tuple(port for port, takes in found.items() if takes)
    return busy if busy or None not in found.values() else None


def parse_list(output: str, settings: AimmsSettings) -> Shown:
    """What the list command printed; incomplete as soon as one line is not understood.

    An output without any line that is understood proves nothing: no document says what a failure
    prints.
    """
    if settings.list_line is None:
        return Shown()
    form = parse_line_form(settings.list_line, settings.states())
    states: dict[str, LicenseState] = {}
    profiles: dict[str, list[str]] | None = {} if form.has_profile else None
    lines = [line for line in output.splitlines() if line.strip()]
    complete = 0 < len(lines) <= LINES_MAX
    for line in lines[:LINES_MAX]:
        if line.strip() in settings.list_ignored:
            continue
        found = form.match(line.strip()) if len(line) <= LINE_LENGTH_MAX else None
        if found is None:
            complete = False
            continue
        number, state = found["license"], _state(found["state"].strip(), settings.states())
        known = states.setdefault(number, state)
        states[number] = state if known is state else LicenseState.UNKNOWN
        if profiles is not None:
            names = profiles.setdefault(number, [])
            if found["profile"] not in NO_PROFILE:
                names.append(found["profile"])
    licenses = tuple(
        MovableLicense(number, None if profiles is None else tuple(profiles[number]), state)
        for number, state in states.items()
    )
    return Shown(licenses, complete)


def by_nodelocks(numbers: Sequence[str] | None) -> Shown:
    """What nodelock files show, all of it; None for a folder that cannot be read."""
    if numbers is None:
        return Shown()
    return Shown(
        tuple(MovableLicense(number, None, LicenseState.ACTIVE) for number in numbers), True
    )


def combined(listed: Shown, locked: Shown) -> Shown:
    """Both sources; a license of which they tell different things is unknown.

    A list that is not complete says nothing of licenses that it does not show.
    """
    if not locked.complete:
        return listed
    active = {entry.number for entry in locked.licenses}
    by_number = {entry.number: entry for entry in listed.licenses}
    found = []
    for number in dict.fromkeys([*by_number, *sorted(active)]):
        locked_state = LicenseState.ACTIVE if number in active else LicenseState.INACTIVE
        entry = by_number.get(number)
        if entry is None:
            state = LicenseState.UNKNOWN if listed.complete else locked_state
            found.append(MovableLicense(number, None, state))
        else:
            agree = (entry.state is LicenseState.ACTIVE) == (number in active)
            state = entry.state if agree else LicenseState.UNKNOWN
            found.append(MovableLicense(number, entry.profiles, state))
    return Shown(tuple(found), True)


def _state(text: str, states: dict[str, str]) -> LicenseState:
    if text in states:
        return LicenseState(states[text])
    return LicenseState.PENDING if PENDING_TEXT in text else LicenseState.UNKNOWN


def _takes(host: str, port: int) -> bool | None:
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS_MAX).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return None
    return True
