# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented ways through the page, label by label (grades D and T).

Each calls ``about_to`` once, right before the click that has the effect, and makes that click
only when the call returns. Whatever is raised before it left everything as it was.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from seatkeeper_agent.vendors.chaos import labels
from seatkeeper_agent.vendors.chaos.page.finding import (
    LabelMissing,
    exactly,
    fields_in,
    labelled,
    only,
    rows_of,
    scope_of,
    shown,
    switches_in,
    visible,
    waited_for,
)
from seatkeeper_agent.vendors.chaos.page.rows import read_rows
from seatkeeper_agent.vendors.chaos.page.traffic import Traffic

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Found = TypeVar("Found")

USER_NAME = "the field for the user name"
TICK = "the tick beside the user name"
_USER_NAME = re.compile(r"user\s?name", re.IGNORECASE)
_TICK = re.compile(r"^\s*[✓✔✅☑]\ufe0f?\s*$")
_TICK_PICTURE = re.compile(r"^(tick|check|check ?mark|valid)$", re.IGNORECASE)
_RELOAD_SECONDS = 2.0
_SETTLE_SECONDS = 3.0
_LET_OUT_SECONDS = 10.0
_ROWS_MAX = 50
_SECOND_LOOK_MILLISECONDS = 200
_ALERT_LENGTH_MAX = 300
_BROWSERS_OWN_PAGE = "chrome-error:"
_OPEN_AGAIN_MILLISECONDS = 500


class FlowRefused(Exception):
    """The page does not let it be done, or would do something else than was asked."""


