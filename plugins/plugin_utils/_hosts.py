# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that entries name, and that the inventory does not have."""

from __future__ import annotations

import difflib
import typing as t

Entry = t.Dict[str, t.Any]

_MEMBERS: t.Final = {
    "license_server_configs": ("host",),
    "license_activations": ("host",),
    "license_dongle_migrations": ("host",),
    "license_transfers": ("source", "target"),
    "license_borrows": ("source", "target"),
    "license_server_borrows": ("host",),
    "license_server_moves": ("source", "target"),
    "license_orders": ("host",),
}
"""Where an entry names a host; source and target of an order are phone systems."""


def unknown_hosts(declared: dict[str, t.Any], hosts: list[str]) -> list[str]:
    """A sentence for each place that names a host which none of the inventory has.

    A machine that is declared as lost need not be in the inventory any more.
    """
    return [
        _sentence(f"{variable}[{position}].{member}", entry, str(entry[member]), hosts)
        for variable, entries in declared.items()
        for position, entry in enumerate(entries if isinstance(entries, list) else ())
        for member in _MEMBERS[variable]
        # Of another form, an entry is told by the role that it is for.
        if isinstance(entry, dict)
        and entry.get(member) is not None
        and entry[member] not in hosts
        and not entry.get(f"{member}_lost", False)
    ]


def _sentence(place: str, entry: Entry, name: str, hosts: list[str]) -> str:
    titled = f" of {entry['name']}" if entry.get("name") else ""
    near = difflib.get_close_matches(name, hosts, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return (
        f"The inventory declares {name} as {place}{titled}, and no host of the inventory"
        f" is called so.{meant} Correct the name, or add the host. Nothing was done here."
    )
