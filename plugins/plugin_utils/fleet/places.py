# SPDX-License-Identifier: GPL-3.0-or-later
"""Which container of a host a declaration means, by what that host itself shows."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    SIDES,
    Declaration,
    Entry,
)

Items = t.Dict[str, t.Optional[t.List[str]]]
"""By the serial number of a container: its enabled items without reference; None where not all of
them were shown."""


def containers_of(look: t.List[Entry]) -> Items:
    """What one agent shows of its containers."""
    return {
        container["serial"]: None
        if container["more"]
        else [_code(item["item"]) for item in container["items"] if item["status"] == "enabled"]
        for container in look
    }


def placed(declaration: Declaration, shown: t.Mapping[str, Items], known: Entry) -> Declaration:
    """The declaration with the containers that it leaves out, where they are clear.

    ``shown`` is by the names of agents; ``known`` is what a journal has of it, by side.
    """
    body = declaration.declared.get("transfer", declaration.declared)
    ends = {
        side: {**body[side], "container": container}
        for side in SIDES
        if not body[side].get("container")
        and (container := known.get(side) or _only(shown, body, side)) is not None
    }
    if not ends:
        return declaration
    full = {**body, **ends}
    is_transfer = "transfer" in declaration.declared
    declared = {**declaration.declared, "transfer": full} if is_transfer else full
    return dataclasses.replace(declaration, declared=declared)


def is_placed(declaration: Declaration) -> bool:
    """Whether it says of both ends which container is meant."""
    body = declaration.declared.get("transfer", declaration.declared)
    return all(body[side].get("container") for side in SIDES)


def _only(shown: t.Mapping[str, Items], body: Entry, side: str) -> t.Optional[str]:
    """The host's one container, or the one that has the item; None leaves it to the agent."""
    items = shown.get(body[side]["agent"], {})
    serials = sorted(items)
    if side == "source" and len(serials) > 1:
        wanted = _code(body["item"])
        serials = [serial for serial in serials if wanted in (items[serial] or [wanted])]
    return serials[0] if len(serials) == 1 else None


def _code(item: str) -> str:
    return item.partition("@")[0]
