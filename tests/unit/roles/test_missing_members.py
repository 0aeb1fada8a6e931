# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry that lacks what it needs is one sentence that names it, before a role asks anything."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[3]
Options = dict[str, t.Any]


def listed() -> t.Iterator[tuple[str, str, str]]:
    """Every role, each of its lists of entries, and each member that an entry must have."""
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        for name, option in specs(path.parents[1].name).items():
            for member, inner in (option.get("options") or {}).items():
                if inner.get("required"):
                    yield path.parents[1].name, name, member


def specs(role: str) -> Options:
    """What a role takes, as Ansible reads it."""
    path = ROOT / "roles" / role / "meta" / "argument_specs.yml"
    found: Options = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]
    return dict(found["options"])


def filled(option: Options) -> t.Any:
    """A value of the option's type, with all that its members need."""
    if option["type"] == "dict":
        inner = (option.get("options") or {}).items()
        return {name: filled(each) for name, each in inner if each.get("required")}
    if option["type"] == "list":
        return [filled({**option, "type": option.get("elements", "str")})]
    if "choices" in option:
        return option["choices"][0]
    return {"int": 1, "bool": True}.get(option["type"], "text")


@pytest.mark.parametrize(("role", "name", "member"), list(listed()))
def test_a_member_that_is_missing_is_named(role: str, name: str, member: str) -> None:
    option = specs(role)[name]
    validator = ArgumentSpecValidator({name: option})
    assert validator.validate({name: filled(option)}).error_messages == []
    entry = filled({**option, "type": option.get("elements", option["type"])})
    del entry[member]
    given = [entry] if option["type"] == "list" else entry
    (reported,) = validator.validate({name: given}).error_messages
    assert reported == f"missing required arguments: {member} found in {name}"
