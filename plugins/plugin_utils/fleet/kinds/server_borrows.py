# SPDX-License-Identifier: GPL-3.0-or-later
"""Seats that a license server borrows of its online account, for use without internet."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._activation import VENDOR
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    borrow_id,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    AgentOf,
    Declaration,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import (
    Kind,
    Variables,
    entries_at,
    first_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter


def read_borrows(variables: Variables, host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """What the server of a host is to hold of its account."""
    for entry, names_no_host in entries_at(variables, "license_server_borrows", host):
        declared = {
            "name": entry["name"],
            "product": entry["product"],
            "seats": entry["seats"],
            "until": entry["until"],
            "auto_renew": entry["auto_renew"] and entry["seats"] > 0,
        }
        yield Declaration(
            "server_borrow",
            borrow_id(entry["name"]),
            entry["name"],
            (agent_of(host),),
            declared,
            vendor=VENDOR,
            is_optional=names_no_host,
        )


def _declared_text(matter: Matter) -> str:
    declared = matter.declaration.declared
    return f"{declared['seats']} of {declared['product']} until {declared['until']}"


def _present_text(matter: Matter) -> t.Optional[str]:
    seats = (first_of(matter).get("before") or {}).get("seats")
    return None if seats is None else str(seats)


SERVER_BORROW: t.Final = Kind("borrows", read_borrows, _declared_text, _present_text)
