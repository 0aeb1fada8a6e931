# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's page by its visible labels; a browser is driven elsewhere."""

from __future__ import annotations

import json

import pytest

from seatkeeper_twins.chaos import usb_folder
from seatkeeper_twins.parts import control

from .clicking import Person
from .world import ADMIN, ARTIST, DONGLE, PASSWORD, PORT, STRANGER, WRONG, World


def test_every_view_is_marked_and_whole(world: World) -> None:
    """It says that it is a twin; all its elements are closed (the reader checks that)."""
    world.make_eligible()
    person = Person(world.server)
    for path in (
        "/", "/_twin/page/enable", "/_twin/page/offline", "/_twin/page/transfer",
        "/_twin/page/borrow", "/_twin/page/counts", "/_twin/page/borrowed",
    ):  # fmt: skip
        person.go(path)
        assert "This is a Seatkeeper twin" in person.text
        assert {"ONLINE LICENSING"} <= person.labels
        assert "DONGLE" in person.page.texts
    assert "This is a Seatkeeper twin" in Person(world.cloud).text


def test_labels_by_state(world: World) -> None:
    """What can be done is there, and nothing else."""
    person = Person(world.server)
    assert person.labels == {"ONLINE LICENSING", "ENABLE", "ENABLE DONGLE"}
    person.click("ENABLE")
    assert "Activate offline" in person.labels
    person.click("LOG IN", user=ADMIN, password=PASSWORD)
    assert {"DISABLE", "Use licenses offline", "ENABLE DONGLE"} <= person.labels
    usb_folder.plug(world.usb, PORT, serial=DONGLE)
    person.click("ENABLE DONGLE")
    assert {"TRANSFER", "DISABLE DONGLE"} <= person.labels
    usb_folder.unplug(world.usb, PORT)
    person.go("/")
    assert "TRANSFER" not in person.labels
    person.click("DISABLE")
    assert "ENABLE" in person.labels


def test_a_refusal_is_shown(world: World) -> None:
    """In the vendor's words where they are known; what is shown is never markup."""
    person = Person(world.server)
    person.click("ENABLE")
    person.click("LOG IN", user=ADMIN, password=WRONG)
    assert "Invalid username or password" in person.text
    person.go("/?problem=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert(1)</script>" in person.text


def test_borrowing_by_the_labels(world: World) -> None:
    """Use licenses offline, Next, count, PREVIEW, BORROW, CLOSE; AUTO-RENEW; RELEASE."""
    world.log_in()
    person = Person(world.server)
    person.click("Use licenses offline")
    person.click("Next")
    person.click("PREVIEW", **{"count:V-Ray": "3"})
    assert "V-Ray 3" in person.text
    person.click("BORROW")
    assert "V-Ray 3" in person.text
    assert "AUTO-RENEW" in person.page.texts
    person.click("CLOSE")
    renewal = next(form for form in person.page.forms if form.action.endswith("auto-renew"))
    person.submit(renewal, enabled="on")
    assert control.describe(world.server)["borrows"][0]["auto_renew"] is True
    person.click("RELEASE")
    assert control.describe(world.server)["borrows"] == []


def test_the_tick(world: World) -> None:
    """A user name of the company is valid, any other is not; the button waits for it."""
    world.make_eligible()
    person = Person(world.server)
    person.click("TRANSFER")
    [form] = [form for form in person.page.forms if form.label == "TRANSFER >>"]
    assert form.disabled
    for name, valid in ((ARTIST, True), (STRANGER, False), ("", False)):
        reported = json.loads(world.raw("GET", f"/_twin/page/user?name={name}")[1])
        assert reported == {"valid": valid}


@pytest.mark.parametrize("path", ["/_twin/page/transfer", "/_twin/page/preview"])
def test_views_out_of_turn(world: World, path: str) -> None:
    """Lead back to where one can go on."""
    world.log_in()
    person = Person(world.server)
    person.go(path)
    assert person.where in ("/", "/_twin/page/counts")
