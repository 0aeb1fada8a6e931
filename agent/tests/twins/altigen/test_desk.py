# SPDX-License-Identifier: GPL-3.0-or-later
"""What the desk does with a case, and what a phone system takes in; nothing is ever lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.altigen.desk import Desk
from seatkeeper_twins.altigen.models import CARD, FORM, WORKSHEET
from seatkeeper_twins.altigen.twin import create_twin, demo_seed
from seatkeeper_twins.parts.web import Refusal

from .running import AGENTS, HOUR, NEW, OLD, OTHER_TEN, SOFT, TEN, letter

SENDER, RECIPIENTS = "licenses@studio.example", ["support@vendor.example"]
Maker = Callable[..., Desk]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Make a desk of the demo's systems, with changes to them and to how it works."""

    def made(systems: dict[str, dict[str, Any]] | None = None, **changes: Any) -> Desk:
        seed = demo_seed()
        for system_key, values in (systems or {}).items():
            seed["systems"][system_key].update(values)
        return Desk(create_twin(tmp_path / "twin", {**seed, **changes}))

    return made


def received(desk: Desk, *keys: str, target: str = NEW, says: str = "") -> str:
    """A case with all documents for these keys; its number."""
    number = desk.open_case(target, says_upgrade=False)
    names = ("license-transfer-form.html", "card.pdf.html", "worksheet.html")
    desk.receive(SENDER, RECIPIENTS, letter(f"Case {number}", f"{says} {' '.join(keys)}", names))
    return number


def answers(desk: Desk, number: str) -> list[str]:
    """What the desk has written into a case."""
    return [answer["text"] for answer in desk.state["cases"][number]["answers"]]


def case_list(desk: Desk) -> dict[str, str]:
    """The system of each key by the vendor's books."""
    return {key: entry["system"] for key, entry in desk.state["keys"].items()}


def active(desk: Desk) -> list[str]:
    """The keys that are active in some machine."""
    return sorted(key for each in desk.state["systems"].values() for key in each["licenses"])


def test_licenses_are_moved_within_the_hours_of_the_desk(make: Maker) -> None:
    desk = make()
    number = received(desk, TEN, AGENTS)
    desk.advance(4 * HOUR - 60)
    assert (answers(desk, number), case_list(desk)[TEN]) == ([], OLD)
    desk.advance(120)
    assert answers(desk, number) == [f"Moved: {TEN}, {AGENTS}."]
    assert (case_list(desk)[TEN], case_list(desk)[AGENTS], case_list(desk)[OTHER_TEN]) == (
        NEW,
        NEW,
        OLD,
    )


def test_the_old_system_is_registered_before_the_new_one(make: Maker) -> None:
    desk = make()
    received(desk, TEN)
    with pytest.raises(Refusal, match="not associated"):
        desk.register(NEW, [TEN])
    desk.advance(5 * HOUR)
    before = active(desk)
    with pytest.raises(Refusal, match="Front desk old still has"):
        desk.register(NEW, [TEN])
    assert active(desk) == before
    assert TEN not in desk.register(OLD, [])
    assert desk.register(NEW, [TEN]) == desk.register(NEW, [TEN])
    assert active(desk) == before
    with pytest.raises(Refusal, match="not associated"):
        desk.register(OLD, [TEN])


def test_late_is_after_the_24_hours(make: Maker) -> None:
    desk = make(conduct="late")
    number = received(desk, TEN)
    desk.advance(25 * HOUR)
    assert answers(desk, number) == []
    desk.advance(6 * HOUR)
    assert case_list(desk)[TEN] == NEW


def test_wrongly_leaves_a_key_behind_and_says_otherwise(make: Maker) -> None:
    desk = make(conduct="wrongly")
    number = received(desk, TEN, OTHER_TEN)
    desk.advance(5 * HOUR)
    assert answers(desk, number) == [f"Moved: {TEN}, {OTHER_TEN}."]
    assert (case_list(desk)[TEN], case_list(desk)[OTHER_TEN]) == (NEW, OLD)
    desk.register(OLD, [])
    with pytest.raises(Refusal, match=OTHER_TEN):
        desk.register(NEW, [TEN, OTHER_TEN])
    desk.note(number, "one key is missing")
    desk.advance(5 * HOUR)
    desk.register(OLD, [])
    assert {TEN, OTHER_TEN} <= set(desk.register(NEW, [TEN, OTHER_TEN]))


def test_never_is_not_at_all_until_the_desk_works_again(make: Maker) -> None:
    desk = make(conduct="never")
    number = received(desk, TEN)
    desk.advance(300 * 24 * HOUR)
    assert answers(desk, number) == []
    desk.set_values({"conduct": "in_time"})
    assert case_list(desk)[TEN] == NEW


@pytest.mark.parametrize(
    ("systems", "keys", "reported"),
    [
        ({NEW: {"registered": False}}, [TEN], "not registered"),
        ({NEW: {"assurance_until": "2020-01-01"}}, [TEN], "Software Assurance"),
        ({NEW: {"owner": "Studio B"}}, [TEN], "different owners"),
        (
            {NEW: {"chassis": "Max1000", "keys": {"A": "ALTI-STATION-41"}}},
            [TEN], "51 station licenses are more than the 50 of a Max1000",
        ),
        (
            {NEW: {"chassis": "Max1000", "keys": {"A": "ALTI-STATION-40"}}}, [TEN], None,
        ),
        (
            {NEW: {"chassis": "Max2000", "keys": {"A": "ALTI-STATION-81"}}},
            [TEN, OTHER_TEN], "101 station licenses are more than the 100 of a Max2000",
        ),
    ],
)  # fmt: skip
def test_the_desk_keeps_the_vendors_rules(
    make: Maker, systems: dict[str, dict[str, Any]], keys: list[str], reported: str | None
) -> None:
    desk = make(systems)
    number = received(desk, *keys)
    desk.advance(5 * HOUR)
    (answer,) = answers(desk, number)
    assert answer.startswith("Moved: " if reported is None else "Not moved: ")
    assert reported is None or reported in answer
    assert (case_list(desk)[TEN] == NEW) is (reported is None)


