# SPDX-License-Identifier: GPL-3.0-or-later
"""The desk's own reading of knowledge base article 799; written apart from the agent's rules."""

from __future__ import annotations

import re

from seatkeeper_twins.altigen.models import CARD, FORM, WORKSHEET, Case, State

SOFTWARE_ONLY = "software_only"
STATIONS_MAX = {"Max1000": 50, "Max2000": 100, "Max1000R": 100}
HARDWARE = ("Max", "Office")


def missing(state: State, case: Case) -> list[str]:
    """What the desk waits for before it moves anything."""
    wanted = {FORM: "the License Transfer Form"}
    if state["card_required"]:
        wanted[CARD] = "the Credit Card Authorization"
    software_only = state["systems"][case["system"]]["chassis"] == SOFTWARE_ONLY
    if software_only:
        wanted[WORKSHEET] = "the Software Only Solution License Migration Worksheet"
    found = [reported for name, reported in wanted.items() if name not in case["documents"]]
    if not case["keys"] or not set(case["keys"]) <= set(state["keys"]):
        found.append("license keys that are known here")
    if software_only and case["system"] not in state["purchase_orders"]:
        found.append("the no-charge purchase order")
    if software_only and _is_hardware(state, case) and not case["says_upgrade"]:
        found.append("a word on whether it is an upgrade from an Office or Max server")
    return found


def refusal(state: State, case: Case, today: str) -> str | None:
    """Why the licenses cannot be moved; None when they can."""
    target = state["systems"][case["system"]]
    sources = {state["keys"][key]["system"] for key in case["keys"]} - {case["system"]}
    if not target["registered"]:
        return "the target system is not registered"
    if target["assurance_until"] < today:
        return "the target system is not on active Software Assurance"
    if any(state["systems"][source]["owner"] != target["owner"] for source in sources):
        return "source and target have different owners"
    there = [key for key, entry in state["keys"].items() if entry["system"] == case["system"]]
    stations = sum(_stations(state, key) for key in {*there, *case["keys"]})
    limit = STATIONS_MAX.get(target["chassis"])
    if limit is not None and stations > limit:
        return f"{stations} station licenses are more than the {limit} of a {target['chassis']}"
    return None


def converted(product: str) -> str:
    """What the vendor issues for a software-only system."""
    found = re.fullmatch(r"(?:ALTI-)?(STATION|AC[CM]-?AGENT)-(\d+)", product)
    if found is None:
        return f"SSW-{product.removeprefix('ALTI-')}"
    return f"SSW-{'STATION' if found[1] == 'STATION' else 'ACMAGENT'}-{found[2]}"


def _is_hardware(state: State, case: Case) -> bool:
    return any(
        state["systems"][state["keys"][key]["system"]]["chassis"].startswith(HARDWARE)
        for key in case["keys"]
        if key in state["keys"]
    )


def _stations(state: State, key: str) -> int:
    found = re.fullmatch(r"(?:ALTI|SSW)-STATION-(\d+)", state["keys"][key]["product"])
    return int(found[1]) if found else 0
