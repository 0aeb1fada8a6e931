# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented page driven by a real browser, against the twin's page."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from seatkeeper_agent.domain.servers import BorrowedRow
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnfinished
from seatkeeper_agent.operations.server_ports import PageLabelMissing
from seatkeeper_agent.vendors.chaos.page.browser import BrowserPage
from seatkeeper_twins.chaos import people
from seatkeeper_twins.parts import control

from .conftest import MakeTwins
from .twins import ADMIN, ARTIST, CHROMIUM, STRANGER, ChaosTwins

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("page_folder"),
]
pytest.importorskip("playwright", reason="Playwright is not installed")
TWO_WEEKS = 14 * 86_400


class Requested:
    """Counts how often the effect was announced, and looks at what is so at that moment."""

    def __init__(self, twins: ChaosTwins) -> None:
        self.twins = twins
        self.seen: list[dict[str, Any]] = []

    def __call__(self) -> None:
        self.seen.append(self.twins.reported())


def test_a_dongle_is_transferred_to_its_documented_end(make_twins: MakeTwins) -> None:
    twins = make_twins("4.5", activated_as=ADMIN, dongle_service=True)
    twins.plug("1-1.4", "90000001")
    requested = Requested(twins)
    driver = twins.driver()
    before = {entry.product: entry.seats for entry in driver.status().licenses}
    BrowserPage(twins.settings(label_seconds_max=30.0)).transfer_dongle(ARTIST, requested)
    assert len(requested.seen) == 1
    assert requested.seen[0]["transfer"] is None
    assert requested.seen[0]["dongle_enabled_at"] is not None
    status = driver.status()
    assert status.dongle_service is False
    assert twins.reported()["transfer"] is None, "the confirmation was not closed"
    deadline = time.monotonic() + 30
    while before == {entry.product: entry.seats for entry in driver.status().licenses}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    after = {entry.product: entry.seats for entry in driver.status().licenses}
    assert after["V-Ray"] == {"interface": 5, "render": 15}


def test_a_transfer_that_is_not_offered_is_told_with_a_picture(
    make_twins: MakeTwins,
) -> None:
    twins = make_twins(activated_as=ADMIN, dongle_service=True)
    twins.plug("1-1.4", "90000005")
    requested = Requested(twins)
    page = BrowserPage(twins.settings(label_seconds_max=1.0))
    with pytest.raises(PageLabelMissing, match="offers no TRANSFER") as caught:
        page.transfer_dongle(ARTIST, requested)
    assert caught.value.label == "TRANSFER"
    assert caught.value.screenshot is not None
    assert caught.value.screenshot.startswith(b"\x89PNG\r\n")
    assert requested.seen == []


def test_a_user_of_another_company_gets_no_tick(make_twins: MakeTwins) -> None:
    twins = make_twins(activated_as=ADMIN, dongle_service=True)
    twins.plug("1-1.4", "90000001")
    requested = Requested(twins)
    page = BrowserPage(twins.settings(label_seconds_max=5.0))
    with pytest.raises(PageLabelMissing, match="does not confirm the user name") as caught:
        page.transfer_dongle(STRANGER, requested)
    assert caught.value.label == "the tick beside the user name"
    assert requested.seen == []
    assert twins.reported()["transfer"] is None


def test_what_speaks_against_it_in_the_last_moment_stops_it(make_twins: MakeTwins) -> None:
    twins = make_twins(activated_as=ADMIN, dongle_service=True)
    twins.plug("1-1.4", "90000001")

    def object_to_it() -> None:
        raise DriverRefused("another dongle was plugged in")

    page = BrowserPage(twins.settings(label_seconds_max=30.0))
    with pytest.raises(DriverRefused, match="another dongle was plugged in"):
        page.transfer_dongle(ARTIST, object_to_it)
    assert twins.reported()["transfer"] is None
    assert twins.driver().status().dongle_service is True


def test_a_transfer_without_an_end_is_a_doubt(make_twins: MakeTwins) -> None:
    twins = make_twins(activated_as=ADMIN, dongle_service=True)
    twins.plug("1-1.4", "90000001")
    control.set_values(twins.cloud, migration_seconds=3600)
    page = BrowserPage(twins.settings(label_seconds_max=30.0, migration_seconds_max=2.0))
    with pytest.raises(DriverUnfinished, match=r"did not show CLOSE within 2 seconds after TRANSF"):
        page.transfer_dongle(ARTIST, lambda: None)
    assert twins.reported()["transfer"]["state"] == "running"


