# SPDX-License-Identifier: GPL-3.0-or-later
"""Any prefix of a server's move may have run already: what is left, who does it, what is told."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._server_moves import (
    LEGS,
    LOOP_VARIABLE,
    Reported,
    kept_known,
    kept_moves,
    machines_found,
    move_calls,
    move_licenses,
    move_outcome,
    move_rows,
    needed_legs,
    orphaned_lines,
    without_codes,
)

CODE = "AAAAA-BBBBB"
MOVE: dict[str, t.Any] = {
    "name": "planning",
    "source": "old",
    "target": "new",
    "target_host": "new.example",
    "licenses": [{"number": "1.2.3.4", "profiles": ["Client"], "code": CODE}],
    "plan_digest": "d" * 64,
}
LOST = {**MOVE, "source_lost": True}
BACK = {**MOVE, "state": "restored"}
ORPHANED = {"license": "1.2.3.4", "place": "nowhere", "since": None, "advice": ["Call.", "Now."]}
THERE = ["backup", "prepare", "release", "install", "finish"]


def record(side: str, state: str, **changes: t.Any) -> dict[str, t.Any]:
    """A move as an agent knows it."""
    license_ = {"number": "1.2.3.4", "profiles": ["Client"], "place": side, "seen": "unknown"}
    return {
        "name": "planning",
        "vendor": "aimms",
        "source": "old",
        "target": "new",
        "target_host": "new.example",
        "source_lost": False,
        "side": side,
        "state": state,
        "backup": {"server": side, "licenses": [{"number": "1.2.3.4", "profiles": ["Client"]}]},
        "documents": {},
        "licenses": [license_],
        "adrift": [],
        **changes,
    }


def reported(agent: str, *known: dict[str, t.Any], **results: t.Any) -> Reported:
    """What a host told before the first leg, and what its legs returned."""
    return {
        "agent": agent,
        "before": list(known),
        "results": {leg: {"planning": result} for leg, result in results.items()},
    }


def result(**changes: t.Any) -> dict[str, t.Any]:
    """What a leg returned."""
    plan = {"digest": None, "warnings": [], "steps": []}
    shown: dict[str, t.Any] = {"changed": True, "waiting": [], "document": None, "backup": None}
    return {**shown, "plan": plan, "digest": None, "report_table": [], "move": None, **changes}


def legs_left(entry: dict[str, t.Any], source: str | None, target: str | None) -> list[str]:
    """The legs that are left when the agents know the move in these states."""
    hosts = {}
    for agent, side, state in (("old", "source", source), ("new", "target", target)):
        lost = entry.get("source_lost", False)
        known = [] if state is None else [record(side, state, source_lost=lost)]
        hosts[agent] = reported(agent, *known)
    return needed_legs(entry, hosts)


@pytest.mark.parametrize(
    ("source", "target", "left"),
    [
        (None, None, THERE),
        ("backed_up", None, THERE),
        ("backed_up", "preparing", THERE),
        ("backed_up", "prepared", THERE),
        ("void", "void", THERE),
        ("releasing", "prepared", ["release", "install", "finish"]),
        ("released", "prepared", ["install", "finish"]),
        ("released", "installing", ["install", "finish"]),
        ("released", "arrived", ["finish"]),
        ("finishing", "arrived", ["finish"]),
        ("finished", "arrived", []),
        ("backed_up", "refused", ["backup", "install", "finish"]),
    ],
)
def test_what_is_left_to_move(source: str | None, target: str | None, left: list[str]) -> None:
    assert legs_left(MOVE, source, target) == left


@pytest.mark.parametrize(
    ("target", "left"),
    [
        (None, ["prepare", "install"]),
        ("prepared", ["prepare", "install"]),
        ("installing", ["install"]),
        ("arrived", []),
    ],
)
def test_what_is_left_when_the_old_machine_is_lost(target: str | None, left: list[str]) -> None:
    assert legs_left(LOST, None, target) == left


@pytest.mark.parametrize(
    ("source", "target", "left"),
    [
        (None, None, []),
        ("backed_up", "prepared", ["refuse", "restore"]),
        ("released", "installing", ["refuse", "restore"]),
        ("released", "refused", ["restore"]),
        ("releasing", None, ["restore"]),
        ("restored", "refused", []),
    ],
)
def test_what_is_left_to_bring_back(
    source: str | None, target: str | None, left: list[str]
) -> None:
    assert legs_left(BACK, source, target) == left
    lost = legs_left({**BACK, "target_lost": True}, source, target)
    assert lost == [leg for leg in left if leg == "restore"]


@pytest.mark.parametrize(
    ("source", "target", "left"),
    [
        ("released", None, ["release", "install", "finish"]),
        ("finishing", None, ["release", "install", "finish"]),
        (None, "prepared", THERE),
        (None, "arrived", ["backup", "release", "install", "finish"]),
        ("finished", None, ["install"]),
        ("finished", "arrived", []),
    ],
)
def test_a_document_is_written_again_while_the_other_side_may_lack_it(
    source: str | None, target: str | None, left: list[str]
) -> None:
    """The leg may have ended by a person's word, when no run was there to write the file."""
    hosts = {
        agent: reported(agent, *([] if state is None else [record(side, state)]))
        for agent, side, state in (("old", "source", source), ("new", "target", target))
    }
    assert needed_legs(MOVE, hosts, by_files=True) == left


