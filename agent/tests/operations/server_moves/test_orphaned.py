# SPDX-License-Identifier: GPL-3.0-or-later
"""That a license is active nowhere is said only when both sides' words say so."""

from __future__ import annotations

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.server_moves import BackedUpLicense

from .bench import DECLARED, NEW, OLD, Bench, Host
from .machines import NUMBERS

EMERGENCY = "emergency activation of license"


def orphaned(host: Host) -> dict[str, tuple[str, str]]:
    """Where each license that may be nowhere is, and what is advised."""
    view = host.view()
    assert view is not None
    return {e["license"]: (e["place"], " ".join(e["advice"])) for e in view["adrift"]}


@pytest.mark.parametrize("which", ["bench", "bare"])
def test_a_license_that_the_target_holds_is_not_called_nowhere_by_the_source(
    which: str, request: pytest.FixtureRequest
) -> None:
    both: Bench = request.getfixturevalue(which)
    both.move("install")
    assert set(both.vendor.holders.values()) == {NEW}
    assert orphaned(both.new) == {}
    reported = orphaned(both.old)
    assert {place for place, _advice in reported.values()} == {"unknown"}
    for _place, advice in reported.values():
        assert f"is active on {NEW}, and run the playbook again" in advice
        assert EMERGENCY not in advice
    answer = both.leg("finish", document=both.run("install")["document"])
    assert answer["move"]["adrift"] == []


def test_between_release_and_installation_the_target_says_so(bench: Bench) -> None:
    """It has the source's signed word and its own eyes: both halves."""
    released = bench.move("release")
    assert {place for place, _advice in orphaned(bench.old).values()} == {"unknown"}
    bench.new.machine.refuse = {"activate"}
    bench.refused("install", document=released["document"])
    reported = orphaned(bench.new)
    assert set(reported) == set(NUMBERS)
    assert all(place == "nowhere" and EMERGENCY in advice for place, advice in reported.values())


def test_before_a_release_is_signed_the_target_cannot_have_it(bench: Bench) -> None:
    """What is deactivated so far is nowhere: the target has only signed that it is prepared."""
    prepared = bench.move("prepare")
    first = NUMBERS[0]

    point = bench.old.machine.point

    def refuse_the_next(name: str) -> None:
        point(name)
        if name.endswith(f"deactivate {first}.after"):
            bench.old.machine.refuse = {"deactivate"}

    bench.old.machine.point = refuse_the_next  # type: ignore[assignment]
    with pytest.raises(Problem, match="deactivating"):
        bench.confirmed("release", document=prepared["document"])
    place, advice = orphaned(bench.old)[first]
    assert place == "nowhere"
    assert EMERGENCY in advice


def test_what_the_target_has_refused_for_good_is_nowhere(bench: Bench) -> None:
    bench.move("release")
    refused = bench.run("install", refuse=True)
    bench.old.machine.refuse = {"activate"}
    with pytest.raises(Problem, match="activating"):
        bench.run("restore", document=refused["document"])
    assert {place for place, _advice in orphaned(bench.old).values()} == {"nowhere"}


def test_a_source_that_was_never_backed_up_is_declared_with_its_licenses(bare: Bench) -> None:
    bare.values = {"source_lost": True}
    planned = bare.run("prepare", dry_run=True, licenses=DECLARED)
    assert {row["rule"]: row["verdict"] for row in planned["report"]["rules"]}[
        "version"
    ] == "unknown"
    prepared = bare.leg("prepare", licenses=DECLARED)
    assert prepared["after"] == {"state": "prepared"}
    assert prepared["move"]["backup"]["server"] == OLD
    made_at = prepared["move"]["backup"]["made_at"]
    bare.new.clock.offset_seconds += 100
    again = bare.leg("prepare", licenses=DECLARED)
    assert (again["changed"], again["move"]["backup"]["made_at"]) == (False, made_at)
    plan = bare.run("install", dry_run=True, licenses=DECLARED)["plan"]
    assert plan["confirmation_required"]
    assert plan["steps"][0]["name"] == "support_release"
    installed = bare.leg("install", licenses=DECLARED, confirmation=plan["digest"])
    assert installed["after"] == {"state": "arrived"}
    assert set(bare.vendor.holders.values()) == {NEW}


def test_the_whole_plan_of_a_lost_source_is_shown_before_anything_has_run(bare: Bench) -> None:
    bare.values = {"source_lost": True}
    plan = bare.run("install", dry_run=True, licenses=DECLARED)["plan"]
    assert [step["name"] for step in plan["steps"]][:2] == [
        "support_release",
        f"activate {NUMBERS[0]}",
    ]
    assert bare.new.view() is None


def test_licenses_of_a_lost_source_that_cannot_be_are_refused(bare: Bench) -> None:
    bare.values = {"source_lost": True}
    twice = (*DECLARED, BackedUpLicense(NUMBERS[0], (), False))
    problem = bare.refused("prepare", licenses=twice)
    assert problem.code is ProblemCode.REQUEST_INVALID
    assert f"license {NUMBERS[0]} stands twice" in problem.detail
    assert bare.refused("prepare").code is ProblemCode.LEG_OUT_OF_ORDER
