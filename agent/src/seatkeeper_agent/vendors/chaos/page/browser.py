# SPDX-License-Identifier: GPL-3.0-or-later
"""PageDriver by a real browser, in a process that is ended with all it started."""

from __future__ import annotations

import base64
import os
import secrets
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from seatkeeper_agent.domain.servers import BorrowedRow
from seatkeeper_agent.host import User, host
from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)
from seatkeeper_agent.operations.server_ports import AboutTo, PageLabelMissing
from seatkeeper_agent.vendors.chaos.page.messages import (
    GO,
    LINE_BYTES_MAX,
    MARK,
    Event,
    PageCommand,
    event_of,
)
from seatkeeper_agent.vendors.chaos.page.user import user_of
from seatkeeper_agent.vendors.chaos.private_folder import on_disk, private_folder, sweep
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings

FOLDER_PREFIX = "seatkeeper-chaos-page-"
END_SECONDS_MAX = 5.0
_MODULE = "seatkeeper_agent.vendors.chaos.page.worker"


class BrowserPage:
    """The documented page, by its visible labels.

    Before the click that has the effect: DriverUnavailable, DriverRefused, PageLabelMissing,
    or what ``about_to`` raised. From the click on: DriverUnfinished.
    """

    def __init__(self, settings: ChaosSettings) -> None:
        self._settings = settings
        sweep(FOLDER_PREFIX, on_disk())
        with suppress(DriverUnavailable):
            if user := user_of(settings):
                sweep(FOLDER_PREFIX, on_disk(), user.uid)

    def transfer_dongle(self, target_user: str, about_to: AboutTo) -> None:
        """EFFECT, irreversible: TRANSFER >>; returns after the confirmation was closed."""
        self._perform(
            "transfer_dongle",
            {"target_user": target_user},
            about_to,
            self._settings.migration_seconds_max,
        )

    def borrow(self, product: str, seats: int, auto_renew: bool, about_to: AboutTo) -> None:
        """EFFECT: BORROW, and AUTO-RENEW where it is asked for."""
        arguments = {"product": product, "seats": seats, "auto_renew": auto_renew}
        self._perform("borrow", arguments, about_to)

    def release(self, product: str, about_to: AboutTo) -> None:
        """EFFECT: RELEASE in every row of the product."""
        self._perform("release", {"product": product}, about_to)

    def set_auto_renew(self, product: str, enabled: bool, about_to: AboutTo) -> None:
        """EFFECT: AUTO-RENEW; ``about_to`` is not called where it stands so already."""
        self._perform("set_auto_renew", {"product": product, "enabled": enabled}, about_to)

    def borrowed(self) -> list[BorrowedRow]:
        """What the page lists, one row for each product."""
        rows = self._perform("borrowed", {}, _nothing_is_about_to_happen)
        return [BorrowedRow(**row) for row in rows]

    def _perform(
        self,
        flow: str,
        arguments: dict[str, Any],
        about_to: AboutTo,
        after_seconds_max: float | None = None,
    ) -> Any:
        settings = self._settings
        user = user_of(settings)
        with private_folder(FOLDER_PREFIX, on_disk()) as folder:
            if user is not None:
                host().give_to(folder, user)
            command = PageCommand(
                flow=flow,
                arguments=arguments,
                address=settings.address,
                chromium=settings.chromium,
                browser_arguments=list(settings.browser_arguments),
                folder=str(folder),
                mark=secrets.token_hex(16),
                label_seconds_max=settings.label_seconds_max,
                after_seconds_max=after_seconds_max or settings.page_seconds_max,
            )
            with _worker(command, user) as worker:
                return _converse(worker, command, about_to, settings.page_seconds_max)


class _Worker:
    """One worker process and the lines that it writes."""

    def __init__(self, command: PageCommand, user: User | None) -> None:
        # A constant program; the command travels through the pipe.
        self.process = host().start(
            [sys.executable, "-P", "-m", _MODULE],
            _environment(command),
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            folder="/",
            user=user,
        )
        self._received = bytearray()

    def say(self, line: bytes) -> bool:
        """Whether the worker could still be told."""
        stream = self.process.stdin
        try:
            if stream is not None:
                stream.write(line)
        except OSError:
            return False
        return stream is not None

    def receive(self, deadline: float) -> tuple[Event, dict[str, Any]]:
        """The next event; TimeoutError, EOFError and ValueError where none comes."""
        while b"\n" not in self._received:
            self._receive(deadline)
        line, _, rest = bytes(self._received).partition(b"\n")
        self._received = bytearray(rest)
        return event_of(line)

    def _receive(self, deadline: float) -> None:
        stream = self.process.stdout
        seconds = deadline - time.monotonic()
        if stream is None or seconds <= 0 or not select.select([stream], [], [], seconds)[0]:
            raise TimeoutError
        part = os.read(stream.fileno(), 1 << 20)
        if not part:
            raise EOFError
        self._received += part
        if len(self._received) > LINE_BYTES_MAX:
            raise ValueError("the worker writes too much")


@contextmanager
def _worker(command: PageCommand, user: User | None) -> Iterator[_Worker]:
    try:
        worker = _Worker(command, user)
    except OSError as error:
        who = "" if user is None else f" as {user.name}, who has to be able to run {sys.executable}"
        raise DriverUnavailable(
            f"The browser's process could not be started{who}: {error.strerror}."
        ) from error
    with worker.process as process:
        try:
            worker.say(command.line())
            yield worker
            # It closes the browser in order after its last word.
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS_MAX)
        finally:
            process.kill()
            host().end_marked(MARK, command.mark)


def _converse(
    worker: _Worker, command: PageCommand, about_to: AboutTo, page_seconds_max: float
) -> Any:
    deadline = time.monotonic() + page_seconds_max
    clicked = False
    while True:
        try:
            event, values = worker.receive(deadline)
        except (TimeoutError, EOFError, ValueError) as error:
            raise _ended(command.flow, clicked, isinstance(error, TimeoutError)) from None
        if event is Event.DONE:
            return values["value"]
        if event is not Event.ABOUT_TO:
            _raise(event, values, clicked)
        if clicked:
            raise DriverUnfinished(f"The browser asked twice to click during {command.flow}.")
        about_to()
        if not worker.say(GO):
            raise _ended(command.flow, False, False)
        clicked = True
        deadline = time.monotonic() + command.after_seconds_max + page_seconds_max


def _raise(event: Event, values: dict[str, Any], clicked: bool) -> NoReturn:
    text = values["text"]
    if clicked:
        raise DriverUnfinished(f"After the click: {text}")
    if event is Event.MISSING:
        picture = values["screenshot"]
        shown = None if picture is None else base64.b64decode(picture)
        raise PageLabelMissing(text, values["label"], shown)
    if event is Event.UNAVAILABLE:
        raise DriverUnavailable(text)
    raise DriverRefused(text)


def _ended(flow: str, clicked: bool, late: bool) -> DriverUnavailable | DriverUnfinished:
    how = "did not come to an end in time" if late else "ended unexpectedly"
    if clicked:
        return DriverUnfinished(f"The browser {how} after the click of {flow}.")
    return DriverUnavailable(f"The browser {how}; {flow} had not been clicked.")


def _nothing_is_about_to_happen() -> NoReturn:
    raise DriverRefused("Reading the page must not change anything.")


def _environment(command: PageCommand) -> dict[str, str]:
    # Everything that the browser writes goes to its own folder, which is removed.
    gone = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
    kept = {name: value for name, value in os.environ.items() if name not in gone}
    return kept | {MARK: command.mark, "HOME": command.folder, "TMPDIR": command.folder}