def test_a_leg_that_ended_by_a_persons_word_still_writes_its_file() -> None:
    old = reported("old", record("source", "released", documents={"released": {"signed": 2}}))
    (call,) = move_calls([MOVE], "release", "old", [old], "/d")
    assert call["document_dest"] == "/d/planning.released.json"
    new = reported("new", record("target", "arrived", documents={"arrived": {"signed": 3}}))
    (call,) = move_calls([MOVE], "install", "new", [new], "/d")
    assert call["document_dest"] == "/d/planning.arrived.json"
    back = reported("new", record("target", "refused", documents={"refused": {"signed": 4}}))
    (call,) = move_calls([BACK], "refuse", "new", [back], "/d")
    assert call["document_dest"] == "/d/planning.refused.json"


@pytest.mark.parametrize(
    ("change", "requested"),
    [
        ({"target_host": "newer.example"}, [("backup", "old")]),
        ({"target": "newer"}, [("backup", "old")]),
        ({"source": "older"}, [("prepare", "new")]),
        ({"licenses": [{"number": "1.2.3.5", "profiles": ["Client"]}]}, [("backup", "old")]),
        ({"licenses": [{"number": "1.2.3.4", "profiles": ["Server"]}]}, [("backup", "old")]),
        ({"require": {"version": "9"}, "plan_digest": "e" * 64}, []),
    ],
)
def test_a_done_move_that_is_declared_otherwise_is_asked_about(
    change: dict[str, t.Any], requested: list[tuple[str, str]]
) -> None:
    """Its agent says what is declared and what was done; what defines nothing may change."""
    hosts = [
        reported("old", record("source", "finished")),
        reported("new", record("target", "arrived", source_lost=False)),
    ]
    entry = {**MOVE, **change}
    found = [
        (leg, agent) for leg in LEGS for agent in ("old", "new")
        if move_calls([entry], leg, agent, hosts)
    ]  # fmt: skip
    assert found == requested


def calls(leg: str, agent: str, *hosts: Reported, **options: t.Any) -> list[dict[str, t.Any]]:
    """The calls of one host for the one move."""
    return move_calls([MOVE], leg, agent, list(hosts), **options)


def test_each_leg_runs_on_its_side_after_those_before_it() -> None:
    old, new = reported("old"), reported("new")
    assert [leg for leg in LEGS if calls(leg, "old", old, new)] == ["backup"]
    assert [leg for leg in LEGS if calls(leg, "new", old, new)] == []
    old = reported("old", backup=result(backup={"made": 1}))
    (call,) = calls("prepare", "new", old, new)
    assert (call["leg"], call["backup"], call["plan_digest"]) == ("prepare", {"made": 1}, None)
    new = reported("new", prepare=result(document={"signed": 1}))
    (call,) = calls("release", "old", old, new)
    assert (call["document"], call["plan_digest"]) == ({"signed": 1}, "d" * 64)


def test_what_fails_or_waits_holds_up_what_comes_after_it() -> None:
    old = reported("old", backup=result())
    for stopped in ({"msg": "Told why."}, result(waiting=[{"operation": "o"}])):
        assert calls("release", "old", old, reported("new", prepare=stopped)) == []
    # A host that does not answer holds up the other one, too.
    assert calls("prepare", "new", reported("old"), reported("new")) == []


def test_documents_of_earlier_runs_are_found_in_the_records() -> None:
    old = reported("old", record("source", "released", documents={"released": {"signed": 2}}))
    new = reported("new", record("target", "prepared"))
    (call,) = calls("install", "new", old, new)
    assert (call["document"], call["backup"]) == (
        {"signed": 2},
        record("source", "released")["backup"],
    )


def test_a_lost_machine_is_replaced_by_its_backup_and_needs_a_confirmation() -> None:
    new = {**reported("new"), "backups": {"planning": {"kept": 1}}}
    (call,) = move_calls([LOST], "prepare", "new", [new])
    assert (call["backup"], call["source_lost"]) == ({"kept": 1}, True)
    new["results"] = {"prepare": {"planning": result()}}
    (call,) = move_calls([LOST], "install", "new", [new])
    assert (call["document"], call["plan_digest"]) == (None, "d" * 64)


