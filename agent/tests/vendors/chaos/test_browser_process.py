# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the browser when it, its process or the agent dies, hangs or is not there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.operations.ports import DriverUnavailable, DriverUnfinished
from seatkeeper_agent.vendors.chaos.page import browser
from seatkeeper_agent.vendors.chaos.page.browser import BrowserPage
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings
from seatkeeper_twins.lab.host import browser_settings

from . import odd_pages
from .odd_server import OddServer, silence
from .test_odd_pages import USER, page_of, posted
from .twins import CHROMIUM

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
    pytest.mark.timeout(300),
]
pytest.importorskip("playwright", reason="Playwright is not installed")


def children_of(process_id: int) -> list[int]:
    """All processes below one, at this moment."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int(
                (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
            )
        except OSError:
            continue
    found, added = [], {process_id}
    while added:
        added = {child for child, parent in parents.items() if parent in added}
        found += sorted(added)
    return found


def started(process_id: int) -> str | None:
    """When a process began, to know it again; None when it is gone or only waits to be reaped."""
    try:
        fields = (Path("/proc") / str(process_id) / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def workers() -> list[int]:
    """The processes of this test that drive a page."""
    return [
        child
        for child in children_of(os.getpid())
        if b"page.worker" in (Path("/proc") / str(child) / "cmdline").read_bytes()
    ]


def gone(processes: dict[int, str | None], seconds_max: float = 60) -> bool:
    """Whether all of them end soon."""
    deadline = time.monotonic() + seconds_max
    while any(began and started(each) == began for each, began in processes.items()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def until(is_true: Callable[[], bool], seconds_max: float = 60) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds_max
    while not is_true():
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.02)


class Killing:
    """Called right before the click: notes all processes and kills some of them."""

    def __init__(
        self,
        *,
        worker: bool = False,
        chromium: bool = False,
        driver: bool = False,
        when: Callable[[], bool] = lambda: True,
        by: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.all: dict[int, str | None] = {}
        words = {b"page.worker": worker, b"remote-debugging-pipe": chromium, b"run-driver": driver}
        self._words = [word for word, chosen in words.items() if chosen]
        self._when, self._by = when, by

    def __call__(self) -> None:
        (worker,) = workers()
        below = children_of(worker)
        self.all = {each: started(each) for each in [worker, *below]}
        assert len(self.all) > 4
        names = {each: (Path("/proc") / str(each) / "cmdline").read_bytes() for each in self.all}
        chosen = [each for each, name in names.items() if any(word in name for word in self._words)]
        if self._when():
            self._kill(chosen)
        else:
            threading.Thread(target=self._kill, args=(chosen,)).start()

    def _kill(self, chosen: list[int]) -> None:
        until(self._when)
        for each in chosen:
            os.kill(each, self._by)


SLOW = odd_pages.transfer_page(odd_pages.GO)
"""A transfer that never comes to its confirmation."""


@pytest.mark.usefixtures("page_folder")
@pytest.mark.parametrize("which", ["worker", "chromium", "driver"])
def test_a_death_after_the_word_is_a_doubt_and_leaves_nothing(odd: OddServer, which: str) -> None:
    odd.replies["POST", "/go"] = silence
    killing = Killing(**{which: True}, when=lambda: posted(odd) == ["/go"])  # type: ignore[arg-type]
    with pytest.raises(DriverUnfinished):
        page_of(odd, SLOW, page_seconds_max=90.0).transfer_dongle(USER, killing)
    assert posted(odd) == ["/go"]
    assert gone(killing.all)


@pytest.mark.usefixtures("page_folder")
def test_a_death_before_the_word_did_nothing(odd: OddServer) -> None:
    killing = Killing(worker=True)

    def kill_and_wait() -> None:
        killing()
        # All of its threads: as long as one of them is there, the pipe is open.
        os.waitid(os.P_PID, next(iter(killing.all)), os.WEXITED | os.WNOWAIT)

    with pytest.raises(DriverUnavailable, match="transfer_dongle had not been clicked"):
        page_of(odd, SLOW).transfer_dongle(USER, kill_and_wait)
    assert posted(odd) == []
    assert gone(killing.all)


@pytest.mark.usefixtures("page_folder")
def test_the_time_limit_ends_everything(odd: OddServer) -> None:
    # The limit holds before the click as well, where a busy machine may need most of it.
    for page_seconds_max in (10.0, 90.0):
        stopping = Killing(worker=True, by=signal.SIGSTOP)
        page = page_of(odd, SLOW, migration_seconds_max=0.5, page_seconds_max=page_seconds_max)
        kinds = (DriverUnfinished, DriverUnavailable)
        with pytest.raises(kinds, match="did not come to an end in time") as caught:
            page.transfer_dongle(USER, stopping)
        if stopping.all:
            break
    assert isinstance(caught.value, DriverUnfinished)
    assert len(stopping.all) > 4
    assert gone(stopping.all)
    assert posted(odd) == []


AGENT = """
import json, sys, time
from seatkeeper_agent.vendors.chaos.page.browser import BrowserPage
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings
def about_to():
    print("about to", flush=True)
    time.sleep(float(sys.argv[2]))
