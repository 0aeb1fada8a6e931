# SPDX-License-Identifier: GPL-3.0-or-later
"""The legs of a move: what each needs, refuses, remembers and says."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.server_moves import BackedUpLicense, ServerBackup
from seatkeeper_agent.operations.server_moves.views import orphaned_count

from .bench import DECLARED, NEW, OLD, Bench, declaration
from .machines import CODES, NUMBERS

FIRST, SECOND, THIRD = NUMBERS


def released(bench: Bench) -> dict[str, Any]:
    """The move up to the end of ``release``."""
    return bench.move("release")


def orphaned(bench: Bench, name: str = OLD) -> list[str]:
    """The licenses that a host names as active nowhere."""
    view = (bench.old if name == OLD else bench.new).view()
    return [entry["license"] for entry in view["adrift"]] if view else []


def test_a_backup_stays_the_same_as_long_as_the_server_does(bench: Bench) -> None:
    first = bench.run("backup")
    assert (first["changed"], first["after"]) == (True, {"state": "backed_up"})
    bench.old.clock.offset_seconds += 100
    again = bench.run("backup")
    assert not again["changed"]
    assert again["backup"] == first["backup"]
    bench.old.machine.version = "1.5.0"
    later = bench.run("backup")
    assert later["changed"]
    assert later["backup"]["made_at"] != first["backup"]["made_at"]
    assert bench.old.backups.read() == ServerBackup.from_document(later["backup"])


def test_a_backup_names_everything_in_which_it_is_contradicted(bench: Bench) -> None:
    wrong = (
        BackedUpLicense(FIRST, ("Other",), True),
        BackedUpLicense(SECOND, ("Client",), True),
    )
    problem = bench.refused("backup", licenses=wrong)
    assert problem.code is ProblemCode.BACKUP_CONTRADICTED
    for reported in (FIRST, "Other", "ProLicense", THIRD):
        assert reported in problem.detail
    assert SECOND not in problem.detail
    assert bench.old.backups.read() is None


def test_a_target_that_does_not_fit_keeps_everything_where_it_is(bench: Bench) -> None:
    answer = bench.leg("backup")
    backup = ServerBackup.from_document(answer["backup"])
    bench.new.machine.version = "1.3.0"
    wanted = {"free_bytes_min": 20_000}
    problem = bench.refused_alike("prepare", backup=backup, required=wanted)
    assert problem.code is ProblemCode.TARGET_NOT_READY
    assert "not older than" in problem.detail
    assert "20000 bytes" in problem.detail
    assert bench.new.view() is None
    bench.new.machine.version, bench.new.machine.free_bytes = "1.4.0", 20_000
    assert bench.leg("prepare", backup=backup, required=wanted)["after"] == {"state": "prepared"}
    bench.new.machine.free_bytes = 0
    assert bench.refused("prepare", backup=backup, required=wanted).code is (
        ProblemCode.TARGET_NOT_READY
    )


def test_the_product_is_installed_before_anything_leaves_the_source(bench: Bench) -> None:
    bench.new.machine.installed = bench.new.machine.serving = False
    bench.move("prepare")
    assert bench.new.machine.calls == ["install"]
    assert bench.vendor.events == []
    bench.new.machine.serving = False
    backup = bench.old.backups.read()
    problem = bench.refused("prepare", backup=backup, required={"free_bytes_min": 1})
    assert problem.code is ProblemCode.RUNTIME_UNAVAILABLE
    assert bench.new.machine.calls == ["install"]


def test_a_release_needs_the_target_and_exactly_this_confirmation(bench: Bench) -> None:
    backup = bench.leg("backup")["backup"]
    assert bench.refused("release").code is ProblemCode.LEG_OUT_OF_ORDER
    prepared = bench.leg("prepare", backup=ServerBackup.from_document(backup))["document"]
    problem = bench.refused("release", document=prepared)
    assert problem.code is ProblemCode.CONFIRMATION_REQUIRED
    plan = bench.run("release", dry_run=True)["plan"]
    assert problem.facts["digest"] == plan["digest"]
    assert plan["confirmation_required"]
    assert any("running jobs end in error" in text for text in plan["warnings"])
    bench.old.machine.profiles["Another"] = FIRST
    problem = bench.refused("release", document=prepared, confirmation=plan["digest"])
    assert problem.code is ProblemCode.BACKUP_CONTRADICTED
    del bench.old.machine.profiles["Another"]
    bench.old.machine.maintenance = True
    problem = bench.refused("release", document=prepared, confirmation=plan["digest"])
    assert problem.code is ProblemCode.CONFIRMATION_REQUIRED
    assert bench.vendor.events == bench.old.machine.calls == []


def test_the_plan_of_check_mode_is_the_plan_that_is_confirmed(bench: Bench) -> None:
    shown = bench.run("backup", dry_run=True)
    backup = ServerBackup.from_document(shown["backup"])
    bench.run("prepare", dry_run=True, backup=backup)
    plan = bench.run("release", dry_run=True, backup=backup)["plan"]
    for leg in ("install", "finish"):
        planned = bench.run(leg, dry_run=True, backup=backup)["plan"]["steps"]
        assert {step["state"] for step in planned} == {"planned"}
    assert (bench.old.view(), bench.new.view()) == (None, None)
    assert bench.old.audit() == bench.new.audit() == []
    bench.old.clock.offset_seconds += 1_000
    bench.leg("backup")
    prepared = bench.leg("prepare", backup=bench.old.backups.read())["document"]
    answer = bench.run("release", document=prepared, confirmation=plan["digest"])
    assert answer["after"] == {"state": "released"}
    titles = [step["title"] for step in answer["plan"]["steps"]]
    assert titles == [step["title"] for step in plan["steps"]]


def test_what_is_released_is_named_until_it_has_arrived(bench: Bench) -> None:
    answer = released(bench)
    assert orphaned(bench) == list(NUMBERS)
    with bench.old.journal.reading() as unit:
        assert orphaned_count(unit) == len(NUMBERS)
    (first, *_others) = answer["move"]["adrift"]
    assert first["place"] == "unknown", "whether the target has it is the target's to say"
    assert any("7 days" in text for text in first["advice"])
    arrived = bench.leg("install", document=answer["document"])
    assert arrived["move"]["adrift"] == []
    assert orphaned(bench) == list(NUMBERS), "the source has not been told yet"
    bench.leg("finish", document=arrived["document"])
    assert orphaned(bench) == []
    assert bench.old.machine.jobs_killed == 1
    assert not bench.old.machine.maintenance


def test_a_released_document_says_how_each_license_was_seen_to_leave(
    bench: Bench, bare: Bench
) -> None:
    for each, word in ((bench, "observed"), (bare, "attested")):
        payload = json.loads(base64.b64decode(released(each)["document"]["payload"]))
        assert payload["facts"]["licenses"] == dict.fromkeys(NUMBERS, word)
        assert payload["facts"]["backup"]["licenses"][0]["number"] == FIRST


def test_only_what_is_released_is_activated_and_only_with_its_code(bench: Bench) -> None:
    answer = released(bench)
    document = answer["document"]
    problem = bench.refused("install", document=document, codes={})
    assert problem.code is ProblemCode.CODES_MISSING
    assert problem.facts["codes_needed"] == list(NUMBERS)
    stranger = {**CODES, "1.2.3.4": CODES[FIRST]}
    problem = bench.refused("install", document=document, codes=stranger)
    assert "1.2.3.4" in problem.detail
    assert bench.refused("install").code is ProblemCode.LEG_OUT_OF_ORDER
    wrong = {**CODES, SECOND: CODES[FIRST]}
    problem = bench.refused("install", document=document, codes=wrong)
    assert problem.code is ProblemCode.RUNTIME_REFUSED
    assert "The activation code is wrong" in problem.detail
    assert orphaned(bench, NEW) == [SECOND, THIRD]
    problem = bench.refused("install", codes={})
    assert problem.facts["codes_needed"] == [SECOND, THIRD]
    codes = {number: CODES[number] for number in (SECOND, THIRD)}
    assert bench.run("install", codes=codes)["after"] == {"state": "arrived"}
    assert bench.vendor.events.count(f"activate {FIRST} {NEW}") == 1


def test_a_document_of_another_move_or_of_another_backup_is_refused(
    bench: Bench, bare: Bench
) -> None:
    document = released(bench)["document"]
    foreign = bare.move("prepare")
    assert foreign["after"] == {"state": "prepared"}
    assert bare.refused("install", document=document).code is ProblemCode.DOCUMENT_ALTERED
    altered = {**document, "payload": base64.b64encode(b"{}").decode()}
    assert bench.refused("install", document=altered).code is ProblemCode.DOCUMENT_INVALID
    prepared = bench.new.view()["documents"]["prepared"]  # type: ignore[index]
    assert bench.refused("install", document=prepared).code is ProblemCode.DOCUMENT_INVALID
    other = replace(declaration(), target_host="elsewhere")
    problem = bench.refused("install", document=document, move=other)
    assert problem.code is ProblemCode.DECLARATION_DIFFERS


def test_a_target_prepared_anew_still_takes_what_left_for_the_older_word(bench: Bench) -> None:
    document = released(bench)["document"]
    backup = bench.old.backups.read()
    again = bench.leg("prepare", backup=backup, required={"free_bytes_min": 7})
    assert again["changed"]
    assert bench.leg("install", document=document)["after"] == {"state": "arrived"}


def test_a_move_is_given_up_as_long_as_nothing_has_left(bench: Bench, bare: Bench) -> None:
    move = declaration().id
    bench.move("prepare")
    assert bench.old.moves.give_up(move, "me", False)["after"] == {"state": "void"}
    assert bench.old.machine.calls == []
    assert not bench.old.moves.give_up(move, "me", False)["changed"]
    assert bench.new.moves.give_up(move, "me", False)["after"] == {"state": "void"}
    bench.move()
    with pytest.raises(Problem, match="can no longer be given up"):
        bench.old.moves.give_up(move, "me", False)
    bare.move("prepare")
    answer = bare.confirmed("release", document=bare.new.view()["documents"]["prepared"])  # type: ignore[index]
    assert answer["waiting"][0]["step"] == "maintenance_on"
    bare.act(bare.old)
    assert bare.old.waiting()[0]["step"] == f"deactivate {FIRST}"
    with pytest.raises(Problem, match="attested as not done"):
        bare.old.moves.give_up(move, "me", False)
    bare.old.attest(False)
    waits = bare.old.moves.give_up(move, "me", False)
    assert waits["waiting"][0]["step"] == "maintenance_off"
    bare.act(bare.old)
    assert bare.old.view()["state"] == "void"  # type: ignore[index]
    assert (bare.old.machine.maintenance, bare.vendor.events) == (False, [])


def test_a_release_that_cannot_end_is_taken_back_at_the_source(bench: Bench) -> None:
    prepared = bench.move("prepare")["document"]
    bench.old.machine.errors["deactivate"] = []
    original = bench.old.machine.deactivate

    def only_the_first(number: str) -> Any:
        bench.old.machine.refuse = set() if number == FIRST else {"deactivate"}
        return original(number)

    bench.old.machine.deactivate = only_the_first  # type: ignore[method-assign]
    with pytest.raises(Problem, match="It is refused"):
        bench.confirmed("release", document=prepared)
    assert orphaned(bench) == [FIRST]
    with pytest.raises(Problem, match="can no longer be given up"):
        bench.old.moves.give_up(declaration().id, "me", False)
    answer = bench.leg("restore")
    assert answer["after"] == {"state": "restored"}
    assert set(bench.vendor.holders.values()) == {OLD}
    assert bench.old.machine.profiles["ProLicense"] == FIRST
    assert not bench.old.machine.maintenance
    assert orphaned(bench) == []


def test_what_the_target_refuses_for_good_goes_back_to_the_source(
    bench: Bench, bare: Bench
) -> None:
    for each in (bench, bare):
        document = released(each)["document"]
        assert each.refused("restore").code is ProblemCode.LEG_OUT_OF_ORDER
        wrong = {**CODES, SECOND: CODES[THIRD]}
        if each is bench:
            each.refused("install", document=document, codes=wrong)
        refused = each.run("install", document=document, refuse=True)
        assert refused["after"] == {"state": "refused"}
        assert each.refused("install", document=document).code is ProblemCode.LEG_OUT_OF_ORDER
        again = each.run("install", refuse=True)
        assert (again["changed"], again["document"]) == (False, refused["document"])
        answer = each.leg("restore", document=refused["document"])
        assert answer["after"] == {"state": "restored"}
        expected = NEW if each is bench else OLD
        assert each.vendor.holders == {FIRST: expected, SECOND: OLD, THIRD: OLD}
        assert orphaned(each) == []
        places = {e["number"]: e["place"] for e in answer["move"]["licenses"]}
        assert places[FIRST] == ("target" if each is bench else "source")


def test_a_target_cannot_refuse_what_may_be_active_there(bare: Bench) -> None:
    document = released(bare)["document"]
    answer = bare.run("install", document=document)
    assert answer["waiting"][0]["step"] == f"verify {FIRST}"
    assert bare.refused("install", refuse=True).code is ProblemCode.CONTAINER_BUSY
    bare.new.attest(False)
    problem = bare.refused("install", refuse=True)
    assert problem.code is ProblemCode.IN_DOUBT
    assert SECOND in problem.detail


def test_a_lost_target_is_replaced_by_the_vendors_support(bench: Bench) -> None:
    released(bench)
    bench.vendor.holders[FIRST] = "a machine that burnt down"
    problem = bench.refused("restore", target_lost=True)
    assert problem.code is ProblemCode.CONFIRMATION_REQUIRED
    answer = bench.confirmed("restore", target_lost=True)
    (waiting,) = answer["waiting"]
    assert (waiting["who"], waiting["step"]) == ("vendor", "support_release")
    assert any("7 days" in text for text in waiting["instructions"])
    bench.act(bench.old)
    view = bench.old.view()
    assert view is not None
    assert view["problem"]["code"] == "codes-missing"
    assert bench.leg("restore", target_lost=True)["after"] == {"state": "restored"}
    assert set(bench.vendor.holders.values()) == {OLD}


def test_a_lost_source_is_replaced_by_the_vendors_support(folder: Path) -> None:
    for bare in (False, True):
        bench = Bench(folder / str(bare), bare, {"source_lost": True})
        lost = {"move": declaration(source_lost=True)}
        backup = ServerBackup.from_document(
            Bench(folder / f"earlier-{bare}").run("backup")["backup"]
        )
        assert bench.refused("backup", **lost).code is ProblemCode.REQUEST_INVALID
        bench.leg("prepare", backup=backup)
        assert orphaned(bench, NEW) == list(NUMBERS)
        assert bench.refused("install").code is ProblemCode.CONFIRMATION_REQUIRED
        answer = bench.confirmed("install")
        assert answer["waiting"][0]["step"] == "support_release"
        assert bench.new.machine.calls == []
        bench.act(bench.new)
        answer = bench.leg("install")
        assert answer["after"] == {"state": "arrived"}
        assert set(bench.vendor.holders.values()) == {NEW}
        assert "repoint" in {step["name"] for step in answer["plan"]["steps"]}
        assert orphaned(bench, NEW) == []
        bench.close()


def test_a_license_that_is_active_on_both_freezes_the_source(bench: Bench) -> None:
    arrived = bench.move("install")["document"]
    bench.vendor.holders[SECOND] = OLD
    problem = bench.refused("finish", document=arrived)
    assert problem.code is ProblemCode.ACTIVE_TWICE
    view = bench.old.view()
    assert view is not None
    assert view["operation"]["state"] == "in_doubt"
    assert {e["number"]: e["place"] for e in view["licenses"]}[SECOND] == "both"
    assert bench.old.moves.resume("agent") == []
    bench.vendor.holders[SECOND] = NEW
    assert bench.leg("finish", document=arrived)["after"] == {"state": "finished"}


def test_one_move_at_a_time_changes_a_server(bench: Bench) -> None:
    released(bench)
    other = declaration(name="another", target="third-server")
    licenses = tuple(replace(e, profiles=()) for e in DECLARED)
    problem = bench.refused_alike("backup", move=other, licenses=licenses)
    assert "cannot go on" in problem.detail
    with pytest.raises(Problem, match="is moving"):
        bench.old.moves.back_up(DECLARED, "me", False)


def test_legs_go_to_their_hosts_and_in_their_order(bench: Bench) -> None:
    bench.leg("backup")
    swapped = declaration(source=NEW, target=OLD, name="swapped")
    assert bench.refused("backup", move=swapped).code is ProblemCode.WRONG_HOST
    assert bench.refused("finish").code is ProblemCode.LEG_OUT_OF_ORDER
    assert bench.refused("install").code is ProblemCode.LEG_OUT_OF_ORDER
    same = declaration(target=OLD, name="same")
    assert bench.refused("backup", move=same).code is ProblemCode.REQUEST_INVALID
    chaos = declaration(vendor="chaos", name="chaos")
    assert bench.refused("backup", move=chaos).code is ProblemCode.VENDOR_UNKNOWN
    with pytest.raises(Problem, match="knows no move"):
        bench.old.moves.give_up(declaration(name="never").id, "me", False)


def test_what_cannot_be_seen_now_is_not_guessed(bench: Bench) -> None:
    arrived = bench.move("install")["document"]
    bench.old.machine.hidden = True
    problem = bench.refused("finish", document=arrived)
    assert problem.code is ProblemCode.RUNTIME_UNAVAILABLE
    bench.old.machine.hidden = False
    assert bench.leg("finish", document=arrived)["after"] == {"state": "finished"}
