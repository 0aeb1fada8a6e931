# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of rule at, below and above its limit; what is not declared is never a yes or a no."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.field_patterns import parse_pattern
from seatkeeper_agent.domain.orders import Order, OrderLine
from seatkeeper_agent.domain.policies import RULES_MAX, Policy, RuleKind, evaluate, parse
from seatkeeper_agent.domain.policy_checks import CHECKS
from seatkeeper_agent.domain.rules import RuleRow, RuleVerdict

from .phone_systems import CHASSIS, NEW, OLD, day, days, key, order, order_lines, system

MET, NOT_MET, UNKNOWN = RuleVerdict.MET, RuleVerdict.NOT_MET, RuleVerdict.UNKNOWN


def rule(kind: str, **parameters: Any) -> dict[str, Any]:
    """One rule of a document."""
    return {"id": "it", "kind": kind, "required": "so", "advice": "Do.", **parameters}


def rows(kind: str, given_order: Order, **parameters: Any) -> list[RuleRow]:
    """What one rule says of an order."""
    return list(evaluate(parse({"rules": [rule(kind, **parameters)]}), given_order))


def verdicts(kind: str, given_order: Order, **parameters: Any) -> list[RuleVerdict]:
    """Only the verdicts of it."""
    return [row.verdict for row in rows(kind, given_order, **parameters)]


def to(target: Any, *keys: Any, source: Any = OLD) -> Order:
    """An order of one move."""
    return order(OrderLine(source, target, keys or (key(),)))


@pytest.mark.parametrize(
    ("until", "verdict"),
    [
        ("2026-11-21", NOT_MET),
        ("2026-11-22", MET),  # the last day is a day of it
        ("2026-11-23", MET),
        (None, UNKNOWN),
    ],
)
def test_assurance_on_the_day_of_the_order(until: str | None, verdict: RuleVerdict) -> None:
    (row,) = rows("assurance_active", to(system("new", assurance_until=day(until))))
    assert row.verdict is verdict
    assert row.observed.startswith("new: ")
    assert until is None or until in row.observed


def test_assurance_of_the_source_is_no_rule() -> None:
    expired = system("old", assurance_until=day("2020-01-01"), registered=False)
    assert verdicts("assurance_active", to(NEW, source=expired)) == [MET]
    assert verdicts("registered", to(NEW, source=expired)) == [MET]


@pytest.mark.parametrize(
    ("registered", "verdict"), [(True, MET), (False, NOT_MET), (None, UNKNOWN)]
)
def test_registration_of_the_target(registered: bool | None, verdict: RuleVerdict) -> None:
    assert verdicts("registered", to(system("new", registered=registered))) == [verdict]


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        ("Studio A", "Studio A", MET),
        ("Studio A", "studio  a", MET),
        ("Studio A", "Studio B", NOT_MET),
        ("Studio A", "Studio AB", NOT_MET),
        ("", "Studio A", UNKNOWN),
        ("Studio A", "", UNKNOWN),
        ("", "", UNKNOWN),
    ],
)
def test_owners(source: str, target: str, verdict: RuleVerdict) -> None:
    found = to(system("new", owner=target), source=system("old", owner=source))
    assert verdicts("same_owner", found) == [verdict]


@pytest.mark.parametrize(
    ("product", "quantity", "verdict"),
    [
        ("ALTI-STATION-10", None, MET),
        ("ALTI-STATION-10", 9, NOT_MET),
        ("ALTI-STATION-10", 10, MET),
        ("ALTI-STATION-10", 11, NOT_MET),
        ("ALTI-STATION-1", 1, MET),
        ("ALTI-ACMAGENT-5", 4, NOT_MET),
        ("ALTI-TRUNK-4", None, MET),
        ("ALTI-TRUNK-4", 4, UNKNOWN),
    ],
)
def test_keys_move_whole(product: str, quantity: int | None, verdict: RuleVerdict) -> None:
    assert verdicts("whole_keys", to(NEW, key(1), key(2, product, quantity))) == [verdict]


