# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fleet program has to know of one kind of declaration."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    AgentOf,
    Declaration,
    Entry,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.hosts import Host
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter

Variables = t.Mapping[str, t.Any]
Read = t.Callable[[Variables, str, AgentOf], t.Iterable[Declaration]]
"""From the variables of a host, its name and the names of agents: what they declare."""
Secrets = t.Dict[str, Entry]
"""By the id of a declaration: members of what is declared that nothing keeps and nobody is shown.
"""


class Run(t.NamedTuple):
    """What is known so far: the hosts by the names of their agents, and all that is declared."""

    hosts: t.Mapping[str, Host]
    matters: t.Sequence[Matter]
    is_check: bool


def as_it_is(matter: Matter, _run: Run) -> Declaration:
    """For kinds of which the inventory says all."""
    return matter.declaration


def nothing_besides(_matter: Matter) -> t.List[str]:
    """For kinds of which the agent says all."""
    return []


def without_secrets(_variables: Variables, _host: str) -> Secrets:
    """For kinds that have none."""
    return {}


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of declaration.

    ``part`` is what a playbook calls it. ``declared`` and ``present`` say in a few words what is
    declared, and how it was when it was first looked at. ``completed`` gives the declaration with
    what the answers so far add to it, be it from other hosts or from files of the controller; a
    LicenseProblem of it keeps the declaration from going on. ``instructions`` are for a person who
    is awaited, where only the controller knows them. ``urgent`` are lines that whoever reads of it
    has to see first.
    """

    part: str
    read: Read
    declared: t.Callable[[Matter], str]
    present: t.Callable[[Matter], t.Optional[str]]
    completed: t.Callable[[Matter, Run], Declaration] = as_it_is
    secrets: t.Callable[[Variables, str], Secrets] = without_secrets
    instructions: t.Callable[[Matter], t.List[str]] = nothing_besides
    urgent: t.Callable[[Matter], t.List[str]] = nothing_besides


def entries_at(variables: Variables, name: str, host: str) -> t.List[t.Tuple[Entry, bool]]:
    """The entries for one host, each with whether it names no host."""
    return [
        (entry, "host" not in entry)
        for entry in variables.get(name) or ()
        if entry.get("host", host) == host
    ]


def first_of(matter: Matter) -> Entry:
    """What the agent of a thing of one host answered first; empty where it did not."""
    return matter.first.get(matter.agents[0]) or {}


def leaves(tree: t.Mapping[str, t.Any], path: str = "") -> t.Dict[str, t.Any]:
    """Single values by their paths; what is told as a list is too much for a table."""
    found: t.Dict[str, t.Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found.update(leaves(value, f"{path}{name}."))
        elif not isinstance(value, (list, tuple)):
            found[f"{path}{name}"] = value
    return found
