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
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._allowed import (
    lots_allowed,
    open_allowed,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._legs import Reported, Transfer
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._places import placed


def all_transfers(declared: list[dict[str, t.Any]], reported: list[Reported]) -> list[Transfer]:
    """Declared ones first, then lots of borrows, then what an earlier run left open."""
    transfers = {entry["id"]: placed(entry, reported) for entry in map(_declared, declared)}
    for host in reported:
        for lot in lots_allowed(host, reported)[0]:
            transfers[lot["id"]] = _known(lot, declared=True)
    declared_ids = set(transfers)
    for host in reported:
        for record in open_allowed(host, reported, declared_ids)[0]:
            transfers.setdefault(record["id"], _known(record, declared=False))
    return list(transfers.values())


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
        "plan_digest": entry.get("plan_digest"),
        "declared": True,
    }


def _known(entry: dict[str, t.Any], declared: bool) -> Transfer:
    members = ("id", "name", "item", "type", "mode", "quantity", "until", "parent")
    ends = {side: dict(entry[side]) for side in ("source", "target")}
    known = {member: entry[member] for member in members}
    return {**known, **ends, "plan_digest": None, "declared": declared}
