# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented HTTP routes have the known shapes and the known awkward sides."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any
from urllib.parse import urlencode

import pytest

from seatkeeper_twins.chaos import people, usb_folder
from seatkeeper_twins.parts import control

from .world import ADMIN, DONGLE, PASSWORD, PORT, WRONG, World

CREDENTIALS = {"username": ADMIN, "password": PASSWORD}


def _activate(world: World, **changes: str) -> tuple[int, bytes, str | None]:
    body = json.dumps({**CREDENTIALS, **changes}).encode()
    return world.raw("POST", "/activate", body, **{"Content-Type": "application/json"})


def test_a_new_server_tells_little(world: World) -> None:
    """Members may be absent: there are no licenses before online licensing is enabled."""
    reported = world.status()
    assert reported["version"] == "6.0.1"
    assert reported["online"] == {"available": False}
    assert reported["offline"] == {"sessions": {}, "licenses": []}
    assert reported["dongle"] == {"enabled": False, "available": False, "dongles": {}}


def test_activation_shows_the_seats_by_kind(world: World) -> None:
    """A kind that a product lacks is absent; members that nobody knows are there."""
    assert _activate(world)[0] == 200
    online = world.status()["online"]
    products = {each["product"]["productLabel"]: each["product"] for each in online["licenses"]}
    assert online["available"] is True
    assert (products["V-Ray"]["1"], products["V-Ray"]["2"]) == (4, 10)
    assert "1" not in products["Phoenix"]
    assert "_twin" in products["Phoenix"]


def test_activation_twice_and_with_bad_credentials(world: World) -> None:
    """The body tells bad credentials apart; being active already is 409."""
    status, body, _ = _activate(world, password=WRONG)
    assert (status, body) == (401, b"Invalid username or password")
    assert _activate(world, username="nobody@studio-a.example")[1] == body
    form = urlencode(CREDENTIALS).encode()
    assert world.raw("POST", "/activate", form)[0] == 200
    assert _activate(world)[0] == 409
    assert _activate(world, password=WRONG)[0] == 409


def test_deactivation_is_repeatable(world: World) -> None:
    """Off is off."""
    _activate(world)
    for _ in range(2):
        assert world.raw("POST", "/deactivate")[0] == 200
        assert world.status()["online"] == {"available": False}


def test_the_config_is_replaced_whole(world: World) -> None:
    """Values are texts, ports differ, and what is not sent is gone."""
    tree = json.loads(world.raw("GET", "/config")[1])
    assert {"proxy", "diagnostics", "local"} < set(tree)
    tree["local"]["vrlPort"] = "40000"
    assert world.raw("POST", "/config", json.dumps(tree).encode())[0] == 200
    assert json.loads(world.raw("GET", "/config")[1]) == tree
    for bad in ({"local": {"vrlPort": "1", "vrolPort": "1"}}, {"local": {"vrlPort": 1}}, []):
        assert world.raw("POST", "/config", json.dumps(bad).encode())[0] == 400
    assert world.raw("POST", "/config", b'{"proxy": {"host": "10.0.0.1"}}')[0] == 200
    assert json.loads(world.raw("GET", "/config")[1]) == {"proxy": {"host": "10.0.0.1"}}


def test_a_dongle_becomes_visible_a_moment_later(world: World) -> None:
    """One key for each dongle that the driver may use, no other device, and no plain serial."""
    control.set_values(world.server, visible_seconds=600)
    usb_folder.plug(world.usb, PORT, serial=DONGLE)
    usb_folder.plug(world.usb, "1-2", 0x064F, 0x2AF9, "codemeter")
    assert world.raw("POST", "/dongle/enable")[0] == 200
    reported = world.status()["dongle"]
    assert (reported["enabled"], reported["available"], reported["dongles"]) == (True, False, {})
    control.advance(600, world.server)
    assert world.status()["dongle"]["available"] is True
    assert len(world.status()["dongle"]["dongles"]) == 1
    assert DONGLE not in world.status()["dongle"]["dongles"]
    usb_folder.plug(world.usb, "1-3", serial="90000009")
    assert len(world.status()["dongle"]["dongles"]) == 2
    (world.usb / PORT / "authorized").write_text("0\n")
    assert len(world.status()["dongle"]["dongles"]) == 1
    usb_folder.unplug(world.usb, "1-3")
    assert world.status()["dongle"]["dongles"] == {}
    assert world.raw("POST", "/dongle/disable")[0] == 200
    assert world.status()["dongle"]["enabled"] is False


def test_sessions_and_diagnostics(world: World) -> None:
    """Sessions have the shape of licenses; the archive holds no password."""
    _activate(world)
    in_use = [{"product": "V-Ray", "seats": {"1": 1, "2": 3}}]
    control.set_values(world.server, sessions=in_use)
    [session] = json.loads(world.raw("GET", "/sessions/online")[1])
    assert session["product"]["productLabel"] == "V-Ray"
    assert session["product"]["2"] == 3
    archive = zipfile.ZipFile(io.BytesIO(world.raw("GET", "/logs/download")[1]))
    content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"6.0.1" in content
    assert PASSWORD.encode() not in content


@pytest.mark.parametrize(
    ("profile", "version", "uploaded"),
    [("4.0", "4.0.3", 302), ("4.5", "4.5.0", 302), ("5.5", "5.5.5", 302), ("6", "6.0.1", 200)],
)
def test_the_profiles(make_world: Any, profile: str, version: str, uploaded: int) -> None:
    """They differ in version, in what an upload answers and in what vrlctl knows."""
    world = make_world(profile)
    assert world.status()["version"] == version
    request = world.raw("GET", "/csr")[1]
    answer = people.answer_request(world.cloud, ADMIN, PASSWORD, request, "render-01")
    assert world.raw("POST", "/crt", answer)[0] == uploaded
    world.vrlctl("online", "disable")
    assert world.log_in() == (9 if profile == "4.0" else 0)


def test_it_can_start_slowly(make_world: Any) -> None:
    """The port is closed until then."""
    world = make_world(start_seconds=0.5)
    world.server_process.stop()
    began = time.monotonic()
    world.server_process.start()
    assert time.monotonic() - began > 0.5


def test_unknown_routes_and_large_bodies(world: World) -> None:
    """Refused, and the twin goes on."""
    assert world.raw("GET", "/borrow")[0] == 404
    assert world.raw("POST", "/crt", None, **{"Content-Length": str(5 << 20)})[0] == 413
    assert world.raw("POST", "/config", b"no json")[0] == 400
    assert world.status()["version"] == "6.0.1"
