# SPDX-License-Identifier: GPL-3.0-or-later
"""Offline activation by files through the account page, and borrowing until it ends."""

from __future__ import annotations

from typing import Any

import pytest

from seatkeeper_twins.chaos import people
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.control import TwinRefused

from .clicking import Person
from .world import ADMIN, ARTIST, DAY, PASSWORD, STRANGER, WRONG, World, until

VRAY = {"V-Ray": 2}


def _free(world: World, product: str = "V-Ray") -> Any:
    reported = control.describe(world.cloud)["free"]["Studio A"]
    return next(each["seats"] for each in reported if each["product"] == product)


def _until(world: World) -> float:
    [borrowed] = control.describe(world.server)["borrows"]
    until_seconds: float = borrowed["until"]
    return until_seconds


def _now(world: World) -> float:
    return control.now(world.server)


def test_files_through_the_account_page(world: World) -> None:
    """The documented steps, by their labels, from one page to the other and back."""
    machine = Person(world.server)
    machine.click("ENABLE")
    machine.click("Activate offline")
    request = machine.follow("Download the request")
    account = Person(world.cloud)
    account.click("LOG IN", user=ADMIN, password=PASSWORD)
    account.go(account.page.links["WORKSTATIONS"])
    account.click("Activate Workstation")
    account.click("Activate", request=request, name="render-01")
    until(lambda: _appeared(account))
    answer = account.follow("Download .crt File")
    machine.click("UPLOAD", file=answer)
    assert machine.where == "/"
    assert "Activated by a file" in machine.text
    labels = [
        each["product"]["productLabel"] for each in world.status()["online"]["licenses"]
    ]  # fmt: skip
    assert labels == ["Phoenix", "V-Ray"]


def _appeared(account: Person) -> bool:
    account.go("/_twin/page/workstations")
    return "render-01" in account.text


def test_the_request_stays_the_same_until_used(world: World) -> None:
    """Also when the server is started again; then it is another one."""
    first = world.raw("GET", "/csr")[1]
    world.server_process.stop()
    world.server_process.start()
    assert world.raw("GET", "/csr")[1] == first
    answer = people.answer_request(world.cloud, ADMIN, PASSWORD, first, "render-01")
    assert world.raw("POST", "/crt", answer)[0] == 200
    assert world.raw("GET", "/csr")[1] != first


def test_foreign_used_and_altered_answers(world: World) -> None:
    """None of them activates anything."""
    request = world.raw("GET", "/csr")[1]
    answer = people.answer_request(world.cloud, ADMIN, PASSWORD, request, "render-01")
    altered = answer.replace(b"A", b"B")
    for bad in (b"", b"junk", request, altered):
        assert world.raw("POST", "/crt", bad)[0] == 400
    control.reset(world.server)
    world.raw("GET", "/csr")
    assert world.raw("POST", "/crt", answer)[0] == 400
    assert world.status()["online"] == {"available": False}
    with pytest.raises(TwinRefused, match="used already"):
        people.answer_request(world.cloud, ADMIN, PASSWORD, request, "render-02")
    request = world.raw("GET", "/csr")[1]
    answer = people.answer_request(world.cloud, ADMIN, PASSWORD, request, "render-02")
    assert world.raw("POST", "/crt", answer)[0] == 200
    assert world.raw("POST", "/crt", answer)[0] == 409
    world.raw("POST", "/deactivate")
    assert world.raw("POST", "/crt", answer)[0] == 400


def test_the_account_needs_a_login(world: World) -> None:
    """A wrong password says the documented words; nothing is shown without one."""
    account = Person(world.cloud)
    account.click("LOG IN", user=ADMIN, password=WRONG)
    assert "Invalid username or password" in account.text
    account.go("/_twin/page/workstations")
    assert "WORKSTATIONS" not in account.labels
    with pytest.raises(TwinRefused, match="Invalid username or password"):
        people.answer_request(world.cloud, ADMIN, WRONG, b"", "render-01")
    account.click("LOG IN", user=STRANGER, password=PASSWORD)
    assert "Studio B" in account.text
    account.click("LOG OUT")
    assert "LOG IN" in account.labels


