# SPDX-License-Identifier: GPL-3.0-or-later
"""What is well-formed and cannot be meant: names of nobody, things twice, two ends that are one.

Each check takes the entries of a variable in their one spelling, and gives the place and the clause
of each fault. Entries that the schema refuses are None.
"""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._card_data import (
    free_texts,
    has_card_number,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import one_line
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._packages import entry_mistakes
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.faults import (
    NAMES_ALIKE,
    Fault,
    Path,
    meant,
    place_of,
    shown_name,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.schema import Schema

Entry = t.Dict[str, t.Any]
Entries = t.Sequence[t.Optional[Entry]]

_CARD_MEMBERS: t.Final = {
    "license_orders": ("name", "fields", "case_number", "rules"),
    "phone_systems": ("name", "owner", "chassis"),
}
"""What people write freely about an order."""
_EVERY_HOST: t.Final = "host"
_SERVERS: t.Final = "license_server_configs"


def unknown_hosts(value: t.Any, schema: Schema, known: t.Collection[str]) -> t.Iterator[Fault]:
    """Names of hosts that the inventory does not have; one that is lost need not be in it."""
    members = _naming(schema, "host")
    for number, entry in enumerate(value if isinstance(value, list) else ()):
        for member, unless in members.items() if isinstance(entry, dict) else ():
            name = entry.get(member)
            is_named = isinstance(name, str) and name != ""
            if is_named and name not in known and entry.get(unless) is not True:
                yield (number, member), _unknown(name, "host of the inventory", known)


def _naming(schema: Schema, what: str) -> t.Dict[str, str]:
    """The members that name something, with the member that says that it may be gone."""
    members = schema.get("items", {}).get("properties", {})
    return {
        name: each.get("x-unless", "")
        for name, each in members.items()
        if each.get("x-names") == what
    }


def _unknown(name: str, what: str, known: t.Collection[str]) -> str:
    near = meant(name, known, NAMES_ALIKE) or ": correct the name, or add it"
    return f"names {shown_name(name)}, which is no {what}{near}"


def unknown_systems(orders: Entries, systems: t.Any, schema: Schema) -> t.Iterator[Fault]:
    """Ends of orders that are no declared phone system."""
    declared = systems if isinstance(systems, list) else []
    names = [each.get("name") if isinstance(each, dict) else None for each in declared]
    known = [name for name in names if isinstance(name, str)]
    # One that has no name yet may be the one that is meant.
    if len(known) < len(names):
        return
    for number, entry in enumerate(orders):
        for member in _naming(schema, "phone_system") if entry is not None else ():
            if entry is not None and entry[member] not in known:
                clause = _unknown(entry[member], "entry of phone_systems", known)
                yield (number, member), clause


def twice(variable: str, value: t.Any, schema: Schema, path: Path = ()) -> t.Iterator[Fault]:
    """Entries that have alike what no two may have alike, here and in lists within entries."""
    entries = [each if isinstance(each, dict) else {} for each in value]
    unique: t.List[str] = schema.get("x-unique", [])
    for number, entry in enumerate(entries if unique else ()):
        first = next((n for n in range(number) if _are_alike(entries[n], entry, unique)), None)
        if first is not None:
            what = unique[-1]
            where = place_of(variable, (*path, first))
            clause = f"has the same {what} as {where}: leave one, or correct the {what}"
            yield (*path, number), clause
    for number, entry in enumerate(entries):
        for name, member in schema["items"].get("properties", {}).items():
            if member["type"] == "array" and isinstance(entry.get(name), list):
                yield from twice(variable, entry[name], member, (*path, number, name))


def _are_alike(first: Entry, second: Entry, unique: t.List[str]) -> bool:
    """Whether two are one; what names no host is for every host, if it has more to be known by."""
    if any(first.get(name) is None or second.get(name) is None for name in unique[-1:]):
        return False
    return all(
        first.get(name) == second.get(name)
        or (name == _EVERY_HOST and (first.get(name) is None or second.get(name) is None))
        for name in unique
    )


def one_end(entries: Entries) -> t.Iterator[Fault]:
    """Entries whose source is their target."""
    for number, entry in enumerate(entries):
        if entry is not None and entry.get("source") and entry["source"] == entry.get("target"):
            name = shown_name(entry["source"])
            yield (number,), f"has {name} as source and as target: they must be two"


def card_data(variable: str, value: t.Any) -> t.Iterator[Fault]:
    """Numbers of payment cards, which get neither to a host nor into a log."""
    for number, entry in enumerate(value if isinstance(value, list) else ()):
        for member in _CARD_MEMBERS.get(variable, ()) if isinstance(entry, dict) else ():
            if any(map(has_card_number, free_texts(entry.get(member)))):
                clause = (
                    "may hold the number of a payment card, which is never taken: leave it out;"
                    " the card's owner writes it by hand into the vendor's form"
                )
                yield (number, member), clause


def server_faults(entries: Entries, ports: t.Callable[[Entry], t.Set[str]]) -> t.Iterator[Fault]:
    """License servers that cannot be meant; ``ports`` are those by which the hosts are reached."""
    packaged: t.List[t.Tuple[int, Entry]] = []
    for number, entry in enumerate(entries):
        if entry is None:
            continue
        for port in sorted(ports(entry)) or ["22"]:
            for clause in entry_mistakes(entry, port):
                yield (number,), one_line(clause)
        if not entry.get("package"):
            continue
        for first, other in packaged:
            if _are_alike(other, entry, [_EVERY_HOST, "vendor"]):
                where = place_of(_SERVERS, (first,))
                clause = f"has a package, and so has {where} for the same host: leave one"
                yield (number,), clause
                break
        packaged.append((number, entry))
