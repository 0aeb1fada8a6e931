# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run came to: for each declared thing one row, which says how it ended and why.

Every row has one of the outcomes below. What nobody looked at is said to be so, and nothing is
reported as done that was not seen done.
"""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import one_line
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._open_steps import step_lines
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._server_moves import adrift_lines
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    SIDES,
    Entry,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.hosts import Host
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import KINDS
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.server_moves import (
    undeclared,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.notes import (
    digest_of,
    notes_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.places import is_placed
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plan import Plan

Row = t.Dict[str, t.Any]

SAME: t.Final = "same"
CHANGED: t.Final = "changed"
WOULD_CHANGE: t.Final = "would change"
WAITS: t.Final = "waits"
FAILED: t.Final = "failed"
UNKNOWN: t.Final = "unknown"
NOT_LOOKED_AT: t.Final = "not looked at"
DRIFT: t.Final = frozenset({WOULD_CHANGE, WAITS, FAILED, UNKNOWN, NOT_LOOKED_AT})
"""The outcomes with which something is not as it is declared, or nobody can say so."""

COLUMNS: t.Final = {
    "hosts": "Hosts",
    "what": "What",
    "declared": "Declared",
    "present": "Before",
    "outcome": "Outcome",
}
_PLANNED: t.Final = {False: (), True: (WAITS,)}
"""A plan that waits for a file may have been judged, and need a confirmation, all the same."""
_IN_CONTAINERS: t.Final = frozenset({"transfer", "borrow"})


class _Ended(t.NamedTuple):
    """How something ended; ``who`` is awaited, ``why`` says what to do about it.

    ``failed_at`` are the agents at whose hosts it failed.
    """

    outcome: str
    who: t.Optional[str] = None
    why: t.Optional[str] = None
    failed_at: t.Sequence[str] = ()


def rows_of(plan: Plan) -> t.List[Row]:
    """One row for each declared thing and for each host that did not answer."""
    hosts = [row for host in plan.hosts.values() for row in _rows_of_host(host, plan)]
    everybody = list(plan.hosts)
    sums = [_row_of("all", "sum", FAILED, why, everybody) for why in plan.lost_or_doubled()]
    declared = {matter.id for matter in plan.matters.values()}
    under_way = undeclared(plan.hosts.values(), declared) if "moves" in plan.parts else []
    moves = [_row_of_move(each) for each in under_way]
    matters = [_row(matter, plan) for matter in plan.matters.values()]
    # A reason has words of agents in it: it stays one line, and nothing in it acts on a terminal.
    return [
        {**_EMPTY, **row, "why": None if row["why"] is None else one_line(row["why"])}
        for row in (*sums, *hosts, *moves, *matters)
    ]


def _rows_of_host(host: Host, plan: Plan) -> t.Iterator[Row]:
    agent = host.agent
    for change in host.changes:
        shown = {name: change[name] for name in ("what", "declared", "present")}
        outcome = WOULD_CHANGE if plan.is_check else CHANGED
        yield {**_row_of(agent, "", outcome, None, [agent]), **shown, "failed_at": []}
    if host.problem is not None:
        yield _row_of(agent, "host", NOT_LOOKED_AT, _sentence(host.problem), [agent])
        return
    for what, outcome, whys in (
        ("license servers", FAILED, host.failures),
        ("journal", FAILED, host.broken),
        ("products", UNKNOWN, host.unseen),
        ("claims", FAILED, list(dict.fromkeys(host.refused))),
    ):
        if whys:
            yield _row_of(agent, what, outcome, " ".join(whys), [agent])
    declared = _waits_at(agent, plan)
    for wait in host.waiting:
        if wait["operation"] not in declared:
            row = _row_of(agent, wait["subject"], WAITS, None, [agent])
            yield {**row, "who": _who([wait]), "notes": step_lines(agent, wait), "failed_at": []}


def _row_of(hosts: str, what: str, outcome: str, why: t.Optional[str], agents: t.List[str]) -> Row:
    """A row of what nobody has declared; it has failed at all of these agents."""
    said = {"hosts": hosts, "what": what, "outcome": outcome, "why": why}
    return {**said, "agents": agents, "failed_at": agents}


def _row_of_move(known: t.List[Entry]) -> Row:
    """A move of a license server that is under way, by what the journals have of it."""
    move = known[0]
    return {
        "hosts": f"{move['source']} to {move['target']}",
        "agents": [each[each["side"]] for each in known],
        "what": f"server move {move['name']}",
        "present": ", ".join(each["state"] for each in known),
        "outcome": WAITS,
        "who": "its entry in license_server_moves",
        "why": "It is under way, and nothing declares it any more. Declare it again as it was.",
        "notes": adrift_lines(known),
        "failed_at": [],
    }


def drift_of(rows: t.List[Row], plan: Plan) -> t.Dict[str, t.List[Row]]:
    """The rows with which something differs, by the first agent of this play that has a part."""
    found: t.Dict[str, t.List[Row]] = {}
    for row in rows:
        agents = [agent for agent in row["agents"] if agent in plan.hosts]
        if row["outcome"] != SAME and agents:
            between = f"{row['declared']}, {row['hosts']}" if row["declared"] else None
            shown = {**row, "declared": between, "outcome": _outcome_text(row)}
            found.setdefault(agents[0], []).append(shown)
    return found


def lines_of(rows: t.List[Row]) -> t.List[str]:
    """The rows as a table, with what is to be done below it."""
    shown = [{**row, "outcome": _outcome_text(row)} for row in rows]
    whys = [f"{row['hosts']}, {row['what']}: {row['why']}" for row in rows if row["why"]]
    notes = [line for row in rows for line in row["notes"] or ()]
    return [*table(shown, COLUMNS), *map(one_line, (*whys, *notes))]


def _what(matter: Matter) -> str:
    return f"{matter.declaration.kind.replace('_', ' ')} {matter.declaration.name}".rstrip()


def _outcome_text(row: Row) -> str:
    joint = " for " if row["outcome"] == WAITS else ": "
    return f"{row['outcome']}{joint}{row['who']}" if row["who"] else str(row["outcome"])


_EMPTY: t.Final[Row] = dict.fromkeys(
    ("hosts", "what", "declared", "present", "outcome", "who", "why", "digest", "notes")
)


def _row(matter: Matter, plan: Plan) -> Row:
    ended, kind = _ended(matter, plan), KINDS[matter.declaration.kind]
    return {
        "hosts": " to ".join(matter.agents),
        "agents": list(matter.agents),
        "what": _what(matter),
        "declared": kind.declared(matter),
        "present": kind.present(matter),
        "digest": digest_of(matter),
        "notes": notes_of(
            matter, ended.outcome in (WOULD_CHANGE, FAILED, *_PLANNED[plan.is_check])
        ),
        **ended._asdict(),
    }


def _ended(matter: Matter, plan: Plan) -> _Ended:
    if matter.refused is not None:
        said_by = matter.agents if matter.claim is None else [matter.claim.agent]
        return _Ended(FAILED, why=matter.refused, failed_at=said_by)
    missing = _missing(matter, plan)
    problems = [(agent, problem) for agent, problem in matter.problems() if plan.is_there(agent)]
    if missing and not (problems and _is_clear(matter)):
        # Before every container is known a refusal says no more than that it is not.
        return missing
    held_up = _held_up(matter, problems, plan)
    if held_up:
        return _Ended(WAITS, who=held_up)
    if problems:
        lasts = [matter.last(agent) or {} for agent, _problem in problems]
        is_unknown = any(last["outcome"] == "unknown" for last in lasts)
        whys = dict.fromkeys(_sentence(problem) for _agent, problem in problems)
        outcome = UNKNOWN if is_unknown else FAILED
        return _Ended(
            outcome, why=" ".join(whys), failed_at=[agent for agent, _problem in problems]
        )
    if not (plan.is_check or matter.told or matter.is_confirmed()):
        why = "It cannot be undone, and nothing confirms its plan."
        return _Ended(FAILED, why=why, failed_at=matter.agents[:1])
    return _by_answers(matter, plan.is_check)


def _is_clear(matter: Matter) -> bool:
    """Whether a refusal says more than that a container is not known yet."""
    return matter.declaration.kind not in _IN_CONTAINERS or is_placed(matter.declaration)


def _held_up(matter: Matter, problems: t.List[t.Tuple[str, Entry]], plan: Plan) -> t.Optional[str]:
    """What it waits for, where all that keeps it is work that itself waits for somebody.

    A license server does one thing at a time, and a step of a person is no failure.
    """
    awaited: t.Dict[str, str] = {}
    for agent, problem in problems:
        seen = {wait["operation"]: wait["title"] for wait in plan.hosts[agent].waiting}
        waits = {**seen, **_waits_at(agent, plan)}
        title = waits.get(str(problem.get("operation")))
        if problem["code"] != "container-busy" or title is None or matter.changed():
            return None
        awaited[title] = title
    return ", ".join(awaited) or None


def _waits_at(agent: str, plan: Plan) -> t.Dict[str, str]:
    """By operation, what the answers of this run say that an agent waits for."""
    found = [(matter.last(agent) or {}).get("waits_for") or {} for matter in plan.matters.values()]
    return {
        wait["operation"]: wait["title"] for wait in found if {"operation", "title"} <= wait.keys()
    }


def _missing(matter: Matter, plan: Plan) -> t.Optional[_Ended]:
    """What cannot be told without those who did not answer, or are not in the play."""
    present = [agent for agent in matter.agents if agent in plan.hosts]
    silent = [agent for agent in present if not plan.is_there(agent)]
    if silent:
        did = "Something was done before." if matter.told and matter.changed() else None
        return _Ended(NOT_LOOKED_AT, who=" and ".join(silent), why=did)
    absent = [agent for agent in matter.agents if agent not in plan.hosts]
    lasts = [matter.last(agent) for agent in present]
    if absent and any(last is not None and last["outcome"] != "same" for last in lasts):
        return _Ended(WAITS, who=_file(matter, plan) or f"{' and '.join(absent)}, not in this play")
    return None


def _file(matter: Matter, plan: Plan) -> t.Optional[str]:
    """The file that somebody has to bring, where documents go that way."""
    if plan.folder is None:
        return None
    awaited = plan.courier.awaited_of(matter.id).values()
    files = [plan.folder.file_of(matter.declaration, kind) for kind in awaited]
    return f"the file {files[0]}" if files else None


def _by_answers(matter: Matter, is_check: bool) -> _Ended:
    lasts = [last for agent in matter.agents if (last := matter.last(agent)) is not None]
    outcomes = {last["outcome"] for last in lasts}
    waits = [last["waits_for"] for last in lasts if last["outcome"] == "waits"]
    if "unknown" in outcomes or not outcomes:
        why = "Nobody could say how it is. Run it again."
        return _Ended(UNKNOWN, why=why, failed_at=matter.agents)
    if is_check and "would_change" in outcomes:
        return _Ended(WOULD_CHANGE)
    if waits:
        return _Ended(WAITS, who=_who(waits))
    if "would_change" in outcomes:
        # It was told, and at the end it is still not so.
        why = "It was done, and afterwards it was not seen done. Run it again."
        return _Ended(UNKNOWN, why=why, failed_at=matter.agents)
    return _Ended(CHANGED if matter.changed() else SAME)


def _who(waits: t.List[t.Optional[Entry]]) -> str:
    """A person before a vendor, and both before another agent."""
    found = [wait for wait in waits if wait is not None]
    people = [f"{wait['who']}: {wait['title']}" for wait in found if wait.get("who")]
    agents = [str(wait["agent"]) for wait in found if wait.get("agent")]
    return ", ".join(dict.fromkeys(people or agents)) or "the agent's own work"


def _sentence(problem: t.Optional[Entry]) -> str:
    return "" if problem is None else str(LicenseProblem(problem))


def steps_of(plan: Plan) -> t.List[Row]:
    """What each host did, or in check mode would do, step by step."""
    return [
        {
            "declaration": matter.declaration.name,
            "agent": agent,
            "title": step["title"],
            "reversible": step["reversible"],
            **({"leg": step["leg"]} if "leg" in step else {}),
        }
        for matter in plan.matters.values()
        for agent in matter.agents
        for step in (matter.told.get(agent) or matter.asked.get(agent) or _STILL)["steps"]
        # A borrow is done by its transfers, which say their own steps.
        if matter.changed_at(agent) and matter.declaration.kind != "borrow"
    ]


_STILL: t.Final[Entry] = {"steps": []}


def differences_of(plan: Plan, agent: str) -> t.List[t.Dict[str, t.Any]]:
    """What became different at one host, or would, in the form that C(--diff) shows."""
    found = []
    for matter in plan.matters.values():
        done = matter.told.get(agent) or matter.asked.get(agent)
        if done is not None and matter.changed_at(agent):
            what = f"{_what(matter)} at {_place(matter, agent)}"
            found.append(
                {
                    "before_header": f"{what}, before",
                    "after_header": f"{what}, after",
                    "before": done["before"],
                    "after": done["after"],
                }
            )
    return found


def _place(matter: Matter, agent: str) -> str:
    """An agent, with its side and its container where the thing has two."""
    body = matter.declaration.declared.get("transfer", {})
    for side in SIDES:
        end = body.get(side, {})
        if end.get("agent") == agent:
            return f"{agent} ({side}, container {end.get('container')})"
    return agent
