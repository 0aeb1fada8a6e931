# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes between the agent and the process that drives the page: one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MARK = "SEATKEEPER_BROWSER"
"""Environment variable that the processes of one browser inherit."""

LINE_BYTES_MAX = 16 * 1024 * 1024
SCREENSHOT_BYTES_MAX = 8 * 1024 * 1024

GO = b"go\n"
"""The agent's only word after the order: the click with the effect may be made."""


class Event(StrEnum):
    """What the worker tells; all but ABOUT_TO are its last word."""

    ABOUT_TO = "about_to"
    DONE = "done"
    MISSING = "missing"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class PageCommand:
    """What to do on which page, with what browser, and how long it may take in seconds.

    ``folder`` is the browser's own, ``mark`` what its processes carry."""

    flow: str
    arguments: dict[str, Any]
    address: str
    chromium: str
    browser_arguments: list[str]
    folder: str
    mark: str
    label_seconds_max: float
    after_seconds_max: float

    def line(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> PageCommand:
        """As it is received."""
        return cls(**json.loads(line))


def line_of(event: Event, values: dict[str, Any]) -> bytes:
    """What the worker tells, as it is sent."""
    return json.dumps({"event": event.value, **values}).encode() + b"\n"


def event_of(line: bytes) -> tuple[Event, dict[str, Any]]:
    """What the worker told; ValueError for a line that is none of its own."""
    values = json.loads(line)
    return Event(values.pop("event")), values
