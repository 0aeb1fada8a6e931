# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a migration: each by hand, and whatever is seen, nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper_agent.domain.eligibility import (
    ON_UNKNOWN,
    HeldLicense,
    Sighting,
    as_text,
    rules,
)
from seatkeeper_agent.domain.rules import OnUnknown, RuleRow, RuleVerdict, is_refused
from seatkeeper_agent.domain.servers import Dongle, ServerStatus

RULES = (
    "server_version", "one_dongle", "wibukey_driver", "dongle_local", "online_activated",
    "user_logged_in", "same_company", "licenses_movable", "vendor_criteria",
)  # fmt: skip
NEVER_SEEN = {"user_logged_in", "same_company", "licenses_movable", "vendor_criteria"}
"""What a host cannot show to be met."""

MET, NOT_MET, UNKNOWN = RuleVerdict.MET, RuleVerdict.NOT_MET, RuleVerdict.UNKNOWN


def dongle(path: str = "1-1", family: str = "wibukey", **values: Any) -> Dongle:
    """One that is plugged."""
    usual: dict[str, Any] = {"serial": f"serial {path}", "authorized": True}
    return Dongle(path, 0x064F, 0x0BD7, family, "a model", **usual | values)


CHOSEN, OTHER = dongle("1-1"), dongle("1-2")
STICK = dongle("1-3", "codemeter")
NEW_KIND = dongle("1-4", "wibu")
STATUS = ServerStatus("6.0.1", True, (), (), True, True, ("key",))
GOOD = Sighting(
    status=STATUS, driver_version="6.40", serves_this_host=True, dongles=(CHOSEN,), chosen=CHOSEN,
    hides_others=False, account="admin@studio.example", licenses=None,
)  # fmt: skip


def held(version: str, perpetual: bool) -> tuple[HeldLicense, ...]:
    """What is declared."""
    return (HeldLicense("V-Ray", version, perpetual),)


def seen(**changes: Any) -> Sighting:
    """The good one with changes; those that are the status's go there."""
    in_status = {name: changes.pop(name) for name in list(changes) if hasattr(STATUS, name)}
    licenses = in_status.pop("licenses", None)
    status = changes.pop("status", replace(STATUS, **in_status))
    return replace(GOOD, status=status, licenses=licenses, **changes)


def row(sighting: Sighting, rule: str) -> RuleRow:
    """One rule's row."""
    (found,) = (entry for entry in rules(sighting) if entry.rule == rule)
    return found


