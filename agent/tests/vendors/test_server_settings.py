# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop, edit, start: with a server that rewrites its file when it ends."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)
from seatkeeper_agent.vendors.codemeter.server_file import read_file, replace_file
from seatkeeper_agent.vendors.codemeter.server_settings import CodeMeterServerSettings
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings

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


def test_a_link_is_followed_and_stays_a_link(twin: Twin, tmp_path: Path) -> None:
    """Where the file really is: relative, and behind a second link."""
    path, real = twin.directory / "Server.ini", tmp_path / "settings" / "codemeter.ini"
    real.parent.mkdir()
    path.rename(real)
    (tmp_path / "settings" / "current.ini").symlink_to("codemeter.ini")
    path.symlink_to(tmp_path / "settings" / "current.ini")
    before = real.read_bytes()
    server = service(twin)
    assert server.read_settings()["General"]["IsNetworkServer"] == "0"
    server.stop()
    server.write_settings({"General": {"IsNetworkServer": "1"}})
    server.start()
    server.stop()
    assert path.is_symlink()
    assert (tmp_path / "settings" / "current.ini").is_symlink()
    assert not real.is_symlink()
    assert real.read_bytes() == before.replace(b"IsNetworkServer=0", b"IsNetworkServer=1")
    assert sorted(entry.name for entry in real.parent.iterdir()) == ["codemeter.ini", "current.ini"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to somebody else")
def test_a_link_of_somebody_else_is_not_followed(tmp_path: Path) -> None:
    """The daemon's user must not choose what root's agent writes to."""
    victim, link = tmp_path / "victim", tmp_path / "Server.ini"
    victim.write_bytes(b"[General]\n")
    link.symlink_to(victim)
    os.lchown(link, 1, 1)
    for call in (lambda: read_file(link), lambda: replace_file(link, b"", b"[General]\n")):
        with pytest.raises(DriverRefused, match="belongs to neither root nor the agent's user"):
            call()
    assert victim.read_bytes() == b"[General]\n"


def test_an_unknown_section_is_a_doubt_and_no_refusal(twin: Twin) -> None:
    server = service(twin)
    (doubt,) = server.check_settings({"Genral": {"Logging": "1"}, "HTTP": {"RemoteRead": "2"}})
    assert "no section [Genral]" in doubt
    assert server.check_settings({"ServerSearchList\\Server12": {"Address": "192.0.2.8"}}) == []
    server.stop()
    server.write_settings({"Genral": {"Logging": "1"}})
    assert server.read_settings()["Genral"] == {"Logging": "1"}
    assert server.check_settings({"Genral": {"Logging": "0"}}) == [], "it is there now"


def test_links_without_an_end_and_what_is_not_a_file_are_refused(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"[General]\n")
    link = tmp_path / "Server.ini"
    link.symlink_to(link)
    with pytest.raises(DriverRefused, match="more than 8 links in a row"):
        read_file(link)
    with pytest.raises(DriverRefused, match="more than 8 links in a row"):
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
