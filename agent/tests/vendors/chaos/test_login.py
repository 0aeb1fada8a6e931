# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in by vrlctl: exit codes told apart, and a password that is seen by nobody else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.operations.server_ports import CredentialsRefused
from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_agent.vendors.chaos.private_folder import memory_backed, private_folder, sweep
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings
from seatkeeper_agent.vendors.chaos.vrlctl import FOLDER_PREFIX, login, sweep_credentials

from .conftest import driver_of
from .odd_server import OddServer, json_reply

ACCOUNT = "admin@studio-a.example"
CANARY = "canary-41d0-Größe\"'\\ never to be seen"
NEEDLES = [CANARY.encode(), json.dumps(CANARY)[1:-1].encode(), b"canary-41d0"]

PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > {folder}/arguments
stat -c '%a %n' "$4" "$(dirname "$4")" > {folder}/modes
cp "$4" {folder}/seen
env > {folder}/environment
echo "logging in with $(cat "$4")"
{rest}
"""


@pytest.fixture(autouse=True)
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The service's own memory-backed folder; empty before and after."""
    folder = tmp_path / "runtime"
    folder.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{folder}:/elsewhere")
    yield folder
    assert list(folder.iterdir()) == []


def program(folder: Path, rest: str) -> str:
    """A program in the place of vrlctl that notes what it is given."""
    path = folder / "vrlctl"
    path.write_text(PROGRAM.format(folder=folder, rest=rest))
    path.chmod(0o755)
    return str(path)


def test_the_password_goes_through_a_file_that_only_the_user_can_read(
    tmp_path: Path, runtime_folder: Path
) -> None:
    login(program(tmp_path, "exit 0"), ACCOUNT, Secret(CANARY), 20)
    arguments = (tmp_path / "arguments").read_text().split("\n")
    assert arguments[:3] == ["online", "login", "--credentials"]
    assert Path(arguments[3]).parents[1] == runtime_folder
    assert Path(arguments[3]).suffix == ".json"
    assert [line.split()[0] for line in (tmp_path / "modes").read_text().splitlines()] == [
        "600",
        "700",
    ]
    assert json.loads((tmp_path / "seen").read_bytes()) == {"username": ACCOUNT, "password": CANARY}
    environment = (tmp_path / "environment").read_text().splitlines()
    reported = [line for line in environment if line.startswith(("NO_PROXY=", "no_proxy="))]
    assert len(reported) == 2
    assert all(line.endswith("localhost,127.0.0.1") for line in reported)


OUTCOMES: list[tuple[str, type[DriverError]]] = [
    ("exit 5", CredentialsRefused),
    ("exit 6", DriverRefused),
    ("exit 1", DriverUnavailable),
    ("exit 9", DriverUnsupported),
    ("exit 3", DriverUnfinished),
    ("kill -9 $$", DriverUnfinished),
    ("sleep 60", DriverUnfinished),
    ("yes", DriverUnfinished),
]


@pytest.mark.parametrize(("rest", "kind"), OUTCOMES)
def test_exit_codes_are_told_apart_and_tell_no_secret(
    tmp_path: Path, rest: str, kind: type[DriverError], capfd: pytest.CaptureFixture[str]
) -> None:
    seconds_max = 2.0 if rest == "sleep 60" else 20.0
    with pytest.raises(kind) as caught:
        login(program(tmp_path, rest), ACCOUNT, Secret(CANARY), seconds_max)
    assert type(caught.value) is kind
    reported = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__dict__)
    reported += "".join(capfd.readouterr())
    assert not any(needle.decode() in reported for needle in NEEDLES)


def test_a_program_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(DriverUnavailable, match="could not be started"):
        login(str(tmp_path / "none"), ACCOUNT, Secret(CANARY), 20)
    for account, password in (("", CANARY), (ACCOUNT, "")):
        with pytest.raises(DriverRefused, match="account and its password"):
            login(program(tmp_path, "exit 0"), account, Secret(password), 20)


def test_the_password_is_in_no_process_and_no_other_file(tmp_path: Path) -> None:
    path = program(tmp_path, f"touch {tmp_path}/running; sleep 60")
    errors: list[DriverError] = []

    def run() -> None:
        try:
            login(path, ACCOUNT, Secret(CANARY), 3)
        except DriverError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 120
    while not (tmp_path / "running").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    looked_at = 0
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue
            looked_at += 1
            assert not any(needle in content for needle in NEEDLES), (process, name)
    assert looked_at > 2
    thread.join(120)
    assert [type(error) for error in errors] == [DriverUnfinished]
    (tmp_path / "seen").unlink()
    for place in (tmp_path, *memory_backed()):
        for entry in place.glob(f"{FOLDER_PREFIX}*"):
            raise AssertionError(entry)
    assert repr(Secret(CANARY)) == "Secret(…)"


