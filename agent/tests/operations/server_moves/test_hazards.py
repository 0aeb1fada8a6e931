# SPDX-License-Identifier: GPL-3.0-or-later
"""What could lose or double a license although every leg is asked for in its order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.server_moves import (
    LicenseState,
    MovableLicense,
    MovableServer,
    ServerBackup,
)
from seatkeeper_agent.operations.ports import DriverUnavailable
from seatkeeper_agent.operations.server_moves.ports import CommandReport

from .bench import OLD, Bench, declaration
from .machines import NUMBERS

FIRST, SECOND, _THIRD = NUMBERS


def late(bench: Bench, number: str) -> None:
    """The vendor deactivates one license only after its command was seen to have done nothing."""
    machine, original = bench.old.machine, bench.old.machine.deactivate

    def slow(requested: str) -> Any:
        machine.refuse = {"deactivate"} if requested == number else set()
        return original(requested)

    machine.deactivate = slow  # type: ignore[method-assign]
    document = bench.move("prepare")["document"]
    with pytest.raises(Problem, match="It is refused"):
        bench.confirmed("release", document=document)
    bench.vendor.deactivate(OLD, number)


def test_a_product_that_is_gone_does_not_show_that_a_license_has_left(bench: Bench) -> None:
    document = bench.move("prepare")["document"]
    machine, observed = bench.old.machine, bench.old.machine.observe

    def unmounted() -> MovableServer:
        server = observed()
        gone = replace(server, installed=False, licenses=(), reports_licenses=True)
        return gone if machine.maintenance else server

    machine.observe = unmounted  # type: ignore[method-assign]
    with suppress(Problem):
        bench.confirmed("release", document=document)
    view = bench.old.view()
    assert view is not None
    assert [entry["released"] for entry in view["licenses"]] == [None, None, None]
    assert "released" not in view["documents"]


def test_what_left_late_is_taken_back_as_well(bench: Bench) -> None:
    late(bench, SECOND)
    with pytest.raises(Problem, match="can no longer be given up"):
        bench.old.moves.give_up(declaration().id, "me", False)
    assert bench.leg("restore")["after"] == {"state": "restored"}
    assert set(bench.vendor.holders.values()) == {OLD}


def test_a_move_is_not_given_up_after_a_license_has_left_late(bench: Bench) -> None:
    late(bench, FIRST)
    with pytest.raises(Problem, match="can no longer be given up"):
        bench.old.moves.give_up(declaration().id, "me", False)
    view = bench.old.view()
    assert view is not None
    assert view["state"] == "releasing"


def test_giving_up_looks_again_when_others_were_faster(bench: Bench) -> None:
    document = bench.move("prepare")["document"]
    bench.old.machine.errors["set_maintenance"] = [DriverUnavailable("it is down")]
    with pytest.raises(Problem):
        bench.confirmed("release", document=document)
    service = bench.old.moves
    was_on = service._has_switched_maintenance_on

    def slow(record: Any) -> bool:
        bench.confirmed("release", document=document)
        return was_on(record)

    service._has_switched_maintenance_on = slow  # type: ignore[method-assign]
    with pytest.raises(Problem):
        service.give_up(declaration().id, "me", False)
    view = bench.old.view()
    assert view is not None
    assert view["state"] == "released"
    assert view["operation"]["state"] == "done"


def test_a_word_does_not_count_against_what_is_seen_at_the_end(bench: Bench) -> None:
    document = bench.move("prepare")["document"]
    machine, deactivate = bench.old.machine, bench.old.machine.deactivate

    def unseen(number: str) -> CommandReport:
        machine.hidden = True
        return deactivate(number)

    machine.deactivate, machine.refuse = unseen, {"deactivate"}  # type: ignore[method-assign]
    with pytest.raises(Problem) as caught:
        bench.confirmed("release", document=document)
    assert caught.value.code is ProblemCode.IN_DOUBT
    machine.deactivate = deactivate  # type: ignore[method-assign]
    machine.hidden, machine.refuse = False, set()
    with pytest.raises(Problem) as caught:
        bench.old.attest(True, "I believe that it went through.")
    assert caught.value.code is ProblemCode.LICENSE_NOT_RELEASED
    view = bench.old.view()
    assert view is not None
    assert "released" not in view["documents"]
    assert bench.vendor.holders[FIRST] == OLD
    assert bench.leg("release", document=document)["after"] == {"state": "released"}
    assert set(bench.vendor.holders.values()) == {None}


def test_what_was_confirmed_is_held_against_the_server_before_each_deactivation(
    bench: Bench,
) -> None:
    document = bench.move("prepare")["document"]
    switch = bench.old.machine.set_maintenance

    def drifting(enabled: bool) -> Any:
        bench.old.machine.profiles["Another"] = FIRST
        return switch(enabled)

    bench.old.machine.set_maintenance = drifting  # type: ignore[method-assign]
    with pytest.raises(Problem) as caught:
        bench.confirmed("release", document=document)
    assert caught.value.code is ProblemCode.BACKUP_CONTRADICTED
    assert bench.vendor.events == []


def test_a_backup_from_before_another_move_releases_nothing(bare: Bench) -> None:
    other = declaration(name="to a third", target_host="third.studio.example")
    bare.run("backup", move=other)
    backup = bare.old.backups.read()
    prepared = bare.leg("prepare", backup=backup, move=other)["document"]
    bare.move()
    problem = bare.refused("release", document=prepared, move=other)
    assert problem.code is ProblemCode.BACKUP_CONTRADICTED
    assert bare.old.waiting() == []
    bare.old.clock.offset_seconds += 10
    bare.old.moves.give_up(other.id, "me", False)
    bare.run("backup", move=other)
    problem = bare.refused("release", document=prepared, move=other)
    assert problem.code is ProblemCode.CONFIRMATION_REQUIRED, "somebody has said that they are back"


def test_nothing_leaves_for_a_target_that_has_refused(bench: Bench) -> None:
    backup = ServerBackup.from_document(bench.leg("backup")["backup"])
    bench.leg("prepare", backup=backup)
    bench.run("install", refuse=True)
    assert bench.refused("prepare", backup=backup).code is ProblemCode.LEG_OUT_OF_ORDER
    for leg, dry_run in (("prepare", True), ("install", True), ("install", False)):
        with pytest.raises(Problem) as caught:
            bench.run(leg, dry_run=dry_run, backup=backup)
        assert caught.value.code is ProblemCode.LEG_OUT_OF_ORDER


def test_maintenance_mode_that_was_on_before_stays_on_when_a_move_is_given_up(
    bench: Bench,
) -> None:
    bench.old.machine.maintenance = True
    document = bench.move("prepare")["document"]
    bench.old.machine.errors["deactivate"] = [DriverUnavailable("it is down")]
    with pytest.raises(Problem):
        bench.confirmed("release", document=document)
    assert bench.old.moves.give_up(declaration().id, "me", False)["after"] == {"state": "void"}
    assert bench.old.machine.maintenance
    assert bench.old.machine.jobs_killed == 0


def test_a_word_that_is_given_twice_counts_for_one_step(bare: Bench) -> None:
    document = bare.move("prepare")["document"]
    bare.confirmed("release", document=document)
    bare.act(bare.old)
    shown = bare.old.operation()
    assert bare.old.waiting()[0]["step"] == f"deactivate {FIRST}"
    bare.vendor.deactivate(OLD, FIRST)
    bare.old.moves.attest(shown, True, "Seen in the window.", "me")
    with pytest.raises(Problem) as caught:
        bare.old.moves.attest(shown, True, "Seen in the window.", "me")
    assert caught.value.code is ProblemCode.STEP_OVER
    view = bare.old.view()
    assert view is not None
    assert [entry["released"] for entry in view["licenses"]] == ["attested", None, None]


def test_an_activation_that_is_pending_at_the_source_ends_no_move(bench: Bench) -> None:
    prepared = bench.move("prepare")["document"]
    released = bench.confirmed("release", document=prepared)["document"]
    arrived = bench.leg("install", document=released)["document"]
    machine, observed = bench.old.machine, bench.old.machine.observe

    def pending() -> MovableServer:
        server = observed()
        begun = MovableLicense(SECOND, None, LicenseState.PENDING)
        others = tuple(each for each in server.licenses if each.number != SECOND)
        return replace(server, licenses=(*others, begun))

    machine.observe = pending  # type: ignore[method-assign]
    with pytest.raises(Problem, match=SECOND) as caught:
        bench.leg("finish", document=arrived)
    assert f"Delete the files of license {SECOND}" in caught.value.next_action
