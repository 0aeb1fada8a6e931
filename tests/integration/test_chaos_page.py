# SPDX-License-Identifier: GPL-3.0-or-later
"""Dongles migrated on the server's page: by a real browser, or by a person in their own time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from seatkeeper_twins.chaos import people, usb_folder
from seatkeeper_twins.lab.chaos import browser_is_here
from seatkeeper_twins.lab.lab import Lab

from .runs import CHAOS_INVENTORY, ROOT, Run, journals, play
from .tap import wait_for

# Whole runs of ansible-playbook, and a browser, on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
with_browser = pytest.mark.skipif(
    not browser_is_here(), reason="there is no Playwright or no Chromium here"
)

MIGRATE = ROOT / "playbooks" / "migrate_dongles.yml"
REPORT = ROOT / "playbooks" / "license_report.yml"
HOST, ADMIN, ARTIST = "render-server", "admin@studio-a.example", "artist@studio-a.example"
FIRST, SECOND = "90000003", "90000004"
HELD = {
    FIRST: [
        {"product": "V-Ray", "version": "2.5", "perpetual": False},
        {"product": "Phoenix", "version": "3.1", "perpetual": True},
    ],
    SECOND: [{"product": "V-Ray", "version": "5.2", "perpetual": True}],
}
STEP = re.compile(r'"(\d{8})  (\S.*?) {2,}(agent|person|vendor) +(yes|no) +(planned|done)"')
CONFIRMED = re.compile(r'"(\d{8}) {2,}([0-9a-f]{64}) {2,}(\S.*)"')
PNG = b"\x89PNG\r\n"


def started(performer: str, *serials: str) -> Lab:
    """One activated server with dongles."""
    dongles = [{"port": f"1-1.{n}", "serial": serial} for n, serial in enumerate(serials, start=1)]
    server = {"activated_as": ADMIN}
    chaos = {"performer": performer, "server": server, "dongles": dongles}
    return Lab.create({HOST: {"chaos": chaos}})


@pytest.fixture
def two_dongles() -> Iterator[Lab]:
    """A server on whose page a browser works."""
    with started("browser", FIRST, SECOND) as lab:
        yield lab


@pytest.fixture
def one_dongle() -> Iterator[Lab]:
    """A server on whose page a person works."""
    with started("person", SECOND) as lab:
        yield lab


def migrate(lab: Lab, folder: Path, shown: Run | None, *arguments: str) -> Run:
    """Run the playbook for all dongles of the host, confirmed as a run in check mode showed."""
    confirmed = {} if shown is None else confirmations(shown)
    plugged = [dongle.serial for dongle in usb_folder.plugged(lab[HOST].usb_folder)]
    entries = [
        {
            "agent": HOST,
            "dongle": serial,
            "target_user": ARTIST,
            "isolate": True,
            "licenses": HELD[str(serial)],
            **confirmed.get(str(serial), {}),
        }
        for serial in plugged
    ]
    return play(
        lab,
        folder,
        MIGRATE,
        *arguments,
        "--limit",
        HOST,
        variables={"license_dongle_migrations": entries},
        inventory=CHAOS_INVENTORY,
    )


def confirmations(shown: Run) -> dict[str, dict[str, str]]:
    """What is to be written into the inventory."""
    return {
        serial: {"confirm": digest, "acknowledge": sentence}
        for serial, digest, sentence in CONFIRMED.findall(shown.output)
    }


def steps(run: Run, state: str) -> list[tuple[str, str, str, str]]:
    """The steps that a run shows, all in this state."""
    found = STEP.findall(run.output)
    assert {each[-1] for each in found} == {state}, run.output
    return [each[:-1] for each in found]


def state_of(lab: Lab) -> Any:
    """Everything that a run may change."""
    return journals(lab), lab.cloud.describe(), lab[HOST].chaos.describe()


class Sockets:
    """Sees which dongles the driver could have at each moment that the vendor migrated one."""

    def __init__(self, lab: Lab) -> None:
        self.alone: dict[str, set[tuple[str | None, ...]]] = {}
        self._lab = lab
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.05):
            for migration in self._lab.cloud.describe()["migrations"]:
                if migration["state"] == "running":
                    seen = usb_folder.wibukeys(self._lab[HOST].usb_folder)
                    serials = tuple(dongle.serial for dongle in seen)
                    self.alone.setdefault(migration["serial"], set()).add(serials)


@with_browser
def test_two_dongles_are_migrated_in_one_run_with_nobody_there(
    two_dongles: Lab, tmp_path: Path
) -> None:
    lab = two_dongles
    before = state_of(lab)
    planned = migrate(lab, tmp_path, None, "--check", "--diff").ended_well()
    assert state_of(lab) == before
    assert set(confirmations(planned)) == {FIRST, SECOND}

    with Sockets(lab) as sockets:
        done = migrate(lab, tmp_path, planned, "--diff").ended_well()
    assert steps(done, "done") == steps(planned, "planned")
    assert sockets.alone == {FIRST: {(FIRST,)}, SECOND: {(SECOND,)}}
    plugged = usb_folder.plugged(lab[HOST].usb_folder)
    assert [(dongle.serial, dongle.authorized) for dongle in plugged] == [
        (FIRST, True),
        (SECOND, True),
    ]
    records = lab[HOST].client.get("/v1/migrations")["migrations"]
    assert {r["dongle"]["id"]: (r["state"], r["comparison"]) for r in records} == {
        FIRST: ("done", "matches"),
        SECOND: ("done", "matches"),
    }
    dongles = lab.cloud.describe()["dongles"]
    assert all(dongles[serial]["dead"] for serial in (FIRST, SECOND))

    after = state_of(lab)
    for arguments in (("--check", "--diff"), ("--diff",)):
        assert migrate(lab, tmp_path, planned, *arguments).ended_well().changed == 0
        assert state_of(lab) == after


@with_browser
def test_what_no_host_can_see_is_shown_by_a_page_without_transfer(
    two_dongles: Lab, tmp_path: Path
) -> None:
    lab, server = two_dongles, two_dongles[HOST].chaos
    server.unplug("1-1.1")
    people.set_dongle(lab.cloud.address, SECOND, vendor_refuses=True)
    planned = migrate(lab, tmp_path, None, "--check").ended_well()
    refused = migrate(lab, tmp_path, planned)
    assert refused.recap[HOST]["failed"] == 1
    assert refused.changed == 0
    assert "The page offers no TRANSFER" in refused.output
    assert "unknown  vendor_criteria" in refused.output
    assert "Traceback" not in refused.output
    (picture,) = (lab[HOST].state_folder / "screenshots").iterdir()
    assert str(picture) in refused.output
    assert picture.read_bytes().startswith(PNG)
    assert not lab.cloud.describe()["migrations"]
    assert lab[HOST].client.get("/v1/operations", state="open")["operations"] == []

    people.set_dongle(lab.cloud.address, SECOND, vendor_refuses=False)
    migrate(lab, tmp_path, planned).ended_well()
    assert lab.cloud.describe()["dongles"][SECOND]["dead"]


def test_a_person_takes_the_time_and_the_agent_goes_on_by_itself(
    one_dongle: Lab, tmp_path: Path
) -> None:
    lab, host = one_dongle, one_dongle[HOST]
    planned = migrate(lab, tmp_path, None, "--check").ended_well()
    begun = migrate(lab, tmp_path, planned)
    assert begun.code == 0, begun.output
    assert begun.recap[HOST]["failed"] == 0
    again = migrate(lab, tmp_path, planned)
    assert (again.code, again.changed) == (0, 0), again.output
    report = play(lab, tmp_path, REPORT, "--limit", HOST, inventory=CHAOS_INVENTORY)
    assert (report.code, report.changed) == (0, 0), report.output
    for run in (begun, again, report):
        assert "Waiting for a person: migrating the licenses of dongle 90000004" in run.output
        assert "Click TRANSFER >>" in run.output

    # Somebody else plugs a dongle in meanwhile, which is told, and takes it out again.
    host.chaos.plug("1-1.3", FIRST)
    wait_for(lambda: [note for note in record(lab)["notes"] if "plugged in" in note["text"]])
    host.chaos.unplug("1-1.3")
    wait_for(lambda: [note for note in record(lab)["notes"] if "was unplugged" in note["text"]])

    people.transfer(host.chaos.address, ARTIST)
    wait_for(lambda: record(lab)["state"] == "done")
    assert record(lab)["comparison"] == "matches"
    people.close_transfer(host.chaos.address)
    later = migrate(lab, tmp_path, planned).ended_well()
    assert later.changed == 0


def record(lab: Lab) -> dict[str, Any]:
    """The only migration of the host."""
    (found,) = lab[HOST].client.get("/v1/migrations")["migrations"]
    return dict(found)
