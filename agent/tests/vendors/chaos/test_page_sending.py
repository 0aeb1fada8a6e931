# SPDX-License-Identifier: GPL-3.0-or-later
"""What may have an effect is sent once, whatever becomes of those who send it."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from seatkeeper_agent.operations.ports import DriverUnavailable, DriverUnfinished
from seatkeeper_agent.vendors.chaos.page import worker
from seatkeeper_agent.vendors.chaos.page.messages import PageCommand
from seatkeeper_agent.vendors.chaos.page.proxy import reading_proxy

from . import odd_pages
from .conftest import settings_of
from .odd_server import OddServer, reply, silence
from .test_browser_process import fake
from .test_odd_pages import USER, page_of, posted
from .twins import CHROMIUM

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("page_folder"),
]
pytest.importorskip("playwright", reason="Playwright is not installed")
if TYPE_CHECKING:
    from playwright.sync_api import Page

ASK = """
window.end = null;
told("go").then(answer => { window.end = answer.status }, () => { window.end = "broken" });
undefined
"""
BUTTON = "<button {attributes}>TRANSFER &gt;&gt;</button>"
WINDOW = f'<form method="post" action="/go" target="_blank">{BUTTON.format(attributes="")}</form>'
ELSEWHERE = "fetch('http://localhost:{port}/go', {{method: 'POST', mode: 'no-cors'}})"


@pytest.fixture
def opened(odd: OddServer) -> Iterator[Page]:
    """A page of the odd server in this process, so that the test can let go of its requests."""
    odd.replies["GET", "/"] = reply(200, odd_pages.page(""), "text/html; charset=utf-8")
    settings = settings_of(odd)
    with tempfile.TemporaryDirectory() as folder, reading_proxy(odd.address) as proxy:
        command = PageCommand(
            flow="borrowed",
            arguments={},
            address=odd.address,
            chromium=settings.chromium,
            # It loads no page but the test's, and this process may be root.
            browser_arguments=["--no-sandbox"] if os.geteuid() == 0 else [],
            folder=folder,
            mark="",
            label_seconds_max=60.0,
            after_seconds_max=60.0,
        )
        with worker._browser(command, proxy) as page:
            page.goto(odd.address)
            yield page


def test_what_is_no_longer_held_back_is_not_sent_again(odd: OddServer, opened: Page) -> None:
    odd.replies["POST", "/go"] = silence
    opened.evaluate(ASK)
    deadline = time.monotonic() + 60
    while not posted(odd):
        assert time.monotonic() < deadline
        opened.wait_for_timeout(20)
    odd.replies["POST", "/go"] = reply(204)
    # As Playwright does where the worker has ended: Chromium goes on with what it held back.
    opened.context.unroute_all(behavior="ignoreErrors")
    opened.wait_for_function("window.end !== null")
    assert (posted(odd), opened.evaluate("window.end")) == (["/go"], 501)


def test_an_answer_that_leads_on_sends_nothing_again(odd: OddServer) -> None:
    odd.replies["POST", "/go"] = reply(307, Location="/again")
    odd.replies["GET", "/read"] = reply(200)
    asked = "told('go').catch(() => 0).then(() => fetch('/read'))"
    content = odd_pages.transfer_page(BUTTON.format(attributes=f'onclick="{asked}"'))
    with pytest.raises(DriverUnfinished):
        page_of(odd, content, migration_seconds_max=10.0).transfer_dongle(USER, lambda: None)
    assert posted(odd) == ["/go"]
    assert "/read" in [requested.path for requested in odd.requested]


def test_a_window_of_the_page_sends_once_as_well(odd: OddServer) -> None:
    odd.replies["POST", "/go"] = reply(200, b"<p>done", "text/html")
    page = page_of(odd, odd_pages.transfer_page(WINDOW), migration_seconds_max=10.0)
    with pytest.raises(DriverUnfinished):
        page.transfer_dongle(USER, lambda: None)
    assert posted(odd) == ["/go"]


def test_a_form_behind_the_menu_is_not_sent_again_to_look_once_more(odd: OddServer) -> None:
    page = page_of(odd, b"", migration_seconds_max=10.0)
    menu = odd_pages.page('<form method="post" action="/menu"><button>DONGLE</button></form>')
    pages = [menu, odd_pages.transfer_page(odd_pages.GO)]

    def next_page(connection: socket.socket) -> None:
        content = pages.pop(0) if len(pages) > 1 else pages[0]
        connection.sendall(reply(200, content, "text/html; charset=utf-8"))

    odd.replies["GET", "/"] = next_page
    odd.replies["POST", "/menu"] = reply(200, b"<p>Nothing yet.", "text/html")
    with pytest.raises(DriverUnfinished):
        page.transfer_dongle(USER, lambda: None)
    assert posted(odd) == ["/menu", "/go"]


def test_nothing_is_sent_elsewhere(odd: OddServer) -> None:
    elsewhere = ELSEWHERE.format(port=urlsplit(odd.address).port)
    asked = f"{elsewhere}.catch(() => told('refused'))"
    content = odd_pages.transfer_page(BUTTON.format(attributes=f'onclick="{asked}"'))
    with pytest.raises(DriverUnfinished):
        page_of(odd, content, migration_seconds_max=10.0).transfer_dongle(USER, lambda: None)
    assert posted(odd) == ["/refused"]


def test_a_browser_that_goes_another_way_does_not_work_on_the_page(
    odd: OddServer, open_folder: Path
) -> None:
    chromium = fake(open_folder, f'exec {CHROMIUM} "$@" --no-proxy-server')
    page = page_of(odd, odd_pages.transfer_page(odd_pages.GO), chromium=chromium)
    with pytest.raises(DriverUnavailable, match="Chromium does not use the proxy"):
        page.transfer_dongle(USER, lambda: pytest.fail("it was about to click"))
    assert posted(odd) == []
