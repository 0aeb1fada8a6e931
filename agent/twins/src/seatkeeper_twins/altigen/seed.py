# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed: which phone systems there are, with which licenses, and how the desk works.

{"systems": {"0012-3456": {                        by system key
    "name": "Front desk", "owner": "Studio A", "chassis": "Max1000" or "software_only",
    "registered": true, "assurance_until": "2027-06-30",
    "keys": {"ABCD-1234": "ALTI-STATION-10"}}},    products by license key
 "conduct": "in_time",                             or late, wrongly, never
 "answer_seconds": 14400, "late_seconds": 108000,  4 and 30 hours
 "card_required": true,                            nothing is moved without a card authorization
 "mailbox": {"starttls": false, "user": null, "password": null}}

All but the systems' own members is optional.
"""

from __future__ import annotations

from datetime import date
from typing import cast

from seatkeeper_twins.altigen.models import CONDUCTS, Conduct, Mailbox, State, System
from seatkeeper_twins.parts import seed as parts_seed
from seatkeeper_twins.parts.seed import SeedError, flag, table, text

SECONDS_MAX = 30 * 86_400
_SYSTEM = {"name", "owner", "chassis", "registered", "assurance_until", "keys"}
_PLAIN = {"conduct", "answer_seconds", "late_seconds", "card_required"}


def state_of(seed: object) -> State:
    """The state of a new twin; SeedError names the place and the rule."""
    root = table(seed, "the seed", {"systems", "mailbox", *_PLAIN})
    state = State(
        clock_offset=0, systems={}, keys={}, cases={}, mails=[], purchase_orders=[],
        conduct=conduct(root.get("conduct", "in_time"), "conduct"),
        answer_seconds=seconds(root.get("answer_seconds", 4 * 3600), "answer_seconds"),
        late_seconds=seconds(root.get("late_seconds", 30 * 3600), "late_seconds"),
        card_required=flag(root.get("card_required", True), "card_required"),
        mailbox=_mailbox(root.get("mailbox", {})),
    )  # fmt: skip
    for system_key, entry in table(root.get("systems", {}), "systems", None).items():
        _add_system(state, system_key, entry)
    return state


def conduct(value: object, where: str) -> Conduct:
    """One of the ways in which the desk works."""
    if value not in CONDUCTS:
        raise SeedError(f"{where} must be one of {', '.join(CONDUCTS)}")
    return cast("Conduct", value)


def seconds(value: object, where: str) -> float:
    """A time span of at most thirty days."""
    return parts_seed.seconds(value, where, SECONDS_MAX)


def day(value: object, where: str) -> str:
    """A day such as 2027-06-30."""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise SeedError(f"{where} must be a day like 2027-06-30") from error


def _add_system(state: State, system_key: str, entry: object) -> None:
    where = f"systems[{system_key!r}]"
    found = table(entry, where, _SYSTEM)
    keys = table(found.get("keys", {}), f"{where}.keys", None)
    state["systems"][text(system_key, where)] = System(
        name=text(found.get("name"), f"{where}.name"),
        owner=text(found.get("owner"), f"{where}.owner"),
        chassis=text(found.get("chassis"), f"{where}.chassis"),
        registered=flag(found.get("registered"), f"{where}.registered"),
        assurance_until=day(found.get("assurance_until"), f"{where}.assurance_until"),
        licenses=list(keys),
    )
    for key, product in keys.items():
        if key in state["keys"]:
            raise SeedError(f"{where}.keys: {key!r} belongs to another system already")
        state["keys"][text(key, f"{where}.keys")] = {
            "product": text(product, f"{where}.keys[{key!r}]"),
            "system": system_key,
            "instead_of": None,
        }


def _mailbox(entry: object) -> Mailbox:
    found = table(entry, "mailbox", {"starttls", "user", "password"})
    user, password = (
        None if found.get(name) is None else text(found[name], f"mailbox.{name}")
        for name in ("user", "password")
    )
    if (user is None) != (password is None):
        raise SeedError("mailbox.user and mailbox.password are needed together or not at all")
    starttls = flag(found.get("starttls", False), "mailbox.starttls")
    return Mailbox(starttls=starttls, user=user, password=password)
