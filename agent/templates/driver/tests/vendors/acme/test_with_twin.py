# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver sees what is so and nothing else, and tells of each failure what is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
    Grade,
    SettingsDriver,
)
from seatkeeper_agent.vendors.acme.driver import AcmeDriver
from seatkeeper_agent.vendors.acme.settings import AcmeSettings
from seatkeeper_twins.acme import twin


def test_the_server_is_started_and_stopped(driver: AcmeDriver, folder: Path) -> None:
    port: SettingsDriver = driver
    assert port.is_running() is False
    port.start()
    assert (port.is_running(), twin.is_running(folder)) == (True, True)
    port.stop()
    assert (port.is_running(), twin.is_running(folder)) == (False, False)


def test_what_is_there_is_described(driver: AcmeDriver) -> None:
    driver.start()
    found = driver.describe()
    assert (found.vendor, found.version, found.running) == ("acme", twin.VERSION, True)
    grades = {entry.name: entry.grade for entry in found.capabilities}
    assert grades == {
        "runtime": Grade.DOCUMENTED,
        "service_control": Grade.ASSISTED,
        "server_settings": Grade.REFUSED,
        "license_transfer": Grade.REFUSED,
    }
    assert all(entry.reason for entry in found.capabilities)


def test_without_commands_everything_is_refused_with_a_reason() -> None:
    driver = AcmeDriver(AcmeSettings())
    found = driver.describe()
    assert (found.version, found.running) == (None, False)
    assert {entry.grade for entry in found.capabilities} == {Grade.REFUSED}
    for requested in (driver.is_running, driver.start, driver.stop):
        with pytest.raises(DriverUnsupported, match="set acme"):
            requested()


def test_no_setting_is_known(driver: AcmeDriver) -> None:
    assert driver.read_settings() == {}
    driver.check_settings({})
    with pytest.raises(DriverRefused, match=r"network\.port"):
        driver.check_settings({"network": {"port": "1"}})
    with pytest.raises(DriverUnsupported):
        driver.write_settings({"network": {"port": "1"}})


@pytest.mark.parametrize(
    ("point", "action", "value", "error", "runs"),
    [
        ("start.before", "refuse", 503, DriverRefused, False),
        ("start.before", "die", 0, DriverRefused, False),
        ("start.after", "lose", 0, DriverRefused, True),
        ("start.before", "slow", 60_000, DriverUnfinished, False),
    ],
)
def test_a_start_that_fails_is_told(
    settings: AcmeSettings,
    folder: Path,
    point: str,
    action: str,
    value: int,
    error: type[DriverError],
    runs: bool,
) -> None:
    """Whether it had an effect is not for the driver to say: operations look."""
    twin.set_fault(folder, point, action, value)
    quick = action == "slow"
    driver = AcmeDriver(replace(settings, call_seconds_max=2.0) if quick else settings)
    with pytest.raises(error):
        driver.start()
    assert twin.is_running(folder) is runs


def test_an_odd_status_tells_neither(driver: AcmeDriver, folder: Path) -> None:
    twin.set_fault(folder, "status.after", "lose", times=2)
    with pytest.raises(DriverUnavailable, match="exit code 1"):
        driver.is_running()
    assert driver.describe().running is False


def test_one_that_never_comes_up_is_unfinished(settings: AcmeSettings, folder: Path) -> None:
    deaf = replace(
        settings, start_command=(settings.start_command[0], "version"), service_seconds_max=0.5
    )
    with pytest.raises(DriverUnfinished, match="does not run"):
        AcmeDriver(deaf).start()
    assert twin.is_running(folder) is False
