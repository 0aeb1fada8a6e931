# SPDX-License-Identifier: GPL-3.0-or-later
"""The report and the twin's vendor, whose rules were written apart, in all 2^9 combinations.

No rule that the report calls met is why the vendor refuses; none that it calls not met is passed
by the vendor; what no host can see is unknown, whatever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from vendors.chaos.twins import ADMIN, ARTIST, ChaosTwins

from seatkeeper_agent.domain.eligibility import HeldLicense
from seatkeeper_agent.domain.rules import RuleRow, RuleVerdict, is_refused
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.dongles.report import DongleReports, Stated
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.settings import UsbSettings
from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_twins.chaos import people, usb_folder
from seatkeeper_twins.parts import control

SERIAL, PORT, OTHER_PORT = "90000001", "1-1.4", "1-2"
UNSEEN = {"same_company", "licenses_movable", "vendor_criteria"}
"""Of these a host sees nothing; a user is seen not to be logged in where nothing is activated."""


class RequestedAgain(ChaosDriver):
    """The real driver; the operator's command is run again only when it may tell another version.

    Starting a program takes as long as all the rest of a combination.
    """

    reported: str | None = None

    def dongle_driver_version(self) -> str | None:
        """What the command printed."""
        self.reported = self.reported or super().dongle_driver_version()
        return self.reported


@dataclass
class Vendor:
    """A license server with its cloud and a dongle, and the agent's reports about it."""

    twins: ChaosTwins
    reports: DongleReports
    driver: RequestedAgain

    def server(self, **values: object) -> None:
        """Change what is true of the server's machine."""
        control.set_values(self.twins.server, **values)
        if "wibukey_version" in values:
            self.driver.reported = None

    def dongle(self, **values: object) -> None:
        """Change what the vendor knows of the dongle."""
        people.set_dongle(self.twins.cloud, SERIAL, **values)

    def report(self, licenses: tuple[HeldLicense, ...] | None) -> dict[str, RuleRow]:
        """By the real driver, the operator's real command and the recorded bus."""
        chosen = self.reports.find(SERIAL)
        stated = Stated(licenses, ARTIST)
        return {row.rule: row for row in self.reports.rows(chosen, False, stated)}

    def truth(self) -> dict[str, bool]:
        """The vendor's own rules, as it judges now."""
        reported = people.eligibility(self.twins.server, SERIAL, ARTIST)
        assert reported["shown"] is reported["eligible"]
        assert reported["eligible"] is all(reported["rules"].values())
        rules: dict[str, bool] = reported["rules"]
        return rules


def held(version: str) -> list[dict[str, object]]:
    """A perpetual license of a product."""
    seats = {"interface": 1}
    return [{"product": "V-Ray", "version": version, "expires": None, "seats": seats}]


@dataclass(frozen=True)
class Break:
    """How a rule is broken and mended."""

    broken: Callable[[Vendor], object]
    mended: Callable[[Vendor], object]


def _log_in(vendor: Vendor, in_: bool) -> None:
    vendor.server(logged_in=in_)


