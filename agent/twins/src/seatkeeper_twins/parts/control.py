# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to a running twin: look at it, disturb it, move its clock.

Addresses are URLs without a slash at the end. All of it is made up and never to be used by a
driver.
"""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from seatkeeper_twins.parts.listening import address as address_in

ASK_SECONDS_MAX = 60


class NotRunning(ConnectionError):
    """No twin answers at this address."""


class TwinRefused(ValueError):
    """The twin refuses; ``status`` is HTTP's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text.strip() or f"The twin answers with {status}")
        self.status = status


def ask(address: str, method: str, path: str, value: object = None) -> dict[str, Any]:
    """One question; NotRunning, ConnectionError without an answer, TwinRefused."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=ASK_SECONDS_MAX)
    try:
        connection.request(method, path, json.dumps({} if value is None else value))
        answer = connection.getresponse()
        body = answer.read()
    except ConnectionRefusedError as error:
        raise NotRunning(f"No twin is running at {address}.") from error
    except http.client.HTTPException as error:
        raise ConnectionError(f"The twin at {address} ended without an answer.") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise TwinRefused(answer.status, body.decode(errors="replace"))
    reported: dict[str, Any] = json.loads(body)
    return reported


def is_ready(folder: Path | str) -> bool:
    """Whether the twin of a folder answers."""
    address = address_in(folder)
    try:
        return address is not None and "points" in ask(address, "GET", "/_twin/points")
    except OSError:
        return False


def describe(address: str) -> dict[str, Any]:
    """Everything that a twin knows, without passwords, and its armed faults."""
    return ask(address, "GET", "/_twin/describe")


def points(address: str) -> list[str]:
    """The names of all points at which a fault can be armed."""
    found: list[str] = ask(address, "GET", "/_twin/points")["points"]
    return found


def set_fault(
    address: str, point: str, action: str, value: int = 0, skip: int = 0, times: int = 1
) -> None:
    """Arm a fault; ``value`` is milliseconds for slow and a status for refuse."""
    fault = {"point": point, "action": action, "value": value, "skip": skip, "times": times}
    ask(address, "POST", "/_twin/faults", fault)


def clear_faults(address: str) -> None:
    """Disarm all faults."""
    ask(address, "DELETE", "/_twin/faults")


def set_values(address: str, **values: Any) -> None:
    """Change what is true of a twin; its README names the values."""
    ask(address, "POST", "/_twin/set", values)


def reset(*addresses: str) -> None:
    """Bring twins back to how they were made, one after the other."""
    for address in addresses:
        ask(address, "POST", "/_twin/reset")


def now(address: str) -> float:
    """Seconds since 1970 by the clock of a twin."""
    return time.time() + float(describe(address)["clock_offset"])


def advance(seconds: float, *addresses: str) -> None:
    """Move clocks on one after the other, the vendor's first; what is due meanwhile happens."""
    for address in addresses:
        ask(address, "POST", "/_twin/advance", {"seconds": seconds})


def crash(address: str) -> None:
    """Let the process kill itself with SIGKILL."""
    try:
        ask(address, "POST", "/_twin/crash")
    except ConnectionError:
        return
