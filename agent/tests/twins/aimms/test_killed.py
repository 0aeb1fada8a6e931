# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at any point of any change, a twin comes back with the effect whole or without it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from seatkeeper_twins.aimms import people
from seatkeeper_twins.aimms.server import Server
from seatkeeper_twins.aimms.vendor import Vendor
from seatkeeper_twins.parts import control

from .world import CODES, SERVER, World, until


def _free(world: World) -> None:
    people.maintenance(world.old, True)
    people.deactivate(world.old, SERVER)


def _maintained(world: World) -> None:
    people.maintenance(world.old, True)
    control.set_values(world.old, jobs_running=2)


def _pending(world: World) -> None:
    _free(world)
    request = people.request(world.new, SERVER, CODES[SERVER])
    (world.folder / "response").write_text(people.answer(world.vendor, request))


def _answer(world: World) -> None:
    people.answer(world.vendor, (world.folder / "request").read_text())


def _requested(world: World) -> None:
    _free(world)
    (world.folder / "request").write_text(people.request(world.new, SERVER, CODES[SERVER]))


@dataclass(frozen=True)
class Case:
    """A durable change: whose it is, what makes it, what shows it, what leads to it."""

    process: str
    change: str
    act: Callable[[World], Any]
    look: Callable[[World], Any]
    prepare: Callable[[World], None] = lambda _world: None


def _reported(name: str, *keys: str) -> Callable[[World], Any]:
    def look(world: World) -> Any:
        reported: Any = world.reported(name)
        for key in keys:
            reported = reported.get(key)
        return reported

    return look


def _holder(world: World) -> str | None:
    return world.holder(SERVER)


def _removed(world: World) -> None:
    """With its ports closed, which an installation asks for."""
    people.remove(world.new)
    until(lambda: not world.open_ports("new"))


CASES = [
    Case(
        "vendor", "activate", lambda w: people.activate(w.new, SERVER, CODES[SERVER]), _holder,
        _free,
    ),
    Case("vendor", "deactivate", lambda w: people.deactivate(w.old, SERVER), _holder, _maintained),
    Case("vendor", "release", lambda w: people.release(w.vendor, SERVER), _holder),
    Case(
        "vendor", "emergency", lambda w: people.emergency(w.vendor, SERVER, w.new),
        _reported("vendor", "licenses", SERVER, "emergency"),
    ),
    Case("vendor", "answer", _answer, _holder, _requested),
    Case(
        "old", "profile_add", lambda w: people.add_profile(w.old, "More", SERVER),
        _reported("old", "profiles"),
    ),
    Case(
        "old", "profile_remove", lambda w: people.remove_profile(w.old, "Server"),
        lambda w: "Server" in w.reported("old")["profiles"],
    ),
    Case(
        "old", "maintenance", lambda w: people.maintenance(w.old, False),
        lambda w: [w.reported("old")[key] for key in ("maintenance", "restarts", "jobs_killed")],
        _maintained,
    ),
    Case("new", "remove", lambda w: people.remove(w.new), _reported("new", "installed")),
    Case(
        "new", "install", lambda w: people.install(w.new), _reported("new", "installed"), _removed,
    ),
    Case(
        "new", "request", lambda w: people.request(w.new, SERVER, CODES[SERVER]),
        lambda w: len(w.reported("new")["licenses"]), _free,
    ),
    Case(
        "new", "response", lambda w: people.respond(w.new, (w.folder / "response").read_text()),
        _reported("new", "licenses", SERVER, "state"), _pending,
    ),
]  # fmt: skip


def test_every_durable_change_is_among_the_cases() -> None:
    assert {case.change for case in CASES if case.process == "vendor"} == set(Vendor.changes)
    assert {case.change for case in CASES if case.process != "vendor"} == set(Server.changes)


@pytest.mark.parametrize("side", ["during", "after"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.process}-{case.change}")
def test_a_change_is_whole_or_not_there(world: World, case: Case, side: str) -> None:
    case.prepare(world)
    before = case.look(world)
    control.set_fault(world.address(case.process), f"{case.change}.{side}", "die")
    with suppress(control.TwinRefused, ConnectionError):
        case.act(world)
    world.restart(case.process)
    after = case.look(world)
    assert (after == before) is (side == "during")
    if side == "during":
        case.act(world)
        assert case.look(world) != before


@pytest.mark.parametrize("name", ["old", "vendor"])
def test_a_machine_and_the_vendor_agree_after_either_died(world: World, name: str) -> None:
    people.maintenance(world.old, True)
    control.set_fault(world.address(name), "deactivate.after", "die")
    assert world.licman("old", "--twin-deactivate", SERVER).returncode == 1
    world.restart(name)
    assert world.holder(SERVER) is None
    assert SERVER not in world.reported("old")["licenses"]
    files = [path.name for path in (world.folder / "old" / "Nodelocks").iterdir()]
    assert f"{SERVER}.twin-nodelock" not in files


def test_without_the_vendor_a_machine_shows_what_it_knew(world: World) -> None:
    control.crash(world.vendor)
    assert len(world.reported("old")["licenses"]) == 3
    assert "cannot be reached" in world.activate("new", SERVER).stderr
    world.restart("vendor")
    assert world.holder(SERVER) == "old"
