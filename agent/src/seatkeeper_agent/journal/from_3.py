# SPDX-License-Identifier: GPL-3.0-or-later
"""What version 3 kept in ids, names and titles, as version 4 keeps it: links, types, arguments."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import apsw

from seatkeeper_agent.domain.planned_steps import canonical
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.transfers import NAMESPACE

_OF_TRANSFERS = ("debit", "credit", "confirm", "credit_back", "expire")
_OF_SERVERS = ("settings", "activation")
_OF_ATTEMPTS = {
    # A declaration's kind, and how the ids of the operations began that were made for it.
    "order": "order/{id}",
    "migration": "dongle_migration/{id}",
    "server_borrow": "server_borrow/{id}",
    "move": "server_move/{id}/{side}",
}
_PROFILE = "server_profile"


def fill_in(connection: apsw.Connection) -> None:
    """Link operations to their declarations, and give each step its type and arguments."""
    for operation_id, kind, declaration_id in _linked(connection):
        connection.execute(
            "UPDATE operations SET declaration_kind = ?, declaration_id = ? WHERE id = ?",
            (kind, declaration_id, operation_id),
        )
    for operation_id, kind in _rows(connection, "SELECT id, kind FROM operations"):
        _fill_in_steps(connection, operation_id, kind)
    owed = "SELECT id, document FROM declarations WHERE kind = 'freeze_owed'"
    for held, text in _rows(connection, owed):
        what = "exchange with" if held.startswith("agent ") else "container"
        document = {**json.loads(text), "subject": f"{what} {held}"}
        connection.execute(
            "UPDATE declarations SET document = ? WHERE kind = 'freeze_owed' AND id = ?",
            (canonical(document).decode(), held),
        )


def _linked(connection: apsw.Connection) -> Iterator[tuple[str, str, str]]:
    """Each operation's id with the kind and the id of its declaration."""
    for (transfer,) in _rows(connection, "SELECT DISTINCT id FROM transfers"):
        for kind in _OF_TRANSFERS:
            yield _id(f"operation/{transfer}/{kind}"), "transfer", transfer
    for kind, declared, text in _rows(connection, "SELECT kind, id, document FROM declarations"):
        if kind in _OF_ATTEMPTS:
            document = json.loads(text)
            begins = _OF_ATTEMPTS[kind].format(id=declared, side=document.get("side"))
            for attempt in range(1, document.get("attempt", 0) + 1):
                yield _id(f"{begins}/{attempt}"), kind, declared
    others = "SELECT id, kind, subject, holds FROM operations"
    for operation_id, kind, subject, holds in _rows(connection, others):
        if kind in _OF_SERVERS:
            yield operation_id, kind, holds.removeprefix("server/")
        elif kind == _PROFILE:
            yield operation_id, kind, subject.removeprefix("profile ")


def _rows(connection: apsw.Connection, query: str, *bindings: Any) -> list[tuple[Any, ...]]:
    return connection.execute(query, bindings).fetchall()


def _id(name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, name))


@dataclass(frozen=True)
class _Old:
    """A step as version 3 had it, with the baselines of all steps and what was declared.

    ``last`` is the title of the operation's last step, which names a move's leg.
    """

    name: str
    title: str
    reversible: bool
    performer: str
    baseline: dict[str, Any]
    baselines: dict[str, Any]
    declared: dict[str, Any]
    last: str

    @property
    def leg(self) -> str:
        """The leg of a move that the operation ends."""
        return self.last.removeprefix("ending the leg ").partition(" ")[0]

    @property
    def first(self) -> str:
        """The word before what the step is about."""
        return self.name.partition(" ")[0]

    @property
    def rest(self) -> str:
        """What the step is about."""
        return self.name.partition(" ")[2]


def _fill_in_steps(connection: apsw.Connection, operation_id: str, kind: str) -> None:
    rows = _rows(
        connection,
        "SELECT position, name, title, reversible, performer, baseline FROM steps"
        " WHERE operation_id = ? ORDER BY position",
        operation_id,
    )
    baselines: dict[str, Any] = {}
    for row in rows:
        baselines |= json.loads(row[5])
    declared = _declared(connection, operation_id)
    for position, name, title, reversible, performer, baseline in rows:
        old = _Old(
            name,
            title,
            bool(reversible),
            performer,
            json.loads(baseline),
            baselines,
            declared,
            rows[-1][2],
        )
        made = _TYPES.get(kind, _plain)(old)
        if made is None:
            _end(connection, operation_id)
            made = old.name, {}
        connection.execute(
            "UPDATE steps SET type = ?, arguments = ? WHERE operation_id = ? AND position = ?",
            (made[0], canonical(made[1]).decode(), operation_id, position),
        )


