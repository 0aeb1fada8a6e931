# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as Ansible hands them over are read as what they stand for, or refused in one sentence."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    Inventory,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plain_values import (
    Unreadable,
    member,
)
from inventory.declared import changed, read, right
from inventory.from_files import of_ansible

NO_VAULT = "is in a vault that this run cannot open: give its password, as with --ask-vault-pass."
ENDS = "source: old, target: new"
RIGHT = f"""
number: 5
license_transfers:
  - {{name: a, item: "6000010:201", type: licenses, quantity: "{{{{ number }}}}", {ENDS}}}
  - name: b
    item: "06000010:020"
    type: complete
    source: "{{{{ groups['license_servers'][0] }}}}"
    target: new
license_state_wait_timeout: "{{{{ number }}}}0"
"""
WRONG = f"""
secret: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  3132333435
license_transfers:
  - {{name: c, item: 6000010:20, type: borrow_local, until: 2027-01-31, {ENDS}}}
  - {{name: d, item: "6000010:1", type: complete, source: old, target: "{{{{ nobody_sets }}}}"}}
  - {{name: e, item: "6000010:1", type: complete, source: old, target: "{{{{ none.a }}}}"}}
license_borrows: "{{{{ borrows_of_mine }}}}"
license_activations:
  - {{host: old, method: online, account: a, password: "{{{{ secret }}}}"}}
  - {{host: new, method: online, account: a, password: !vault "$ANSIBLE_VAULT;1.1;AES256\\n3132"}}
"""


def of_variables(folder: Path, variables: str) -> Inventory:
    """What a group of two hosts declares with a file of variables."""
    (folder / "group_vars").mkdir()
    (folder / "hosts.yml").write_text("license_servers: {hosts: {old: {}, new: {}}}\n")
    (folder / "group_vars" / "license_servers.yml").write_text(variables)
    return of_ansible(folder)


def test_what_ansible_reads_from_files_is_told_with_its_place(tmp_path: Path) -> None:
    told = of_variables(tmp_path, WRONG).mistakes
    quotes = 'put it into quotes, such as "6000010:201".'
    cannot = "has a template that cannot be resolved: set the variables that it names."
    unset = "has a template with the variable {}, which is not set: set it."
    assert told == [
        f"license_activations[0].password of old {NO_VAULT}",
        f"license_activations[1].password of new {NO_VAULT}",
        f"license_transfers[0].item of c is read by YAML as a number: {quotes}",
        f"license_transfers[1].target of d {unset.format('nobody_sets')}",
        f"license_transfers[2].target of e {cannot}",
        f"license_borrows {unset.format('borrows_of_mine')}",
    ]


def test_what_ansible_reads_is_plain_and_in_one_spelling(tmp_path: Path) -> None:
    found = of_variables(tmp_path, RIGHT)
    assert found.mistakes == []
    variables = found.variables["new"]
    assert variables["license_state_wait_timeout"] == 50
    first, second = variables["license_transfers"]
    assert first["quantity"] == 5
    assert (second["item"], second["source"]) == ("6000010:20", "old")
    assert {type(each) for each in first.values()} == {str, int}
    assert (type(variables["license_transfers"]), type(first)) == (list, dict)


def spelled(place: str, written: t.Any) -> t.Any:
    """How a value is read in a place of the right inventory."""
    found = read(changed(right(), place, written))
    assert found.mistakes == []
    value: t.Any = found.variables["old"]
    variable, _bracket, rest = place.partition("[0].")
    value = value[variable]
    return value if not rest else value[0][rest]


