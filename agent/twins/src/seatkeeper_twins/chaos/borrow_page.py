# SPDX-License-Identifier: GPL-3.0-or-later
"""Borrowing on the server's page (grade T): Use licenses offline, Next, count, PREVIEW, BORROW."""

from __future__ import annotations

from collections.abc import Mapping

from seatkeeper_twins.chaos import page
from seatkeeper_twins.chaos.frame import shown
from seatkeeper_twins.chaos.models import BORROW_SECONDS, SEAT_KEYS, Borrow, Seats
from seatkeeper_twins.chaos.page import button, escaped, section
from seatkeeper_twins.chaos.server import RENEW_BEFORE_SECONDS, Server
from seatkeeper_twins.parts.web import Answer, Handler, Request

BORROW_PATH = "/_twin/page/borrow"
_DAYS = f"{BORROW_SECONDS // 86_400} days"
_CANCEL = button("CANCEL", "/", get=True, plain=True)
_WORDS = {key: word for word, key in SEAT_KEYS.items()}
_COUNT = "count:"


def borrow_views(server: Server) -> dict[str, Handler]:
    """The views by their paths; called with the server's lock held."""
    return {
        BORROW_PATH: lambda _request: _introduction(server),
        "/_twin/page/counts": lambda _request: _counts(server),
        "/_twin/page/preview": lambda request: _preview(server, request),
        "/_twin/page/borrowed": lambda _request: shown(
            server, borrow_list(server, button("CLOSE", "/", get=True))
        ),
    }


def counts_of(fields: Mapping[str, str]) -> dict[str, int]:
    """How many of which product a form asks for; ValueError when a count is no number."""
    counts = {
        name.removeprefix(_COUNT): int(value or 0)
        for name, value in fields.items()
        if name.startswith(_COUNT)
    }
    return {product: count for product, count in counts.items() if count}


def seat_words(seats: Seats) -> str:
    """Seats by kind, in words."""
    return ", ".join(f"{count} {_WORDS[key]}" for key, count in seats.items())


def borrow_list(server: Server, *below: str) -> str:
    """What is borrowed until when, each with AUTO-RENEW and RELEASE."""
    rows = [_row(server, each) for each in server.state["borrows"]]
    hours = RENEW_BEFORE_SECONDS // 3600
    return section(
        "Borrowed licenses",
        page.table(["Product", "Count", "Expires", "Renewal", "Return"], rows),
        f'<p class="quiet">Renewed by itself, a license is borrowed for {_DAYS} again {hours} hours'
        " before its end.</p>",
        *below,
    )


def _row(server: Server, borrow: Borrow) -> list[str]:
    expired = borrow["until"] <= server.now()
    checked = " checked" if borrow["auto_renew"] else ""
    switch = (
        '<form method="post" action="/_twin/page/auto-renew">'
        f'<input type="hidden" name="id" value="{escaped(borrow["id"])}"><label>'
        f'<input type="checkbox" name="enabled" data-submit{checked}> AUTO-RENEW</label></form>'
    )
    return [
        escaped(borrow["product"]),
        str(borrow["seats"]),
        page.moment(borrow["until"]) + (" (expired)" if expired else ""),
        switch,
        button("RELEASE", "/_twin/page/release", {"id": borrow["id"]}, plain=True),
    ]


def _introduction(server: Server) -> Answer:
    return shown(
        server,
        section(
            "Offline use",
            f"<p>Borrowed licenses can be used without the internet for {_DAYS}. They stay taken"
            " from the account until they are returned.</p>",
            button("Next", "/_twin/page/counts", get=True),
            _CANCEL,
        ),
    )


def _counts(server: Server) -> Answer:
    rows = []
    for number, each in enumerate(server.state["licenses"]):
        key, free = next(iter(each["seats"].items()), ("", 0))
        product, name = escaped(each["product"]), f"count-{number}"
        count = (
            f'<input id="{name}" type="number" name="{_COUNT}{product}" value="0" min="0"'
            f' max="{free}">'
        )
        label = f'<label for="{name}">{product}</label>'
        rows.append([label, f"{free} {_WORDS.get(key, key)}", count])
    return shown(
        server,
        section(
            "Offline use",
            '<form class="block" method="get" action="/_twin/page/preview">',
            page.table(["Product", "Available", "Count"], rows),
            "<p><button>PREVIEW</button></p></form>",
            _CANCEL,
        ),
    )


def _preview(server: Server, request: Request) -> Answer:
    counts = counts_of(request.query)
    if not counts:
        return Answer.see("/_twin/page/counts")
    until = page.moment(server.now() + BORROW_SECONDS)
    rows = [[escaped(product), str(count), until] for product, count in counts.items()]
    hidden = {f"{_COUNT}{product}": str(count) for product, count in counts.items()}
    return shown(
        server,
        section(
            "Check what is borrowed",
            page.table(["Product", "Count", "Expires"], rows),
            button("BORROW", BORROW_PATH, hidden),
            _CANCEL,
        ),
    )
