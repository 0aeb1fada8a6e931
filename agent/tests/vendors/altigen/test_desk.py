# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole orders with the twin: what the driver makes and sends is enough for the vendor's staff."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from domain.phone_systems import order
from twins.altigen.running import AGENTS, HOUR, NEW, OLD, SOFT, TEN, Twin, running

from seatkeeper_agent.domain.orders import LicenseKey, Order, OrderLine, PhoneSystem
from seatkeeper_agent.domain.policies import evaluate
from seatkeeper_agent.domain.rules import RuleVerdict
from seatkeeper_agent.operations.orders.ports import PlacedOrder
from seatkeeper_agent.vendors.altigen.desk import CARD_NAME, MAIL_NAME, AltiGenDesk
from seatkeeper_agent.vendors.altigen.settings import AltiGenSettings
from seatkeeper_twins.altigen import people
from seatkeeper_twins.parts import control

MADE_AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
FRONT = PhoneSystem(
    "Front desk old", OLD, "Studio A", "Max1000", registered=True,
    assurance_until=date(2026, 6, 30), stations=20,
)  # fmt: skip
TARGETS = {
    NEW: PhoneSystem(
        "Front desk new", NEW, "Studio A", "Max2000", registered=True,
        assurance_until=date(2030, 6, 30), stations=25,
    ),
    SOFT: PhoneSystem(
        "Branch", SOFT, "Studio A", "software_only", registered=True,
        assurance_until=date(2030, 12, 31), stations=0,
    ),
}  # fmt: skip
KEYS = (LicenseKey(TEN, "ALTI-STATION-10"), LicenseKey(AGENTS, "ALTI-ACMAGENT-05"))


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    """A running twin of the demo's systems."""
    with running(tmp_path / "twin") as found:
        yield found


def desk_for(twin: Twin) -> AltiGenDesk:
    """A desk that sends its mail to the twin."""
    return AltiGenDesk(
        AltiGenSettings(
            dealer_id="D-1000", smtp_host="127.0.0.1", smtp_port=twin.smtp_port,
            smtp_starttls=False, sender="licenses@studio.example",
            recipient="support@vendor.example",
        )
    )  # fmt: skip


def ordered(target: str) -> Order:
    """Two keys for one of the targets."""
    return order(OrderLine(FRONT, TARGETS[target], KEYS), no_charge_purchase_order="PO 1")


def sent(twin: Twin, target: str) -> str:
    """Open a case, have the papers made and sent; the case's number."""
    desk, found = desk_for(twin), ordered(target)
    verdicts = {row.verdict for row in evaluate(desk.policy(), found)}
    assert verdicts == {RuleVerdict.MET}
    case = people.open_case(twin.at, target)
    made = {paper.name: paper for paper in desk.documents(found, case, MADE_AT)}
    assert set(made) >= {CARD_NAME, MAIL_NAME}
    desk.send(made[MAIL_NAME].content)
    people.fax(twin.at, case, ["credit_card_authorization"])
    return case


def test_an_order_between_two_chassis_to_its_end(twin: Twin) -> None:
    case = sent(twin, NEW)
    (mail,) = twin.describe()["mails"]
    assert (mail["case"], mail["documents"]) == (case, ["license_transfer_form"])
    assert twin.describe()["missing"][case] == []
    control.advance(24 * HOUR, twin.at)
    assert TEN not in people.register(twin.at, OLD)
    assert {TEN, AGENTS} <= set(people.register(twin.at, NEW, [TEN, AGENTS]))


def test_an_order_to_software_only_to_its_end(twin: Twin) -> None:
    case = sent(twin, SOFT)
    assert twin.describe()["missing"][case] == ["the no-charge purchase order"]
    people.purchase_order(twin.at, SOFT)
    control.advance(24 * HOUR, twin.at)
    (answer,) = twin.describe()["cases"][case]["answers"]
    issued = answer["text"].removeprefix("Moved: ").removesuffix(".").split(", ")
    products = {twin.describe()["keys"][key]["product"] for key in issued}
    assert products == {each.converted_product for each in KEYS}
    people.register(twin.at, OLD)
    assert set(people.register(twin.at, SOFT, issued)) == set(issued)


def test_the_card_page_is_for_paper_only(twin: Twin) -> None:
    sent(twin, NEW)
    assert b"card-authorization" not in people.mail(twin.at, 0)


def test_without_a_mail_server_a_person_sends_the_same_mail() -> None:
    desk = AltiGenDesk(AltiGenSettings())
    assert not desk.sends_mail
    found = ordered(NEW)
    without = desk.documents(found, None, MADE_AT)
    assert MAIL_NAME not in {paper.name for paper in without}
    assert desk.documents(found, "1", MADE_AT) == desk.documents(found, "1", MADE_AT)
    placed = PlacedOrder(found, Path("/papers/of/it"), "CAS-7")
    reported = (
        desk.case, desk.purchase_order, desk.mail, desk.authorize, desk.processing, desk.new_keys,
        desk.register_old, desk.register_new,
    )  # fmt: skip
    for instructions in (make(placed) for make in reported):
        assert all(step.endswith(".") for step in (*instructions.steps, instructions.verified_by))
    assert desk.processing(placed).seconds_max == 24 * HOUR
    assert OLD in " ".join(desk.register_old(placed).steps)
    new = " ".join(desk.register_new(placed).steps)
    assert all(name in new for name in (TEN, AGENTS, NEW))


def test_whoever_sends_the_papers_reads_which_where_and_to_whom() -> None:
    placed = PlacedOrder(ordered(NEW), Path("/papers/of/it"), "CAS-7")
    desk = AltiGenDesk(AltiGenSettings())
    by_hand = " ".join(desk.mail(placed).steps)
    for part in ("'an order'", "/papers/of/it", "CAS-7", "tsupport@altigen.com", "408-597-9020"):
        assert part in by_hand
    faxed = " ".join(desk.authorize(placed).steps)
    for part in ("'an order'", "/papers/of/it", "CAS-7", "408-597-9020"):
        assert part in faxed
    own = AltiGenDesk(AltiGenSettings(recipient="support@partner.example"))
    assert "support@partner.example" in " ".join(own.mail(placed).steps)


def test_new_keys_that_hold_less_than_the_old_ones_are_to_be_asked_about() -> None:
    desk = AltiGenDesk(AltiGenSettings())
    issued = (LicenseKey("SSW-1", "SSW-STATION-5"), LicenseKey("SSW-2", "SSW-ACMAGENT-05"))
    placed = PlacedOrder(ordered(SOFT), Path("/papers"), "CAS-7", issued)
    new = " ".join(desk.register_new(placed).steps)
    assert "enter SSW-1, SSW-2." in new
    assert "hold 5 of 10 station, 5 of 5 agent licenses: ask in the support case CAS-7" in new
    whole = (LicenseKey("SSW-1", "SSW-STATION-10"), issued[1])
    assert "ask in" not in " ".join(desk.register_new(replace(placed, new_keys=whole)).steps)
