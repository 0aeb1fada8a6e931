# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at any point of any durable change, a twin comes back with the effect whole or without."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.chaos import people, usb_folder
from seatkeeper_twins.chaos.cloud import Cloud
from seatkeeper_twins.chaos.server import Server
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.control import TwinRefused

from .world import ADMIN, ARTIST, DAY, PASSWORD, PORT, World, until

SIDES = ("during", "after")
VRAY = {"V-Ray": 2}


def _nothing(_world: World) -> None:
    return None


def _post(path: str, body: bytes | None = None) -> Callable[[World], Any]:
    return lambda world: world.raw("POST", path, body, **{"Content-Type": "application/json"})


def _server(key: str) -> Callable[[World], Any]:
    return lambda world: control.describe(world.server)[key]


def _cloud(key: str) -> Callable[[World], Any]:
    return lambda world: control.describe(world.cloud)[key]


def _borrows(key: str) -> Callable[[World], Any]:
    return lambda world: [each[key] for each in control.describe(world.cloud)["borrows"]]


def _online_with_borrow(world: World) -> None:
    control.set_values(world.server, activation_method="online", user=ADMIN, logged_in=True)
    people.borrow(world.server, **VRAY)


def _answer_file(world: World) -> None:
    request = world.raw("GET", "/csr")[1]
    answer = people.answer_request(world.cloud, ADMIN, PASSWORD, request, "render-01")
    (world.folder / "cert.crt").write_bytes(answer)


def _upload(world: World) -> None:
    world.raw("POST", "/crt", (world.folder / "cert.crt").read_bytes())


def _ask_answer(world: World) -> None:
    control.ask(
        world.cloud, "POST", "/_twin/account/activate",
        {"user": ADMIN, "password": PASSWORD, "name": "render-01", "request": _coded(world)},
    )  # fmt: skip


def _coded(world: World) -> str:
    return base64.b64encode(world.raw("GET", "/csr")[1]).decode()


def _running(world: World) -> None:
    control.set_values(world.cloud, migration_seconds=60)
    world.make_eligible()
    people.transfer(world.server, ARTIST)


def _interruptible(world: World) -> None:
    control.set_values(world.cloud, interrupt_on_unplug=True)
    _running(world)


def _done(world: World) -> None:
    world.make_eligible()
    people.transfer(world.server, ARTIST)
    until(lambda: control.describe(world.server)["transfer"]["state"] == "done")


@dataclass(frozen=True)
class Case:
    """A durable change: what leads to it, what makes it, and what is different then."""

    process: str
    change: str
    act: Callable[[World], Any]
    look: Callable[[World], Any]
    prepare: Callable[[World], None] = _nothing


