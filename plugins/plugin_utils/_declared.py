# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory declares, as one host is told of it."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._agents import agent_of
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Entry,
    Told,
    read_declarations,
)


def told_to(
    transfers: t.List[Entry],
    borrows: t.List[Entry],
    host: str,
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]],
) -> t.List[Told]:
    """What the agent of one host is told; AnsibleFilterError for what cannot be read."""
    variables = {"license_transfers": transfers, "license_borrows": borrows}
    agent = agent_of(host, hostvars)
    try:
        read = read_declarations(variables, lambda other: agent_of(other, hostvars))
    except LicenseProblem as problem:
        raise AnsibleFilterError(str(problem)) from problem
    return [each.told(agent) for each in read if agent in each.agents]
