# SPDX-License-Identifier: GPL-3.0-or-later
"""License servers that move to another machine, with the backups that the controller keeps."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._documents import (
    read_document,
    write_document,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._file_names import file_stem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import file_problem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import move_id
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_UNKNOWN,
    INPUT_INVALID,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._server_moves import (
    adrift_lines,
    said_lines,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    SIDES,
    AgentOf,
    Declaration,
    Entry,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.hosts import Host
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import (
    Kind,
    Run,
    Secrets,
    Variables,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.shapes import check

_BACKUP: t.Final = "backup"
_BACKUP_SHAPE: t.Final = {"licenses": [{"number": str, "profiles": [str]}]}
_FOLDER_MODE: t.Final = 0o700
_UNDER_WAY: t.Final = frozenset({"releasing", "released", "finishing", "installing", "restoring"})
"""Something has begun to leave a machine, or to arrive at one."""


def read_moves(variables: Variables, _host: str, agent_of: AgentOf) -> t.Iterator[Declaration]:
    """Moves between two hosts; LicenseProblem for a kept backup that cannot be read."""
    folder = variables.get("license_server_move_backup_dir") or os.path.join(
        variables.get("inventory_dir") or ".", "backups"
    )
    for entry in variables.get("license_server_moves") or ():
        path = os.path.join(folder, f"{file_stem(entry['name'])}.json")
        yield _declaration(entry, path, agent_of)


def _declaration(entry: Entry, path: str, agent_of: AgentOf) -> Declaration:
    ends = {side: agent_of(entry[side]) for side in SIDES}
    lost = _lost_side(entry)
    named = {name: entry[name] for name in ("name", "vendor", "target_host", "source_lost")}
    declared: Entry = {
        "move": {**named, **ends},
        "state": entry["state"],
        "licenses": [_without_code(each) for each in entry["licenses"]],
        "require": entry.get("require") or {},
        "offline": entry["offline"],
        "target_lost": lost == "target",
    }
    kept = read_document(path) if lost == "source" else None
    if kept is not None:
        declared[_BACKUP] = kept
    digest = entry.get("plan_digest")
    confirming = ends["target" if lost == "source" else "source"]
    return Declaration(
        "server_move",
        move_id(entry["name"]),
        entry["name"],
        tuple(agent for side, agent in ends.items() if side != lost),
        declared,
        {confirming: {"plan_digest": digest}} if digest else {},
        vendor=entry["vendor"],
        local={"backup": path, "lost": None if lost is None else ends[lost]},
    )


def _lost_side(entry: Entry) -> t.Optional[str]:
    """The machine that is gone for good, and asked for nothing."""
    if entry["source_lost"]:
        return "source"
    return "target" if entry["target_lost"] and entry["state"] == "restored" else None


def _without_code(entry: Entry) -> Entry:
    """Of a code only that it is there."""
    return {
        "number": entry["number"],
        **({"name": entry["name"]} if entry.get("name") else {}),
        "profiles": entry["profiles"],
        "has_code": bool(entry.get("code")),
    }


def _secrets(variables: Variables, host: str) -> Secrets:
    """The codes, for the one host that activates."""
    found: Secrets = {}
    for entry in variables.get("license_server_moves") or ():
        side = "source" if entry["state"] == "restored" else "target"
        # By number: every value in here is blotted out wherever the task that tells it prints one.
        codes = {each["number"]: each["code"] for each in entry["licenses"] if each.get("code")}
        if entry[side] == host and codes:
            found[move_id(entry["name"])] = {"codes": codes}
    return found


def _gone_on_with(matter: Matter, run: Run) -> Declaration:
    """As it is declared, once what the answers say may be gone by, and the backup is kept.

    LicenseProblem for a machine that is declared as lost and answers, for a backup of something
    else than is declared, and for one that cannot be written.
    """
    declaration = matter.declaration
    _refuse_what_is_not_lost(matter, run)
    for agent in matter.agents:
        for document in matter.given.get(agent, ()):
            if document["kind"] == _BACKUP and document["envelope"] is None:
                _refuse_another(declaration, document["facts"], agent)
                if not (document["planned"] or run.is_check):
                    _keep(declaration.local["backup"], document["facts"])
    return declaration


def _refuse_what_is_not_lost(matter: Matter, run: Run) -> None:
    lost = matter.declaration.local["lost"]
    host = run.hosts.get(str(lost))
    # What has come to its end does not need the machine any more.
    is_over = all((matter.last(agent) or {}).get("outcome") == "same" for agent in matter.agents)
    if host is None or host.problem is not None or host.is_new or is_over:
        return
    side = "target" if matter.declaration.declared["target_lost"] else "source"
    raise LicenseProblem.of(
        INPUT_INVALID,
        f"The {side} of move {matter.declaration.name} is declared as lost, and {lost} answers: its"
        " licenses may be active there. Nothing was done.",
        f"Leave {side}_lost out; or, if another machine has its name now, limit the run to"
        f" {' and '.join(matter.agents)}.",
    )


def _refuse_another(declaration: Declaration, backup: Entry, agent: str) -> None:
    check(backup, _BACKUP_SHAPE, f"the backup of move {declaration.name}", agent)
    claimed = _profiles_of(backup["licenses"])
    if claimed != _profiles_of(declaration.declared["licenses"]):
        raise LicenseProblem.of(
            AGENT_UNKNOWN,
            f"The agent of {agent} claims a backup of move {declaration.name} with the licenses"
            f" {', '.join(sorted(claimed)) or 'none'}, and the inventory declares others, or with"
            " other profiles. No other host was asked for it.",
            "Correct the inventory, or find out who answers in the agent's place.",
        )


def _profiles_of(licenses: t.Iterable[Entry]) -> t.Dict[str, t.List[str]]:
    return {entry["number"]: sorted(entry["profiles"]) for entry in licenses}


def _keep(path: str, backup: Entry) -> None:
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=_FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise file_problem(folder, f"cannot be made a folder: {error.strerror}") from error
    write_document(path, backup, dry_run=False)


def undeclared(hosts: t.Iterable[Host], declared: t.Collection[str]) -> t.List[t.List[Entry]]:
    """What hosts have of moves that are under way and that nobody declares, by move.

    Nobody is asked for them: an agent's word alone moves nothing, and their codes are declared.
    """
    found: t.Dict[str, t.List[Entry]] = {}
    for move in (move for host in hosts for move in host.moves):
        if move["state"] in _UNDER_WAY and move["id"] not in declared:
            found.setdefault(move["id"], []).append(move)
    return list(found.values())


def _declared_text(matter: Matter) -> str:
    declared = matter.declaration.declared
    count = len(declared["licenses"])
    licenses = "1 license" if count == 1 else f"{count} licenses"
    return f"{licenses} back" if declared["state"] == "restored" else licenses


def _present_text(matter: Matter) -> t.Optional[str]:
    """How it stood at each host when it was first looked at."""
    firsts = [first["present"] for first in matter.first.values()]
    states = [present["state"] for present in firsts if present is not None]
    return ", ".join(states) or ("not begun" if firsts else None)


def _urgent(matter: Matter) -> t.List[str]:
    """What is active nowhere, and what programs said of which nothing is seen."""
    lasts = [last for agent in matter.agents if (last := matter.last(agent)) is not None]
    present = [last["present"] for last in lasts if last["present"] is not None]
    return [*adrift_lines(present), *said_lines(present)]


SERVER_MOVE: t.Final = Kind(
    "moves",
    read_moves,
    _declared_text,
    _present_text,
    completed=_gone_on_with,
    secrets=_secrets,
    urgent=_urgent,
)
