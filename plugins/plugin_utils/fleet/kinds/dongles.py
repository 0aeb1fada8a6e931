# SPDX-License-Identifier: GPL-3.0-or-later
"""Dongles whose licenses shall be in an online account."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._dongles import MIGRATING_VENDOR
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import migration_id
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    AgentOf,
    Declaration,
    Entry,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import (
    Kind,
    Variables,
    entries_at,
    first_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter

_CONFIRMING: t.Final = {
    "plan_digest": "plan_digest",
    "acknowledge_irreversible": "acknowledgement",
}
_OPTIONAL: t.Final = ("dongle_company", "account_company", "due_after")


def read_migrations(variables: Variables, host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """The dongles of a host, one after the other as they are declared."""
    for entry, names_no_host in entries_at(variables, "license_dongle_migrations", host):
        dongle, agent = entry["dongle"], agent_of(host)
        declared = {
            "dongle": dongle,
            "target_user": entry["target_user"],
            "isolate": entry["isolate"],
            "licenses": _held(entry.get("licenses")),
            **{name: entry[name] for name in _OPTIONAL if entry.get(name) is not None},
        }
        confirmed = {member: entry[name] for name, member in _CONFIRMING.items() if entry.get(name)}
        yield Declaration(
            "dongle_migration",
            migration_id(MIGRATING_VENDOR, dongle),
            dongle,
            (agent,),
            declared,
            {agent: confirmed} if confirmed else {},
            vendor=MIGRATING_VENDOR,
            is_optional=names_no_host,
        )


def _held(licenses: t.Optional[t.List[Entry]]) -> t.Optional[t.List[Entry]]:
    if licenses is None:
        return None
    return [
        {
            **{name: entry[name] for name in ("product", "perpetual")},
            "version": entry["version"],
            "seats": entry.get("seats"),
        }
        for entry in licenses
    ]


def _declared_text(matter: Matter) -> str:
    return f"in the account of {matter.declaration.declared['target_user']}"


def _present_text(matter: Matter) -> t.Optional[str]:
    first = first_of(matter)
    record = first.get("present")
    return str(record["state"]) if record else "not begun" if first else None


DONGLE_MIGRATION: t.Final = Kind("dongles", read_migrations, _declared_text, _present_text)
