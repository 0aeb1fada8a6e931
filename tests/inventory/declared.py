# SPDX-License-Identifier: GPL-3.0-or-later
"""A right inventory as YAML gives it, and changes of it."""

from __future__ import annotations

import copy
import functools
import re
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    Inventory,
    read_inventory,
)

FOLDER = Path(__file__).parent
HOSTS = ("old", "new")
_STEP = re.compile(r"\[(\d+)\]|([^.\[]+)")


def right() -> dict[str, Any]:
    """The variables of an inventory that declares everything, without a mistake."""
    return copy.deepcopy(_right())


@functools.cache
def _right() -> dict[str, Any]:
    text = (FOLDER / "right.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def steps(place: str) -> list[str | int]:
    """A place such as ``license_orders[0].keys``, step by step."""
    return [int(found[1]) if found[1] else found[2] for found in _STEP.finditer(place)]


def changed(variables: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """The variables with another value in one place; an index at the end of a list adds to it."""
    made: Any = copy.deepcopy(variables)
    inner = made
    *before, last = steps(place)
    for step in before:
        inner = inner[step]
    if isinstance(inner, list) and last == len(inner):
        inner.append(value)
    else:
        inner[last] = value
    return dict(made)


def without(variables: dict[str, Any], place: str) -> dict[str, Any]:
    """The variables without one place."""
    made: Any = copy.deepcopy(variables)
    inner = made
    *before, last = steps(place)
    for step in before:
        inner = inner[step]
    del inner[last]
    return dict(made)


def read(variables: dict[str, Any], **more: Any) -> Inventory:
    """The variables as those of a group of two hosts."""
    return read_inventory(dict.fromkeys(HOSTS, variables), HOSTS, **more)
