# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agents of hosts are called: declarations name hosts, and documents name agents.

A host that this inventory does not have, as its documents are carried by hand, is called as its
agent is.
"""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._own_names import values_of

_NAME: t.Final = "seatkeeper_agent_name"


def agent_of(host: str, hostvars: t.Mapping[str, t.Mapping[str, t.Any]]) -> str:
    """What the agent of a host is called: as its host, if nothing else is declared."""
    declared = values_of([hostvars[host]], _NAME) if host in hostvars else []
    return str(declared[0]) if declared else host
