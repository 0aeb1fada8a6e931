# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves of the vendor's own twin in which people do the work: on Windows, and by two files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twins.aimms.world import CODES, PROFILES, World, until
from vendors.aimms.conftest import MAPPED, settings_of

from operations.products import Points
from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.server_move_legs import MoveLeg
from seatkeeper_agent.domain.server_moves import BackedUpLicense, ServerBackup
from seatkeeper_agent.vendors.aimms.driver import AimmsDriver
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings
from seatkeeper_twins.aimms import people as aimms_people

from .bench import NEW, OLD, Bench, Host

LICENSES = tuple(BackedUpLicense(n, tuple(names), True) for n, names in PROFILES.items())
MACHINES = {OLD: "old", NEW: "new"}


class Named(AimmsDriver):
    """The driver with what a bench asks of its machines."""

    def __init__(self, name: str, settings: AimmsSettings) -> None:
        super().__init__(settings)
        self.name, self.point = name, Points()


class People(Bench):
    """Two agents with the real driver; a person works in the twin's window."""

    def __init__(self, folder: Path, world: World, **values: Any) -> None:
        self.folder, self.world, self.values = folder, world, {}
        self.reported: list[dict[str, Any]] = []
        drivers = {
            name: Named(name, settings_of(world, machine, **values))
            for name, machine in MACHINES.items()
        }
        self.old = Host(folder / OLD, drivers[OLD])  # type: ignore[arg-type]
        self.new = Host(folder / NEW, drivers[NEW])  # type: ignore[arg-type]
        for host, other in ((self.old, self.new), (self.new, self.old)):
            pem = host.identity.public_pem
            (other.folder / "trust" / f"{host.machine.name}.pem").write_text(pem)

    def act(self, host: Host) -> bool:
        """Do what waits, and say so where nothing shows."""
        waiting = host.waiting()
        for entry in waiting:
            self.reported.append(entry)
            self.work(self.world.address(MACHINES[host.machine.name]), entry["step"])
            if entry["attestable"]:
                host.attest()
            else:
                host.moves.resume("agent")
        return bool(waiting)

    def work(self, address: str, step: str) -> None:
        """What the instructions of a step say."""
        verb, _, about = step.partition(" ")
        if verb.startswith("maintenance"):
            aimms_people.maintenance(address, verb == "maintenance_on")
        elif verb == "deactivate":
            aimms_people.deactivate(address, about)
        elif verb == "install":
            aimms_people.install(address)
        elif verb == "activate":
            aimms_people.activate(address, about, CODES[about])
        elif verb == "add_profile":
            number = next(n for n, names in PROFILES.items() if about in names)
            aimms_people.add_profile(address, about, number)

    def instructions(self, step: str) -> str:
        """What a person was told to do."""
        return "\n".join(next(e["instructions"] for e in self.reported if e["step"] == step))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The vendor's service and both machines, the new one without the product."""
    running = World(tmp_path_factory.mktemp("people"), new={"installed": False})
    yield running
    running.stop()


@pytest.fixture
def make(folder: Path, world: World) -> Iterator[Callable[..., People]]:
    """Two agents for the machines as they were made."""
    world.reset()
    made: list[People] = []

    def people(**values: Any) -> People:
        made.append(People(folder / "people", world, **values))
        return made[-1]

    yield people
    for each in made:
        each.close()


def until_released(people: People) -> dict[str, Any]:
    """The first three legs."""
    backup = ServerBackup.from_document(people.leg("backup", licenses=LICENSES)["backup"])
    prepared = people.leg("prepare", backup=backup)["document"]
    return people.leg("release", document=prepared)


def test_a_whole_move_on_windows_is_a_persons_work(
    make: Callable[..., People], world: World
) -> None:
    people = make(windows_host="127.0.0.1")
    for leg in MoveLeg:
        assert people.host(leg).machine.can("activate").value == "assisted"
    released = until_released(people)
    words = {e["number"]: e["released"] for e in released["move"]["licenses"]}
    assert set(words.values()) == {"attested"}
    assert set(aimms_people.holders(world.vendor).values()) == {None}
    answer = people.leg("install", document=released["document"], codes={})
    assert answer["after"] == {"state": "arrived"}
    assert {e["activated"] for e in answer["move"]["licenses"]} == {"attested"}
    assert people.leg("finish", document=answer["document"])["after"] == {"state": "finished"}
    assert {world.holder(number) for number in CODES} == {"new"}
    assert {entry["who"] for entry in people.reported} == {"person"}
    assert all(entry["attestable"] for entry in people.reported if entry["step"] != "install")
    first = next(iter(CODES))
    window = "Open the License Manager window on 127.0.0.1."
    for step, menu in (
        ("maintenance_on", "Choose Maintenance > Maintenance mode and switch it on."),
        (f"deactivate {first}", "Maintenance > License > License Configuration"),
        (f"activate {first}", "Choose the protection machine node lock"),
        ("add_profile Client", "Rename the profile"),
        ("maintenance_off", "running jobs end in error"),
    ):
        reported = people.instructions(step)
        assert window in reported
        assert menu in reported
        assert "licman" not in reported
    assert "MSI installer as an administrator" in people.instructions("install")
    texts = str([people.old.view(), people.new.view(), people.reported])
    assert not any(code in texts for code in CODES.values())


def test_a_license_is_activated_by_request_and_response(
    make: Callable[..., People], world: World
) -> None:
    aimms_people.install(world.new)
    until(lambda: len(world.open_ports("new")) == len(world.ports["new"]))
    people = make(**MAPPED)
    released = until_released(people)
    answer = people.confirmed("install", document=released["document"], codes={}, offline=True)
    for number in CODES:
        (waiting,) = answer["waiting"]
        assert (waiting["step"], waiting["attestable"]) == (f"activate {number}", False)
        assert any("Pending Activation" in text for text in waiting["instructions"])
        request = aimms_people.request(world.new, number, CODES[number])
        pending = people.run("install", codes={}, offline=True)
        assert pending["waiting"] == [waiting], "between the files nothing is claimed"
        (shown,) = [e for e in pending["move"]["licenses"] if e["number"] == number]
        assert (shown["seen"], shown["activated"]) == ("pending", None)
        assert number in [e["license"] for e in pending["move"]["adrift"]]
        busy = people.refused("install", refuse=True)
        assert busy.code is ProblemCode.CONTAINER_BUSY
        aimms_people.respond(world.new, aimms_people.answer(world.vendor, request))
        answer = people.run("install", codes={}, offline=True)
    assert answer["after"] == {"state": "arrived"}
    assert {e["activated"] for e in answer["move"]["licenses"]} == {"observed"}
    assert {world.holder(number) for number in CODES} == {"new"}
    assert people.leg("finish", document=answer["document"])["after"] == {"state": "finished"}
