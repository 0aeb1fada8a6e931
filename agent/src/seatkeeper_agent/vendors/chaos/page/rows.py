# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the page's list of borrowed seats; its columns and dates are not documented.

So a row is one that has RELEASE; its first cell is the product, its first plain number the
count. A date counts only where it tells its zone.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from seatkeeper_agent.vendors.chaos import labels
from seatkeeper_agent.vendors.chaos.page.finding import labelled, switches_in, visible

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_NUMBER = re.compile(r"\s*(\d{1,9})\s*", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)\s?(UTC|Z|[+-]\d{2}:\d{2})", re.ASCII
)


def read_rows(page: Page) -> list[dict[str, Any]]:
    """One entry for each product: seats summed up, the earliest end, renewed if all rows are."""
    found: dict[str, dict[str, Any]] = {}
    for row in visible(page.get_by_role("row")):
        if not labelled(row, labels.RELEASE):
            continue
        entry = _entry(row)
        if entry is not None:
            known = found.get(entry["product"])
            found[entry["product"]] = entry if known is None else _together(known, entry)
    return list(found.values())


def moment_in(text: str) -> int | None:
    """The first time that a text tells with its zone, in Unix seconds."""
    match = _MOMENT.search(text)
    if match is None:
        return None
    day, time, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{'Z' if zone == 'UTC' else zone}")
    except ValueError:
        return None
    return int(moment.timestamp())


def _entry(row: Locator) -> dict[str, Any] | None:
    heads = row.get_by_role("rowheader").all_inner_texts()
    cells = [*heads, *row.get_by_role("cell").all_inner_texts()]
    numbers = [match for cell in cells if (match := _NUMBER.fullmatch(cell))]
    product = cells[0].strip() if cells else ""
    if not product or not numbers:
        return None
    machine_readable = [
        element.get_attribute("datetime") or "" for element in row.locator("time").all()
    ]
    moments = (moment_in(text) for text in [*machine_readable, *cells])
    switches = switches_in(row, labels.AUTO_RENEW)
    return {
        "product": product,
        "seats": int(numbers[0].group(1)),
        "until": next((moment for moment in moments if moment is not None), None),
        "auto_renew": switches[0].is_checked() if len(switches) == 1 else None,
    }


def _together(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    ends = (first["until"], second["until"])
    renewals = {first["auto_renew"], second["auto_renew"]}
    return {
        "product": first["product"],
        "seats": first["seats"] + second["seats"],
        "until": None if None in ends else min(ends),
        "auto_renew": None if None in renewals else renewals == {True},
    }