@pytest.mark.parametrize(
    ("place", "written", "meant"),
    [
        ("license_transfers[0].quantity", "10", 10),
        ("license_transfers[0].quantity", " 10 ", 10),
        ("license_transfers[0].quantity", 10.0, 10),
        ("license_transfers[0].item", "06000010:0201", "6000010:201"),
        ("license_transfers[0].item", " 6000010:201@03\n", "6000010:201@3"),
        ("license_transfers[0].mode", "pull ", "pull"),
        ("license_borrows[0].until", "2027-01-31 18:00+02:00", "2027-01-31T16:00:00Z"),
        ("license_borrows[0].until", "2027-01-31T18:00:00.9Z", "2027-01-31T18:00:00Z"),
        ("license_orders[0].date", "2027-02-01 08:00", "2027-02-01"),
        ("license_dongle_migrations[0].isolate", "yes", True),
        ("license_dongle_migrations[0].isolate", "False", False),
        ("license_dongle_migrations[0].isolate", 1, True),
        ("license_state_wait_timeout", "30", 30),
        ("license_order_prices", '{"move_fee": 20}', {"move_fee": "20"}),
        ("license_state_parts", "settings, moves", ["settings", "moves"]),
        ("license_state_parts", "['settings']", ["settings"]),
        ("license_state_parts", "", []),
        ("license_activation_exchange_command", "/usr/bin/answer", ["/usr/bin/answer"]),
    ],
)
def test_a_value_is_read_as_what_it_stands_for(place: str, written: t.Any, meant: t.Any) -> None:
    read_as = spelled(place, written)
    assert read_as == meant
    assert type(read_as) is type(meant)


def test_a_list_of_an_ini_file_is_read_from_its_text() -> None:
    text = "[{'name': 'a', 'item': '6:1', 'type': 'complete', 'source': 'old', 'target': 'new'}]"
    found = read({**right(), "license_transfers": text})
    assert found.mistakes == []
    assert found.variables["old"]["license_transfers"][0]["mode"] == "push"


@pytest.mark.parametrize(
    "place",
    [
        "license_transfers[0].source_container",
        "license_server_moves[0].plan_digest",
        "license_orders[0].fields",
    ],
)
@pytest.mark.parametrize("written", [None, ""])
def test_what_is_empty_is_left_out(place: str, written: str | None) -> None:
    found = read(changed(right(), place, written))
    variable, _bracket, name = place.partition("[0].")
    if written is None or name == "plan_digest":
        assert found.mistakes == []
        assert name not in found.variables["old"][variable][0]
    else:
        assert len(found.mistakes) == 1


def test_spellings_of_one_thing_are_one_mistake_and_one_value() -> None:
    variables = right()
    written = changed(variables, "license_transfers[0].quantity", "10")
    written = changed(written, "license_transfers[0].item", "06000010:201")
    assert read(written).variables == read(variables).variables


def test_an_item_twice_in_two_spellings_is_one() -> None:
    variables = right()
    entry = {**variables["license_dongle_migrations"][0], "host": "old"}
    (sentence,) = read(changed(variables, "license_dongle_migrations[2]", entry)).mistakes
    assert sentence.startswith("license_dongle_migrations[2] of 90000001 has the same dongle as")


class Raising(dict[str, t.Any]):
    """Keys whose values cannot be read, as a template of Ansible's cannot."""

    def __init__(self, message: str) -> None:
        super().__init__(name="a")
        self._message = message

    def __getitem__(self, key: str) -> t.Any:
        raise RuntimeError(self._message)


class StrictUndefined:
    """As templates have it for a name that nothing sets."""


class Undefined(StrictUndefined):
    """Its base."""


def looped() -> list[t.Any]:
    """A list within itself, which an anchor of YAML can make."""
    made: list[t.Any] = []
    made.append(made)
    return made


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([Raising("'a_name' is undefined")], "[0].name has a template with the variable a_name"),
        ([Raising("no secrets in the Vault")], "[0].name is in a vault that this run cannot open"),
        ([Raising("hidden")], "[0].name has a template that cannot be resolved"),
        ([Undefined()], "[0] has a template that cannot be resolved"),
        ([{"name": {"__ansible_vault": "1"}}], "[0].name is in a vault that this run cannot open"),
        ([{"name": b"bytes"}], "[0].name is neither a text, a number, a date, a list nor keys"),
        (looped(), "is nested too deep, or within itself: write it out"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_and_hides_nothing_else(value: t.Any, sentence: str) -> None:
    wrong = changed(right(), "license_transfers", value)
    wrong = changed(wrong, "license_state_wait_timeout", "many")
    told = read(wrong).mistakes
    assert any(text.startswith("license_transfers") and sentence in text for text in told), told
    assert "license_state_wait_timeout must be a whole number, 0 or more." in told
    assert not any("hidden" in text for text in told)


def test_a_text_that_is_marked_unsafe_is_its_text() -> None:
    assert member({"a": {"__ansible_unsafe": "b"}}, "a") == "b"
    assert isinstance(member({}, "a"), Unreadable)
