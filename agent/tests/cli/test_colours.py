# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours for people at a terminal who have not asked for none."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from seatkeeper_agent import doctor
from seatkeeper_twins.lab.lab import LabHost

from .conftest import AGENT, COMMAND_SECONDS_MAX, environment, run

ESCAPE = "\033["


def at_a_terminal(*arguments: str, **values: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*AGENT, *arguments], stdout=theirs, stderr=theirs, stdin=theirs, env=environment(**values)
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 65_536):
                written += part
        except OSError:
            pass  # how a terminal tells that nobody writes to it any more
        finally:
            os.close(ours)
        process.wait(COMMAND_SECONDS_MAX)
    return written.decode()


def test_a_terminal_gets_colours(host: LabHost) -> None:
    reported = at_a_terminal("--config", str(host.settings_path), "doctor")
    assert f"{ESCAPE}32mok" in reported
    assert f"{ESCAPE}33mwarning" in reported


def test_who_asks_for_none_gets_none(host: LabHost) -> None:
    reported = at_a_terminal("--config", str(host.settings_path), "doctor", NO_COLOR="1")
    assert "ok" in reported
    assert ESCAPE not in reported


@pytest.mark.parametrize(
    ("terminal", "value", "coloured"),
    [(True, None, True), (True, "", True), (True, "1", False), (False, None, False)],
)
def test_the_rule(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, value: str | None, coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert doctor.is_coloured() is coloured


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_a_pipe_gets_none(host: LabHost, command: str) -> None:
    assert ESCAPE not in run("--config", str(host.settings_path), command).stdout
