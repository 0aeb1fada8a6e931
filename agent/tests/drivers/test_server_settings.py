# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop, edit, start: with a server that rewrites its file when it ends."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from seatkeeper_agent.drivers.codemeter.server_file import read_file, replace_file
from seatkeeper_agent.drivers.codemeter.server_settings import CodeMeterServerSettings
from seatkeeper_agent.drivers.codemeter.settings import CodeMeterSettings
from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)

from .conftest import Twin

CHANGES = {"General": {"IsNetworkServer": "1"}, "Backup": {"Interval": "12"}}


def service(twin: Twin, **values: object) -> CodeMeterServerSettings:
    """The settings of a twin whose service commands are those of a test."""
    pid_file = shlex.quote(str(twin.directory / "engine.pid"))
    # Like systemctl, the command returns when the service has ended.
    stop = f"kill -TERM $(cat {pid_file}); while [ -s {pid_file} ]; do sleep 0.02; done"
    start = '"$0" -m seatkeeper_twins.codemeter serve --dir "$1" >/dev/null 2>&1 &'
    commands = {
        "stop_command": ("/bin/sh", "-c", stop),
        "start_command": ("/bin/sh", "-c", start, sys.executable, str(twin.directory)),
    }
    settings = twin.settings(**{**commands, **values})
    return CodeMeterServerSettings(settings, twin.driver().is_running)


def test_stop_edit_start(twin: Twin) -> None:
    path = twin.directory / "Server.ini"
    before = path.read_bytes()
    server = service(twin)
    with pytest.raises(DriverRefused, match="stop it first"):
        server.write_settings(CHANGES)
    assert path.read_bytes() == before
    server.stop()
    assert not server.is_running()
    server.write_settings(CHANGES)
    server.start()
    try:
        assert server.is_running()
        found = server.read_settings()
        assert found["General"]["IsNetworkServer"] == "1"
        assert found["Backup"] == {"Interval": "12"}
        assert path.read_bytes() == before.replace(
            b"IsNetworkServer=0", b"IsNetworkServer=1"
        ).replace(b"Interval=24", b"Interval=12")
        server.write_settings(CHANGES)
    finally:
        server.stop()


def test_an_edit_while_it_runs_would_be_lost(twin: Twin) -> None:
    path = twin.directory / "Server.ini"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"IsNetworkServer=0", b"IsNetworkServer=1"))
    service(twin).stop()
    assert path.read_bytes() == before


def test_service_commands_that_fail(twin: Twin) -> None:
    failing = service(twin, stop_command=("/bin/sh", "-c", "echo no right; exit 4"))
    with pytest.raises(DriverRefused, match="ended with exit code 4: no right"):
        failing.stop()
    idle = service(twin, stop_command=("/bin/true",), service_seconds_max=0.4)
    with pytest.raises(DriverUnfinished, match="still answers after it was stopped"):
        idle.stop()
    twin.stop()
    idle = service(twin, start_command=("/bin/true",), service_seconds_max=0.4)
    with pytest.raises(DriverUnfinished, match="does not answer after it was started"):
        idle.start()


def test_the_file_keeps_its_mode_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "Server.ini"
    path.write_bytes(b"[General]\n")
    path.chmod(0o640)
    (tmp_path / "Server.ini.seatkeeper").write_text("left by a crash")
    replace_file(path, b"[Backup]\n", b"[General]\n")
    assert path.read_bytes() == b"[Backup]\n"
    assert path.stat().st_mode & 0o7777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["Server.ini"]


def test_a_file_that_somebody_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "Server.ini"
    path.write_bytes(b"[General]\nnew=1\n")
    with pytest.raises(DriverRefused, match="changed by somebody else"):
        replace_file(path, b"", b"[General]\n")
    assert path.read_bytes() == b"[General]\nnew=1\n"


def test_links_and_what_is_not_a_file_are_refused(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"[General]\n")
    link = tmp_path / "Server.ini"
    link.symlink_to(victim)
    with pytest.raises(DriverRefused, match="is a symbolic link"):
        read_file(link)
    with pytest.raises(DriverRefused, match="is a symbolic link"):
        replace_file(link, b"", b"[General]\n")
    trap = tmp_path / "Server.ini.seatkeeper"
    link.unlink()
    link.write_bytes(b"[General]\n")
    trap.symlink_to(victim)
    replace_file(link, b"[Other]\n", b"[General]\n")
    assert victim.read_bytes() == b"[General]\n"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DriverRefused, match="is not a regular file"):
        read_file(tmp_path / "pipe")
    with pytest.raises(DriverUnavailable, match="check the setting server_ini"):
        read_file(tmp_path / "missing")
    with pytest.raises(DriverUnavailable, match="check the setting server_ini"):
        read_file(tmp_path / "no folder" / "Server.ini")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "Server.ini"
    path.write_bytes(bytes(1024 * 1024 + 1))
    with pytest.raises(DriverRefused, match="larger than"):
        read_file(path)


def test_a_missing_file_is_told_without_a_traceback(twin: Twin) -> None:
    settings = CodeMeterSettings(server_ini=str(twin.directory / "none.ini"))
    server = CodeMeterServerSettings(settings, lambda: False)
    with pytest.raises(DriverUnavailable, match=r"none.ini cannot be used \(No such file"):
        server.read_settings()