TABLE: list[tuple[str, dict[str, Any], RuleVerdict, str]] = [
    ("server_version", {"version": "4.5.0"}, MET, "4.5.0"),
    ("server_version", {"version": "4.4.9"}, NOT_MET, "4.4.9"),
    ("server_version", {"version": None}, UNKNOWN, "does not tell"),
    ("server_version", {"version": "newest"}, UNKNOWN, "newest"),
    ("server_version", {"status": None}, UNKNOWN, "does not tell"),
    ("one_dongle", {}, MET, "1: serial 1-1 at 1-1"),
    ("one_dongle", {"dongles": (CHOSEN, OTHER)}, NOT_MET, "2: "),
    ("one_dongle", {"dongles": (CHOSEN, OTHER), "hides_others": True}, UNKNOWN, "with 1 hidden"),
    ("one_dongle", {"hidden": 1}, MET, "with 1 hidden"),
    ("one_dongle", {"hidden": 1, "dongle_keys": ("a", "b")}, NOT_MET, "nevertheless"),
    ("one_dongle", {"hidden": 1, "dongle_keys": ()}, UNKNOWN, "seen at the server"),
    ("one_dongle", {"dongles": (CHOSEN, STICK)}, UNKNOWN, "and 1 of another kind"),
    ("one_dongle", {"dongles": (CHOSEN, NEW_KIND)}, UNKNOWN, "and 1 of another kind"),
    ("one_dongle", {"dongles": (CHOSEN, STICK), "hides_others": True}, UNKNOWN, "of another kind"),
    ("one_dongle", {"dongles": (CHOSEN, OTHER, STICK)}, NOT_MET, "2: "),
    ("one_dongle", {"dongles": ()}, NOT_MET, "none"),
    ("one_dongle", {"dongles": None}, UNKNOWN, "cannot be looked at"),
    ("one_dongle", {"chosen": STICK, "dongles": (CHOSEN, STICK)}, NOT_MET, "serial 1-3 is a"),
    ("one_dongle", {"chosen": STICK, "dongles": (STICK,)}, NOT_MET, "none"),
    ("one_dongle", {"chosen": NEW_KIND, "dongles": (NEW_KIND,)}, UNKNOWN, "serial 1-4 is a"),
    ("one_dongle", {"chosen": NEW_KIND, "dongles": (CHOSEN, NEW_KIND)}, NOT_MET, "1-4 is a"),
    ("wibukey_driver", {"driver_version": "6.00"}, MET, "6.00"),
    ("wibukey_driver", {"driver_version": "5.99"}, NOT_MET, "5.99"),
    ("wibukey_driver", {"driver_version": None}, UNKNOWN, "cannot be asked"),
    ("dongle_local", {}, MET, "the server lists 1 dongle"),
    ("dongle_local", {"dongle_keys": ("a", "b")}, MET, "lists 2 dongles"),
    ("dongle_local", {"dongle_keys": ()}, NOT_MET, "lists 0 dongles"),
    ("dongle_local", {"dongle_service": False, "dongle_keys": ()}, UNKNOWN, "service is off"),
    ("dongle_local", {"dongle_service": None}, UNKNOWN, "does not tell"),
    ("dongle_local", {"status": None}, UNKNOWN, "does not tell"),
    ("dongle_local", {"serves_this_host": False}, NOT_MET, "another machine"),
    ("dongle_local", {"dongles": (OTHER,)}, NOT_MET, "not on this host's USB"),
    ("dongle_local", {"dongles": None}, UNKNOWN, "not on this host's USB"),
    ("online_activated", {}, MET, "activated"),
    ("online_activated", {"activated": False}, NOT_MET, "not activated"),
    ("online_activated", {"activated": None}, UNKNOWN, "does not tell"),
    ("online_activated", {"status": None}, UNKNOWN, "does not tell"),
    ("user_logged_in", {}, UNKNOWN, "activated here for admin@studio.example"),
    ("user_logged_in", {"account": None}, UNKNOWN, "does not tell"),
    ("user_logged_in", {"activated": False}, NOT_MET, "nobody"),
    ("user_logged_in", {"status": None}, UNKNOWN, "does not tell"),
    ("same_company", {"target_user": "b@studio.example"}, UNKNOWN, "b@studio.example"),
    ("licenses_movable", {}, UNKNOWN, "nothing is declared"),
    ("licenses_movable", {"licenses": ()}, UNKNOWN, "nothing is declared"),
    ("licenses_movable", {"licenses": held("2.4", True)}, NOT_MET, "V-Ray 2.4 perpetual"),
    ("licenses_movable", {"licenses": held("2.4", True)}, NOT_MET, "nothing, as there is no other"),
    (
        "licenses_movable",
        {"licenses": (*held("2.4", True), *held("2.5", False), *held("3", True))},
        NOT_MET,
        "; of the rest could be moved: V-Ray 2.5 with an end date, V-Ray 3 perpetual",
    ),
    ("licenses_movable", {"licenses": held("2.4", False)}, MET, "nothing stays behind"),
    ("licenses_movable", {"licenses": held("3.0", True)}, MET, "nothing stays behind"),
    ("same_company", {"dongle_company": "A", "account_company": "A"}, MET, "the dongle of A"),
    ("same_company", {"dongle_company": "A", "account_company": "B"}, NOT_MET, "the account of B"),
    ("same_company", {"dongle_company": "A"}, UNKNOWN, "only the vendor knows"),
    ("licenses_movable", {"licenses": held("2.99.9", True)}, NOT_MET, "2.99.9"),
    ("licenses_movable", {"licenses": held("1.5", True)}, NOT_MET, "1.5"),
    ("vendor_criteria", {}, UNKNOWN, "cannot be observed"),
]


