# SPDX-License-Identifier: GPL-3.0-or-later
"""Do what people do: at the vendor's, and on the two pages; see what they are allowed.

Addresses are URLs without a slash at the end, of a cloud or of a server. All of it is made up and
never to be used by a driver.
"""

from __future__ import annotations

import base64
import http.client
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from seatkeeper_twins.parts.control import (
    ASK_SECONDS_MAX,
    TwinRefused,
    ask,
    describe,
    set_values,
)

LOOK_AGAIN_SECONDS = 0.02


def set_dongle(cloud: str, serial: str, **values: Any) -> None:
    """Change what the vendor knows of a dongle: company, licenses, vendor_refuses."""
    set_values(cloud, dongles={serial: values})


def eligibility(
    server: str, dongle: str | None = None, target: str | None = None
) -> dict[str, Any]:
    """The twin's rules by name for a dongle (the first by default), and what they come to.

    ``rules``, ``eligible`` (all are met), ``target`` (whether the user name would be ticked) and
    ``shown`` (whether the page has TRANSFER, for which the dongle must be visible as well).
    """
    requested = {"dongle": dongle, "target": target}
    query = urlencode({key: value for key, value in requested.items() if value is not None})
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
            reported = ask(cloud, "POST", "/_twin/account/answer", {**who, "workstation": station})
        except TwinRefused as error:
            if error.status != 404 or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_AGAIN_SECONDS)
        else:
            return base64.b64decode(reported["answer"])


def _borrowed(server: str, product: str) -> list[dict[str, Any]]:
    found = [each for each in describe(server)["borrows"] if each["product"] == product]
    if not found:
        raise TwinRefused(404, f"Nothing of {product} is borrowed")
    return found
