# SPDX-License-Identifier: GPL-3.0-or-later
"""seatkeeper-twins, as people run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatkeeper_twins.cli import main
from seatkeeper_twins.lab.lab import MARK
from seatkeeper_twins.lab.process import marked_processes

from .conftest import SEEDS

WAIT_SECONDS_MAX = 120
COMMAND = [sys.executable, "-m", "seatkeeper_twins.cli"]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`lab up`, when it says that it is ready."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEEDS), encoding="utf-8")
    command = [*COMMAND, "lab", "up", "--dir", str(tmp_path / "lab"), "--seed", str(seed)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        said = ""
        while not said.startswith("Ready;"):
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, "lab up ended before it was ready"
        yield process
        process.kill()


def wait_until_gone(folder: Path) -> None:
    """Until no process of the lab in a folder is left."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while found := marked_processes(MARK, str(folder)):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_however_it_ends_nothing_is_left_running(
    tmp_path: Path, running: subprocess.Popen[str], number: signal.Signals, exit_code: int
) -> None:
    assert len(marked_processes(MARK, str(tmp_path / "lab"))) >= 4
    running.send_signal(number)
    assert running.wait(WAIT_SECONDS_MAX) == exit_code
    wait_until_gone(tmp_path / "lab")


def test_a_second_interrupt_does_not_keep_it_from_stopping_everything(
    running: subprocess.Popen[str],
) -> None:
    assert running.stdout is not None
    running.send_signal(signal.SIGINT)
    while running.stdout.readline() != "Stopping everything.\n":
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    assert running.wait(WAIT_SECONDS_MAX) == 0
    assert running.stdout.readline().startswith("Nothing of the lab is running")


def test_a_process_that_dies_is_told(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    pid = int((tmp_path / "lab" / "new-server" / "codemeter" / "engine.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    assert running.stdout is not None
    assert running.stdout.readline() == "The CodeMeter twin of new-server ended, exit code -9.\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is not JSON"),
        ("[]", "must be an object of host names"),
        ('{"a": {"containers": 1}}', "The seed of a cannot be used: containers must be a list"),
        ('{"a/b": {}}', "is not a host name"),
    ],
)
def test_a_bad_seed_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, sentence: str
) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(content, encoding="utf-8")
    assert main(["lab", "up", "--dir", str(tmp_path / "lab"), "--seed", str(seed)]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_missing_seed_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = tmp_path / "absent.json"
    assert main(["lab", "up", "--dir", str(tmp_path / "lab"), "--seed", str(absent)]) == 1
    assert capsys.readouterr().err == f"{absent} cannot be read: No such file or directory.\n"


def test_codemeter_is_handed_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEEDS["old-server"]), encoding="utf-8")
    folder = tmp_path / "twin"
    assert main(["codemeter", "create", "--dir", str(folder), "--seed", str(seed)]) == 0
    assert (folder / "libwibucm.so").is_file()
    assert str(folder) in capsys.readouterr().out


def test_chaos_servers_are_told_with_their_pages(tmp_path: Path) -> None:
    command = [*COMMAND, "lab", "up", "--dir", str(tmp_path / "lab"), "--chaos"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]
        while said[-1] and not said[-1].startswith("Ready;"):
            said.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_SECONDS_MAX) == 0
    reported = "".join(said)
    assert "Ready;" in reported
    for name in ("render-server", "island-server"):
        assert f"{name}  agent socket  {tmp_path}/lab/{name}/agent.sock\n" in reported
    assert len(re.findall(r"  Chaos +http://127\.0\.0\.1:\d+/\n", reported)) == 2
    assert len(re.findall(r"  account page +http://127\.0\.0\.1:\d+/\n", reported)) == 1
    assert "inventories/chaos playbooks/activate_licenses.yml --check --diff" in reported
    wait_until_gone(tmp_path / "lab")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_completion_knows_the_lab(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    for option in ("--chaos", "--cloud", "--seed"):
        assert option.removeprefix("--") in said
