# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that no host of the inventory is, in any entry, is told with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._hosts import (
    _MEMBERS,
    unknown_hosts,
)

ROOT = Path(__file__).resolve().parents[4]
HOSTS = ["old-server", "new-server"]
PLACES = [(variable, member) for variable, members in _MEMBERS.items() for member in members]
SYSTEMS = {("license_orders", "source"), ("license_orders", "target")}
"""These name a phone system of phone_systems, which the role itself looks up."""


def options(variable: str) -> dict[str, Any]:
    """What an entry of the variable may have, by the argument specs."""
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        specs = yaml.safe_load(path.read_text("utf-8"))["argument_specs"]["main"]["options"]
        if variable in specs:
            return dict(specs[variable]["options"])
    raise LookupError(variable)


def test_every_member_that_names_a_host_is_looked_at() -> None:
    state = yaml.safe_load((ROOT / "roles/license_state/vars/main.yml").read_text("utf-8"))
    assert set(_MEMBERS) == set(state["license_state_declared"])
    hosts = {"source", "target", "holder", "server", "peer", "peers", "host", "hosts"}
    named = {(name, member) for name in _MEMBERS for member in options(name) if member in hosts}
    assert named - SYSTEMS == set(PLACES)


@pytest.mark.parametrize(("variable", "member"), PLACES)
def test_a_name_that_no_host_has_is_told_with_its_place(variable: str, member: str) -> None:
    entry = {"name": "seats", "host": "old-server", "source": "old-server", "target": "new-server"}
    declared = {variable: [entry, {**entry, member: "old-sever"}]}
    (sentence,) = unknown_hosts(declared, HOSTS)
    assert f"declares old-sever as {variable}[1].{member} of seats" in sentence
    assert "Did you mean old-server? Correct the name, or add the host." in sentence


def test_what_is_left_out_lost_or_far_from_every_name() -> None:
    assert unknown_hosts({"license_server_configs": [{"vendor": "chaos"}]}, HOSTS) == []
    move = {"name": "planning", "source": "burnt", "target": "new-server", "source_lost": True}
    assert unknown_hosts({"license_server_moves": [move]}, HOSTS) == []
    (sentence,) = unknown_hosts({"license_server_configs": [{"host": "xyz"}]}, HOSTS)
    assert "license_server_configs[0].host, and" in sentence
    assert "Did you mean" not in sentence