@pytest.mark.parametrize(("rule", "changes", "verdict", "word"), TABLE)
def test_by_hand(rule: str, changes: dict[str, Any], verdict: RuleVerdict, word: str) -> None:
    found = row(seen(**changes), rule)
    assert (found.verdict, word in found.observed) == (verdict, True), found


def test_nothing_speaks_against_a_good_one_and_nothing_promises_it() -> None:
    """The vendor may refuse for reasons that it does not give."""
    found = rules(GOOD)
    assert tuple(entry.rule for entry in found) == RULES
    assert {entry.rule for entry in found if entry.verdict is UNKNOWN} == NEVER_SEEN
    assert not is_refused(found)


BLOCKS, CONFIRMED, SHOWN = OnUnknown.BLOCKS, OnUnknown.CONFIRMED, OnUnknown.SHOWN
UNKNOWNS: list[tuple[str, dict[str, Any], OnUnknown, OnUnknown]] = [
    ("server_version", {"version": None}, BLOCKS, BLOCKS),
    ("one_dongle", {"dongles": None}, BLOCKS, BLOCKS),
    ("one_dongle", {"dongles": (CHOSEN, OTHER), "hides_others": True}, SHOWN, BLOCKS),
    ("one_dongle", {"hidden": 1, "dongle_keys": ()}, SHOWN, BLOCKS),
    ("one_dongle", {"dongles": (CHOSEN, STICK)}, CONFIRMED, CONFIRMED),
    ("one_dongle", {"chosen": NEW_KIND, "dongles": (NEW_KIND,)}, BLOCKS, BLOCKS),
    ("wibukey_driver", {"driver_version": None}, BLOCKS, BLOCKS),
    ("dongle_local", {"dongle_service": False, "dongle_keys": ()}, SHOWN, BLOCKS),
    ("online_activated", {"activated": None}, BLOCKS, BLOCKS),
    ("user_logged_in", {}, CONFIRMED, CONFIRMED),
    ("same_company", {}, CONFIRMED, CONFIRMED),
    ("licenses_movable", {}, CONFIRMED, CONFIRMED),
    ("vendor_criteria", {}, CONFIRMED, CONFIRMED),
]
"""Per rule: what makes it unknown, and what follows at the plan and right before the step."""


@pytest.mark.parametrize(("rule", "changes", "planned", "at_step"), UNKNOWNS)
def test_every_rule_says_what_an_unknown_does(
    rule: str, changes: dict[str, Any], planned: OnUnknown, at_step: OnUnknown
) -> None:
    for when, wanted in ((False, planned), (True, at_step)):
        (found,) = (entry for entry in rules(seen(**changes), when) if entry.rule == rule)
        if when and changes.get("hides_others"):
            continue  # They are hidden by then.
        assert (found.verdict, found.on_unknown) == (UNKNOWN, wanted)
        assert (found.blocks, bool(as_text((found,)))) == (
            wanted is BLOCKS,
            wanted is CONFIRMED,
        )


def test_no_rule_is_without_its_unknown() -> None:
    """All of them are in the table."""
    assert {entry[0] for entry in UNKNOWNS} == set(RULES) == set(ON_UNKNOWN)