KILLED = """
import sys
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.vendors.chaos.vrlctl import login
login(sys.argv[1], "somebody", Secret(sys.stdin.readline()), 60)
"""


def test_what_a_killed_agent_leaves_is_swept_at_the_next_start(
    tmp_path: Path, runtime_folder: Path
) -> None:
    path = program(tmp_path, f"echo $$ > {tmp_path}/process; exec sleep 60")
    agent = subprocess.Popen([sys.executable, "-c", KILLED, path], stdin=subprocess.PIPE)
    assert agent.stdin is not None
    with agent, agent.stdin as given:
        given.write(CANARY.encode() + b"\n")
        given.flush()
        deadline = time.monotonic() + 120
        while not (tmp_path / "process").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sweep_credentials() == 0, "what is in use was taken away"
        agent.send_signal(signal.SIGKILL)
    os.kill(int((tmp_path / "process").read_text()), signal.SIGKILL)
    (left,) = runtime_folder.glob(f"{FOLDER_PREFIX}*")
    assert NEEDLES[2] in (left / "credentials.json").read_bytes()
    ChaosDriver(ChaosSettings())
    assert not left.exists()


def test_sweeping_leaves_alone_what_is_not_its_own(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "x-file").touch()
    (place / "x-link").symlink_to(tmp_path)
    (place / "other").mkdir()
    (place / "x-left").mkdir()
    (place / "x-left" / "file").touch()
    with private_folder("x-", [tmp_path / "none", place]) as folder:
        assert folder.parent == place
        assert sweep("x-", [place, tmp_path / "none"]) == 1
        assert folder.is_dir()
    assert {entry.name for entry in place.iterdir()} == {"x-file", "x-link", "other"}
    with (
        pytest.raises(DriverUnavailable, match="No private folder can be made in"),
        private_folder("x-", [tmp_path / "none"]),
    ):
        pass


def test_a_server_whose_vrlctl_is_not_known_to_take_a_file_is_not_logged_in(
    odd: OddServer, tmp_path: Path
) -> None:
    path = program(tmp_path, "exit 0")
    for version in ("4.5.0", "5.4", None):
        odd.replies["GET", "/status"] = json_reply({"version": version})
        with pytest.raises(DriverUnsupported, match="credentials file"):
            driver_of(odd, vrlctl=path).activate_online(ACCOUNT, Secret(CANARY))
    assert not (tmp_path / "seen").exists()
    odd.replies["GET", "/status"] = json_reply({"version": "4.5.0"})
    driver_of(odd, vrlctl=path, credentials_file_version_min="4.5").activate_online(
        ACCOUNT, Secret(CANARY)
    )
    odd.replies["GET", "/status"] = json_reply({"version": "5.5.5"})
    driver_of(odd, vrlctl=path).activate_online(ACCOUNT, Secret(CANARY))


def test_another_host_is_not_logged_in_by_this_hosts_program(tmp_path: Path) -> None:
    driver = ChaosDriver(
        ChaosSettings(address="http://192.0.2.1:30304", vrlctl=program(tmp_path, "exit 0"))
    )
    with pytest.raises(DriverUnsupported, match="is another host"):
        driver.activate_online(ACCOUNT, Secret(CANARY))


def test_without_vrlctl_the_operator_is_told_where_it_was_looked_for() -> None:
    if ChaosSettings().vrlctl_path() is not None:
        pytest.skip("the product is installed here")
    with pytest.raises(DriverUnavailable, match=r"name it as chaos\.vrlctl"):
        ChaosDriver(ChaosSettings()).activate_online(ACCOUNT, Secret(CANARY))


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("WibuKey 6.50b Build 3323 of 2018-10-01", "6.50b"),
        ("WibuKey-6.51-1.x86_64", "6.51"),
        ("Version: 5.20.500.1", "5.20.500.1"),
        ("WibuKey v6.40.", "6.40"),
        ("no version at all", None),
        ("", None),
    ],
)
def test_the_dongle_drivers_version_is_what_the_operators_command_prints(
    tmp_path: Path, printed: str, version: str | None
) -> None:
    script = tmp_path / "wibukey-version"
    script.write_text(f"#!/bin/sh\necho '{printed}'\n")
    script.chmod(0o755)
    driver = ChaosDriver(ChaosSettings(wibukey_version_command=(str(script),)))
    assert driver.dongle_driver_version() == version
    script.write_text(f"#!/bin/sh\necho '{printed}'\nexit 1\n")
    assert driver.dongle_driver_version() is None
    assert ChaosDriver(ChaosSettings()).dongle_driver_version() is None
    gone = ChaosSettings(wibukey_version_command=(str(tmp_path / "none"),))
    assert ChaosDriver(gone).dongle_driver_version() is None
