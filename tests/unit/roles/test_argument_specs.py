# SPDX-License-Identifier: GPL-3.0-or-later
"""Every variable that a role takes from outside stands in its argument specs, and no other."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml
from jinja2 import meta

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import schema
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())

PLAY = "license_state"

# What Ansible gives to every task; see "Special variables" in its documentation.
GIVEN = {"groups", "hostvars", "inventory_dir", "inventory_hostname", "item", "omit"}
GIVEN |= {"playbook_dir", "role_path", "vars"}
# And the functions that every template has.
GIVEN |= {"lookup", "now", "q", "query", "undef"}
# Members of a task whose values are expressions without braces.
EXPRESSIONS = {"changed_when", "failed_when", "that", "until", "when"}
# Members that name a variable which the role itself sets.
SETTING = {"index_var", "loop_var", "register"}
INCLUDING = {f"ansible.builtin.{verb}_role" for verb in ("import", "include")}


def load(path: Path) -> t.Any:
    """The content of a YAML file of a role; None where there is none."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None


def documents(role: str) -> list[t.Any]:
    """What the role does: tasks, handlers, defaults and variables."""
    folder = ROOT / "roles" / role
    kinds = ("tasks", "handlers", "defaults", "vars")
    return [load(path) for kind in kinds for path in sorted(folder.glob(f"{kind}/*.yml"))]


def templates(role: str) -> list[str]:
    """The text of its templates."""
    folder = ROOT / "roles" / role / "templates"
    return [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]


class Every(dict[str, t.Any]):
    """Filters and tests of every name: which ones there are is not looked at here."""

    def get(self, _name: str, _default: t.Any = None) -> t.Any:
        """Something to call."""
        return str


JINJA = jinja2.Environment(autoescape=True)
JINJA.filters = JINJA.tests = Every()


def used_by(text: str) -> set[str]:
    """The variables that a text with braces asks for."""
    # Ansible lets a backslash in a string stand for itself.
    return meta.find_undeclared_variables(JINJA.parse(text.replace("\\", "\\\\")))


def variables(node: t.Any, expression: bool = False) -> tuple[set[str], set[str]]:
    """What a part of a document uses, and what it sets for the parts after it."""
    used: set[str] = set()
    made: set[str] = set()
    if isinstance(node, str):
        # A module may have an option of that name, whose value has braces as usual.
        bare = expression and "{{" not in node
        used |= used_by("{{ " + node + " }}" if bare else node)
    elif isinstance(node, list):
        for entry in node:
            inner = variables(entry, expression)
            used |= inner[0]
            made |= inner[1]
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in SETTING:
                made.add(value)
            if isinstance(value, dict) and (name == "vars" or str(name).endswith("set_fact")):
                made |= set(value)
            inner = variables(value, expression or name in EXPRESSIONS)
            used |= inner[0]
            made |= inner[1]
    return used, made


def options(role: str) -> dict[str, dict[str, t.Any]]:
    """The options of all entry points of a role."""
    specs = load(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    return {
        name: option for spec in specs.values() for name, option in (spec["options"] or {}).items()
    }


def taken_and_made(role: str) -> tuple[set[str], set[str]]:
    """What the role takes from outside, and what it sets itself."""
    used, made = variables(documents(role))
    for text in templates(role):
        used |= used_by(text)
    made |= set(load(ROOT / "roles" / role / "vars" / "main.yml") or {})
    if role == PLAY:
        # Its first task reads all of these, of all hosts.
        used |= schema.variables().keys() - {"license_server_vendors"}
    taken = {name for name in used - made - GIVEN if not name.startswith("ansible_")}
    return taken, made


def includes_roles(node: t.Any) -> bool:
    """Whether a part of a role runs other roles."""
    if isinstance(node, list):
        return any(includes_roles(entry) for entry in node)
    if isinstance(node, dict):
        return bool(INCLUDING & set(node)) or any(map(includes_roles, node.values()))
    return False


def of_other_roles(role: str) -> set[str]:
    """What a role that runs others may use of theirs: their options, and what they set."""
    if not includes_roles(documents(role)):
        return set()
    others = [other for other in ROLES if other != role]
    return {name for other in others for name in {*options(other), *taken_and_made(other)[1]}}


@pytest.mark.parametrize("role", ROLES)
def test_the_specs_describe_what_the_role_takes_and_no_other(role: str) -> None:
    taken, made = taken_and_made(role)
    described = set(options(role))
    assert taken - described - of_other_roles(role) == set(), "used, but not described"
    assert described - taken == set(), "described, but not used"
    assert described & made == set(), "described, but set by the role itself"


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_that_the_specs_tell(role: str) -> None:
    defaults = load(ROOT / "roles" / role / "defaults" / "main.yml") or {}
    reported = options(role)
    assert set(defaults) <= set(reported)
    for name, value in defaults.items():
        assert reported[name].get("default") == value, name
        assert not reported[name].get("required"), name


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_sets_begins_with_its_name(role: str) -> None:
    _taken, made = taken_and_made(role)
    strangers = {name for name in made if not re.match(rf"_*{role}_", name)}
    assert strangers - of_other_roles(role) == set()


def test_nothing_that_a_role_sets_is_taken_for_a_misspelt_option() -> None:
    made = {name for role in ROLES for name in taken_and_made(role)[1]}
    assert read_inventory({"host": dict.fromkeys(made, "x")}, ["host"]).mistakes == []


def test_a_variable_is_found_wherever_it_stands() -> None:
    tasks = [
        {
            "name": "Do {{ a }}",
            "ansible.builtin.debug": {"msg": ["{{ b | default(c) }}", "{% if d %}{% endif %}"]},
            "when": ["e is defined", "f.g | length > 0"],
            "loop": "{{ h['i'] }}",
            "loop_control": {"loop_var": "entry"},
            "vars": {"own": "{{ entry + j }}"},
            "register": "result",
            "until": "result.k == 1",
        }
    ]
    used, made = variables(tasks)
    assert used == {"a", "b", "c", "d", "e", "f", "h", "j", "entry", "result"}
    assert made == {"entry", "own", "result"}