def test_a_machine_that_answers_is_not_lost_and_its_move_is_left_alone() -> None:
    new = {**reported("new"), "backups": {"planning": {"kept": 1}}}
    silent, answering = reported("old"), {**reported("old"), "answers": True}
    assert move_calls([LOST], "prepare", "new", [silent, new])
    assert machines_found([LOST], "new", [silent, new]) == []
    assert move_calls([LOST], "prepare", "new", [answering, new]) == []
    (sentence,) = machines_found([LOST], "new", [answering, new])
    assert sentence.startswith("The source of move planning is declared as lost, and old answers")
    assert machines_found([LOST], "old", [answering, new]) == []
    arrived = reported("new", record("target", "arrived"))
    assert machines_found([LOST], "new", [answering, arrived]) == []


def test_a_target_that_answers_is_not_lost_either() -> None:
    back = {**BACK, "target_lost": True}
    old = reported("old", record("source", "released"))
    assert move_calls([back], "restore", "old", [old, reported("new")])
    new = {**reported("new"), "answers": True}
    assert move_calls([back], "restore", "old", [old, new]) == []
    (sentence,) = machines_found([back], "old", [old, new])
    assert "limit the run to old" in sentence
    restored = reported("old", record("source", "restored"))
    assert machines_found([back], "old", [restored, new]) == []


def test_what_has_not_begun_to_leave_is_given_up() -> None:
    old = reported("old", record("source", "backed_up"))
    (call,) = move_calls([BACK], "restore", "old", [old, reported("new")])
    assert call["state"] == "absent"
    old = reported("old", record("source", "released"))
    new = reported("new", record("target", "prepared"), refuse=result(document={"signed": 3}))
    (call,) = move_calls(
        [BACK], "refuse", "new", [old, reported("new", record("target", "prepared"))]
    )
    assert (call["leg"], call["decision"]) == ("install", "refuse")
    (call,) = move_calls([BACK], "restore", "old", [old, new])
    assert (call["state"], call["document"]) == ("present", {"signed": 3})


def test_files_carry_what_hosts_that_never_meet_need() -> None:
    (call,) = calls("backup", "old", reported("old"), folder="/d")
    assert call["backup_dest"] == "/d/planning.backup.json"
    (call,) = calls("prepare", "new", reported("new"), folder="/d")
    assert call["backup_file"] == "/d/planning.backup.json"
    assert call["document_dest"] == "/d/planning.prepared.json"
    old = reported("old", backup=result())
    (call,) = calls("release", "old", old, folder="/d")
    assert call["document_file"] == "/d/planning.prepared.json"
    # Of its own legs a host still keeps the order.
    assert calls("release", "old", reported("old"), folder="/d") == []


def test_two_moves_of_one_name_are_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="Two entries of license_server_moves"):
        move_calls([MOVE, MOVE], "backup", "old", [reported("old")])


def test_codes_stay_out_of_what_is_printed() -> None:
    shown = without_codes([MOVE])
    assert shown[0]["licenses"] == [{"number": "1.2.3.4", "profiles": ["Client"], "has_code": True}]
    for leg in LEGS:
        assert CODE not in str(move_calls(shown, leg, "old", [reported("old"), reported("new")]))
    assert move_licenses([MOVE], "planning")[0]["code"] == CODE


def test_an_outcome_names_first_what_is_active_nowhere() -> None:
    step = {"name": "release", "title": "deactivating", "performer": "person",
            "reversible": False, "state": "planned"}  # fmt: skip
    plan = {"digest": "d", "warnings": ["Jobs end in error."], "steps": [step]}
    wait = {"operation": "o", "step": "s", "who": "person", "title": "doing it", "subject": "m",
            "instructions": [], "verified_by": "", "attestable": False, "since": None,
            "until": None, "overdue": False}  # fmt: skip
    released = result(
        plan=plan,
        digest="d",
        waiting=[wait],
        move=record("source", "releasing", adrift=[ORPHANED]),
    )
    host = reported(
        "old", backup=result(waiting=[wait]), release=released, finish={"msg": "Told why."}
    )
    outcome = move_outcome(host)
    assert outcome["failures"] == ["Move planning, leg finish: Told why."]
    assert outcome["waits"] == [wait]
    assert outcome["confirmations"] == [{"move": "planning", "leg": "release", "plan_digest": "d"}]
    assert outcome["adrift"] == [ORPHANED]
    lines = outcome["lines"]
    assert lines[0] == "Licenses that are active nowhere, or may be:"
    assert "Call. Now." in lines[2]
    assert "Jobs end in error." in lines
    assert orphaned_lines([record("source", "released", adrift=[ORPHANED])] * 2) == lines[:3]
    assert orphaned_lines([record("source", "finished")]) == []


