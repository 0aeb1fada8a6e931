# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to a running twin: look at it, disturb it, and do what a person does on the two pages.

Addresses are URLs without a slash at the end, of a cloud or of a server. All of it is made up and
never to be used by a driver.
"""

from __future__ import annotations

import base64
import http.client
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from seatkeeper_twins.chaos.twin import address as address_in

ASK_SECONDS_MAX = 60
LOOK_AGAIN_SECONDS = 0.02


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
    told: dict[str, Any] = json.loads(body)
    return told


def describe(address: str) -> dict[str, Any]:
    """Everything that a cloud or a server knows, without passwords, and its armed faults."""
    return ask(address, "GET", "/_twin/describe")


def is_ready(folder: Path | str) -> bool:
    """Whether the twin of a folder answers."""
    address = address_in(folder)
    try:
        return address is not None and "points" in ask(address, "GET", "/_twin/points")
    except OSError:
        return False


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
    """Change what is true of a cloud or of a server's machine; the README names the values."""
    ask(address, "POST", "/_twin/set", values)


def set_dongle(cloud: str, serial: str, **values: Any) -> None:
    """Change what the vendor knows of a dongle: company, licenses, vendor_refuses."""
    set_values(cloud, dongles={serial: values})


def reset(*addresses: str) -> None:
    """Bring processes back to how they were made; dongles stay plugged."""
    for address in addresses:
        ask(address, "POST", "/_twin/reset")


def now(address: str) -> float:
    """Seconds since 1970 by the clock of a cloud or a server."""
    return time.time() + float(describe(address)["clock_offset"])


def advance(seconds: float, *addresses: str) -> None:
    """Move clocks on one after the other, the cloud first; what is due meanwhile happens."""
    for address in addresses:
        ask(address, "POST", "/_twin/advance", {"seconds": seconds})


def crash(address: str) -> None:
    """Let the process kill itself with SIGKILL."""
    try:
        ask(address, "POST", "/_twin/crash")
    except ConnectionError:
        return


def eligibility(
    server: str, dongle: str | None = None, target: str | None = None
) -> dict[str, Any]:
    """The twin's rules by name for a dongle (the first by default), and what they come to.

    ``rules``, ``eligible`` (all are met), ``target`` (whether the user name would be ticked) and
    ``shown`` (whether the page has TRANSFER, for which the dongle must be visible as well).
    """
    asked = {"dongle": dongle, "target": target}
    query = urlencode({key: value for key, value in asked.items() if value is not None})
    return ask(server, "GET", f"/_twin/eligibility?{query}")


def transfer(server: str, target: str) -> None:
    """TRANSFER >> for a target user, forced also when the page does not show it; TwinRefused."""
    ask(server, "POST", "/_twin/transfer", {"target": target})


def close_transfer(server: str) -> None:
    """CLOSE on the confirmation of a transfer."""
    send_form(server, "close")


def borrow(server: str, **counts: int) -> None:
    """BORROW seats of products by their labels, as ``borrow(server, **{"V-Ray": 2})``."""
    send_form(server, "borrow", **{f"count:{product}": str(n) for product, n in counts.items()})


def release(server: str, product: str) -> None:
    """RELEASE what is borrowed of a product."""
    for borrowed in _borrowed(server, product):
        send_form(server, "release", id=borrowed["id"])


def auto_renew(server: str, product: str, enabled: bool) -> None:
    """Switch AUTO-RENEW of what is borrowed of a product."""
    for borrowed in _borrowed(server, product):
        send_form(server, "auto-renew", id=borrowed["id"], **({"enabled": "on"} if enabled else {}))


def send_form(server: str, name: str, **fields: str) -> None:
    """Send a form of the server's page; TwinRefused when the page shows a problem then."""
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=ASK_SECONDS_MAX)
    try:
        connection.request("POST", f"/_twin/page/{name}", urlencode(fields))
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    where = urlsplit(answer.getheader("Location") or "")
    if answer.status != 303 or where.query.startswith("problem="):
        raise TwinRefused(answer.status, where.query)


def answer_request(
    cloud: str, user: str, password: str, request: bytes, name: str, seconds_max: float = 30
) -> bytes:
    """The account page's way from a request file to the answer file, waiting for it to appear."""
    who = {"user": user, "password": password}
    coded = base64.b64encode(request).decode()
    station = ask(
        cloud, "POST", "/_twin/account/activate", {**who, "request": coded, "name": name}
    )["workstation"]
    deadline = time.monotonic() + seconds_max
    while True:
        try:
            told = ask(cloud, "POST", "/_twin/account/answer", {**who, "workstation": station})
        except TwinRefused as error:
            if error.status != 404 or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_AGAIN_SECONDS)
        else:
            return base64.b64decode(told["answer"])


def _borrowed(server: str, product: str) -> list[dict[str, Any]]:
    found = [each for each in describe(server)["borrows"] if each["product"] == product]
    if not found:
        raise TwinRefused(404, f"Nothing of {product} is borrowed")
    return found
