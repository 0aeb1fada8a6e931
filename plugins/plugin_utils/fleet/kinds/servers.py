# SPDX-License-Identifier: GPL-3.0-or-later
"""License servers' own settings, as far as an agent can be asked for them."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._server import settings_as_texts
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
    leaves,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter

_SHOWN_MAX: t.Final = 4
_MEMBERS: t.Final = ("settings", "dongle_service", "version_min", "state")


def read_servers(variables: Variables, host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """What is declared of each server that is there; packages and ports are another role's."""
    seen: t.Counter[str] = collections.Counter()
    for entry, names_no_host in entries_at(variables, "license_server_configs", host):
        vendor = entry["vendor"]
        seen[vendor] += 1
        declared = _declared(entry)
        # Where only its service is declared, the unit may be all that anybody can be asked about.
        is_optional = names_no_host or set(declared) <= {"settings", "running"}
        if any(entry.get(member) for member in _MEMBERS):
            yield Declaration(
                "server",
                # What all hosts have, and what one has besides, are two declarations of one server.
                vendor if seen[vendor] == 1 else f"{vendor}.{seen[vendor]}",
                vendor,
                (agent_of(host),),
                declared,
                vendor=vendor,
                is_optional=names_no_host or (is_optional and not declared["settings"]),
            )


def _declared(entry: Entry) -> Entry:
    declared: Entry = {"settings": settings_as_texts(entry.get("settings") or {})}
    if entry.get("dongle_service") is not None:
        declared["dongle_service"] = entry["dongle_service"]
    if entry.get("version_min") is not None and not entry.get("package"):
        declared["version_min"] = str(entry["version_min"])
    if entry.get("state") is not None:
        declared["running"] = entry["state"] == "started"
    return declared


def _declared_text(matter: Matter) -> str:
    differing = _differing(matter)
    if differing:
        return _listed([f"{name} {_word(now)}" for name, _was, now in differing])
    settings = leaves(matter.declaration.declared["settings"])
    rest = {
        name: value for name, value in matter.declaration.declared.items() if name != "settings"
    }
    counted = [f"{len(settings)} settings"] if settings else []
    return ", ".join([*counted, *(f"{name} {_word(value)}" for name, value in rest.items())])


def _present_text(matter: Matter) -> t.Optional[str]:
    differing = _differing(matter)
    return _listed([f"{name} {_word(was)}" for name, was, _now in differing]) if differing else None


def _differing(matter: Matter) -> t.List[t.Tuple[str, t.Any, t.Any]]:
    """What was, or would be, made otherwise: the name, how it was, and how it becomes."""
    first = first_of(matter)
    before, after = leaves(first.get("before") or {}), leaves(first.get("after") or {})
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [(name, before.get(name), after.get(name)) for name in names]


def _listed(texts: t.List[str]) -> str:
    more = len(texts) - _SHOWN_MAX
    return ", ".join(texts[:_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def _word(value: t.Any) -> str:
    return {True: "yes", False: "no", None: "not set"}.get(value, str(value))


SERVER: t.Final = Kind("settings", read_servers, _declared_text, _present_text)
