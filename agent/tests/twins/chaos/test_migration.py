# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrations: by the page's labels to the end, what disturbs them, and every rule alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from seatkeeper_twins.chaos import people, usb_folder
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.control import TwinRefused

from .clicking import Person
from .world import (
    ADMIN,
    ARTIST,
    DONGLE,
    FOREIGN_DONGLE,
    OLD_DONGLE,
    PASSWORD,
    PORT,
    STRANGER,
    World,
    _license,
    until,
)

MOVABLE = [_license("V-Ray", "3.6", interface=1)]
PERPETUAL_2 = [_license("V-Ray", "2.4", interface=1)]
EXPIRING_2 = [_license("V-Ray", "2.4", "2031-01-31", interface=1)]

BREAKS: dict[str, Callable[[World], None]] = {
    "server_version": lambda w: control.set_values(w.server, version="4.4.9"),
    "one_dongle": lambda w: usb_folder.plug(w.usb, "1-2", serial=FOREIGN_DONGLE),
    "wibukey_driver": lambda w: control.set_values(w.server, wibukey_version="5.20"),
    "dongle_local": lambda w: control.set_values(w.server, dongle_local=False),
    "online_activated": lambda w: control.set_values(w.server, activation_method=None),
    "user_logged_in": lambda w: control.set_values(w.server, logged_in=False),
    "same_company": lambda w: people.set_dongle(w.cloud, DONGLE, company="Studio B"),
    "licenses_movable": lambda w: people.set_dongle(w.cloud, DONGLE, licenses=PERPETUAL_2),
    "vendor_criteria": lambda w: people.set_dongle(w.cloud, DONGLE, vendor_refuses=True),
}


def _labels(world: World) -> set[str]:
    return Person(world.server).labels


def _vray(world: World) -> Any:
    products = [each["product"] for each in world.status()["online"]["licenses"]]
    return next((each for each in products if each["productLabel"] == "V-Ray"), None)


def _arrived(world: World) -> bool:
    reported = control.describe(world.cloud)["migrations"]
    return bool(reported) and bool(reported[-1]["arrived"])


def test_to_the_end_by_the_labels(world: World) -> None:
    """ENABLE, ENABLE DONGLE, TRANSFER, user name, TRANSFER >>, CLOSE; then the dongle is dead."""
    seats = world.seats()
    control.set_values(world.cloud, migration_seconds=600, arrival_seconds=600)
    usb_folder.plug(world.usb, PORT, serial=DONGLE)
    person = Person(world.server)
    person.click("ENABLE")
    person.click("LOG IN", user=ADMIN, password=PASSWORD)
    assert "TRANSFER" not in person.labels
    person.click("ENABLE DONGLE")
    person.click("TRANSFER")
    assert "cannot be undone" in person.text
    person.click("TRANSFER >>", user=ARTIST)
    assert "being transferred" in person.text
    assert world.status()["online"] == {"available": True, "licenses": []}
    assert world.status()["dongle"]["available"] is False
    control.advance(600, world.cloud)
    assert world.status()["dongle"]["enabled"] is False
    person.go("/")
    assert f"were transferred to {ARTIST}" in person.text
    person.click("CLOSE")
    assert "were transferred" not in person.text
    assert (_vray(world)["1"], _vray(world)["2"]) == (4, 10)
    assert world.seats() == seats
    control.advance(600, world.cloud)
    assert (_vray(world)["1"], _vray(world)["2"]) == (5, 15)
    assert world.seats() == seats
    control.set_values(world.server, dongle_service=True)
    reported = world.status()["dongle"]
    assert (len(reported["dongles"]), reported["available"]) == (1, False)
    assert "TRANSFER" not in _labels(world)
    with pytest.raises(TwinRefused):
        people.transfer(world.server, ARTIST)


def test_one_dongle_after_the_other(world: World) -> None:
    """The service has to be enabled again for the next."""
    people.set_dongle(world.cloud, OLD_DONGLE, licenses=EXPIRING_2)
    world.make_eligible()
    for serial in (DONGLE, OLD_DONGLE):
        control.set_values(world.server, dongle_service=True)
        people.transfer(world.server, ADMIN)
        until(lambda: _arrived(world))
        assert world.status()["dongle"]["enabled"] is False
        people.close_transfer(world.server)
        usb_folder.unplug(world.usb, PORT)
        if serial == DONGLE:
            usb_folder.plug(world.usb, PORT, serial=OLD_DONGLE)
    assert [each["state"] for each in control.describe(world.cloud)["migrations"]] == ["done"] * 2


@pytest.mark.parametrize("interrupts", [False, True])
@pytest.mark.parametrize("disturbance", ["unplug", "plug"])
def test_a_disturbed_migration(world: World, interrupts: bool, disturbance: str) -> None:
    """It completes, or ends with the licenses on the dongle; no seat is lost either way."""
    seats = world.seats()
    # An interruption must come before the end, on a busy machine too.
    control.set_values(
        world.cloud, interrupt_on_unplug=interrupts, migration_seconds=600 if interrupts else 0.5
    )
    world.make_eligible()
    people.transfer(world.server, ARTIST)
    if disturbance == "unplug":
        usb_folder.unplug(world.usb, PORT)
    else:
        usb_folder.plug(world.usb, "1-2", serial=FOREIGN_DONGLE)
    until(lambda: control.describe(world.server)["transfer"]["state"] != "running")
    [migration] = control.describe(world.cloud)["migrations"]
    assert migration["state"] == ("interrupted" if interrupts else "done")
    assert world.status()["dongle"]["enabled"] is False
    assert world.seats() == seats
    if interrupts:
        assert "The transfer was interrupted" in Person(world.server).text
        assert control.describe(world.cloud)["dongles"][DONGLE]["licenses"]