BREAKS = {
    "server_version": Break(
        lambda vendor: vendor.server(version="4.4.9"),
        lambda vendor: vendor.server(version="4.5.0"),
    ),
    "one_dongle": Break(
        lambda vendor: usb_folder.plug(vendor.twins.usb, OTHER_PORT, serial="90000004"),
        lambda vendor: usb_folder.unplug(vendor.twins.usb, OTHER_PORT),
    ),
    "wibukey_driver": Break(
        lambda vendor: vendor.server(wibukey_version="5.99"),
        lambda vendor: vendor.server(wibukey_version="6.00"),
    ),
    "dongle_local": Break(
        lambda vendor: vendor.server(dongle_local=False),
        lambda vendor: vendor.server(dongle_local=True),
    ),
    "online_activated": Break(
        lambda vendor: vendor.server(activation_method=None),
        lambda vendor: vendor.server(activation_method="online"),
    ),
    "user_logged_in": Break(
        lambda vendor: _log_in(vendor, in_=False), lambda vendor: _log_in(vendor, in_=True)
    ),
    "same_company": Break(
        lambda vendor: vendor.dongle(company="Studio B"),
        lambda vendor: vendor.dongle(company="Studio A"),
    ),
    "licenses_movable": Break(
        lambda vendor: vendor.dongle(licenses=held("2.4")),
        lambda vendor: vendor.dongle(licenses=held("3.6")),
    ),
    "vendor_criteria": Break(
        lambda vendor: vendor.dongle(vendor_refuses=True),
        lambda vendor: vendor.dongle(vendor_refuses=False),
    ),
}


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """Real processes, the real driver and a dongle that may be migrated."""
    folder = Path(tmp_path_factory.mktemp("vendor"))
    twins = ChaosTwins(folder, server_seed={"activated_as": ADMIN, "visible_seconds": 0})
    journal = Journal(folder / "journal.db")
    try:
        twins.start()
        usb = UsbInventory(UsbSettings(str(twins.usb), recording=True))
        driver = RequestedAgain(twins.settings())
        made = Vendor(twins, DongleReports(journal, usb, driver), driver)
        made.server(dongle_service=True)
        twins.plug(PORT, SERIAL)
        yield made
    finally:
        twins.stop()
        journal.close()


def one_changed_at_a_time(names: list[str]) -> Iterator[tuple[frozenset[str], str | None]]:
    """All subsets, each with what came or went since the one before (Gray's code)."""
    chosen: frozenset[str] = frozenset()
    yield chosen, None
    for number in range(1, 2 ** len(names)):
        changed = names[(number & -number).bit_length() - 1]
        chosen ^= {changed}
        yield chosen, changed


def disagreements(rows: dict[str, RuleRow], truth: dict[str, bool]) -> list[str]:
    """Where the report says more than is so."""
    assert list(rows) == list(truth)
    found = []
    for rule, row in rows.items():
        if (
            row.verdict is not RuleVerdict.UNKNOWN
            and (row.verdict is RuleVerdict.MET) != truth[rule]
        ):
            found.append(f"{rule} is called {row.verdict.value}, seen {row.observed}")
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_in_every_combination(vendor: Vendor) -> None:
    """Half of them with what the operator truly declares of the licenses."""
    passed, refused = 0, 0
    # The last one changes least often.
    names = [*(name for name in BREAKS if name != "wibukey_driver"), "wibukey_driver"]
    for broken, changed in one_changed_at_a_time(names):
        if changed is not None:
            move = BREAKS[changed]
            (move.broken if changed in broken else move.mended)(vendor)
        truth = vendor.truth()
        # Nobody is logged in where nothing is activated, whatever was set.
        logged_in = truth["user_logged_in"] and truth["online_activated"]
        version = "2.4" if "licenses_movable" in broken else "3.6"
        declared = (HeldLicense("V-Ray", version, perpetual=True),)
        licenses = declared if len(broken) % 2 else None
        rows = vendor.report(licenses)
        assert disagreements(rows, truth | {"user_logged_in": logged_in}) == [], broken
        unknown = {rule for rule, row in rows.items() if row.verdict is RuleVerdict.UNKNOWN}
        assert unknown >= UNSEEN - {"licenses_movable"}
        assert ("licenses_movable" in unknown) == (licenses is None)
        is_open = not is_refused(tuple(rows.values()))
        assert is_open or not all(truth.values())
        passed += is_open
        refused += not all(truth.values())
    assert (passed > 0, refused) == (True, 2 ** len(BREAKS) - 1)


@pytest.mark.parametrize("rule", BREAKS)
def test_what_the_report_cannot_see_the_page_does_not_show(vendor: Vendor, rule: str) -> None:
    """The vendor refuses without a reason; a report is either refused, too, or does not promise."""
    for name, move in BREAKS.items():
        if name != "one_dongle" or (vendor.twins.usb / OTHER_PORT).exists():
            move.mended(vendor)
    assert all(vendor.truth().values())
    BREAKS[rule].broken(vendor)
    try:
        with pytest.raises(control.TwinRefused, match="not possible"):
            people.transfer(vendor.twins.server, ARTIST)
        assert vendor.report(None)[rule].verdict is not RuleVerdict.MET
    finally:
        BREAKS[rule].mended(vendor)