def test_a_part_that_is_seen_outweighs_one_that_is_not() -> None:
    (row,) = rows("whole_keys", to(NEW, key(1, "ALTI-TRUNK-4", 4), key(2, quantity=3)))
    assert (row.verdict, row.observed) == (NOT_MET, "old to new: 3 of ALTI-STATION-10 (LK-0002)")


@pytest.mark.parametrize(
    ("chassis", "there", "arriving", "verdict"),
    [
        ("Max1000", 0, 50, MET),
        ("Max1000", 0, 51, NOT_MET),
        ("Max1000", 39, 10, MET),
        ("Max1000", 40, 10, MET),
        ("Max1000", 41, 10, NOT_MET),
        ("Max1000", 50, 1, NOT_MET),
        ("Max1000", 60, 1, NOT_MET),
        ("Max1000", None, 50, UNKNOWN),
        ("Max1000", None, 51, NOT_MET),  # too many however few are there
        ("max 1000", 41, 10, NOT_MET),
    ],
)
def test_stations_of_a_chassis_with_those_that_are_there(
    chassis: str, there: int | None, arriving: int, verdict: RuleVerdict
) -> None:
    target = system("new", chassis=chassis, stations=there)
    found = to(target, key(1, f"ALTI-STATION-{arriving}"))
    assert verdicts("chassis_limit", found, chassis="Max1000", stations_max=50) == [verdict]


@pytest.mark.parametrize(
    ("quantity", "there", "verdict"),
    [(None, 0, UNKNOWN), (None, 51, NOT_MET), (10, 40, MET), (11, 40, NOT_MET)],
)
def test_stations_whose_number_the_product_does_not_tell(
    quantity: int | None, there: int, verdict: RuleVerdict
) -> None:
    target = system("new", chassis="Max1000", stations=there)
    found = to(target, key(1, "ALTI-STATION", quantity), key(2, "ALTI-TRUNK-400"))
    assert verdicts("chassis_limit", found, chassis="Max1000", stations_max=50) == [verdict]


def test_stations_of_several_sources_and_moves_add_up() -> None:
    target = system("new", chassis="Max1000", stations=20)
    other = system("other")
    first, again = OrderLine(OLD, target, (key(1),)), OrderLine(OLD, target, (key(1), key(2)))
    limit = {"chassis": "Max1000", "stations_max": 50}
    # 20 there, LK-0001 and LK-0002 bring ten each, LK-0003 ten from another system.
    at_limit = order(first, again, OrderLine(other, target, (key(3),)))
    assert verdicts("chassis_limit", at_limit, **limit) == [MET]
    above = order(first, again, OrderLine(other, target, (key(3), key(4, "ALTI-STATION-1"))))
    (row,) = rows("chassis_limit", above, **limit)
    assert row.verdict is NOT_MET
    assert row.observed == "new (Max1000): 20 there and 31 moved to it, 51 in all"


@pytest.mark.parametrize(
    ("leaving", "verdict"),
    [
        ("ALTI-STATION-9", NOT_MET),  # 45 - 9 + 15 are 51
        ("ALTI-STATION-10", UNKNOWN),  # 50 in the end, 60 if they arrive first
        ("ALTI-STATION", UNKNOWN),  # nobody knows how many leave
        ("ALTI-TRUNK-10", NOT_MET),
    ],
)
def test_stations_that_leave_help_only_if_they_leave_first(
    leaving: str, verdict: RuleVerdict
) -> None:
    middle = system("middle", chassis="Max1000", stations=45)
    found = order(
        OrderLine(OLD, middle, (key(1, "ALTI-STATION-15"),)),
        OrderLine(middle, NEW, (key(2, leaving),)),
    )
    assert verdicts("chassis_limit", found, chassis="Max1000", stations_max=50) == [verdict]


@pytest.mark.parametrize("chassis", [name for name in CHASSIS if name not in ("Max1000", "")])
def test_another_chassis_has_no_row(chassis: str) -> None:
    target = system("new", chassis=chassis, stations=500)
    assert not rows("chassis_limit", to(target), chassis="Max1000", stations_max=50)
    assert not rows("documents", to(target), chassis="Max1000", names=["form"])


