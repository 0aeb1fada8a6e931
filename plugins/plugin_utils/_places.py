# SPDX-License-Identifier: GPL-3.0-or-later
"""Which container of a host a declaration means, by what that host itself told."""

from __future__ import annotations

import typing as t

Entry = t.Dict[str, t.Any]
Reported = t.Dict[str, t.Any]


def host_of(agent: str, reported: list[Reported]) -> Reported | None:
    """What the host of an agent told, None where it is not in the play."""
    return next((host for host in reported if host["agent"] == agent), None)


def own_record(host: Reported, identity: str) -> Entry | None:
    """A transfer as the host itself knows it, by what it read last."""
    known = (*host.get("lent", ()), *(host.get("before") or {}).get("transfers", ()))
    return next((record for record in known if record["id"] == identity), None)


def borrows_of(declared: list[Entry], agent: str, reported: list[Reported]) -> list[Entry]:
    """The borrows that the host of ``agent`` declares, with the containers of both ends."""
    found = []
    for entry in declared:
        if entry["target"] != agent:
            continue
        ends = {}
        for side in ("source", "target"):
            container = entry.get(f"{side}_container")
            if container is None:
                container = _only_container(_view(entry[side], reported), entry["item"], side)
            ends[f"{side}_container"] = container
        found.append({**entry, **ends})
    return found


def placed(transfer: Entry, reported: list[Reported]) -> Entry:
    """The transfer with the containers that its declaration leaves out, where they are clear."""
    return {**transfer, **{side: _place(transfer, side, reported) for side in ("source", "target")}}


def _place(transfer: Entry, side: str, reported: list[Reported]) -> dict[str, t.Any]:
    place = transfer[side]
    if place["container"] is not None:
        return dict(place)
    host = host_of(place["agent"], reported)
    if host is None:
        # Its host is not in the play; only the other end can say with which container it began.
        host = host_of(transfer["target" if side == "source" else "source"]["agent"], reported)
    record = own_record(host or {}, transfer["id"])
    if record is not None:
        return {**place, "container": record[side]["container"]}
    container = _only_container(_view(place["agent"], reported), transfer["item"], side)
    return {**place, "container": container}


def _view(agent: str, reported: list[Reported]) -> dict[str, t.Any] | None:
    return (host_of(agent, reported) or {}).get("before")


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
