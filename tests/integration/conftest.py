# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of two hosts for the tests of one file or of one test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import forking
import pytest

from seatkeeper_twins.lab import process
from seatkeeper_twins.lab.lab import Lab

from .runs import say_who_activated

ADMIN = "admin@studio-a.example"


@pytest.fixture(scope="session", autouse=True)
def forked() -> Iterator[None]:
    """Agents and twins are forked, which spares the start of an interpreter for each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "spawn", forking.spawn)
        yield


@pytest.fixture
def started_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what is seen of these programs from outside."""
    monkeypatch.setattr(process, "spawn", forking.start)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """The two hosts of the demo, fresh."""
    with _started() as started:
        yield started


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[Lab]:
    """The same for tests that do not mind what others of their file did to it."""
    with _started() as started:
        yield started


@pytest.fixture(scope="module")
def whole_lab() -> Iterator[Lab]:
    """The hosts of both demos together: two with CodeMeter, two with Chaos."""
    with _whole() as started:
        say_who_activated(started["render-server"], ADMIN)
        yield started


@pytest.fixture
def fresh_whole_lab() -> Iterator[Lab]:
    """The same for one test."""
    with _whole() as started:
        say_who_activated(started["render-server"], ADMIN)
        yield started


def _whole() -> Lab:
    seeds = _seeds("seed.json") | _seeds("chaos_seed.json")
    # In the demo the dongle driver is too old at first, and nobody is logged in.
    seeds["render-server"]["chaos"]["server"] = {"activated_as": ADMIN}
    return Lab.create(seeds)


def _started() -> Lab:
    return Lab.create(_seeds("seed.json"))


def _seeds(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (resources.files("seatkeeper_twins.demo") / name).read_text()
    )
    return found