VERSIONS = st.sampled_from([None, "", "x", "2.4", "3.0", "4.4.9", "4.5.0", "5.99", "6.00", "6.40"])
DONGLES = st.builds(
    dongle,
    path=st.sampled_from(["1-1", "1-2", "1-3", "2-1.4"]),
    family=st.sampled_from(["wibukey", "wibukey", "codemeter", "wibu", "hasp"]),
    authorized=st.sampled_from([True, None]),
)
STATUSES = st.none() | st.builds(
    ServerStatus,
    version=VERSIONS,
    activated=st.sampled_from([True, False, None]),
    licenses=st.just(()),
    offline_products=st.just(()),
    dongle_service=st.sampled_from([True, False, None]),
    dongle_available=st.sampled_from([True, False, None]),
    dongle_keys=st.sampled_from([(), ("a",), ("a", "b")]),
)
SIGHTINGS = st.builds(
    Sighting,
    status=STATUSES,
    driver_version=VERSIONS,
    serves_this_host=st.booleans(),
    dongles=st.none()
    | st.lists(DONGLES, max_size=4, unique_by=lambda entry: entry.path).map(tuple),
    chosen=DONGLES,
    hides_others=st.booleans(),
    account=st.sampled_from([None, "admin@studio.example"]),
    licenses=st.none()
    | st.lists(
        st.builds(HeldLicense, st.just("V-Ray"), st.sampled_from(["2.4", "3.0"]), st.booleans())
    ).map(tuple),
    target_user=st.sampled_from([None, "b@studio.example"]),
)


@given(SIGHTINGS)
def test_whatever_is_seen_every_rule_says_something(sighting: Sighting) -> None:
    """In the same order, with what is required, what was seen and what to do."""
    found = rules(sighting)
    assert tuple(entry.rule for entry in found) == RULES
    for entry in found:
        assert entry.required
        assert entry.observed
        assert entry.advice.endswith(".")
        assert entry.as_document()["verdict"] in ("met", "not_met", "unknown")
    blocked = [entry.verdict is UNKNOWN and entry.on_unknown is OnUnknown.BLOCKS for entry in found]
    assert is_refused(found) == (any(blocked) or any(e.verdict is NOT_MET for e in found))


@given(SIGHTINGS)
def test_what_no_host_can_show_is_never_met(sighting: Sighting) -> None:
    """Unknown, or seen not to be so, unless it is declared."""
    for rule in NEVER_SEEN - ({"licenses_movable"} if sighting.licenses else set()):
        assert row(sighting, rule).verdict is not MET
    for rule in ("same_company", "vendor_criteria"):
        assert row(sighting, rule).verdict is UNKNOWN


@given(SIGHTINGS)
def test_a_silent_server_and_an_unseen_bus_decide_nothing(sighting: Sighting) -> None:
    """What cannot be looked at is unknown, never guessed."""
    silent = rules(replace(sighting, status=None))
    for entry in silent:
        if entry.rule in ("server_version", "online_activated", "user_logged_in"):
            assert entry.verdict is UNKNOWN
    unseen = replace(sighting, dongles=None)
    assert row(unseen, "one_dongle").verdict is UNKNOWN
    assert row(unseen, "dongle_local").verdict is (UNKNOWN if unseen.serves_this_host else NOT_MET)


@given(SIGHTINGS)
def test_another_wibukey_never_helps(sighting: Sighting) -> None:
    """Without isolation."""
    present = sighting.dongles or ()
    second = dongle("9-9")
    sighting = replace(sighting, hides_others=False, dongles=(*present, sighting.chosen, second))
    assert row(sighting, "one_dongle").verdict is NOT_MET


@given(SIGHTINGS)
def test_hiding_the_others_never_harms(sighting: Sighting) -> None:
    """What is met without is met with."""
    plain, hidden = (
        row(replace(sighting, hides_others=hides), "one_dongle").verdict for hides in (False, True)
    )
    assert hidden is plain or hidden in (MET, UNKNOWN)


@given(SIGHTINGS)
def test_only_a_wibukey_that_is_there_may_be_alone(sighting: Sighting) -> None:
    """Never another one in its place."""
    if is_refused(rules(sighting)) or sighting.dongles is None:
        return
    same = [entry for entry in sighting.dongles if entry.family == "wibukey"]
    assert sighting.chosen in sighting.dongles
    assert sighting.chosen.family == "wibukey"
    if not sighting.hides_others:
        assert same in ([sighting.chosen], [])