def test_a_transfer_that_is_refused_after_the_click_is_a_doubt(make_twins: MakeTwins) -> None:
    twins = make_twins(activated_as=ADMIN, dongle_service=True)
    twins.plug("1-1.4", "90000001")

    def take_it_away() -> None:
        twins.plug("1-1.3", "90000002")

    page = BrowserPage(twins.settings(label_seconds_max=30.0))
    with pytest.raises(DriverUnfinished, match=r"After the click: After TRANSFER >> the page says"):
        page.transfer_dongle(ARTIST, take_it_away)


def test_an_answer_may_take_longer_than_a_label(make_twins: MakeTwins) -> None:
    twins = make_twins(activated_as=ADMIN, dongle_service=True)
    twins.plug("1-1.4", "90000001")
    control.set_fault(twins.server, "transfer.after", "slow", 8_000)
    page = BrowserPage(twins.settings(label_seconds_max=5.0))
    requested = Requested(twins)
    page.transfer_dongle(ARTIST, requested)
    assert len(requested.seen) == 1
    assert twins.reported()["transfer"] is None


@pytest.mark.parametrize("action", ["lose", "die"])
def test_the_end_is_seen_also_after_a_lost_answer(make_twins: MakeTwins, action: str) -> None:
    twins = make_twins(activated_as=ADMIN, dongle_service=True)
    twins.plug("1-1.4", "90000001")
    control.set_fault(twins.server, "transfer.after", action)
    server = twins.processes[1]

    def start_again() -> None:
        deadline = time.monotonic() + 200
        while server.pid is not None and time.monotonic() < deadline:
            time.sleep(0.02)
        server.start()

    starting = threading.Thread(target=start_again)
    if action == "die":
        starting.start()
    page = BrowserPage(twins.settings(label_seconds_max=30.0))
    requested = Requested(twins)
    page.transfer_dongle(ARTIST, requested)
    assert len(requested.seen) == 1
    if action == "die":
        starting.join(60)
    assert len(control.describe(twins.cloud)["migrations"]) == 1
    assert twins.reported()["transfer"] is None


def test_seats_are_borrowed_renewed_and_released(make_twins: MakeTwins) -> None:
    twins = make_twins(activated_as=ADMIN)
    page = BrowserPage(twins.settings(label_seconds_max=30.0))
    requested = Requested(twins)
    page.borrow("V-Ray", 2, True, requested)
    (borrow,) = twins.reported()["borrows"]
    assert page.borrowed() == [BorrowedRow("V-Ray", 2, int(borrow["until"]), True)]
    assert twins.driver().status().offline_products == ("V-Ray",)
    people.borrow(twins.server, **{"V-Ray": 1, "Phoenix": 1})
    rows = {row.product: row for row in page.borrowed()}
    assert (rows["V-Ray"].seats, rows["Phoenix"].seats) == (3, 1)
    page.release("V-Ray", requested)
    assert [row.product for row in page.borrowed()] == ["Phoenix"]
    page.set_auto_renew("Phoenix", True, requested)
    page.set_auto_renew("Phoenix", True, requested)
    (row,) = page.borrowed()
    assert row.auto_renew is True
    assert row.until is not None
    assert 0 < row.until - time.time() <= TWO_WEEKS + 60
    assert [len(seen["borrows"]) for seen in requested.seen] == [0, 2, 1]


def test_what_cannot_be_borrowed_or_returned_is_said_before_any_effect(
    make_twins: MakeTwins,
) -> None:
    twins = make_twins(activated_as=ADMIN)
    requested = Requested(twins)
    page = BrowserPage(twins.settings(label_seconds_max=3.0))
    with pytest.raises(PageLabelMissing, match="does not show BORROW"):
        page.borrow("V-Ray", 1000, False, requested)
    with pytest.raises(PageLabelMissing, match="no count to set for Corona") as caught:
        page.borrow("Corona", 1, False, requested)
    assert caught.value.label == "Corona"
    with pytest.raises(PageLabelMissing, match="no RELEASE in a row of V-Ray"):
        page.release("V-Ray", requested)
    assert requested.seen == []
    assert twins.reported()["borrows"] == []