def test_a_refused_case_is_looked_at_again(make: Maker) -> None:
    desk = make({NEW: {"registered": False}})
    number = received(desk, TEN)
    desk.advance(5 * HOUR)
    desk.set_values({"systems": {NEW: {"registered": True}}})
    desk.note(number, "it is registered now")
    desk.advance(5 * HOUR)
    assert case_list(desk)[TEN] == NEW


def test_what_is_missing_is_said_once_and_the_hours_begin_when_it_is_there(make: Maker) -> None:
    desk = make()
    number = desk.open_case(NEW, says_upgrade=False)
    desk.receive(SENDER, RECIPIENTS, letter(f"Case {number}", TEN))
    desk.advance(30 * HOUR)
    assert answers(desk, number) == ["Missing: the Credit Card Authorization."]
    desk.fax(number, [CARD], [])
    desk.advance(3 * HOUR)
    assert case_list(desk)[TEN] == OLD
    desk.advance(2 * HOUR)
    assert case_list(desk)[TEN] == NEW


def test_all_can_come_by_fax(make: Maker) -> None:
    desk = make()
    number = desk.open_case(NEW, says_upgrade=False)
    desk.fax(number, [FORM, CARD], [TEN])
    desk.advance(5 * HOUR)
    assert case_list(desk)[TEN] == NEW
    for wrong in (lambda: desk.fax(number, ["letter"], []), lambda: desk.fax(number, [], ["LK"])):
        with pytest.raises(Refusal):
            wrong()


def test_software_only_takes_worksheet_purchase_order_and_a_word(make: Maker) -> None:
    desk = make()
    number = desk.open_case(SOFT, says_upgrade=False)
    names = ("license-transfer-form.html", "card.html")
    desk.receive(SENDER, RECIPIENTS, letter(f"Case {number}", f"{TEN} {AGENTS}", names))
    assert desk.describe()["missing"][number] == [
        "the Software Only Solution License Migration Worksheet",
        "the no-charge purchase order",
        "a word on whether it is an upgrade from an Office or Max server",
    ]
    says = "this is an upgrade from an Office or Max server to software-only"
    desk.receive(SENDER, RECIPIENTS, letter(f"{number}", says, ("worksheet.html",)))
    desk.order_at_no_charge(SOFT)
    assert desk.describe()["missing"][number] == []
    assert set(desk.state["cases"][number]["documents"]) == {FORM, CARD, WORKSHEET}
    desk.advance(5 * HOUR)
    issued = {key: entry for key, entry in desk.state["keys"].items() if entry["system"] == SOFT}
    assert {(entry["instead_of"], entry["product"]) for entry in issued.values()} == {
        (TEN, "SSW-STATION-10"), (AGENTS, "SSW-ACMAGENT-05"),
    }  # fmt: skip
    with pytest.raises(Refusal, match="still has"):
        desk.register(SOFT, list(issued))
    desk.register(OLD, [])
    assert set(desk.register(SOFT, list(issued))) == set(issued)


def test_a_mail_without_a_known_case_is_kept_and_does_nothing(make: Maker) -> None:
    desk = make()
    desk.open_case(NEW, says_upgrade=False)
    desk.receive(SENDER, RECIPIENTS, letter("Case CAS-999999", TEN))
    desk.advance(48 * HOUR)
    assert [mail["case"] for mail in desk.state["mails"]] == [None]
    assert case_list(desk)[TEN] == OLD


def test_the_same_mail_twice_moves_once(make: Maker) -> None:
    desk = make(card_required=False)
    number = desk.open_case(NEW, says_upgrade=False)
    for _ in range(2):
        desk.receive(SENDER, RECIPIENTS, letter(f"Case {number}", TEN))
    desk.advance(5 * HOUR)
    assert answers(desk, number) == [f"Moved: {TEN}."]


def test_a_key_is_known_by_its_whole_name(make: Maker) -> None:
    desk = make({NEW: {"keys": {"LK10-AAAA-00": "ALTI-STATION-1"}}})
    number = received(desk, f"({TEN}),")
    assert desk.state["cases"][number]["keys"] == [TEN]


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"systems": {"K": {"name": "a"}}}, "systems['K'].owner"),
        ({"conduct": "slow"}, "conduct must be one of in_time"),
        ({"answer_seconds": -1}, "answer_seconds must be a number of seconds"),
        ({"late_seconds": 40 * 86_400}, "late_seconds must be a number"),
        ({"mailbox": {"user": "a"}}, "needed together"),
        ({"more": 1}, "unknown key 'more'"),
    ],
)
def test_a_seed_that_cannot_be_used_is_named(
    tmp_path: Path, changes: dict[str, Any], reported: str
) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        create_twin(tmp_path / "twin", {**demo_seed(), **changes})
    assert reported in str(caught.value)
    assert not (tmp_path / "twin").exists()


def test_a_key_has_one_system_in_a_seed(tmp_path: Path) -> None:
    seed = demo_seed()
    seed["systems"][NEW]["keys"][TEN] = "ALTI-STATION-10"
    with pytest.raises(ValueError, match="belongs to another system"):
        create_twin(tmp_path / "twin", seed)
