# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of all kinds are answered as recorded: status, problem, change and steps."""

from __future__ import annotations

import pytest

from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.operations import borrows

from .pairs import UNKNOWABLE, is_exempt, unforeseen
from .record import SCRIPTS, SLOW, compare, differences, recorded

NAMES = [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in SCRIPTS]


@pytest.mark.parametrize("name", NAMES)
def test_every_request_is_answered_as_recorded(name: str) -> None:
    compare(name)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_dry_run_refuses_what_the_run_refuses(name: str) -> None:
    """But for what no dry run can know, which stands in a table."""
    lines = recorded(name)
    lies = {
        title: f"run: {said}; dry run: {lines[f'{title}, dry run']}"
        for title, said in unforeseen(lines).items()
        if not is_exempt(lines, title, said)
    }
    assert not lies


def test_whatever_is_exempt_is_recorded() -> None:
    """A row of the table that nothing needs any more goes."""
    found = {said for name in SCRIPTS for said in unforeseen(recorded(name)).values()}
    assert found == set(UNKNOWABLE)


@pytest.mark.parametrize(
    ("planned", "run", "is_found"),
    [
        ("200, changed; plan: debit planned", "412 update-counter-stale", True),
        ("409 container-busy", "412 update-counter-stale", True),
        ("412 update-counter-stale", "412 update-counter-stale; journal: debit failed", False),
        ("200, changed; plan: debit planned", "428 confirmation-required", True),
        ("200, changed; plan to be confirmed: debit planned", "428 confirmation-required", False),
        ("409 container-busy", "200, changed", False),
    ],
)
def test_a_plan_of_what_the_run_refuses_is_found(planned: str, run: str, is_found: bool) -> None:
    lines = {"issue, dry run": planned, "issue, run": run}
    found = unforeseen(lines)
    assert any(not is_exempt(lines, title, said) for title, said in found.items()) is is_found


def test_another_code_of_one_problem_is_seen_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that refuses with another code than before does not pass."""

    class Codes:
        """The codes as they are, but for one."""

        DECLARATION_DIFFERS = ProblemCode.AMOUNT_INVALID

        def __getattr__(self, name: str) -> ProblemCode:
            return ProblemCode[name]

    monkeypatch.setattr(borrows, "ProblemCode", Codes())
    with pytest.raises(AssertionError) as caught:
        compare("borrows")
    title = "borrow of another item under a taken name"
    reported = "was  409 declaration-differs\n    is   400 amount-invalid"
    for run in ("dry run", "run"):
        assert f"{title}, {run}\n    {reported}" in str(caught.value)
    assert str(caught.value).count("    was  ") == 2, "and nothing else"


def test_what_is_missing_new_or_in_another_order_is_seen() -> None:
    was = {"one": "200", "two": "404 item-unknown"}
    assert differences(was, dict(was)) == []
    assert differences(was, {"one": "200"}) == [
        "two\n    was  404 item-unknown\n    is   not requested"
    ]
    assert differences(was, {**was, "three": "200"}) == [
        "three\n    was  not recorded\n    is   200"
    ]
    assert differences(was, dict(reversed(was.items()))) == ["the same requests in another order"]
    assert differences(was, {"one": "200"}, is_whole=False) == []