def test_a_chassis_that_is_not_declared_may_be_the_one() -> None:
    found = to(system("new", chassis=""))
    assert verdicts("chassis_limit", found, chassis="Max1000", stations_max=50) == [UNKNOWN]
    assert verdicts("documents", found, chassis="Max1000", names=["form"]) == [UNKNOWN]


def test_a_move_leads_to_another_system() -> None:
    found = order(OrderLine(OLD, NEW, (key(1),)), OrderLine(NEW, NEW, (key(2),)))
    assert verdicts("different_systems", found) == [MET, NOT_MET]


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [([[1, 2]], MET), ([[1, 1]], NOT_MET), ([[1], [1]], NOT_MET), ([[1], [2, 3], [4]], MET)],
)
def test_keys_are_named_once(numbers: list[list[int]], verdict: RuleVerdict) -> None:
    targets = [system(f"t{number}") for number in range(len(numbers))]
    found = order(
        *(
            OrderLine(OLD, target, tuple(map(key, several)))
            for target, several in zip(targets, numbers, strict=True)
        )
    )
    assert verdicts("keys_unique", found) == [verdict]


def test_documents_are_made_sent_in_a_step_declared_or_unknown() -> None:
    soft = system("soft", chassis="software-only")
    wanted = {"chassis": "software_only"}
    names = ["software_only_worksheet", "no_charge_purchase_order"]
    (row,) = rows("documents", to(soft), names=names, **wanted)
    assert row.verdict is MET
    assert row.observed == (
        "soft: software_only_worksheet is made with the order; no_charge_purchase_order is sent in"
        " a step of its own"
    )
    (row,) = rows("documents", to(soft), names=["consent"], **wanted)
    assert (row.verdict, row.observed) == (UNKNOWN, "soft: consent is not declared")
    declared = order(OrderLine(OLD, soft, (key(),)), no_charge_purchase_order="PO 4711")
    (row,) = rows("documents", declared, names=names, **wanted)
    assert (row.verdict, row.observed.rpartition("; ")[2]) == (
        MET, "no_charge_purchase_order is PO 4711",
    )  # fmt: skip
    assert verdicts("documents", to(soft), names=names[:1], **wanted) == [MET]


@pytest.mark.parametrize(
    ("kind", "parameters", "value", "verdict"),
    [
        ("field_required", {}, "1", MET),
        ("field_required", {}, "", NOT_MET),
        ("field_required", {}, None, NOT_MET),
        ("field_in", {"values": ["a", "b"]}, "b", MET),
        ("field_in", {"values": ["a", "b"]}, "c", NOT_MET),
        ("field_in", {"values": ["a", "b"]}, "A", NOT_MET),
        ("field_in", {"values": ["a", "b"]}, None, UNKNOWN),
        ("field_matches", {"pattern": r"CC-\d{4}"}, "CC-1234", MET),
        ("field_matches", {"pattern": r"CC-\d{4}"}, "CC-12345", NOT_MET),
        ("field_matches", {"pattern": r"CC-\d{4}"}, "xCC-1234", NOT_MET),
        ("field_matches", {"pattern": r"CC-\d{4}"}, None, UNKNOWN),
        ("field_matches", {"pattern": r"CC-\d+|[A-Z]{2}"}, "XY", MET),
    ],
)
def test_rules_on_the_operators_own_fields(
    kind: str, parameters: dict[str, Any], value: str | None, verdict: RuleVerdict
) -> None:
    fields = {} if value is None else {"cost_centre": value}
    assert verdicts(kind, order(**fields), field="cost_centre", **parameters) == [verdict]


