# SPDX-License-Identifier: GPL-3.0-or-later
"""The browser goes by what a person would see, and stops where that is not clear."""

from __future__ import annotations

import re
from typing import Any

import pytest

from seatkeeper_agent.domain.servers import BorrowedRow
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnavailable
from seatkeeper_agent.operations.server_ports import PageLabelMissing
from seatkeeper_agent.vendors.chaos.page.browser import BrowserPage
from seatkeeper_twins.lab.host import browser_settings

from . import odd_pages
from .conftest import settings_of
from .odd_server import OddServer, Reply, reply, reset, slow
from .twins import CHROMIUM

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("page_folder"),
]
pytest.importorskip("playwright", reason="Playwright is not installed")
USER = "artist@studio-a.example"


def page_of(odd: OddServer, content: bytes, **values: Any) -> BrowserPage:
    """A browser for a server with this page, which is slow to tell what it is asked late."""
    odd.replies["GET", "/"] = reply(200, content, "text/html; charset=utf-8")
    for what in ("closed", "release", "renew"):
        odd.replies["GET", f"/asked-before-{what}"] = slow(1.0, reply(204))
    odd.default = reply(404)
    usual = {**browser_settings(), "label_seconds_max": 20.0}
    return BrowserPage(settings_of(odd, **{**usual, **values}))


def posted(odd: OddServer) -> list[str]:
    """What the page's script told, in order."""
    return [requested.path for requested in odd.requested if requested.method == "POST"]


def test_labels_are_found_in_other_clothes_and_close_only_at_the_end(odd: OddServer) -> None:
    seen: list[list[str]] = []
    page_of(odd, odd_pages.DIALOG).transfer_dongle(USER, lambda: seen.append(posted(odd)))
    assert seen == [[]]
    assert posted(odd) == [f"/go-{USER}", "/closed"]


TRAPS: list[tuple[bytes, str, str | None]] = [
    (odd_pages.TWICE, "shows TRANSFER >> 2 times", "TRANSFER >>"),
    (odd_pages.ANOTHER_BUTTON, "does not show TRANSFER >>", "TRANSFER >>"),
    (odd_pages.TWO_FIELDS, "no single field", "the field for the user name"),
    (odd_pages.TICKED_ALREADY, "tick before a user name", "the tick beside the user name"),
    (odd_pages.DISABLED, "TRANSFER >> but does not let it be clicked", None),
]


@pytest.mark.parametrize(("content", "reported", "label"), TRAPS)
def test_what_is_not_clear_is_not_clicked(
    odd: OddServer, content: bytes, reported: str, label: str | None
) -> None:
    announced: list[None] = []
    page = page_of(odd, content, label_seconds_max=6.0)
    with pytest.raises(DriverRefused, match=re.escape(reported)) as caught:
        page.transfer_dongle(USER, lambda: announced.append(None))
    assert (announced, posted(odd)) == ([], [])
    if label is None:
        assert not isinstance(caught.value, PageLabelMissing)
    else:
        assert isinstance(caught.value, PageLabelMissing)
        assert caught.value.label == label
        assert caught.value.screenshot is not None


def test_the_list_is_read_as_it_is_seen(odd: OddServer) -> None:
    assert page_of(odd, odd_pages.LISTS).borrowed() == [
        BorrowedRow("Phoenix", 5, 1796371200, True),
        BorrowedRow("Corona", 1, None, None),
    ]


def test_only_the_rows_of_the_product_are_released(odd: OddServer) -> None:
    announced: list[list[str]] = []
    page_of(odd, odd_pages.LISTS).release("Phoenix", lambda: announced.append(posted(odd)))
    assert announced == [[]]
    assert posted(odd) == ["/release", "/release"]


def test_a_switch_is_told_to_the_server_before_the_browser_ends(odd: OddServer) -> None:
    page_of(odd, odd_pages.RENEWED).set_auto_renew("Phoenix", True, lambda: None)
    assert posted(odd) == ["/renew"]


def test_a_row_without_the_label_is_not_worked_in(odd: OddServer) -> None:
    page = page_of(odd, odd_pages.LISTS, label_seconds_max=6.0)
    with pytest.raises(PageLabelMissing, match="no RELEASE in a row of V-Ray"):
        page.release("V-Ray", lambda: None)
    with pytest.raises(PageLabelMissing, match="no AUTO-RENEW with its state in a row of Corona"):
        page.set_auto_renew("Corona", True, lambda: None)
    assert posted(odd) == []


NO_PAGES: list[tuple[Reply, type[Exception], str]] = [
    (reply(503, b"<p>starting", "text/html"), DriverUnavailable, "answered its page with 503"),
    (reply(404, b"<p>none", "text/html"), DriverRefused, "with 404, not to a page"),
    (reset, DriverUnavailable, "cannot be opened"),
    (reply(200, b"<p>another service</p>", "text/html"), PageLabelMissing, "ONLINE LICENSING"),
]


@pytest.mark.parametrize(("reported", "kind", "text"), NO_PAGES)
def test_what_is_not_the_page_is_said(
    odd: OddServer, reported: Reply, kind: type[Exception], text: str
) -> None:
    page = page_of(odd, b"", label_seconds_max=1.0)
    odd.replies["GET", "/"] = reported
    with pytest.raises(kind, match=text):
        page.borrowed()


def test_a_page_elsewhere_is_not_worked_with(odd: OddServer) -> None:
    page = page_of(odd, b"", label_seconds_max=1.0)
    elsewhere = odd.address.replace("127.0.0.1", "localhost")
    odd.replies["GET", "/"] = reply(302, Location=f"{elsewhere}/other")
    odd.replies["GET", "/other"] = reply(200, odd_pages.LISTS, "text/html; charset=utf-8")
    with pytest.raises(DriverRefused, match="led to http://localhost"):
        page.borrowed()
