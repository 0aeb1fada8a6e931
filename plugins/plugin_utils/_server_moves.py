# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves of license servers as reports tell of them: where each license is, and who has to judge."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._license_names import called
from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table

Entry = t.Dict[str, t.Any]

_OVER: t.Final = ("finished", "restored", "arrived", "refused", "void")
_ORPHANED_COLUMNS: t.Final = {
    "license": "License",
    "place": "Active",
    "since": "Since",
    "advice": "What helps",
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
    rows = [
        {
            **entry,
            "license": called(entry["license"], entry.get("name")),
            "advice": " ".join(entry["advice"]),
        }
        for entry in found.values()
    ]
    heading = "Licenses that are active nowhere, or may be:"
    return [heading, *table(rows, _ORPHANED_COLUMNS)] if rows else []


def said_lines(moves: list[Entry]) -> list[str]:
    """What vendors' programs said of steps that nothing shows: somebody has to judge."""
    steps = [step for move in moves for step in move["steps"]]
    said = [step for step in steps if step["state"] == "tried" and step.get("said")]
    heading = "What was tried and not observed, with what the vendor's program said:"
    return [heading, *(f"{step['title']}: {step['said']}" for step in said)] if said else []


def _problem_lines(moves: list[Entry]) -> list[str]:
    """Each move's problem, with what the vendor's program said where one was run."""
    return [
        f"Move {move['name']} on {move[move['side']]}: {move['problem']['detail']}"
        f" {move['problem']['next_action']}"
        for move in moves
        if move.get("problem") and move["state"] not in _OVER
    ]