def test_results_are_kept_by_leg_without_what_nobody_needs() -> None:
    loop = {
        LOOP_VARIABLE: {"name": "planning"},
        "invocation": {"a": 1},
        **result(document={"d": 1}),
    }
    kept = kept_moves(
        reported("old", backup=result()), "release", [loop, {"skipped": True}], [MOVE]
    )
    assert set(kept["results"]) == {"backup", "release"}
    assert kept["results"]["release"]["planning"]["document"] == {"d": 1}
    assert "invocation" not in kept["results"]["release"]["planning"]


def test_rows_show_each_license() -> None:
    (row,) = move_rows([record("source", "released")])
    assert (row["license"], row["profiles"], row["place"]) == ("1.2.3.4", "Client", "source")


def test_what_was_tried_is_not_told_as_done_and_its_words_are() -> None:
    said = "the command ended with exit status 1 and said: It is refused"
    step = {"name": "activate 1.2.3.4", "title": "activating license 1.2.3.4", "said": said,
            "performer": "agent", "reversible": False, "state": "tried"}  # fmt: skip
    close = {**step, "name": "close", "title": "ending", "state": "planned", "said": None}
    plan = {"digest": None, "warnings": [], "steps": [step, close]}
    outcome = move_outcome(reported("new", install=result(plan=plan)))
    (row,) = [line for line in outcome["lines"] if "activating" in line and "exit" not in line]
    assert row.endswith("tried, not observed")
    assert not any(line.endswith("done") for line in outcome["lines"])
    assert f"activating license 1.2.3.4: {said}" in outcome["lines"]
    assert outcome["plan"][0]["said"] == said


def test_a_report_says_why_a_move_stands_still() -> None:
    problem = {"detail": "The command ended with exit status 1.", "next_action": "Look at it."}
    open_move = record("target", "installing", problem=problem)
    (line,) = orphaned_lines([open_move, record("target", "arrived", problem=problem)])
    assert line == f"Move planning on new: {problem['detail']} {problem['next_action']}"


def test_each_side_is_shown_what_it_has_signed_itself() -> None:
    """The other one keeps it: an agent whose journal lacks it was restored."""
    old = reported("old", record("source", "backed_up", documents={"arrived": {"new": 1}}))
    new = reported("new", record("target", "arrived", documents={"released": {"old": 1}}))
    assert [call["evidence"] for call in calls("backup", "old", old, new)] == [{"old": 1}]
    old = reported("old", record("source", "released", documents={"arrived": {"new": 1}}))
    new = reported("new", record("target", "prepared", documents={"prepared": {"new": 0}}))
    assert [call["evidence"] for call in calls("install", "new", old, new)] == [{"new": 1}]
    (call,) = calls("backup", "old", reported("old"), reported("new"))
    assert call["evidence"] is None


def test_reports_show_the_names_of_licenses_beside_their_numbers() -> None:
    named = record("source", "released", adrift=[{**ORPHANED, "name": "PROServer"}])
    named["licenses"][0]["name"] = "PROServer"
    assert move_rows([named])[0]["license"] == "1.2.3.4 (PROServer)"
    assert "1.2.3.4 (PROServer)" in "\n".join(orphaned_lines([named]))


def test_a_backup_of_other_licenses_than_the_declared_ones_reaches_nobody() -> None:
    call = {LOOP_VARIABLE: {"name": "planning"}}
    declared = {"licenses": [{"number": "1.2.3.4", "profiles": ["Client"]}]}
    loop = {**call, **result(backup=declared)}
    assert kept_moves(reported("old"), "backup", [loop], [MOVE])["results"]["backup"]["planning"]
    for number, profiles in (("6.6.6.6", ["Client"]), ("1.2.3.4", ["Root"])):
        other = {"licenses": [{"number": number, "profiles": profiles}]}
        with pytest.raises(AnsibleFilterError, match="The agent of old claims a backup of move"):
            kept_moves(reported("old"), "backup", [{**call, **result(backup=other)}], [MOVE])


@pytest.mark.parametrize("backup", [[], {"licenses": [{"number": 1, "profiles": []}]}])
def test_what_another_host_could_not_read_fails_the_one_that_sent_it(backup: t.Any) -> None:
    loop = {LOOP_VARIABLE: {"name": "planning"}, **result(backup=backup)}
    with pytest.raises(AnsibleFilterError, match="sent something that cannot be read"):
        kept_moves(reported("old"), "backup", [loop], [MOVE])
    known = record("source", "released", backup=backup)
    with pytest.raises(AnsibleFilterError, match="sent something that cannot be read"):
        kept_known(reported("old"), [known])


def test_a_source_is_never_given_a_backup_that_its_target_names() -> None:
    new = reported("new", record("target", "preparing"))
    (call,) = calls("backup", "old", reported("old"), new)
    assert call["backup"] is None
