# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that the collection reads come from the inventory, and never from what a host returned.

A module's result may carry facts, and ansible-core lets them outrank the inventory. Whoever has a
host in his hands could so have the controller run his command, or answer for another host.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._read_names import NAMES

_PREFIX: t.Final = "ansible_"
_SHOWN_MAX: t.Final = 5


def no_facts(facts: t.Mapping[str, t.Any], host: str) -> bool:
    """True; AnsibleFilterError with one sentence where facts of a host have names of ours."""
    why = why_not_own(facts, host)
    if why is not None:
        raise AnsibleFilterError(why)
    return True


def why_not_own(facts: t.Mapping[str, t.Any], host: str) -> str | None:
    """Which facts of a host have names of ours, in one sentence; None where none has."""
    found = sorted(_claimed(facts))
    if not found:
        return None
    shown = ", ".join(found[:_SHOWN_MAX]) + (" and others" if found[_SHOWN_MAX:] else "")
    return (
        f"The host {host} returned facts called {shown}, which would take the place of what the"
        " inventory declares. Nothing more is done for it: find out who answers there, its Python"
        " interpreter first; set what is yours in the inventory, and not by cacheable facts."
    )


def values_of(hosts: t.Iterable[t.Mapping[str, t.Any]], name: str) -> list[t.Any]:
    """The variable of each host that has it, but where it came with the host's own facts."""
    return [
        variables[name]
        for variables in hosts
        if name in variables and name not in (variables.get("ansible_facts") or {})
    ]


def _claimed(facts: t.Mapping[str, t.Any]) -> set[str]:
    """Facts are listed without the prefix that some of them have."""
    return {name for name in NAMES if name in facts or name.removeprefix(_PREFIX) in facts}