settings = {name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(sys.argv[3]).items()}
page = BrowserPage(ChaosSettings(address=sys.argv[1], **settings))
page.transfer_dongle("artist@studio-a.example", about_to)
"""


@pytest.mark.parametrize("pause", ["60", "0"])
def test_the_browser_ends_with_a_killed_agent(
    odd: OddServer, page_folder: Path, pause: str
) -> None:
    page_of(odd, SLOW)
    odd.replies["POST", "/go"] = silence
    environment = {**os.environ, "TMPDIR": str(page_folder)}
    agent = subprocess.Popen(
        [sys.executable, "-c", AGENT, odd.address, pause, json.dumps(browser_settings())],
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert agent.stdout is not None
    with agent, agent.stdout as reported:
        assert reported.readline() == b"about to\n"
        if pause == "0":
            until(lambda: posted(odd) == ["/go"])
        below = {each: started(each) for each in children_of(agent.pid)}
        assert len(below) > 4
        agent.kill()
    assert gone(below)
    assert posted(odd) == (["/go"] if pause == "0" else [])
    until(lambda: list(page_folder.iterdir()) == [])


@pytest.mark.usefixtures("page_folder")
@pytest.mark.skipif(
    "browser_arguments" in browser_settings(),
    reason="no other user than root can run this Python, so the sandbox cannot be had",
)
def test_the_browser_has_its_sandbox_and_another_user_than_root(odd: OddServer) -> None:
    seen: dict[str, dict[str, str]] = {}

    def look() -> None:
        (worker,) = workers()
        for each in children_of(worker):
            line = (Path("/proc") / str(each) / "cmdline").read_bytes().decode()
            # Some write over their words, with blanks between them.
            assert "--no-sandbox" not in re.split("[\\0 ]", line)
            kind = next(iter(re.findall(r"--type=([\w-]+)", line)), line)
            status = (Path("/proc") / str(each) / "status").read_text("utf-8")
            seen[kind] = dict(line.split(":\t", 1) for line in status.splitlines())
            seen[kind]["users"] = str((Path("/proc") / str(each) / "ns" / "user").readlink())
        raise DriverUnavailable("seen enough")

    with pytest.raises(DriverUnavailable, match="seen enough"):
        page_of(odd, SLOW).transfer_dongle(USER, look)
    renderer = seen["renderer"]
    assert renderer["Seccomp"] == "2"
    assert renderer["users"] != str(Path("/proc/self/ns/user").readlink())
    for status in seen.values():
        assert "0" not in status["Uid"].split()
    outside = [status for status in seen.values() if status["users"] != renderer["users"]]
    for status in outside:
        assert {status[name] for name in ("CapPrm", "CapEff", "CapAmb")} == {"0" * 16}


@pytest.mark.skipif(os.geteuid() != 0, reason="what is refused to root is refused to root only")
def test_root_starts_no_browser_as_itself() -> None:
    for settings, reported in (
        ({}, "The agent runs as root, and the browser must not"),
        ({"browser_user": "root"}, "cannot run as root, which is no user of this host or root"),
        ({"browser_user": "no-such-user"}, "cannot run as no-such-user, which is no user"),
    ):
        with pytest.raises(DriverUnavailable, match=reported):
            BrowserPage(ChaosSettings(**settings)).borrowed()


@pytest.mark.skipif(os.geteuid() == 0, reason="root has the sandbox by another user only")
def test_the_sandbox_is_not_switched_off_where_it_can_be_had() -> None:
    settings = ChaosSettings(browser_arguments=("--disable-setuid-sandbox", "--no-sandbox"))
    with pytest.raises(DriverUnavailable, match="Take what switches the sandbox off out of"):
        BrowserPage(settings).borrowed()


def fake(folder: Path, text: str) -> str:
    """A program in the place of Chromium."""
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.usefixtures("page_folder")
@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("exit 3", "did not start: "),
        ("exec sleep 600", "did not come to an end in time; borrowed had not been clicked"),
    ],
)
def test_a_browser_that_does_not_work_is_unavailable(
    odd: OddServer, open_folder: Path, text: str, reported: str
) -> None:
    seconds_max = 8.0 if "sleep" in text else 90.0
    page = page_of(odd, SLOW, chromium=fake(open_folder, text), page_seconds_max=seconds_max)
    with pytest.raises(DriverUnavailable, match=reported):
        page.borrowed()


@pytest.mark.usefixtures("page_folder")
def test_what_is_not_installed_is_said(
    odd: OddServer, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(odd, SLOW, chromium=str(open_folder / "none"))
    with pytest.raises(DriverUnavailable, match=r"There is no Chromium at .*: set chaos\.chromium"):
        page.borrowed()
    (open_folder / "playwright.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(open_folder))
    with pytest.raises(DriverUnavailable, match="Playwright is not installed: install"):
        page.borrowed()


def test_a_left_folder_is_swept_at_the_next_start(page_folder: Path) -> None:
    left = page_folder / f"{browser.FOLDER_PREFIX}left"
    (left / "profile").mkdir(parents=True)
    BrowserPage(ChaosSettings())
    assert not left.exists()


def test_the_browser_gets_no_folder_of_the_user(odd: OddServer, page_folder: Path) -> None:
    seen: dict[str, Any] = {}

    def look() -> None:
        (worker,) = workers()
        environment = (Path("/proc") / str(worker) / "environ").read_bytes().decode().split("\0")
        seen.update(line.split("=", 1) for line in environment if "=" in line)
        seen["mode"] = oct(Path(seen["HOME"]).stat().st_mode & 0o777)
        raise DriverUnavailable("seen enough")

    with pytest.raises(DriverUnavailable, match="seen enough"):
        page_of(odd, SLOW).transfer_dongle(USER, look)
    assert seen["HOME"] == seen["TMPDIR"]
    assert Path(seen["HOME"]).parent == page_folder
    assert seen["mode"] == "0o700"
    assert posted(odd) == []
