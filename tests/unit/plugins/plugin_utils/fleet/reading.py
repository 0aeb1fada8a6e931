# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations of variables that are checked and spelled as a run does it."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Declaration,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import (
    read_declarations,
)


def declared_of(*hosts: str, **variables: t.Any) -> list[Declaration]:
    """What the variables of a group declare of its hosts, each thing once."""
    read = read_inventory(dict.fromkeys(hosts, variables), hosts)
    assert not read.mistakes, read.mistakes
    found = {
        each.key: each
        for host in hosts
        for each in read_declarations(read.variables[host], host, str)
    }
    return list(found.values())