CREDENTIALS = json.dumps({"username": ADMIN, "password": PASSWORD}).encode()
CASES = [
    Case("server", "activate", _post("/activate", CREDENTIALS), _server("activation_method")),
    Case("server", "upload", _upload, _server("activation_method"), _answer_file),
    Case(
        "server", "deactivate", _post("/deactivate"), _server("activation_method"),
        _online_with_borrow,
    ),
    Case("server", "request", lambda w: w.raw("GET", "/csr"), _server("request_nonce")),
    Case("server", "write_config", _post("/config", b'{"a": {"b": "c"}}'), _server("config")),
    Case("server", "dongle", _post("/dongle/enable"), _server("dongle_enabled_at")),
    Case("server", "close", lambda w: people.close_transfer(w.server), _server("transfer"), _done),
    Case("cloud", "workstation", _ask_answer, _cloud("workstations")),
    Case(
        "cloud", "migrate", lambda w: people.transfer(w.server, ARTIST),
        lambda w: len(control.describe(w.cloud)["migrations"]), World.make_eligible,
    ),
    Case(
        "cloud", "borrow", lambda w: people.borrow(w.server, **VRAY), _borrows("seats"),
        lambda w: control.set_values(w.server, activation_method="online", user=ADMIN),
    ),
    Case(
        "cloud", "auto_renew", lambda w: people.auto_renew(w.server, "V-Ray", enabled=True),
        _borrows("auto_renew"), _online_with_borrow,
    ),
    Case(
        "cloud", "release", lambda w: people.release(w.server, "V-Ray"), _borrows("seats"),
        _online_with_borrow,
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Processes that are killed again and again."""
    running = World(tmp_path_factory.mktemp("killed"))
    yield running
    running.stop()


def _kill(world: World, process: str, point: str, act: Callable[[World], Any]) -> None:
    control.set_fault(world.address(process), point, "die")
    # What was asked ends without an answer, or as a refusal of the server that lost its cloud.
    with suppress(OSError, TwinRefused):
        act(world)
    assert world.process(process).wait() == -9
    world.process(process).start()
    assert control.describe(world.address(process))["faults"] == []


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.process}-{case.change}")
def test_what_is_asked(own_world: World, case: Case, side: str) -> None:
    """Half written, nothing happened; after that it happened, whatever the caller was told."""
    own_world.reset()
    case.prepare(own_world)
    before = case.look(own_world)
    _kill(own_world, case.process, f"{case.change}.{side}", case.act)
    assert (case.look(own_world) != before) is (side == "after")


@dataclass(frozen=True)
class Due:
    """A durable change that comes by itself: what makes it due, and how it shows."""

    process: str
    change: str
    prepare: Callable[[World], None]
    act: Callable[[World], Any]
    happened: Callable[[World], bool]


def _off(world: World) -> bool:
    reported = control.describe(world.server)
    return reported["dongle_enabled_at"] is None and reported["transfer"]["state"] == "done"


def _advance(world: World) -> None:
    control.advance(120, world.cloud)


def _renewing(world: World) -> None:
    _online_with_borrow(world)
    people.auto_renew(world.server, "V-Ray", enabled=True)
    control.advance(12 * DAY, world.cloud, world.server)


def _renewed(world: World) -> bool:
    [borrow] = control.describe(world.server)["borrows"]
    return bool(borrow["until"] > control.now(world.server) + 12 * DAY)


def _migration(**members: Any) -> Callable[[World], bool]:
    def observed(world: World) -> bool:
        [migration] = control.describe(world.cloud)["migrations"]
        return all(migration[key] == value for key, value in members.items())

    return observed


BY_ITSELF = [
    Due("server", "transfer_end", _running, _advance, _off),
    Due("cloud", "migrate_end", _running, _advance, _migration(state="done")),
    Due("cloud", "arrive", _running, _advance, _migration(arrived=True)),
    Due(
        "cloud", "interrupt", _interruptible, lambda w: usb_folder.unplug(w.usb, PORT),
        _migration(state="interrupted"),
    ),
    Due(
        "cloud", "renew", _renewing, lambda w: control.advance(1.5 * DAY, w.cloud, w.server),
        _renewed,
    ),
]  # fmt: skip


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("due", BY_ITSELF, ids=lambda due: f"{due.process}-{due.change}")
def test_what_comes_by_itself(own_world: World, due: Due, side: str) -> None:
    """It comes after the restart, once, and every seat is still there once."""
    own_world.reset()
    seats = own_world.seats()
    due.prepare(own_world)
    _kill(own_world, due.process, f"{due.change}.{side}", due.act)
    until(lambda: due.happened(own_world))
    assert own_world.seats() == seats


def test_every_change_was_killed() -> None:
    """The cases above are all durable changes that there are."""
    killed = {(case.process, case.change) for case in [*CASES, *BY_ITSELF]}
    changes = {"cloud": Cloud.changes, "server": Server.changes}
    assert killed == {(name, change) for name, found in changes.items() for change in found}


def test_crash_and_what_is_left(own_world: World) -> None:
    """A killed twin comes back at the same address, without debris in the way."""
    own_world.reset()
    own_world.make_eligible()
    control.crash(own_world.server)
    assert own_world.server_process.wait() == -9
    leftover: Path = own_world.server_folder / ".state.json.new"
    leftover.write_text("half a st")
    own_world.server_process.start()
    assert control.describe(own_world.server)["user"] == ADMIN
