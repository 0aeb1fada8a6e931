# SPDX-License-Identifier: GPL-3.0-or-later
"""Making twins: seeds, the recorded bus, the commands, faults that are impossible."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.chaos import people, twin, usb_folder
from seatkeeper_twins.chaos.seed import cloud_state, server_state
from seatkeeper_twins.cli import main
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.seed import SeedError

from .world import CLOUD, DONGLE, PORT, World


def _changed(path: list[Any], value: Any) -> Any:
    seed = copy.deepcopy(CLOUD)
    at: Any = seed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return seed


LICENSES = ["companies", "Studio A", "licenses", 0]


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (["companies"], [], "companies must be an object"),
        (["extra"], 1, "the seed has the unknown key 'extra'"),
        ([*LICENSES, "seats"], {"server": 1}, "seats has the unknown key 'server'"),
        ([*LICENSES, "seats"], {"render": 0}, "seats.render must be a number from 1"),
        ([*LICENSES, "expires"], "soon", "expires must be null or a day like 2027-01-31"),
        ([*LICENSES, "version"], None, "version must be a text"),
        (["companies", "Studio A", "licenses"], {}, "licenses must be a list"),
        (["companies", "Studio B", "users", "artist@studio-a.example"], "x", "another company"),
        (["companies", "Studio B", "dongles", DONGLE], {}, "belongs to another company"),
        (["migration_seconds"], True, "migration_seconds must be a number of seconds"),
        (["interrupt_on_unplug"], "no", "interrupt_on_unplug must be true or false"),
    ],
)
def test_a_cloud_seed_that_is_wrong(path: list[Any], value: Any, text: str) -> None:
    """One sentence names the place and the rule."""
    with pytest.raises(SeedError, match=text):
        cloud_state(_changed(path, value))


@pytest.mark.parametrize(
    ("seed", "profile", "text"),
    [
        ({}, "3", "profile must be one of 4.0, 4.5, 5.5, 6"),
        ({"dongles": []}, "6", "unknown key 'dongles'"),
        ({"config": {"proxy": {"host": 1}}}, "6", "config.proxy.host must be a text"),
        ({"config": {"local": {"vrlPort": "30306"}}}, "6", "must differ"),
        ({"activated_as": ""}, "6", "activated_as must be a text"),
    ],
)
def test_a_server_seed_that_is_wrong(seed: Any, profile: str, text: str) -> None:
    """As for the cloud."""
    with pytest.raises(SeedError, match=text):
        server_state(seed, profile)


def test_the_demo_seed_is_one() -> None:
    """Two companies, and dongles of which some can move and some cannot."""
    state = cloud_state(twin.demo_seed())
    assert set(state["licenses"]) == {"Studio A", "Studio B"}
    assert "demo-admin-password" not in json.dumps(state)


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    """And not over another twin."""
    twin.create_cloud(tmp_path, CLOUD)
    with pytest.raises(FileExistsError, match="holds a Chaos twin already"):
        twin.create_server(tmp_path, "6", {}, "http://127.0.0.1:1", tmp_path / "usb")


def test_a_server_may_start_activated(make_world: Any) -> None:
    """So that a reset is a few milliseconds from where a test begins."""
    world = make_world("5.5", activated_as="admin@studio-a.example", dongle_service=True)
    reported = world.status()
    assert (reported["online"]["available"], reported["dongle"]["enabled"]) == (True, True)
    assert [each["product"]["productLabel"] for each in reported["online"]["licenses"]]


def test_a_device_is_laid_out_as_the_kernel_does(tmp_path: Path) -> None:
    """Attributes end in a line's end; what is plugged in again has another number."""
    usb_folder.plug(tmp_path, PORT, serial=DONGLE)
    reported = {path.name: path.read_text() for path in (tmp_path / PORT).iterdir()}
    assert reported == {
        "idVendor": "064f\n", "idProduct": "0bd8\n", "serial": f"{DONGLE}\n",
        "manufacturer": "WIBU-SYSTEMS\n", "product": "WibuKey Box/RU\n", "busnum": "1\n",
        "devnum": "2\n", "bDeviceClass": "ff\n", "authorized": "1\n",
    }  # fmt: skip
    usb_folder.unplug(tmp_path, PORT)
    usb_folder.plug(tmp_path, PORT, 0x0529, 0x0001)
    assert (tmp_path / PORT / "devnum").read_text() == "3\n"
    assert not (tmp_path / PORT / "serial").exists()
    assert usb_folder.wibukeys(tmp_path) == []
    [device] = usb_folder.plugged(tmp_path)
    assert (device.vendor_id, device.product_id, device.serial) == (0x0529, 1, None)


