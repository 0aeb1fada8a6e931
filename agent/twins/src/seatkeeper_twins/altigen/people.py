# SPDX-License-Identifier: GPL-3.0-or-later
"""Do what people do in an order, and see what has arrived.

An address is the URL of the control port. All of it is made up and never to be used by a driver.
"""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from urllib.parse import urlsplit

from seatkeeper_twins.parts.control import ASK_SECONDS_MAX, TwinRefused, ask


def open_case(address: str, system_key: str, upgrade: bool = False) -> str:
    """Open a support case under the target's system key; its number."""
    requested = {"system": system_key, "upgrade": upgrade}
    return str(ask(address, "POST", "/_twin/case", requested)["case"])


def fax(address: str, case: str, documents: Sequence[str], keys: Sequence[str] = ()) -> None:
    """Fax documents by their names, such as credit_card_authorization; TwinRefused."""
    requested = {"case": case, "documents": list(documents), "keys": list(keys)}
    ask(address, "POST", "/_twin/fax", requested)


def purchase_order(address: str, system_key: str) -> None:
    """Send the no-charge purchase order for a software-only system to sales."""
    ask(address, "POST", "/_twin/purchase-order", {"system": system_key})


def note(address: str, case: str, text: str) -> None:
    """Write into a case: what was refused or done wrongly is looked at again, and done right."""
    ask(address, "POST", "/_twin/note", {"case": case, "text": text})


def register(address: str, system_key: str, keys: Sequence[str] = ()) -> list[str]:
    """Register a phone system and enter keys; the keys it has then. TwinRefused."""
    requested = {"system": system_key, "keys": list(keys)}
    return list(ask(address, "POST", "/_twin/register", requested)["licenses"])


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