def test_a_row_for_each_target_and_each_pair() -> None:
    third = system("third")
    found = order(
        OrderLine(OLD, NEW, (key(1),)), OrderLine(OLD, third, (key(2),)),
        OrderLine(third, NEW, (key(3),)), OrderLine(OLD, NEW, (key(4),)),
    )  # fmt: skip
    wanted = {
        "registered": 2, "assurance_active": 2, "same_owner": 3, "whole_keys": 4, "keys_unique": 1,
    }  # fmt: skip
    assert {kind: len(rows(kind, found)) for kind in wanted} == wanted
    assert [row.observed.partition(":")[0] for row in rows("same_owner", found)] == [
        "old to new", "old to third", "third to new",
    ]  # fmt: skip


def test_a_row_tells_who_demands_it() -> None:
    (row,) = rows("registered", order(), source="contract 7")
    assert (row.rule, row.required, row.advice) == ("it", "so (contract 7)", "Do.")


def test_policies_are_put_together_without_changing_each_other() -> None:
    vendor = parse({"rules": [rule("registered")]})
    own = parse({"rules": [rule("field_required", field="cost_centre") | {"id": "cost"}]})
    both = vendor.with_more(own)
    assert [row.rule for row in evaluate(both, order())] == ["it", "cost"]
    with pytest.raises(ValueError, match="'it' exists already"):
        both.with_more(vendor)


LIMIT = rule("chassis_limit", chassis="Max1000", stations_max=50)
MATCHES = rule("field_matches", field="cost_centre", pattern="x")


@pytest.mark.parametrize(
    ("document", "reported"),
    [
        ([], 'a policy must be an object with the one member "rules"'),
        ({"rules": [], "more": 1}, "the one member"),
        ({"rules": {}}, "rules must be a list"),
        ({"rules": [rule("registered")] * (RULES_MAX + 1)}, "at most 200 rules"),
        ({"rules": ["registered"]}, "rule 1 must be an object"),
        ({"rules": [rule("registered") | {"id": "My Rule"}]}, "rule 1: id must be lower-case"),
        ({"rules": [rule("registered")] * 2}, "rule 2: the id 'it' is taken"),
        ({"rules": [rule("magic")]}, "rule 1 (it): kind must be one of assurance_active"),
        ({"rules": [rule("registered") | {"kind": None}]}, "kind must be one of"),
        ({"rules": [rule("registered") | {"kind": [1]}]}, "kind must be one of"),
        ({"rules": [rule("registered", chassis="x")]}, "'chassis' is unknown for the kind"),
        ({"rules": [rule("registered", required="")]}, "rule 1 (it): required must be a text"),
        ({"rules": [rule("registered", advice="a\nb")]}, "advice must be a text of one line"),
        ({"rules": [rule("registered", source=None)]}, "source must be a text"),
        ({"rules": [rule("chassis_limit", chassis="x")]}, "stations_max must be a whole number"),
        ({"rules": [LIMIT | {"stations_max": -1}]}, "from 0 to 1000000"),
        ({"rules": [LIMIT | {"stations_max": True}]}, "stations_max must be a whole number"),
        ({"rules": [LIMIT | {"stations_max": 50.0}]}, "stations_max must be a whole number"),
        ({"rules": [rule("documents", chassis="x", names=[])]}, "names must be a list of 1"),
        ({"rules": [rule("documents", chassis="x", names=["A b"])]}, "names must be lower-case"),
        ({"rules": [rule("field_in", field="a", values="abc")]}, "values must be a list"),
        ({"rules": [rule("field_in", field="a", values=[1])]}, "values must be a text"),
        ({"rules": [rule("field_required")]}, "field must be lower-case"),
        ({"rules": [MATCHES | {"pattern": "(a+)+"}]}, "pattern must be made of letters"),
        ({"rules": [MATCHES | {"pattern": "x" * 201}]}, "pattern must be a text"),
    ],
)
def test_a_policy_that_cannot_be_used_is_named(document: Any, reported: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        parse(document)
    assert reported in str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a|b)", "^a", "a$", "a**", "a*?", "a++", "a{3}{4}", "a?{3}", "[", "[a", "a]", "[z-a]",
        "{3}", "*", r"\1", r"\b", "[[:alpha:]]", "[a--]", "a{201}", "a{0,201}", ".*.*.*.*", "a\nb",
        "", "(?i)a", "a{5,2}",
    ],
)  # fmt: skip
def test_a_pattern_that_may_never_end_or_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|repeats|is not)"):
        parse_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("CC-[0-9]{4,6}", "CC-12345", "CC-123"),
        (r"[A-Za-z_\-]+\.[^0-9]", "a-b.c", "a-b.1"),
        ("[a-]{2}", "-a", "ab"),
        ("ä+", "ää", "a"),
        ("a|b|c?", "", "ab"),
        ("a{,2}", "aa", "aaa"),
        (r"\(\d\)", "(1)", "1"),
    ],
)
def test_usual_patterns_are_taken(pattern: str, fits: str, fits_not: str) -> None:
    found = parse_pattern(pattern)
    assert found.fullmatch(fits)
    assert not found.fullmatch(fits_not)


