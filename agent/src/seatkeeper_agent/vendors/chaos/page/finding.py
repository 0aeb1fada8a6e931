# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding on a page what a person would see: whole visible labels, roles, rows.

Nothing here knows a page's markup. Upper and lower case are not told apart, because the
vendor's documents write the same label both ways and a style sheet can do so too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Found = TypeVar("Found")
Role = Literal["button", "link", "menuitem", "tab"]

CLICKABLE: tuple[Role, ...] = ("button", "link", "menuitem", "tab")
FIELDS: tuple[Literal["spinbutton", "textbox"], ...] = ("spinbutton", "textbox")
SWITCHES: tuple[Literal["checkbox", "switch"], ...] = ("checkbox", "switch")
ROWS: tuple[Literal["row", "listitem"], ...] = ("row", "listitem")
_LOOK_AGAIN_MILLISECONDS = 100


class LabelMissing(Exception):
    """The page does not show a label that the vendor documents, or shows it ambiguously."""

    def __init__(self, label: str, text: str) -> None:
        super().__init__(text)
        self.label = label


def pattern_of(label: str) -> re.Pattern[str]:
    """Matches the whole label and nothing else, however its words are spaced."""
    words = r"\s+".join(re.escape(word) for word in label.split())
    return re.compile(rf"^\s*{words}\s*$", re.IGNORECASE)


def exactly(text: str) -> re.Pattern[str]:
    """Matches a name that is not the vendor's label, letter by letter."""
    return re.compile(rf"^\s*{re.escape(text)}\s*$")


def visible(matches: Locator) -> list[Locator]:
    """Those that can be seen now."""
    return [match for match in matches.all() if match.is_visible()]


def labelled(scope: Page | Locator, label: str) -> list[Locator]:
    """What can be clicked and bears the label: by its role, else by its text."""
    name = pattern_of(label)
    by_role = [match for role in CLICKABLE for match in visible(scope.get_by_role(role, name=name))]
    return by_role or visible(scope.get_by_text(name))


def scope_of(page: Page) -> Page | Locator:
    """The topmost dialog where there is one, else the page."""
    dialogs = visible(page.get_by_role("dialog"))
    return dialogs[-1] if dialogs else page


def shown(page: Page, label: str) -> list[Locator]:
    """As ``labelled``; behind a dialog nothing counts."""
    return labelled(scope_of(page), label)


def waited_for(page: Page, look: Callable[[], Found | None], seconds_max: float) -> Found | None:
    """What ``look`` finds, asked again until the time is over; a page may change meanwhile."""
    from playwright.sync_api import Error

    deadline = time.monotonic() + seconds_max
    while True:
        try:
            found = look()
        except Error:
            if page.is_closed():
                raise
            found = None  # it went away while it was looked at
        if found is not None or time.monotonic() > deadline:
            return found
        page.wait_for_timeout(_LOOK_AGAIN_MILLISECONDS)


def rows_of(page: Page, product: str) -> list[Locator]:
    """The rows that show a product by its whole name and can be worked in."""
    name = exactly(product)
    return [
        row
        for role in ROWS
        for row in visible(page.get_by_role(role).filter(has=page.get_by_text(name)))
    ]


def fields_in(scope: Page | Locator) -> list[Locator]:
    """Fields for a number or a text that a person could fill in."""
    return [
        match
        for role in FIELDS
        for match in visible(scope.get_by_role(role))
        if match.is_editable()
    ]


def switches_in(row: Locator, label: str) -> list[Locator]:
    """Boxes and switches that bear the label and show their state."""
    name = pattern_of(label)
    return [match for role in SWITCHES for match in visible(row.get_by_role(role, name=name))]


def only(label: str, found: Sequence[Locator]) -> Locator | None:
    """The single one, None for none; LabelMissing where it cannot be told which is meant."""
    if len(found) > 1:
        raise LabelMissing(
            label, f"The page shows {label} {len(found)} times, and which is meant is not told."
        )
    return found[0] if found else None
