# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations name hosts of the inventory; what their agents are called is looked up."""

from __future__ import annotations

from typing import Any

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._agents import agent_of

HOSTS: dict[str, dict[str, Any]] = {
    "old-server": {},
    "new-server": {"seatkeeper_agent_name": "studio.new"},
    "rogue": {
        "seatkeeper_agent_name": "old-server",
        "ansible_facts": {"seatkeeper_agent_name": "old-server"},
    },
}


def test_an_agent_is_called_as_its_host_if_nothing_else_is_declared() -> None:
    assert [agent_of(host, HOSTS) for host in HOSTS] == ["old-server", "studio.new", "rogue"]


def test_a_host_of_another_inventory_is_called_as_its_agent() -> None:
    """Its documents are carried by hand, and a machine that is lost may have left the inventory."""
    assert agent_of("far-away", HOSTS) == "far-away"
