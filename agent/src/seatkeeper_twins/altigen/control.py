# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to a running twin: look at it, disturb it, and do what people do in an order.

An address is the URL of the control port, as ``twin.address`` tells it. All of it is made up and
never to be used by a driver.
"""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from seatkeeper_twins.altigen.twin import address as address_in
from seatkeeper_twins.chaos.control import (
    ASK_SECONDS_MAX,
    NotRunning,
    TwinRefused,
    ask,
    clear_faults,
    crash,
    describe,
    points,
    reset,
    set_fault,
    set_values,
)

__all__ = [
    "NotRunning",
    "TwinRefused",
    "advance",
    "clear_faults",
    "crash",
    "describe",
    "fax",
    "is_ready",
    "mail",
    "note",
    "open_case",
    "points",
    "purchase_order",
    "register",
    "reset",
    "set_fault",
    "set_values",
]


def is_ready(folder: Path | str) -> bool:
    """Whether the twin of a folder answers."""
    at = address_in(folder)
    try:
        return at is not None and "points" in ask(at, "GET", "/_twin/points")
    except OSError:
        return False


def open_case(address: str, system_key: str, upgrade: bool = False) -> str:
    """Open a support case under the target's system key; its number."""
    asked = {"system": system_key, "upgrade": upgrade}
    return str(ask(address, "POST", "/_twin/case", asked)["case"])


def fax(address: str, case: str, documents: Sequence[str], keys: Sequence[str] = ()) -> None:
    """Fax documents by their names, such as credit_card_authorization; TwinRefused."""
    asked = {"case": case, "documents": list(documents), "keys": list(keys)}
    ask(address, "POST", "/_twin/fax", asked)


def purchase_order(address: str, system_key: str) -> None:
    """Send the no-charge purchase order for a software-only system to sales."""
    ask(address, "POST", "/_twin/purchase-order", {"system": system_key})


def note(address: str, case: str, text: str) -> None:
    """Write into a case: what was refused or done wrongly is looked at again, and done right."""
    ask(address, "POST", "/_twin/note", {"case": case, "text": text})


def register(address: str, system_key: str, keys: Sequence[str] = ()) -> list[str]:
    """Register a phone system and enter keys; the keys it has then. TwinRefused."""
    asked = {"system": system_key, "keys": list(keys)}
    return list(ask(address, "POST", "/_twin/register", asked)["licenses"])


def advance(address: str, seconds: float) -> None:
    """Move the clock on; what is due meanwhile happens."""
    ask(address, "POST", "/_twin/advance", {"seconds": seconds})


def mail(address: str, number: int) -> bytes:
    """A mail as it arrived, counted from 0; TwinRefused."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=ASK_SECONDS_MAX)
    try:
        connection.request("GET", f"/_twin/mail?number={number}")
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise TwinRefused(answer.status, content.decode(errors="replace"))
    return content