def _declared(connection: apsw.Connection, operation_id: str) -> dict[str, Any]:
    """The operation's declaration, as far as it is known; of a transfer what its debit needs."""
    ((kind, declared, side),) = _rows(
        connection,
        "SELECT declaration_kind, declaration_id, side FROM operations WHERE id = ?",
        operation_id,
    )
    if kind != "transfer":
        text = connection.execute(
            "SELECT document FROM declarations WHERE kind = ? AND id = ?", (kind, declared)
        ).get
        return {"id": declared} if text is None else {"id": declared, **json.loads(text)}
    text = connection.execute(
        "SELECT declaration FROM transfers WHERE id = ? AND side = ?", (declared, side)
    ).get
    document = {} if text is None else json.loads(text)
    begun_at = "target" if document.get("mode") == "return" else "source"
    parent = connection.execute(
        "SELECT vendor_transfer_id FROM transfers WHERE id = ? AND side = ?",
        (document.get("parent"), begun_at),
    ).get
    return {"parent_vendor_id": parent}


def _end(connection: apsw.Connection, operation_id: str) -> None:
    """Version 3 wrote down what was declared with the first intent only."""
    problem = Problem(
        ProblemCode.RUNTIME_UNFINISHED,
        "A change of settings was interrupted before it did anything.",
        "Declare the settings again.",
    )
    connection.execute(
        "UPDATE operations SET state = 'failed', problem = ? WHERE id = ?"
        " AND state IN ('running', 'waiting', 'in_doubt')",
        (canonical(problem.as_document()).decode(), operation_id),
    )


_Made = tuple[str, dict[str, Any]] | None
"""A step's type and arguments; None where nothing tells them any more."""


def _plain(old: _Old) -> _Made:
    return old.name, {}


def _of_debit(old: _Old) -> _Made:
    parent = old.declared.get("parent_vendor_id")
    return old.name, {"reversible": old.reversible, "parent_vendor_id": parent}


def _of_settings(old: _Old) -> _Made:
    if old.name == "dongle_service":
        # Planned behind an edit it may have no baseline yet: its title tells the direction.
        return old.name, {"enabled": old.baselines.get("enabled", old.title.endswith(" on"))}
    known = "settings" in old.baselines
    return (old.name, {"settings": old.baselines["settings"]}) if known else None


def _of_activation(old: _Old) -> _Made:
    reported = {"activate_online": "account", "activate_offline": "digest"}.get(old.name)
    return old.name, {} if reported is None else {reported: old.baseline.get(reported, "")}


def _of_borrow(old: _Old) -> _Made:
    declared = old.declared
    arguments = {"product": declared.get("product")}
    if old.name != "release":
        arguments["seats"] = declared.get("seats")
    if old.name == "borrow":
        arguments["auto_renew"] = declared.get("auto_renew")
    elif old.name == "auto_renew":
        arguments["enabled"] = not declared.get("renewing")
    return old.name, arguments


def _of_migration(old: _Old) -> _Made:
    declared = old.declared
    arguments: dict[str, dict[str, Any]] = {
        "isolate": {"paths": declared.get("others")},
        "give_back": {"paths": declared.get("others")},
        "dongle_service": {"enabled": True},
        "transfer": {
            "target_user": declared.get("target_user"),
            "deadline_seconds": declared.get("deadline_seconds"),
        },
        "arrive": {"licenses": declared.get("licenses")},
    }
    return old.name, arguments.get(old.name, {})


def _of_order(old: _Old) -> _Made:
    return old.name, {"by_agent": old.declared.get("mailed")} if old.name == "send" else {}


def _of_move(old: _Old) -> _Made:
    shape, by = old.declared.get("shape") or {}, {"by": old.performer}
    unseen = shape.get("unseen", [])
    match old.first:
        case "maintenance_on" | "maintenance_off":
            return "maintenance", {**by, "enabled": old.first == "maintenance_on"}
        case "deactivate" | "verify":
            return old.first, {**by, "number": old.rest}
        case "activate":
            shown = {"seen": "licenses" not in unseen, "offline": shape.get("offline", False)}
            return old.first, {**by, "number": old.rest, **shown}
        case "add_profile":
            licenses = old.declared.get("backup", {}).get("licenses", [])
            owners = [entry["number"] for entry in licenses if old.rest in entry["profiles"]]
            owners = [n for name, n in shape.get("profiles", []) if name == old.rest] or owners
            seen = {"number": next(iter(owners), None), "seen": "profiles" not in unseen}
            return old.first, {**by, "profile": old.rest, **seen}
        case "support_release":
            return old.first, {**by, "numbers": shape.get("numbers")}
        case "repoint":
            return old.first, {**by, "restarts": old.leg == "finish"}
        case "install":
            return old.first, by
    return old.name, {"leg": old.leg} if old.name == "close" else {}


def _of_profile(old: _Old) -> _Made:
    arguments = {"by": old.performer, "profile": old.declared["id"]}
    arguments["number"] = old.declared.get("license")
    if old.first == "add_profile":
        arguments["seen"] = old.declared.get("seen")
    return old.first, arguments


_TYPES: dict[str, Callable[[_Old], _Made]] = {
    "debit": _of_debit,
    "settings": _of_settings,
    "activation": _of_activation,
    "server_borrow": _of_borrow,
    "dongle_migration": _of_migration,
    "order": _of_order,
    "server_move": _of_move,
    _PROFILE: _of_profile,
}
