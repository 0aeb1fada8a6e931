# SPDX-License-Identifier: GPL-3.0-or-later
"""All transfers that a run is about: declared, borrowed, and open though nobody declares them."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    instant,
    transfer_id,
    transfer_reference,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._legs import Told, Transfer

_DRIVEN_ON = {
    "source": ("debiting", "in_transit", "crediting_back"),
    "target": ("accepted", "crediting", "transferred"),
}
"""From these states on something was debited, so the transfer has to come to its end."""


def all_transfers(declared: list[dict[str, t.Any]], told: list[Told]) -> list[Transfer]:
    """Declared ones first, then lots of borrows, then what an earlier run left open."""
    transfers = {entry["id"]: _placed(entry, told) for entry in map(_declared, declared)}
    for host in told:
        for lot in host.get("lots", ()):
            transfers[lot["id"]] = _known(lot, declared=True)
    for host in told:
        for record in (host.get("before") or {}).get("transfers", ()):
            if record["state"] in _DRIVEN_ON[record["side"]]:
                transfers.setdefault(record["id"], _known(record, declared=False))
    return list(transfers.values())


def borrows_of(
    declared: list[dict[str, t.Any]], agent: str, told: list[Told]
) -> list[dict[str, t.Any]]:
    """The borrows that the host of ``agent`` declares, with the containers of both ends."""
    found = []
    for entry in declared:
        if entry["target"] != agent:
            continue
        ends = {}
        for side in ("source", "target"):
            container = entry.get(f"{side}_container")
            if container is None:
                container = _only_container(_view(entry[side], told), entry["item"], side)
            ends[f"{side}_container"] = container
        found.append({**entry, **ends})
    return found


def _declared(entry: dict[str, t.Any]) -> Transfer:
    until, parent = entry.get("until"), entry.get("parent")
    try:
        end = None if until is None else instant("until", str(until))
    except LicenseProblem as problem:
        raise AnsibleFilterError(f"Transfer {entry['name']}: {problem}") from problem
    return {
        "id": transfer_id(entry["name"]),
        "name": entry["name"],
        "item": entry["item"],
        "type": entry["type"],
        "mode": entry.get("mode", "push"),
        "quantity": entry.get("quantity"),
        "until": end,
        "parent": None if parent is None else transfer_reference(parent),
        "source": {"agent": entry["source"], "container": entry.get("source_container")},
        "target": {"agent": entry["target"], "container": entry.get("target_container")},
        "confirm": entry.get("confirm"),
        "declared": True,
    }


def _placed(transfer: Transfer, told: list[Told]) -> Transfer:
    """The transfer with the containers that its declaration leaves out, where they are clear."""
    return {**transfer, **{side: _place(transfer, side, told) for side in ("source", "target")}}


def _place(transfer: Transfer, side: str, told: list[Told]) -> dict[str, t.Any]:
    place = transfer[side]
    if place["container"] is not None:
        return dict(place)
    for host in told:
        for record in (host.get("before") or {}).get("transfers", ()):
            if record["id"] == transfer["id"]:
                return {**place, "container": record[side]["container"]}
    view = _view(place["agent"], told)
    return {**place, "container": _only_container(view, transfer["item"], side)}


def _view(agent: str, told: list[Told]) -> dict[str, t.Any] | None:
    return next((host.get("before") for host in told if host["agent"] == agent), None)


def _only_container(view: dict[str, t.Any] | None, item: str, side: str) -> str | None:
    """The host's one container, or the one that has the item; None leaves it to the agent."""
    if not view:
        return None
    serials = [container["serial"] for container in view["containers"]]
    if side == "source" and len(serials) > 1:
        code = item.partition("@")[0]
        serials = sorted(
            {
                entry["container"]
                for entry in view["items"]
                if entry["item"].partition("@")[0] == code and entry["status"] == "enabled"
            }
        )
    return serials[0] if len(serials) == 1 else None


def _known(entry: dict[str, t.Any], declared: bool) -> Transfer:
    members = ("id", "name", "item", "type", "mode", "quantity", "until", "parent")
    ends = {side: dict(entry[side]) for side in ("source", "target")}
    known = {member: entry[member] for member in members}
    return {**known, **ends, "confirm": None, "declared": declared}
