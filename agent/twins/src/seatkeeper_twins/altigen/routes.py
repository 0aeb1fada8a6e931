# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do at the desk, in sales and at the phone systems; all of it is made up.

The real vendor has a support page, a fax number and dialogs in its own administration program,
none of which has a documented interface, so every path is below `/_twin/`.
"""

from __future__ import annotations

from typing import Any

from seatkeeper_twins.altigen.desk import Desk
from seatkeeper_twins.parts.web import Answer, Handler, Request


def routes(desk: Desk) -> dict[tuple[str, str], Handler]:
    """All routes of the control port."""

    def open_case(request: Request) -> Answer:
        requested = request.json()
        upgrade = bool(requested.get("upgrade", False))
        return Answer.of_json({"case": desk.open_case(str(requested["system"]), upgrade)})

    def fax(request: Request) -> Answer:
        requested = request.json()
        documents, keys = _texts(requested, "documents"), _texts(requested, "keys")
        desk.fax(str(requested["case"]), documents, keys)
        return Answer.of_json({})

    def purchase_order(request: Request) -> Answer:
        desk.order_at_no_charge(str(request.json()["system"]))
        return Answer.of_json({})

    def note(request: Request) -> Answer:
        requested = request.json()
        desk.note(str(requested["case"]), requested["text"])
        return Answer.of_json({})

    def register(request: Request) -> Answer:
        requested = request.json()
        has = desk.register(str(requested["system"]), _texts(requested, "keys"))
        return Answer.of_json({"licenses": has})

    def mail(request: Request) -> Answer:
        return Answer(desk.mail(int(request.query["number"])), content_type="message/rfc822")

    return {
        **desk.control_routes(),
        ("POST", "/_twin/case"): open_case,
        ("POST", "/_twin/fax"): fax,
        ("POST", "/_twin/purchase-order"): purchase_order,
        ("POST", "/_twin/note"): note,
        ("POST", "/_twin/register"): register,
        ("GET", "/_twin/mail"): mail,
    }


def _texts(requested: dict[str, Any], name: str) -> list[str]:
    values = requested.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} must be a list of texts")
    return values
