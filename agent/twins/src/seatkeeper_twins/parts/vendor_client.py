# SPDX-License-Identifier: GPL-3.0-or-later
"""How a machine's process asks the vendor's; all of it is made up."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from seatkeeper_twins.parts.web import Refusal

ASK_SECONDS_MAX = 10


class VendorUnreachable(Exception):
    """The vendor did not answer; what was asked of it may have happened."""


def ask(address: str, question: str, **values: Any) -> dict[str, Any]:
    """One question to the vendor; Refusal as it gives it, VendorUnreachable without an answer."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=ASK_SECONDS_MAX)
    try:
        connection.request("POST", f"/_twin/server/{question}", json.dumps(values))
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise VendorUnreachable(f"The vendor does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status >= 500:
        raise VendorUnreachable(f"The vendor answers with {answer.status}")
    if answer.status != 200:
        raise Refusal(answer.status, body.decode(errors="replace"))
    reported: dict[str, Any] = json.loads(body)
    return reported