class Flows:
    """One browser page; how long to wait for a label, and for the end of an effect."""

    def __init__(
        self,
        page: Page,
        address: str,
        label_seconds_max: float,
        after_seconds_max: float,
        about_to: Callable[[], None],
    ) -> None:
        self._page = page
        self._traffic = Traffic(page)
        self._address = address
        self._label_seconds_max = label_seconds_max
        self._after_seconds_max = after_seconds_max
        self._about_to = about_to
        self._alerts_before: frozenset[str] = frozenset()

    def transfer_dongle(self, target_user: str) -> None:
        """TRANSFER, user name with its tick, disclaimers, TRANSFER >>, confirmation, CLOSE."""
        self._offered_transfer().click()
        self._enter_user(target_user)
        self._effect(self._label(labels.TRANSFER_NOW), labels.TRANSFER_NOW)
        self._close(labels.TRANSFER_NOW)

    def borrow(self, product: str, seats: int, auto_renew: bool) -> None:
        """Use licenses offline, Next, count, PREVIEW, BORROW, list, CLOSE; then AUTO-RENEW."""
        self._open_online_licensing()
        self._label(labels.USE_LICENSES_OFFLINE).click()
        self._label(labels.NEXT).click()
        self._count_field(product).fill(str(seats))
        self._label(labels.PREVIEW).click()
        borrow = self._label(labels.BORROW)
        self._require_preview(product, seats)
        self._effect(borrow, labels.BORROW)
        self._close(labels.BORROW)
        if auto_renew:
            self._switch(product, True)

    def release(self, product: str) -> None:
        """RELEASE in every row of the product: it may have been borrowed more than once."""
        self._open_online_licensing()
        left = self._waited(lambda: self._releases(product) or None) or []
        if not left:
            raise LabelMissing(
                labels.RELEASE, f"The page shows no {labels.RELEASE} in a row of {product}."
            )
        self._effect(left[0], labels.RELEASE)
        for _ in range(_ROWS_MAX):
            left = self._fewer_releases(product, len(left))
            if not left:
                self._let_out()
                return
            left[0].click(no_wait_after=True)
        raise FlowRefused(f"The page lists more than {_ROWS_MAX} borrows of {product}.")

    def set_auto_renew(self, product: str, enabled: bool) -> None:
        """AUTO-RENEW in the product's row; no click where it stands as asked."""
        self._open_online_licensing()
        switch = self._auto_renew_of(product)
        if switch.is_checked() is not enabled:
            switch.click(trial=True)
            self._about_to()
            self._switch(product, enabled)

    def borrowed(self) -> list[dict[str, Any]]:
        """What the page lists beside RELEASE."""
        self._open_online_licensing()
        return read_rows(self._page)

    def _offered_transfer(self) -> Locator:
        # On the page or in the menu, both are documented and do the same; and the service sees
        # a dongle about a second late.
        deadline = time.monotonic() + self._label_seconds_max
        while True:
            found = waited_for(self._page, self._transfer_or_none, _RELOAD_SECONDS)
            menu = [] if found is not None else labelled(self._page, labels.DONGLE)
            if menu:
                menu[0].click()
                found = waited_for(self._page, self._transfer_or_none, _RELOAD_SECONDS)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise LabelMissing(
                    labels.TRANSFER,
                    f"The page offers no {labels.TRANSFER}, neither openly nor in the menu"
                    f" {labels.DONGLE}; the vendor gives no reason for that.",
                )
            # A reload would send a form a second time that a click has sent.
            self._page.goto(self._address)

    def _transfer_or_none(self) -> Locator | None:
        found = shown(self._page, labels.TRANSFER)
        return found[0] if found else None

    def _enter_user(self, user: str) -> None:
        field = self._waited(self._user_field)
        if field is None:
            raise LabelMissing(USER_NAME, f"The page shows no single field to enter {user} in.")
        if self._ticks():
            raise LabelMissing(TICK, "The page shows a tick before a user name was entered.")
        field.fill(user)
        field.press("Tab")
        if self._waited(lambda: self._ticks() or None) is None:
            raise LabelMissing(TICK, f"The page does not confirm the user name {user} with a tick.")
        if field.is_visible() and field.input_value() != user:
            raise FlowRefused(f"The page has made another user name of {user}.")

    def _user_field(self) -> Locator | None:
        scope = scope_of(self._page)
        fields = fields_in(scope)
        named = [
            field
            for field in visible(scope.get_by_role("textbox", name=_USER_NAME))
            if field.is_editable()
        ]
        found = named or fields
        return found[0] if len(found) == 1 else None

    def _ticks(self) -> list[Locator]:
        pictures = visible(self._page.get_by_role("img", name=_TICK_PICTURE))
        return pictures or visible(self._page.get_by_text(_TICK))

    def _open_online_licensing(self) -> None:
        self._label(labels.ONLINE_LICENSING).click()
        self._settle()

    def _settle(self) -> None:
        self._traffic.settle(min(_SETTLE_SECONDS, self._label_seconds_max))

    def _let_out(self) -> None:
        """A page may show a click before it has told its server; it must not be ended before."""
        self._traffic.settle(_LET_OUT_SECONDS)

    def _count_field(self, product: str) -> Locator:
        found = self._waited(lambda: self._counts(product) or None)
        field = only(f"the count of {product}", found or [])
        if field is None:
            raise LabelMissing(product, f"The page shows no count to set for {product}.")
        return field

    def _counts(self, product: str) -> list[Locator]:
        named = visible(self._page.get_by_role("spinbutton", name=exactly(product)))
        return named or [field for row in rows_of(self._page, product) for field in fields_in(row)]

    def _require_preview(self, product: str, seats: int) -> None:
        number = re.compile(rf"(?<!\d){seats}(?!\d)")
        rows = rows_of(self._page, product)
        if not any(number.search(row.inner_text()) for row in rows):
            raise FlowRefused(f"The preview does not show {seats} seats of {product}.")

    def _releases(self, product: str) -> list[Locator]:
        return [
            match for row in rows_of(self._page, product) for match in labelled(row, labels.RELEASE)
        ]

    def _fewer_releases(self, product: str, before: int) -> list[Locator]:
        def look() -> list[Locator] | None:
            left = self._releases(product)
            if not left:
                # Between two pages there is nothing to see: look again at what has loaded.
                self._page.wait_for_timeout(_SECOND_LOOK_MILLISECONDS)
                self._page.wait_for_load_state()
                left = self._releases(product)
            return left if len(left) < before else None

        found = self._waited(look)
        if found is None:
            raise FlowRefused(f"The page still lists {product} as borrowed.")
        return found

    def _auto_renew_of(self, product: str) -> Locator:
        found = self._waited(lambda: self._switches(product) or None)
        switch = only(f"{labels.AUTO_RENEW} of {product}", found or [])
        if switch is None:
            raise LabelMissing(
                labels.AUTO_RENEW,
                f"The page shows no {labels.AUTO_RENEW} with its state in a row of {product}.",
            )
        return switch

    def _switches(self, product: str) -> list[Locator]:
        rows = rows_of(self._page, product)
        return [match for row in rows for match in switches_in(row, labels.AUTO_RENEW)]

    def _switch(self, product: str, enabled: bool) -> None:
        self._auto_renew_of(product).click(no_wait_after=True)
        if self._waited(lambda: self._is_switched(product, enabled) or None) is None:
            raise FlowRefused(f"The page does not show the new state of {labels.AUTO_RENEW}.")
        self._let_out()

    def _is_switched(self, product: str, enabled: bool) -> bool:
        found = self._switches(product)
        return len(found) == 1 and found[0].is_checked() is enabled

    def _effect(self, target: Locator, label: str) -> None:
        from playwright.sync_api import TimeoutError as TooLate

        try:
            target.click(trial=True)
        except TooLate:
            raise FlowRefused(f"The page shows {label} but does not let it be clicked.") from None
        self._alerts_before = self._alerts()
        self._about_to()
        # The answer may take longer than a click may.
        target.click(no_wait_after=True)

    def _close(self, clicked: str) -> None:
        """Wait for CLOSE where ``clicked`` was, and click it; a new alert ends the wait."""

        def look() -> Locator | None:
            if self._page.url.startswith(_BROWSERS_OWN_PAGE):
                self._open_again()
            alerts = self._alerts() - self._alerts_before
            if alerts:
                raise FlowRefused(f"After {clicked} the page says: {min(alerts)}")
            found = [] if shown(self._page, clicked) else shown(self._page, labels.CLOSE)
            return found[0] if found else None

        close = waited_for(self._page, look, self._after_seconds_max)
        if close is None:
            raise FlowRefused(
                f"The page did not show {labels.CLOSE} within {self._after_seconds_max:g} seconds"
                f" after {clicked}."
            )
        close.click()
        self._let_out()

    def _open_again(self) -> None:
        # The server went away, or its answer did. A reload would send a form a second time.
        self._page.wait_for_timeout(_OPEN_AGAIN_MILLISECONDS)
        self._page.goto(self._address, wait_until="commit")

    def _alerts(self) -> frozenset[str]:
        alerts = (alert.inner_text() for alert in visible(self._page.get_by_role("alert")))
        return frozenset(" ".join(text.split())[:_ALERT_LENGTH_MAX] for text in alerts)

    def _label(self, label: str) -> Locator:
        found = self._waited(lambda: only(label, shown(self._page, label)))
        if found is None:
            raise LabelMissing(label, f"The page does not show {label}.")
        return found

    def _waited(self, look: Callable[[], Found | None]) -> Found | None:
        return waited_for(self._page, look, self._label_seconds_max)
