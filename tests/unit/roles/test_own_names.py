# SPDX-License-Identifier: GPL-3.0-or-later
"""Every task of every role and playbook is under the condition that refuses facts of our names."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._own_names import (
    no_facts,
    values_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._read_names import NAMES

ROOT = Path(__file__).resolve().parents[3]
GUARD = "ansible_facts | seatkeeper.licensing.license_no_facts(inventory_hostname)"
ROLES = sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/main.yml"))


def tasks_of_playbooks() -> t.Iterator[tuple[str, list[dict[str, t.Any]]]]:
    """The tasks that plays have beside their roles."""
    for path in sorted(ROOT.glob("playbooks/*.yml")):
        for play in yaml.safe_load(path.read_text(encoding="utf-8")):
            if "tasks" in play:
                yield path.name, play["tasks"]


@pytest.mark.parametrize("role", ROLES)
def test_all_tasks_of_a_role_are_under_the_condition(role: str) -> None:
    text = (ROOT / "roles" / role / "tasks" / "main.yml").read_text(encoding="utf-8")
    (whole,) = yaml.safe_load(text)
    assert (whole["when"], bool(whole["block"])) == (GUARD, True)


def test_all_tasks_of_a_playbook_are_under_the_condition() -> None:
    found = list(tasks_of_playbooks())
    assert found
    for _name, tasks in found:
        (whole,) = tasks
        # A role has the condition itself.
        assert "ansible.builtin.import_role" in whole or whole["when"] == GUARD


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_of_a_role_is_among_the_names(role: str) -> None:
    for path in (ROOT / "roles" / role).glob("*/*.yml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.parent.name in ("defaults", "vars"):
            assert set(content) <= NAMES
        if path.name == "argument_specs.yml":
            assert set(content["argument_specs"]["main"]["options"]) <= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_fact_of_each_name_is_refused(name: str) -> None:
    listed = name.removeprefix("ansible_")
    with pytest.raises(AnsibleFilterError, match=f"The host one returned facts called {name}"):
        no_facts({listed: 1}, "one")
    assert no_facts({"distribution": "Debian", "local": {}, "env": {}}, "one")


def test_what_a_host_has_told_counts_only_where_its_facts_do_not_have_the_name() -> None:
    name = "license_state_run"
    honest, hostile = {name: 1, "ansible_facts": {}}, {name: 2, "ansible_facts": {name: 2}}
    assert values_of([honest, hostile, {"ansible_facts": {}}], name) == [1]