def test_borrow_and_return(world: World) -> None:
    """Seats leave the account for two weeks and come back."""
    world.log_in()
    people.borrow(world.server, **VRAY)
    assert _free(world) == {"1": 2, "2": 10}
    assert _until(world) == pytest.approx(_now(world) + 14 * DAY, abs=60)
    reported = world.status()
    assert [each["productLabel"] for each in reported["offline"]["licenses"]] == ["V-Ray"]
    [session] = reported["offline"]["sessions"].values()
    assert (session["1"], session["productId"]) == (
        2,
        reported["offline"]["licenses"][0]["productId"],
    )
    people.borrow(world.server, **VRAY)
    assert _free(world) == {"2": 10}
    people.release(world.server, "V-Ray")
    assert _free(world) == {"1": 4, "2": 10}
    assert world.status()["offline"] == {"sessions": {}, "licenses": []}


def test_what_cannot_be_borrowed(world: World) -> None:
    """More than there is, of what there is not, or without online licensing."""
    with pytest.raises(TwinRefused):
        people.borrow(world.server, **VRAY)
    world.log_in()
    for counts in ({"V-Ray": 5}, {"V-Ray": -1}, {"Corona": 1}, {"V-Ray": 1, "Phoenix": 9}):
        with pytest.raises(TwinRefused):
            people.borrow(world.server, **counts)
    assert control.describe(world.cloud)["borrows"] == []


def test_an_end_without_renewal(world: World) -> None:
    """What has expired cannot be used, and stays taken until it is returned."""
    world.log_in()
    people.borrow(world.server, **VRAY)
    control.advance(13.5 * DAY, world.cloud, world.server)
    assert world.status()["offline"]["licenses"]
    control.advance(DAY, world.cloud, world.server)
    assert world.status()["offline"] == {"sessions": {}, "licenses": []}
    assert "(expired)" in Person(world.server).text
    assert _free(world) == {"1": 2, "2": 10}
    people.release(world.server, "V-Ray")
    assert _free(world) == {"1": 4, "2": 10}


def test_renewal_by_itself(world: World) -> None:
    """Two weeks again near the end, as long as it is switched on."""
    world.log_in()
    people.borrow(world.server, **VRAY)
    people.auto_renew(world.server, "V-Ray", enabled=True)
    control.advance(50 * DAY, world.cloud, world.server)
    assert world.status()["offline"]["licenses"]
    assert _until(world) > _now(world)
    people.auto_renew(world.server, "V-Ray", enabled=False)
    control.advance(15 * DAY, world.cloud, world.server)
    assert not world.status()["offline"]["licenses"]


def test_renewal_needs_the_cloud(make_world: Any) -> None:
    """Using what is borrowed does not; renewing and returning does."""
    world = make_world()
    world.log_in()
    people.borrow(world.server, **VRAY)
    people.auto_renew(world.server, "V-Ray", enabled=True)
    world.cloud_process.stop()
    assert world.status()["offline"]["licenses"]
    assert world.log_in() == 0
    with pytest.raises(TwinRefused):
        people.release(world.server, "V-Ray")
    control.advance(15 * DAY, world.server)
    assert not world.status()["offline"]["licenses"]
    assert world.status()["online"]["available"] is True


def test_a_file_gives_nothing_to_borrow(world: World) -> None:
    """The page offers it only where online licensing was enabled online."""
    request = world.raw("GET", "/csr")[1]
    answer = people.answer_request(world.cloud, ARTIST, "another password", request, "render-01")
    world.raw("POST", "/crt", answer)
    assert "Use licenses offline" not in Person(world.server).labels
    with pytest.raises(TwinRefused):
        people.borrow(world.server, **VRAY)