@pytest.mark.parametrize("pattern", [".*.*.*x", "a{0,200}a{0,200}a{0,200}b", "[ab]*[ab]*.{50}.*c"])
def test_the_worst_pattern_ends_soon(pattern: str) -> None:
    found = parse_pattern(pattern)
    began = time.process_time()
    assert not found.fullmatch("a" * 200)
    assert time.process_time() - began < 5


texts = st.text(max_size=12)
values = st.none() | st.booleans() | st.integers(-2, 300) | texts | st.lists(texts, max_size=2)
FIELDS = ("cost_centre", "approval")
chassis = st.sampled_from([name for name in CHASSIS if name])
names = st.lists(st.sampled_from(("software_only_worksheet", *FIELDS)), min_size=1, max_size=2)
fields = st.sampled_from(FIELDS)
PARAMETERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "chassis_limit": {"chassis": chassis, "stations_max": st.integers(0, 120)},
    "documents": {"chassis": chassis, "names": names},
    "field_required": {"field": fields},
    "field_in": {"field": fields, "values": st.lists(texts, min_size=1, max_size=2)},
    "field_matches": {"field": fields, "pattern": st.sampled_from((r"\d+", "a|b", ".*")) | texts},
}


@st.composite
def kinds(draw: st.DrawFn) -> dict[str, Any]:
    """A rule of any kind; some have a member too many."""
    kind = draw(st.sampled_from(RuleKind)).value
    found = draw(st.fixed_dictionaries(PARAMETERS.get(kind, {})))
    more = {"more": 1} if draw(st.integers(0, 20)) == 0 else {}
    return rule(kind, **found, **more)


def parsed(document: Any) -> Policy | None:
    """The policy, or None where it is refused in one sentence."""
    try:
        return parse(document)
    except ValueError as error:
        if "\n" in str(error):
            raise
        return None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(kinds(), min_size=1, max_size=4), order_lines(), days,
    st.dictionaries(fields, st.sampled_from(("", "a", "12"))),
)  # fmt: skip
def test_a_parsed_policy_can_judge_every_order(
    rules: list[dict[str, Any]],
    ordered: tuple[OrderLine, ...],
    on: Any,
    given_fields: dict[str, str],
) -> None:
    for entry in rules:
        policy = parsed({"rules": [entry]})
        if policy is None:
            continue
        for row in evaluate(policy, order(*ordered, on=on, **given_fields)):
            assert row.observed
            assert "\n" not in row.observed
            assert row.rule == entry["id"]


members = st.sampled_from(("rules", "id", "kind", "field", "x"))
documents = st.recursive(
    values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=40, deadline=None)
@given(documents)
def test_any_document_is_a_policy_or_refused_in_one_sentence(document: Any) -> None:
    for given_document in (document, {"rules": document}, {"rules": [document]}):
        policy = parsed(given_document)
        assert policy is None or isinstance(policy, Policy)


@settings(max_examples=40, deadline=None)
@given(texts)
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    policy = parsed({"rules": [MATCHES | {"pattern": text}]})
    assert policy is None or evaluate(policy, order(cost_centre="a" * 200))


def test_every_kind_has_a_check() -> None:
    assert set(CHECKS) == {kind.value for kind in RuleKind}
