# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared moves of license servers: which leg each host does next, and what a run came to.

Everything is a function of the declarations and of what the hosts told: for each host which moves
its agent knew before the first leg (``before``), and what the legs of this run returned
(``results``). Codes of licenses never come here: a loop's item is printed.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._file_names import file_stem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._license_names import called
from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._answers import (
    check,
    check_backup,
    check_moves,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import (
    Entry,
    wait_lines,
)

Call = t.Dict[str, t.Any]
Reported = t.Dict[str, t.Any]

LOOP_VARIABLE = "license_server_move_call"
LEGS: t.Final = ("backup", "prepare", "release", "install", "finish", "refuse", "restore")
SIDE_OF: t.Final = {
    "backup": "source",
    "prepare": "target",
    "release": "source",
    "install": "target",
    "finish": "source",
    "refuse": "target",
    "restore": "source",
}
_BEFORE_RELEASE: t.Final = ("none", "void", "backed_up")
_BEFORE_INSTALL: t.Final = ("none", "void", "preparing", "prepared")
_DEFINING: t.Final = ("vendor", "source", "target", "target_host", "source_lost")
_USUAL: t.Final = {"vendor": "aimms", "source_lost": False}
_OVER: t.Final = ("finished", "restored", "arrived", "refused", "void")
_GIVER_OF: t.Final = {
    "release": "prepare",
    "install": "release",
    "finish": "install",
    "restore": "refuse",
}
"""The leg whose document a leg takes; agents keep their documents in their records as well."""
_KIND_OF: t.Final = {
    "prepare": "prepared",
    "release": "released",
    "install": "arrived",
    "refuse": "refused",
}
_STEP_COLUMNS: t.Final = {
    "move": "Move",
    "leg": "Leg",
    "title": "Step",
    "performer": "Performer",
    "reversible": "Reversible",
    "state": "State",
}
_STATES: t.Final = {"tried": "tried, not observed"}
_CONFIRMATION_COLUMNS: t.Final = {"move": "Move", "leg": "Leg", "plan_digest": "Plan digest"}
_ORPHANED_COLUMNS: t.Final = {
    "license": "License",
    "place": "Active",
    "since": "Since",
    "advice": "What helps",
}


def move_calls(
    declared: list[Entry], leg: str, agent: str, reported: list[Reported], folder: str | None = None
) -> list[Call]:
    """What the host of ``agent`` asks its agent in a leg, one call for each move.

    With a ``folder`` files carry the documents, and each host is on its own.
    """
    _require_names(declared)
    hosts = {entry["agent"]: entry for entry in reported}
    calls = []
    for entry in declared:
        needed = needed_legs(entry, hosts, by_files=bool(folder))
        if leg not in needed or entry[SIDE_OF[leg]] != agent or _lost_side(entry, hosts):
            continue
        awaited = [
            earlier
            for earlier in needed[: needed.index(leg)]
            if not folder or entry[SIDE_OF[earlier]] == agent
        ]
        if all(_went_through(entry, earlier, hosts) for earlier in awaited):
            calls.append(_call(entry, leg, hosts, folder))
    return calls


def needed_legs(entry: Entry, hosts: dict[str, Reported], by_files: bool = False) -> list[str]:
    """The legs that are left to do, in their order, by what the agents knew before this run.

    With ``by_files`` each host is on its own: a leg that gives a document is run again as long as
    the other side may lack it, because the leg may have ended by a person's word between two runs.
    """
    for side, leg in (("source", "backup"), ("target", "prepare")):
        if _differs(entry, side, hosts):
            # The agent refuses it and says what is declared and what was done.
            return [leg]
    source, target = (_state(entry, side, hosts) for side in ("source", "target"))
    may_lack = by_files and not (source != "none" and target != "none")
    if entry.get("state", "moved") == "restored":
        wanted = {
            "refuse": (
                source not in ("none", "void", "restored")
                and target not in ("none", "refused")
                and not entry.get("target_lost", False)
            )
            or (may_lack and target == "refused"),
            "restore": source not in ("none", "void", "restored"),
        }
    elif entry.get("source_lost", False):
        wanted = {"prepare": target in _BEFORE_INSTALL, "install": target != "arrived"}
    else:
        wanted = {
            "backup": source in _BEFORE_RELEASE,
            "prepare": source in _BEFORE_RELEASE and target in _BEFORE_INSTALL,
            # A target that has refused never takes what would leave now.
            "release": (source in (*_BEFORE_RELEASE, "releasing") and target != "refused")
            or (may_lack and source in ("released", "finishing")),
            "install": target != "arrived" or may_lack,
            "finish": source != "finished",
        }
    return [leg for leg in LEGS if wanted.get(leg)]


def machines_found(declared: list[Entry], agent: str, reported: list[Reported]) -> list[str]:
    """Which machines of moves are declared as lost and answer, told at the other side's host."""
    hosts = {entry["agent"]: entry for entry in reported}
    found = []
    for entry in declared:
        side = _lost_side(entry, hosts)
        if side and entry["target" if side == "source" else "source"] == agent:
            found.append(
                f"The {side} of move {entry['name']} is declared as lost, and {entry[side]}"
                f" answers: its licenses may be active there. Leave {side}_lost out; or, if another"
                f" machine has its name now, limit the run to {agent}. Nothing was done."
            )
    return found


def move_licenses(declared: list[Entry], name: str) -> list[Entry]:
    """The licenses of a move, with their codes: for a task's options and never for a loop."""
    return next(list(entry["licenses"]) for entry in declared if entry["name"] == name)


def kept_known(reported: Reported, moves: list[Entry]) -> Reported:
    """What a host told, with the moves that its agent knows."""
    check_moves(moves, reported["agent"])
    return {**reported, "answers": True, "before": moves}


def kept_moves(
    reported: Reported, leg: str, results: list[dict[str, t.Any]], declared: list[Entry]
) -> Reported:
    """What a host told, with the results of one more leg, held against what is declared."""
    entries = {entry["name"]: entry for entry in declared}
    for result in results:
        if LOOP_VARIABLE in result:
            _check_result(result, entries[result[LOOP_VARIABLE]["name"]], reported["agent"])
    members = (
        "backup", "before", "after", "changed", "diff", "digest", "document", "move", "msg",
        "plan", "problem", "report_table", "waiting",
    )  # fmt: skip
    kept = {
        result[LOOP_VARIABLE]["name"]: {
            member: result[member] for member in members if member in result
        }
        for result in results
        if LOOP_VARIABLE in result
    }
    return {**reported, "results": {**reported["results"], leg: kept}}


def _check_result(result: dict[str, t.Any], entry: Entry, host: str) -> None:
    """AnsibleFilterError for what other hosts and the controller must not be given."""
    check(result.get("document"), (dict, type(None)), "document", host)
    backup = result.get("backup")
    if backup is None:
        return
    check_backup(backup, host)
    if _profiles_of(backup["licenses"]) != _profiles_of(entry["licenses"]):
        claimed = ", ".join(sorted(_profiles_of(backup["licenses"]))) or "none"
        raise AnsibleFilterError(
            f"The agent of {host} claims a backup of move {entry['name']} with the licenses"
            f" {claimed}, and the inventory declares others, or with other profiles. No other host"
            " was asked for it: correct the inventory, or find out who answers there."
        )


def _profiles_of(licenses: list[Entry]) -> dict[str, list[str]]:
    return {entry["number"]: sorted(entry.get("profiles", [])) for entry in licenses}


def move_outcome(reported: Reported) -> dict[str, t.Any]:
    """What the legs of a host came to in this run, sorted by what it means."""
    ran = [
        (name, leg, result)
        for leg in LEGS
        for name, result in reported["results"].get(leg, {}).items()
    ]
    done = [(name, leg, result) for name, leg, result in ran if "plan" in result]
    plan = [row for each in done for row in _steps(*each)]
    confirmations = [
        {"move": name, "leg": leg, "plan_digest": result["digest"]}
        for name, leg, result in done
        if result["digest"] is not None
    ]
    waits = _once(wait for _name, _leg, result in done for wait in result["waiting"])
    orphaned = _orphaned(done)
    return {
        "plan": plan,
        "confirmations": confirmations,
        "waits": waits,
        "adrift": orphaned,
        "failures": [
            *reported.get("failures", ()),
            *(
                f"Move {name}, leg {leg}: {result.get('msg', 'no reason was given')}"
                for name, leg, result in ran
                if "plan" not in result
            ),
        ],
        "lines": [
            *_orphaned_lines(orphaned),
            *(line for each in done for line in _report(*each)),
            *(table([_in_words(row) for row in plan], _STEP_COLUMNS) if plan else []),
            *_said_lines(plan),
            *(line for each in done for line in _cautions(*each)),
            *(table(confirmations, _CONFIRMATION_COLUMNS) if confirmations else []),
            *wait_lines(waits),
        ],
    }


def move_rows(moves: list[Entry]) -> list[Entry]:
    """Moves as rows of a table, one for each license."""
    return [
        {
            "name": move["name"],
            "move": f"{move['source']} to {move['target']}",
            "side": move["side"],
            "state": move["state"],
            "license": called(entry["number"], entry.get("name")),
            "profiles": ", ".join(entry["profiles"]),
            "place": entry["place"],
            "seen": entry["seen"],
        }
        for move in moves
        for entry in move["licenses"]
    ]


def orphaned_lines(moves: list[Entry]) -> list[str]:
    """The licenses that are active nowhere, and what keeps moves from going on, as lines."""
    return [*adrift_lines(moves), *_problem_lines(moves)]


def adrift_lines(moves: list[Entry]) -> list[str]:
    """The licenses that are active nowhere, or may be, each once, with what helps."""
    found = {entry["license"]: entry for move in moves for entry in move["adrift"]}
    return _orphaned_lines(list(found.values()))


def said_lines(moves: list[Entry]) -> list[str]:
    """What vendors' programs said of steps that nothing shows: somebody has to judge."""
    return _said_lines([step for move in moves for step in move["steps"]])


def _problem_lines(moves: list[Entry]) -> list[str]:
    """Each move's problem, with what the vendor's program said where one was run."""
    return [
        f"Move {move['name']} on {move[move['side']]}: {move['problem']['detail']}"
        f" {move['problem']['next_action']}"
        for move in moves
        if move.get("problem") and move["state"] not in _OVER
    ]


def _require_names(declared: list[Entry]) -> None:
    names = [entry["name"] for entry in declared]
    for name in names:
        if names.count(name) > 1:
            raise AnsibleFilterError(
                f"Two entries of license_server_moves have the name {name}. Give each its own."
            )


def _state(entry: Entry, side: str, hosts: dict[str, Reported]) -> str:
    return str((_record(entry, side, hosts) or {}).get("state", "none"))


def _record(entry: Entry, side: str, hosts: dict[str, Reported]) -> Entry | None:
    known = hosts.get(entry[side], {}).get("before", ())
    return next((record for record in known if record["name"] == entry["name"]), None)


def _result(entry: Entry, leg: str, hosts: dict[str, Reported]) -> dict[str, t.Any] | None:
    reported = hosts.get(entry[SIDE_OF[leg]], {})
    found: dict[str, t.Any] | None = reported.get("results", {}).get(leg, {}).get(entry["name"])
    return found


def _went_through(entry: Entry, leg: str, hosts: dict[str, Reported]) -> bool:
    result = _result(entry, leg, hosts)
    return result is not None and "plan" in result and not result["waiting"]


def without_codes(declared: list[Entry]) -> list[Entry]:
    """The declarations as they may be printed: of a code only that it is there."""
    return [
        {
            **entry,
            "licenses": [
                {
                    "number": item["number"],
                    **({"name": item["name"]} if item.get("name") else {}),
                    "profiles": item.get("profiles", []),
                    "has_code": bool(item.get("code")),
                }
                for item in entry["licenses"]
            ],
        }
        for entry in declared
    ]


def _lost_side(entry: Entry, hosts: dict[str, Reported]) -> str | None:
    """The side that is declared as lost and answers all the same, while that still matters."""
    if entry.get("state", "moved") == "restored":
        lost, over = "target", _state(entry, "source", hosts) == "restored"
    else:
        lost, over = "source", _state(entry, "target", hosts) == "arrived"
    answers = hosts.get(entry[lost], {}).get("answers", False)
    return lost if entry.get(f"{lost}_lost", False) and answers and not over else None


def _document(entry: Entry, leg: str, hosts: dict[str, Reported]) -> dict[str, t.Any] | None:
    """What the leg before gave, in this run or in an earlier one."""
    giver = _GIVER_OF.get(leg)
    if giver is None or (leg == "install" and entry.get("source_lost", False)):
        return None
    result = _result(entry, giver, hosts)
    if result is not None and result.get("document"):
        return t.cast("dict[str, t.Any]", result["document"])
    record = _record(entry, SIDE_OF[giver], hosts) or {}
    found: dict[str, t.Any] | None = record.get("documents", {}).get(_KIND_OF[giver])
    return found


def _differs(entry: Entry, side: str, hosts: dict[str, Reported]) -> bool:
    """Whether an agent knows the name for another move than the declared one."""
    record = _record(entry, side, hosts)
    if record is None:
        return False
    if any({**_USUAL, **entry}[member] != record[member] for member in _DEFINING):
        return True
    if side == "target" or record["state"] in _BEFORE_RELEASE:
        return False
    return _profiles_of(entry["licenses"]) != _profiles_of(record["backup"]["licenses"])


def _evidence(entry: Entry, leg: str, hosts: dict[str, Reported]) -> dict[str, t.Any] | None:
    """The newest document of the leg's agent that the other side keeps: it was signed there."""
    is_source = SIDE_OF[leg] == "source"
    record = _record(entry, "target" if is_source else "source", hosts) or {}
    kinds = ("released",) if is_source else ("refused", "arrived", "prepared")
    found = (record.get("documents", {}).get(kind) for kind in kinds)
    return next((document for document in found if document), None)


def _backup(entry: Entry, leg: str, hosts: dict[str, Reported]) -> dict[str, t.Any] | None:
    """The source's, in this run or an earlier one; the source is never given another's."""
    result = _result(entry, "backup", hosts)
    if result is not None and result.get("backup"):
        return t.cast("dict[str, t.Any]", result["backup"])
    for side in dict.fromkeys(("source", SIDE_OF[leg])):
        record = _record(entry, side, hosts)
        if record is not None:
            return t.cast("dict[str, t.Any]", record["backup"])
    kept = hosts.get(entry["target"], {}).get("backups", {})
    return t.cast("t.Optional[dict[str, t.Any]]", kept.get(entry["name"]))


def _call(entry: Entry, leg: str, hosts: dict[str, Reported], folder: str | None) -> Call:
    document, backup = _document(entry, leg, hosts), _backup(entry, leg, hosts)
    prefix = None if not folder else f"{folder}/{file_stem(entry['name'])}"
    giver, kind = _GIVER_OF.get(leg), _KIND_OF.get(leg)
    takes_file = prefix is not None and giver is not None and document is None
    if leg == "install" and entry.get("source_lost", False):
        takes_file = False
    # What has not begun to leave is given up, and nothing has to be activated again.
    give_up = leg == "restore" and _state(entry, "source", hosts) == "backed_up"
    return {
        "name": entry["name"],
        "state": "absent" if give_up else "present",
        "leg": "install" if leg == "refuse" else leg,
        "decision": "refuse" if leg == "refuse" else "install",
        "vendor": entry.get("vendor", "aimms"),
        "source": entry["source"],
        "target": entry["target"],
        "target_host": entry["target_host"],
        "source_lost": entry.get("source_lost", False),
        "target_lost": entry.get("target_lost", False),
        "require": entry.get("require"),
        "offline": entry.get("offline", False),
        "plan_digest": entry.get("plan_digest") if _is_confirmed(entry, leg) else None,
        "backup": backup,
        "backup_dest": f"{prefix}.backup.json" if prefix and leg == "backup" else None,
        "backup_file": f"{prefix}.backup.json"
        if prefix and leg == "prepare" and backup is None and not entry.get("source_lost", False)
        else None,
        "document": document,
        "document_file": f"{prefix}.{_KIND_OF[giver]}.json" if takes_file and giver else None,
        "document_dest": f"{prefix}.{kind}.json" if prefix and kind else None,
        "evidence": _evidence(entry, leg, hosts),
    }


def _is_confirmed(entry: Entry, leg: str) -> bool:
    """Whether the leg sets going what cannot be taken back; only migrators may confirm."""
    lost = {"install": "source_lost", "restore": "target_lost"}
    return leg == "release" or bool(leg in lost and entry.get(lost[leg], False))


def _once(waits: t.Iterable[Entry]) -> list[Entry]:
    """A step that two legs tell of is one step."""
    return list({(wait["operation"], wait["step"]): wait for wait in waits}.values())


def _steps(name: str, leg: str, result: dict[str, t.Any]) -> t.Iterator[Entry]:
    if result["changed"]:
        for step in result["plan"]["steps"]:
            members = (*_STEP_COLUMNS, "said")
            shown = {member: step[member] for member in members if member in step}
            yield {"move": name, "leg": leg, **shown}


def _report(name: str, _leg: str, result: dict[str, t.Any]) -> list[str]:
    lines = result["report_table"]
    return [f"How the target of move {name} fits:", *lines] if lines else []


def _cautions(name: str, leg: str, result: dict[str, t.Any]) -> list[str]:
    """Only a plan that has not been run asks for a confirmation."""
    warnings = result["plan"]["warnings"] if result["digest"] is not None else []
    return [f"Before you confirm leg {leg} of move {name}:", *warnings] if warnings else []


def _orphaned(done: list[tuple[str, str, dict[str, t.Any]]]) -> list[Entry]:
    """By the last word that each move's agent gave."""
    last = {name: result["move"] for name, _leg, result in done}
    return [entry for move in last.values() if move is not None for entry in move["adrift"]]


def _orphaned_lines(orphaned: list[Entry]) -> list[str]:
    rows = [
        {
            **entry,
            "license": called(entry["license"], entry.get("name")),
            "advice": " ".join(entry["advice"]),
        }
        for entry in orphaned
    ]
    heading = "Licenses that are active nowhere, or may be:"
    return [heading, *table(rows, _ORPHANED_COLUMNS)] if rows else []


def _said_lines(plan: list[Entry]) -> list[str]:
    """What vendors' programs said of steps that nothing shows: somebody has to judge."""
    said = [step for step in plan if step["state"] == "tried" and step.get("said")]
    heading = "What was tried and not observed, with what the vendor's program said:"
    return [heading, *(f"{step['title']}: {step['said']}" for step in said)] if said else []


def _in_words(step: Entry) -> Entry:
    state = _STATES.get(step["state"], step["state"])
    return {**step, "reversible": "yes" if step["reversible"] else "no", "state": state}
