# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver against the twin: every effect is seen in the status, not in what a call says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from seatkeeper_agent.domain.servers import ProductSeats, Secret, ServerStatus
from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
    Grade,
)
from seatkeeper_agent.operations.server_ports import CredentialsRefused
from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_agent.vendors.chaos.server_settings import ChaosServerSettings
from seatkeeper_twins.chaos import people
from seatkeeper_twins.parts import control

from .conftest import MakeTwins
from .twins import ADMIN, PASSWORDS

ACCOUNT = (
    ProductSeats("Phoenix", {"interface": 2, "render": 2}),
    ProductSeats("V-Ray", {"interface": 4, "render": 10}),
)


def seen_with_dongles(driver: ChaosDriver, count: int) -> ServerStatus:
    """The status once it shows as many dongles, which takes about a second."""
    deadline = time.monotonic() + 120
    while True:
        status = driver.status()
        if len(status.dongle_keys) == count or time.monotonic() > deadline:
            return status
        time.sleep(0.05)


def test_online_activation_and_its_end(make_twins: MakeTwins) -> None:
    twins = make_twins()
    driver = twins.driver()
    with pytest.raises(CredentialsRefused, match="knows no account"):
        driver.activate_online(ADMIN, Secret("another"))
    with pytest.raises(CredentialsRefused):
        driver.activate_online("nobody@studio-a.example", Secret(PASSWORDS[ADMIN]))
    assert driver.status().activated is False
    driver.activate_online(ADMIN, Secret(PASSWORDS[ADMIN]))
    status = driver.status()
    assert (status.activated, status.licenses) == (True, ACCOUNT)
    # Already active counts as a success for the program; the caller looks at the status first.
    driver.activate_online(ADMIN, Secret(PASSWORDS[ADMIN]))
    driver.deactivate()
    assert driver.status().activated is False
    for path in twins.folder.rglob("*.log"):
        assert PASSWORDS[ADMIN].encode() not in path.read_bytes()


def test_offline_activation_by_two_files(make_twins: MakeTwins) -> None:
    twins = make_twins("4.0")
    driver = twins.driver()
    request = driver.activation_request()
    assert driver.activation_request() == request
    answer = people.answer_request(twins.cloud, ADMIN, PASSWORDS[ADMIN], request, "render-1")
    with pytest.raises(DriverRefused):
        driver.activate_offline(b"another file")
    assert driver.status().activated is False
    driver.activate_offline(answer)
    assert driver.status().activated is True
    with pytest.raises(DriverRefused) as caught:
        driver.activate_offline(answer)
    assert caught.value.number in range(400, 500)


def test_the_dongle_service_shows_a_dongle_late(make_twins: MakeTwins) -> None:
    twins = make_twins(visible_seconds=0.4)
    twins.plug("1-1.4", "90000001")
    driver = twins.driver()
    assert driver.status().dongle_keys == ()
    driver.set_dongle_service(True)
    status = driver.status()
    assert status.dongle_service is True
    assert len(seen_with_dongles(driver, 1).dongle_keys) == 1
    driver.set_dongle_service(False)
    status = driver.status()
    assert (status.dongle_service, status.dongle_keys) == (False, ())


@pytest.mark.parametrize(
    ("profile", "version", "online", "migration"),
    [
        ("4.0", "4.0.3", Grade.REFUSED, Grade.REFUSED),
        ("4.5", "4.5.0", Grade.REFUSED, Grade.ASSISTED),
        ("5.5", "5.5.5", Grade.DOCUMENTED, Grade.ASSISTED),
        ("6", "6.0.1", Grade.DOCUMENTED, Grade.ASSISTED),
    ],
)
def test_what_each_version_can_do_is_told(
    make_twins: MakeTwins, profile: str, version: str, online: Grade, migration: Grade
) -> None:
    driver = make_twins(profile).driver()
    description = driver.describe()
    assert (description.vendor, description.version, description.running) == (
        "chaos",
        version,
        True,
    )
    grades = {entry.name: entry.grade for entry in description.capabilities}
    assert (grades["online_activation"], grades["dongle_migration"]) == (online, migration)
    if online is Grade.REFUSED:
        with pytest.raises(DriverUnsupported, match="credentials file"):
            driver.activate_online(ADMIN, Secret(PASSWORDS[ADMIN]))


def test_a_program_without_the_credentials_file_is_told_from_a_wrong_password(
    make_twins: MakeTwins,
) -> None:
    driver = make_twins("4.0").driver(credentials_file_version_min="4.0")
    with pytest.raises(DriverUnsupported, match="takes no credentials file"):
        driver.activate_online(ADMIN, Secret(PASSWORDS[ADMIN]))
    assert driver.status().activated is False


def test_the_vendor_out_of_reach_is_told_from_a_refusal(make_twins: MakeTwins) -> None:
    twins = make_twins()
    driver = twins.driver()
    twins.processes[0].kill()
    with pytest.raises((DriverUnavailable, DriverRefused)) as caught:
        driver.activate_online(ADMIN, Secret(PASSWORDS[ADMIN]))
    assert not isinstance(caught.value, CredentialsRefused)
    assert driver.status().activated is False
    twins.processes[1].kill()
    with pytest.raises(DriverUnavailable):
        driver.activate_online(ADMIN, Secret(PASSWORDS[ADMIN]))


def test_a_lost_answer_is_a_doubt_and_the_status_tells(make_twins: MakeTwins) -> None:
    twins = make_twins(activated_as=ADMIN)
    driver = twins.driver()
    for point, happened in (("deactivate.before", False), ("deactivate.after", True)):
        control.set_fault(twins.server, point, "lose")
        with pytest.raises(DriverUnfinished):
            driver.deactivate()
        assert driver.status().activated is not happened
    control.set_fault(twins.server, "status.before", "refuse", 403)
    with pytest.raises(DriverRefused) as caught:
        driver.status()
    assert caught.value.number == 403


def test_settings_are_kept_and_what_is_unknown_stays(make_twins: MakeTwins) -> None:
    twins = make_twins()
    server = ChaosServerSettings(twins.settings())
    before = server.read_settings()
    server.write_settings({"proxy": {"host": "10.0.0.1"}, "local": {"vrlPort": "30307"}})
    after = server.read_settings()
    assert after["proxy"]["host"] == "10.0.0.1"
    assert after["local"] == {**before["local"], "vrlPort": "30307"}
    assert {key: after[key] for key in after if key not in ("proxy", "local")} == {
        key: before[key] for key in before if key not in ("proxy", "local")
    }
    assert twins.reported()["config"]["local"]["vrlPort"] == "30307"
    assert server.is_running()
    twins.processes[1].kill()
    assert not server.is_running()


def test_the_dongle_drivers_version_is_asked_of_the_operators_command(
    make_twins: MakeTwins,
) -> None:
    twins = make_twins(wibukey_version="5.20")
    assert twins.driver().dongle_driver_version() == "5.20"
    assert twins.driver(wibukey_version_command=()).dongle_driver_version() is None


def test_nothing_of_a_login_is_left(
    make_twins: MakeTwins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    twins = make_twins()
    twins.driver().activate_online(ADMIN, Secret(PASSWORDS[ADMIN]))
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) > 5
    assert not any(PASSWORDS[ADMIN].encode() in path.read_bytes() for path in found)
