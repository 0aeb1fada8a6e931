# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared migrations of dongles: which are left to do, and what a run of them came to."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import (
    Entry,
    wait_lines,
)

Reported = t.Tuple[Entry, t.Dict[str, t.Any]]

LOOP_VARIABLE = "dongle_migration_entry"
_STEP_COLUMNS: t.Final = {
    "dongle": "Dongle",
    "title": "Step",
    "performer": "Performer",
    "reversible": "Reversible",
    "state": "State",
}
_CONFIRMATION_COLUMNS: t.Final = {
    "dongle": "Dongle",
    "plan_digest": "Plan digest",
    "acknowledge_irreversible": "Acknowledge",
}


def migrations_left(declared: list[Entry], known: list[Entry]) -> list[Entry]:
    """The declared ones but those that the host knows to be done for the same user."""
    done = {
        (name, record["target_user"])
        for record in known
        if record["state"] == "done"
        for name in record["names"]
    }
    return [entry for entry in declared if (str(entry["dongle"]), entry["target_user"]) not in done]


def migration_outcome(results: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """What the tasks for all dongles of a host returned, sorted by what it means."""
    reported = [(result[LOOP_VARIABLE], result) for result in results if LOOP_VARIABLE in result]
    done = [(entry, result) for entry, result in reported if "plan" in result]
    plan = [row for pair in done for row in _steps(pair)]
    confirmations = [row for pair in done for row in _confirmations(pair)]
    waits = [wait for _entry, result in done for wait in result["waiting"]]
    return {
        "plan": plan,
        "confirmations": confirmations,
        "waits": waits,
        "failures": [
            f"Dongle {entry['dongle']}: {result.get('msg', 'no reason was given')}"
            for entry, result in reported
            if "plan" not in result
        ],
        "lines": [
            *(line for pair in done for line in _report(pair)),
            *(table([_in_words(row) for row in plan], _STEP_COLUMNS) if plan else []),
            *(table(confirmations, _CONFIRMATION_COLUMNS) if confirmations else []),
            *wait_lines(waits),
        ],
    }


def _report(pair: Reported) -> list[str]:
    entry, result = pair
    lines = result["report_table"]
    return [f"The vendor's rules for dongle {entry['dongle']}:", *lines] if lines else []


def _confirmations(pair: Reported) -> t.Iterator[dict[str, t.Any]]:
    """Only a plan that has not been run has a digest to confirm."""
    entry, result = pair
    if result["changed"] and result["digest"] is not None:
        yield {
            "dongle": str(entry["dongle"]),
            "plan_digest": result["digest"],
            "acknowledge_irreversible": result["acknowledgement"],
        }


def _steps(pair: Reported) -> t.Iterator[dict[str, t.Any]]:
    entry, result = pair
    if not result["changed"]:
        return
    for step in (result["plan"] or {}).get("steps", ()):
        shown = {member: step[member] for member in _STEP_COLUMNS if member in step}
        yield {"dongle": str(entry["dongle"]), **shown}


def _in_words(step: dict[str, t.Any]) -> dict[str, t.Any]:
    return {**step, "reversible": "yes" if step["reversible"] else "no"}
