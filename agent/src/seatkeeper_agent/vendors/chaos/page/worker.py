# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that drives the page, so that a browser that hangs takes nothing down.

Standard input brings one order and later the word that the click may be made; its end means
that the agent is gone, and then browser, profile and this process end at once.
"""

from __future__ import annotations

import base64
import os
import queue
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NoReturn

from seatkeeper_agent.host import host
from seatkeeper_agent.vendors.chaos.page.finding import LabelMissing
from seatkeeper_agent.vendors.chaos.page.flows import FlowRefused, Flows
from seatkeeper_agent.vendors.chaos.page.messages import (
    GO,
    LINE_BYTES_MAX,
    MARK,
    SCREENSHOT_BYTES_MAX,
    Event,
    PageCommand,
    line_of,
)
from seatkeeper_agent.vendors.chaos.page.proxy import ReadingProxy, reading_proxy, site_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

_OWN_ARGUMENTS = ("--disable-gpu", "--proxy-bypass-list=<-loopback>")
_LAUNCH_SECONDS_MAX = 60.0
_LOAD_SECONDS_MAX = 30.0
_TEXT_LENGTH_MAX = 300
_FATAL = re.compile(r":FATAL:[^\]\n]*\] ?(.+)")
_PASSED_BY = (
    "Chromium does not use the proxy by which the agent keeps it from sending twice what has an"
    " effect. Take what sets a proxy out of chaos.browser_arguments and of Chromium's policies."
)
_INSTALL = "install seatkeeper-agent[browser], or set chaos.performer to person"


class _Unavailable(Exception):
    """No browser or no page."""


class _Channel:
    """The agent's end of the two pipes."""

    def __init__(self, given: IO[bytes], output: IO[bytes]) -> None:
        self.command = PageCommand.of(given.readline(LINE_BYTES_MAX))
        self._output = output
        self._words: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._ending = threading.Lock()
        threading.Thread(target=self._listen, args=(given,), daemon=True).start()

    def send(self, event: Event, values: dict[str, Any]) -> None:
        """Send one line."""
        self._output.write(line_of(event, values))
        self._output.flush()

    def about_to(self) -> None:
        """Say that the effect is next; return when it may be."""
        self.send(Event.ABOUT_TO, {})
        self._words.get()

    def leave(self) -> NoReturn:
        """End this process; the thread that listens would hold an orderly end up."""
        # Where the agent is gone, that thread cleans up and ends the process.
        with self._ending:
            os._exit(0)

    def _listen(self, given: IO[bytes]) -> None:
        while given.readline() == GO:
            self._words.put(GO)
        self._ending.acquire()
        host().end_marked(MARK, self.command.mark)
        shutil.rmtree(self.command.folder, ignore_errors=True)
        os._exit(1)


def main() -> None:
    """Carry out the one order and tell how it ended."""
    channel = _Channel(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"))
    # What a library prints must not come between the lines.
    os.dup2(2, 1)
    try:
        with (
            reading_proxy(channel.command.address) as proxy,
            _browser(channel.command, proxy) as page,
        ):
            channel.send(*_outcome(page, channel, proxy))
    except _Unavailable as error:
        channel.send(Event.UNAVAILABLE, {"text": str(error)})
    finally:
        channel.leave()


@contextmanager
def _browser(command: PageCommand, proxy: ReadingProxy) -> Iterator[Page]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise _Unavailable(f"Playwright is not installed: {_INSTALL}.") from None
    if not os.access(command.chromium, os.X_OK):
        raise _Unavailable(f"There is no Chromium at {command.chromium}: set chaos.chromium.")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=command.chromium,
                # Not Playwright's own setting, which would hold for what is sent once as well.
                args=[
                    *_OWN_ARGUMENTS,
                    f"--proxy-server={proxy.address}",
                    *command.browser_arguments,
                ],
                timeout=_LAUNCH_SECONDS_MAX * 1000,
                # Playwright's default is off; only the operator's own argument switches it off.
                chromium_sandbox=True,
            )
        except Error as error:
            raise _Unavailable(_not_started(command.chromium, error)) from None
        page = browser.new_page(viewport={"width": 1280, "height": 900}, service_workers="block")
        page.set_default_timeout(command.label_seconds_max * 1000)
        page.context.route("**/*", lambda route: _send_once(route, proxy.site))
        yield page
        browser.close()


def _send_once(route: Route, site: tuple[str, int]) -> None:
    """Send past Chromium what may have an effect, once; Chromium has no way out for it."""
    from playwright.sync_api import Error

    if route.request.method in ("GET", "HEAD"):
        route.continue_()
        return
    if site_of(route.request.url) != site:
        route.abort("blockedbyclient")
        return
    try:
        answer = route.fetch(max_redirects=0, max_retries=0, timeout=0)
    except Error:
        route.abort("connectionfailed")
    else:
        route.fulfill(response=answer)


def _outcome(page: Page, channel: _Channel, proxy: ReadingProxy) -> tuple[Event, dict[str, Any]]:
    from playwright.sync_api import Error

    command = channel.command
    limits = (command.label_seconds_max, command.after_seconds_max)
    flows = Flows(page, command.address, *limits, channel.about_to)
    try:
        _open(page, command.address, proxy)
        value = getattr(flows, command.flow)(**command.arguments)
    except LabelMissing as error:
        failure = {"label": error.label, "text": str(error), "screenshot": _screenshot(page)}
        return Event.MISSING, failure
    except FlowRefused as error:
        return Event.REFUSED, {"text": str(error)}
    except _Unavailable as error:
        return Event.UNAVAILABLE, {"text": str(error)}
    except Error as error:
        kind = Event.UNAVAILABLE if page.is_closed() else Event.REFUSED
        return kind, {"text": f"The page could not be worked with: {_first_line(error)}."}
    return Event.DONE, {"value": value}


def _open(page: Page, address: str, proxy: ReadingProxy) -> None:
    from playwright.sync_api import Error

    try:
        response = page.goto(address, timeout=_LOAD_SECONDS_MAX * 1000)
    except Error as error:
        raise _Unavailable(f"The page {address} cannot be opened: {_first_line(error)}.") from None
    if not proxy.has_passed_on:
        raise _Unavailable(_PASSED_BY)
    status = 0 if response is None else response.status
    if status >= 500:
        raise _Unavailable(f"The license server answered its page with {status}.")
    if status != 200 or site_of(page.url) != proxy.site:
        raise FlowRefused(f"{address} led to {page.url} with {status}, not to a page of its own.")


def _not_started(chromium: str, error: Exception) -> str:
    fatal = _FATAL.search(str(error))
    reason = fatal.group(1)[:_TEXT_LENGTH_MAX].rstrip(".") if fatal else _first_line(error)
    return f"{chromium} did not start: {reason}."


def _screenshot(page: Page) -> str | None:
    from playwright.sync_api import Error

    try:
        picture = page.screenshot(full_page=True)
    except Error:
        return None
    return base64.b64encode(picture).decode() if len(picture) <= SCREENSHOT_BYTES_MAX else None


def _first_line(error: Exception) -> str:
    line = str(error).strip().split("\n")[0]
    return line[:_TEXT_LENGTH_MAX].rstrip(".") or type(error).__name__


if __name__ == "__main__":
    main()
