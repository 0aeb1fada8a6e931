# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory declares and nobody is shown, for the one task that tells it."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import Secrets
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import (
    PARTS,
    secrets_of,
)


def secrets(
    hostvars: t.Mapping[str, t.Any], host: str, parts: t.Collection[str] = PARTS
) -> t.Dict[str, Secrets]:
    """By kind and id, what the agent of one host is told besides.

    AnsibleFilterError where the variables are wrong, which a run finds before it comes here.
    """
    read = read_inventory({host: hostvars}, [host], parts)
    if host not in read.variables:
        raise AnsibleFilterError("\n".join(read.mistakes))
    return secrets_of(read.variables[host], host, parts)
