# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on many hosts is told once, hosts are named where they differ, parts as they run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import inventory
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)
from inventory.declared import HOSTS, changed, read, right

ROOT = Path(__file__).resolve().parents[2]
LACKS = "license_server_configs[0] lacks vendor (whose license server it is)."


def told(hosts: dict[str, dict[str, Any]], **more: Any) -> list[str]:
    """The mistakes of these hosts."""
    return read_inventory(hosts, list(hosts), **more).mistakes


def test_a_mistake_of_a_group_is_told_once_without_its_hosts() -> None:
    wrong = {"license_server_configs": [{}]}
    assert told(dict.fromkeys([f"host-{n}" for n in range(20)], wrong)) == [LACKS]


def test_a_host_that_differs_is_named() -> None:
    good = {"license_server_configs": [{"vendor": "chaos"}]}
    wrong = {"license_server_configs": [{}]}
    assert told({"a": good, "b": wrong, "c": {}}) == [f"On b: {LACKS}"]
    assert told({"a": good, "b": wrong, "c": wrong}) == [f"On b and c: {LACKS}"]
    many = {f"h{number}": wrong for number in range(5)}
    assert told({"a": good, **many}) == [f"On h0, h1, h2 and 2 more: {LACKS}"]


def test_what_one_host_alone_declares_names_it_and_a_lone_host_needs_no_name() -> None:
    wrong = {"license_server_configs": [{}]}
    assert told({"a": wrong, "b": {}}) == [f"On a: {LACKS}"]
    assert told({"a": wrong}) == [LACKS]


def test_the_same_mistake_in_two_variables_of_two_hosts_is_told_once() -> None:
    first = {"license_server_configs": [{}, {"vendor": "chaos"}]}
    second = {"license_server_configs": [{}, {"vendor": "codemeter"}]}
    assert told({"a": first, "b": second}) == [LACKS]


def test_what_has_one_name_and_differs_between_hosts_is_told_once() -> None:
    entry = {"name": "seats", "item": "6000010:201", "type": "complete"}
    entry |= {"source": "a", "target": "b"}
    other = {**entry, "type": "licenses", "quantity": 1}
    hosts = {
        "a": {"license_transfers": [entry]},
        "b": {"license_transfers": [{**entry, "name": "others"}, other]},
        "c": {"license_transfers": [other]},
    }
    differs = "license_transfers[1] of seats differs between a and b: declare it once, for both."
    assert told(hosts) == [differs]
    spelled = {"license_transfers": [{**entry, "item": "06000010:0201", "mode": "push"}]}
    assert told({"a": {"license_transfers": [entry]}, "b": spelled}) == []
    assert told(hosts, parts=["settings"]) == []


def test_what_is_for_one_host_alone_may_differ_where_the_others_read_it() -> None:
    variables = right()
    order = changed(variables, "license_orders[0].documents_dir", "papers-of-new")
    assert told({"old": variables, "new": order}) == []


def test_the_port_by_which_a_host_is_reached_is_its_own() -> None:
    entry = {"vendor": "codemeter", "ports": ["2222/tcp"], "allow_from": []}
    elsewhere = {"license_server_configs": [{**entry, "host": "a"}]}
    assert told({"a": elsewhere, "b": {**elsewhere, "ansible_port": 2222}}) == []
    (sentence,) = told({"a": {**elsewhere, "ansible_port": "2222"}, "b": elsewhere})
    assert "limits the port 2222/tcp, by which you reach the host itself" in sentence
    (sentence,) = told({"a": {"license_server_configs": [entry], "ansible_port": 2222}})
    assert "limits the port 2222/tcp" in sentence


def test_orders_name_systems_that_their_own_host_declares() -> None:
    variables = right()
    systems = {name: variables[name] for name in ("phone_systems", "license_orders")}
    other = {"license_orders": systems["license_orders"]}
    assert told({"old": systems}) == []
    assert told({"old": other}) == [
        f"license_orders[0].{side} of front-desk names {name}, which is no entry of phone_systems:"
        " correct the name, or add it."
        for side, name in (("source", "front-old"), ("target", "front-new"))
    ]


def test_only_the_parts_that_run_are_checked_but_hosts_and_names_always() -> None:
    wrong = changed(right(), "license_transfers[0].quantity", "ten")
    wrong = changed(wrong, "license_borrows[0].source", "odl")
    wrong["license_transfer"] = []
    assert len(read(wrong).mistakes) == 3
    found = read(wrong, parts=["settings"]).mistakes
    assert [text.partition(" ")[0] for text in found] == ["The", "license_borrows[0].source"]


def test_every_part_of_a_run_is_one_that_variables_are_for() -> None:
    known = inventory.schema.variables()
    parts = known["license_state_parts"]["default"]
    assert {each["x-part"] for each in known.values() if "x-part" in each} == set(parts)


def test_names_of_variables_are_compared_with_those_that_are_read() -> None:
    variables = {"license_key_of_mine": 1, "license_state_told": 1, "my_license_transfers": 1}
    assert told({"a": variables}) == []
    (sentence,) = told({"a": {"license_tranfers": []}, "b": {}})
    assert sentence == (
        "On a: The inventory sets license_tranfers, which nothing reads. Did you mean"
        " license_transfers?"
    )


def test_no_host_and_no_variable_is_no_mistake() -> None:
    assert told({}) == []
    assert told({"a": {}}) == []
    assert told({"a": dict.fromkeys(inventory.schema.variables())}) == []


def test_what_many_hosts_have_alike_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    made = inventory._validators()

    def counted(variable: str) -> Any:
        seen.append(variable)
        return made(variable)

    monkeypatch.setattr(inventory, "_validators", lambda: counted)
    common = {"item": "1:1", "type": "complete", "source": "old", "target": "new"}
    hosts = {
        f"host-{host}": {"license_transfers": [{"name": f"t{n}", **common} for n in range(10)]}
        for host in range(20)
    }
    assert read_inventory(hosts, HOSTS).mistakes == []
    assert seen == ["license_transfers"]


def test_a_controller_without_jsonschema_is_told_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['jsonschema'] = None\n"
        f"import {inventory.__name__} as inventory\n"
        "found = inventory.read_inventory({'a': {}}, ['a'])\n"
        "assert found.variables == {}\n"
        "print(*found.mistakes)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT / ".venv" / "collections")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        f"The Python of the controller, {sys.executable}, has no package jsonschema, with which the"
        f" inventory is checked. Install it there: {sys.executable} -m pip install jsonschema\n"
    )
