# SPDX-License-Identifier: GPL-3.0-or-later
"""When the vendor moves a dongle's licenses to an account (grade D), in the twin's own words.

What the server knows and what the cloud knows is judged apart; nobody is told which rule failed.
"""

from __future__ import annotations

import re
from typing import TypedDict

from seatkeeper_twins.chaos.models import CloudState, Held, Method

SERVER_OLDEST = (4, 5, 0)
WIBUKEY_OLDEST = (6, 0, 0)
ALWAYS_MOVABLE = (3, 0, 0)


class ServerFacts(TypedDict):
    """What a server says of itself when a transfer is asked for."""

    version: str
    wibukey_version: str
    dongles: list[str]
    dongle_local: bool
    activation_method: Method | None
    user: str | None
    logged_in: bool


def version_numbers(text: str) -> tuple[int, ...]:
    """The first three numbers of a version such as 6.0.1; those that it lacks are 0."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    return tuple([*numbers, 0, 0, 0][:3])


def met_by_server(facts: ServerFacts) -> dict[str, bool]:
    """The rules about the machine and its activation, by name."""
    return {
        "server_version": version_numbers(facts["version"]) >= SERVER_OLDEST,
        "one_dongle": len(facts["dongles"]) == 1,
        "wibukey_driver": version_numbers(facts["wibukey_version"]) >= WIBUKEY_OLDEST,
        "dongle_local": facts["dongle_local"],
        "online_activated": facts["activation_method"] is not None,
        "user_logged_in": facts["logged_in"] and facts["user"] is not None,
    }


def met_by_cloud(state: CloudState, serial: str | None, user: str | None) -> dict[str, bool]:
    """The rules about companies and licenses, for one dongle."""
    dongle = state["dongles"].get(serial or "")
    held = dongle["licenses"] if dongle is not None else []
    company = state["users"][user]["company"] if user in state["users"] else None
    return {
        "same_company": dongle is not None and dongle["company"] == company,
        "licenses_movable": bool(held) and all(map(is_movable, held)),
        "vendor_criteria": dongle is None or not dongle["vendor_refuses"],
    }


def is_target(state: CloudState, serial: str | None, target: str) -> bool:
    """Whether a user exists and is of the company that owns the dongle."""
    dongle, user = state["dongles"].get(serial or ""), state["users"].get(target)
    return dongle is not None and user is not None and user["company"] == dongle["company"]


def is_movable(held: Held) -> bool:
    """Not movable: perpetual licenses of 2.x products. Movable: 2.x that expires; 3.0 and later."""
    return held["expires"] is not None or version_numbers(held["version"]) >= ALWAYS_MOVABLE