def test_plugging_what_cannot_be(tmp_path: Path) -> None:
    """Refused, with nothing left behind."""
    usb_folder.plug(tmp_path, PORT)
    with pytest.raises(FileExistsError, match=r"plugged into 1-1\.4 already"):
        usb_folder.plug(tmp_path, PORT)
    for bad in ("usb1", "../1-1", "1-1:1.0", ""):
        with pytest.raises(ValueError, match="is no port"):
            usb_folder.plug(tmp_path, bad)
    with pytest.raises(ValueError, match="ids of a USB device"):
        usb_folder.plug(tmp_path, "1-2", 70_000)
    with pytest.raises(FileNotFoundError):
        usb_folder.unplug(tmp_path, "1-2")
    assert sorted(os.listdir(tmp_path)) == [".last-devnum", PORT]  # noqa: PTH208 - hidden ones too


def test_a_device_is_never_half_there(tmp_path: Path) -> None:
    """Whoever reads meanwhile sees all of it or nothing."""
    ended = threading.Event()
    seen: list[usb_folder.Plugged] = []

    def read() -> None:
        while not ended.is_set():
            seen.extend(usb_folder.plugged(tmp_path))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        usb_folder.plug(tmp_path, PORT, serial=DONGLE)
        usb_folder.unplug(tmp_path, PORT)
    ended.set()
    reader.join(10)
    assert {device.serial for device in seen} <= {DONGLE}


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"point": "nowhere", "action": "die"}, "there is no point 'nowhere'"),
        ({"point": "activate.before", "action": "explode"}, "there is no action 'explode'"),
        ({"point": "activate.during", "action": "slow", "value": 5}, "can only die"),
        ({"point": "activate.after", "action": "refuse", "value": 403}, "refuse needs"),
        ({"point": "activate.before", "action": "slow"}, "slow needs"),
        ({"point": "activate.before", "action": "die", "times": 0}, "times at least 1"),
    ],
)
def test_impossible_faults(world: World, fault: dict[str, Any], text: str) -> None:
    """Refused when armed, not when reached."""
    with pytest.raises(control.TwinRefused, match=text):
        control.set_fault(world.server, **fault)


def test_faults_let_pass_and_end(world: World) -> None:
    """`skip` passages first, then `times` of them."""
    control.set_fault(world.server, "status.before", "refuse", 403, skip=1, times=2)
    assert [world.raw("GET", "/status")[0] for _ in range(4)] == [200, 403, 403, 200]
    control.set_fault(world.server, "status.before", "refuse", 500, times=9)
    control.clear_faults(world.server)
    assert world.raw("GET", "/status")[0] == 200


def test_values_that_cannot_be_set(world: World) -> None:
    """One sentence each."""
    for values in ({"speed": 1}, {"dongle_local": "no"}, {"activation_method": "phone"}):
        with pytest.raises(control.TwinRefused, match="Bad request"):
            control.set_values(world.server, **values)
    with pytest.raises(control.TwinRefused, match="knows no such dongle"):
        people.set_dongle(world.cloud, "1", company="Studio A")
    with pytest.raises(control.TwinRefused, match="is no company"):
        people.set_dongle(world.cloud, DONGLE, company="Studio C")


def test_the_commands(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Look, plug, disturb and reset from a shell; failures are one sentence."""
    at, usb = ["--at", world.server], ["--usb", str(world.usb)]
    assert main(["chaos", "plug", *usb, PORT, "--serial", DONGLE]) == 0
    assert main(["chaos", "set", *at, "version=4.4", "logged_in=true", "user=someone"]) == 0
    assert main(["chaos", "fault", *at, "--point", "status.before", "--action", "lose"]) == 0
    assert main(["chaos", "advance", *at, "3600"]) == 0
    capsys.readouterr()
    assert main(["chaos", "show", *at]) == 0
    reported = json.loads(capsys.readouterr().out)
    assert (reported["version"], reported["plugged"][0]["serial"]) == ("4.4", DONGLE)
    assert main(["chaos", "points", *at]) == 0
    assert "dongle.during" in capsys.readouterr().out
    assert main(["chaos", "fault", *at, "--clear"]) == 0
    assert main(["chaos", "reset", *at]) == 0
    assert main(["chaos", "unplug", *usb, PORT]) == 0
    assert main(["chaos", "unplug", *usb, PORT]) == 1
    assert main(["chaos", "cloud", "--dir", str(world.cloud_folder)]) == 1
    assert "is served by another process" in capsys.readouterr().err
    assert main(["completion", "bash"]) == 0
    assert "chaos" in capsys.readouterr().out


def test_the_driver_version_command(world: World) -> None:
    """What the operator's command for the driver's version would print."""
    control.set_values(world.server, wibukey_version="5.20")
    command = [world.server_folder / twin.WIBUKEY_VERSION_NAME]
    assert subprocess.check_output(command, text=True, timeout=30) == "5.20\n"
