# SPDX-License-Identifier: GPL-3.0-or-later
"""Hiding dongles in a folder: what is hidden is what reading back tells, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seatkeeper_agent.domain.servers import IsolationError
from seatkeeper_agent.usb.isolation import Isolation

from .programs import without_override
from .recorded_bus import RecordedBus

PATHS = ["1-1", "1-2", "1-3", "2-1.4"]
PROCESS_SECONDS_MAX = 60

_HIDE = """
import sys
from pathlib import Path
from seatkeeper_agent.domain.servers import IsolationError
from seatkeeper_agent.usb.isolation import Isolation
try:
    Isolation(Path(sys.argv[1])).hide(sys.argv[2:])
except IsolationError as error:
    print(error)
"""

_HIDE_AND_GIVE_BACK = """
import sys
from pathlib import Path
from seatkeeper_agent.usb.isolation import Isolation
isolation = Isolation(Path(sys.argv[1]))
print("ready", flush=True)
for _ in range(10_000_000):
    isolation.hide(sys.argv[2:])
    isolation.give_back(sys.argv[2:])
"""


@pytest.fixture
def isolation(bus: RecordedBus) -> Isolation:
    """Four dongles and their isolation."""
    for path in PATHS:
        bus.plug(path)
    return Isolation(bus.folder)


def states(isolation: Isolation) -> list[bool | None]:
    """What reading back tells of the four."""
    return [isolation.authorized(path) for path in PATHS]


def attribute(bus: RecordedBus, path: str) -> Path:
    """The file behind a device's attribute."""
    return bus.folder / path / "authorized"


def test_all_but_one_are_hidden_and_given_back(isolation: Isolation) -> None:
    assert states(isolation) == [True] * 4
    isolation.hide(path for path in PATHS if path != "1-2")
    assert states(isolation) == [False, True, False, False]
    isolation.hide(["1-1"])
    isolation.give_back(PATHS)
    assert states(isolation) == [True] * 4


def test_what_was_unplugged_meanwhile(bus: RecordedBus, isolation: Isolation) -> None:
    isolation.hide(PATHS)
    bus.unplug("1-2")
    assert states(isolation) == [False, None, False, False]
    isolation.give_back(PATHS)
    assert states(isolation) == [True, None, True, True]
    with pytest.raises(IsolationError, match=r"1-2 cannot be hidden: nothing is plugged in there"):
        isolation.hide(PATHS)
    assert states(isolation) == [False, None, True, True]
    bus.plug("1-2")
    assert states(isolation) == [False, True, True, True], "the kernel forgets with the device"


def test_an_attribute_that_cannot_be_written(bus: RecordedBus, isolation: Isolation) -> None:
    attribute(bus, "1-2").chmod(0o444)
    done = subprocess.run(
        [*without_override(), sys.executable, "-c", _HIDE, str(bus.folder), *PATHS],
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS_MAX,
        check=True,
    )
    assert done.stdout == (
        f"The device at 1-2 cannot be hidden: {attribute(bus, '1-2')} cannot be written"
        " (Permission denied). Let the agent write it, or unplug the dongle.\n"
    )
    assert states(isolation) == [False, True, True, True]


def test_an_attribute_that_is_none(bus: RecordedBus, isolation: Isolation, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("1\n", encoding="utf-8")
    attribute(bus, "1-1").unlink()
    attribute(bus, "1-2").unlink()
    attribute(bus, "1-2").symlink_to(victim)
    attribute(bus, "1-3").unlink()
    os.mkfifo(attribute(bus, "1-3"))
    for path in ("1-1", "1-2", "1-3"):
        with pytest.raises(IsolationError, match=rf"The device at {path} cannot be hidden"):
            isolation.hide([path])
    assert victim.read_text(encoding="utf-8") == "1\n"


def test_giving_back_tries_all_and_tells_what_failed(
    bus: RecordedBus, isolation: Isolation
) -> None:
    isolation.hide(PATHS)
    for path in ("1-1", "1-3"):
        attribute(bus, path).unlink()
    with pytest.raises(IsolationError) as raised:
        isolation.give_back(PATHS)
    assert "The device at 1-1 cannot be given back" in str(raised.value)
    assert "The device at 1-3 cannot be given back" in str(raised.value)
    assert states(isolation) == [None, True, None, True]


def test_a_write_that_does_not_read_back_is_no_success(
    bus: RecordedBus, isolation: Isolation
) -> None:
    attribute(bus, "1-1").write_text("11\n", encoding="utf-8")
    with pytest.raises(IsolationError, match=r"was not hidden: .* does not read 0"):
        isolation.hide(["1-1"])


@pytest.mark.parametrize("path", ["", ".", "..", "../1-1", "usb1", "1-1:1.0", "1-1/", "1-1\n"])
def test_what_is_no_port_is_refused(isolation: Isolation, path: str) -> None:
    with pytest.raises(IsolationError, match="no USB port's name"):
        isolation.hide([path])
    with pytest.raises(IsolationError, match="no USB port's name"):
        isolation.give_back([path])
    assert states(isolation) == [True] * 4


def test_a_kill_leaves_nothing_unknown(bus: RecordedBus, isolation: Isolation) -> None:
    command = [sys.executable, "-c", _HIDE_AND_GIVE_BACK, str(bus.folder), *PATHS]
    for moment in range(8):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
                time.sleep(0.003 + 0.0007 * moment)
            finally:
                process.kill()
        assert None not in states(isolation)
        isolation.give_back(PATHS)
        assert states(isolation) == [True] * 4