def test_an_answer_lost_on_the_way(world: World) -> None:
    """The page says the cloud cannot be reached although the migration has begun."""
    world.make_eligible()
    control.set_fault(world.cloud, "migrate.after", "lose")
    with pytest.raises(TwinRefused, match="cannot be reached"):
        people.transfer(world.server, ARTIST)
    until(lambda: _arrived(world))
    assert world.status()["dongle"]["enabled"] is False


@pytest.mark.parametrize("rule", BREAKS)
def test_each_rule_alone(world: World, rule: str) -> None:
    """TRANSFER is just missing, and a forced transfer is refused without a reason."""
    world.make_eligible()
    assert "TRANSFER" in _labels(world)
    BREAKS[rule](world)
    reported = people.eligibility(world.server, DONGLE)
    assert [name for name, met in reported["rules"].items() if not met] == [rule]
    assert "TRANSFER" not in _labels(world)
    with pytest.raises(TwinRefused) as refused:
        people.transfer(world.server, ARTIST)
    assert str(refused.value) == "The transfer is not possible"
    assert control.describe(world.cloud)["migrations"] == []


def test_rules_together(world: World) -> None:
    """On one running twin, no pair of broken rules hides one, nor do all of them."""
    for broken in [*combinations(BREAKS, 2), tuple(BREAKS)]:
        world.reset()
        world.make_eligible()
        for rule in broken:
            BREAKS[rule](world)
        reported = people.eligibility(world.server, DONGLE)
        assert {name for name, met in reported["rules"].items() if not met} == set(broken)
        assert not reported["shown"]


def test_an_activation_by_files_logs_nobody_in(world: World) -> None:
    """Online licensing is activated by it all the same."""
    world.make_eligible()
    control.set_values(world.server, activation_method=None, logged_in=False)
    request = world.raw("GET", "/csr")[1]
    answer = people.answer_request(world.cloud, ADMIN, PASSWORD, request, "station")
    assert world.raw("POST", "/crt", answer)[0] == 200
    rules = people.eligibility(world.server)["rules"]
    assert (rules["online_activated"], rules["user_logged_in"]) == (True, False)
    assert world.status()["online"]["available"] is True


def test_a_server_lists_no_dongle_of_another_machine(world: World) -> None:
    """Whatever is plugged here."""
    world.make_eligible()
    assert len(world.status()["dongle"]["dongles"]) == 1
    control.set_values(world.server, dongle_local=False)
    assert world.status()["dongle"]["dongles"] == {}


@pytest.mark.parametrize("target", ["", "nobody@studio-a.example", STRANGER])
def test_the_target_user(world: World, target: str) -> None:
    """It must exist and be of the company; the page ticks no other name."""
    world.make_eligible()
    assert people.eligibility(world.server, target=target)["target"] is False
    assert people.eligibility(world.server, target=ADMIN)["target"] is True
    with pytest.raises(TwinRefused, match="not possible"):
        people.transfer(world.server, target)


@pytest.mark.parametrize(
    ("licenses", "movable"),
    [
        (MOVABLE, True), (PERPETUAL_2, False), (EXPIRING_2, True),
        ([*MOVABLE, *PERPETUAL_2], False), ([], False),
        ([_license("V-Ray", "3.0", network=1)], True),
        ([_license("V-Ray", "2.9", render=1)], False),
    ],
)  # fmt: skip
def test_which_licenses_move(world: World, licenses: Any, movable: bool) -> None:
    """Everything from 3.0 on, and 2.x that expires; a dongle moves as a whole or not."""
    people.set_dongle(world.cloud, DONGLE, licenses=licenses)
    world.make_eligible()
    assert people.eligibility(world.server)["rules"]["licenses_movable"] is movable


@pytest.mark.parametrize(
    ("version", "wibukey", "eligible"),
    [
        ("4.5.0", "6.00", True),
        ("4.10.1", "6.0", True),
        ("4.5", "6.40b", True),
        ("5", "5.99", False),
    ],
)
def test_version_bounds(world: World, version: str, wibukey: str, eligible: bool) -> None:
    """From 4.5.0 and 6.00 on, compared by numbers."""
    world.make_eligible()
    control.set_values(world.server, version=version, wibukey_version=wibukey)
    assert people.eligibility(world.server)["eligible"] is eligible


def test_the_page_needs_a_visible_dongle(world: World) -> None:
    """A hidden or unknown dongle, or a disabled service, shows no TRANSFER."""
    world.make_eligible()
    (world.usb / PORT / "authorized").write_text("0\n")
    assert "TRANSFER" not in _labels(world)
    (world.usb / PORT / "authorized").write_text("1\n")
    assert "TRANSFER" in _labels(world)
    control.set_values(world.server, dongle_service=False)
    assert "TRANSFER" not in _labels(world)
    with pytest.raises(TwinRefused):
        people.transfer(world.server, ARTIST)
    usb_folder.unplug(world.usb, PORT)
    usb_folder.plug(world.usb, PORT)
    control.set_values(world.server, dongle_service=True)
    assert "TRANSFER" not in _labels(world)


def test_no_second_migration_of_a_dongle(world: World) -> None:
    """Nor is anything else changed while one runs."""
    control.set_values(world.cloud, migration_seconds=600)
    world.make_eligible()
    people.transfer(world.server, ARTIST)
    with pytest.raises(TwinRefused):
        people.transfer(world.server, ARTIST)
    for path in ("/deactivate", "/dongle/disable"):
        assert world.raw("POST", path)[0] == 409
    with pytest.raises(TwinRefused):
        people.close_transfer(world.server)
    assert len(control.describe(world.cloud)["migrations"]) == 1
