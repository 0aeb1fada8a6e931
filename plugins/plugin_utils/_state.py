# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole of what an inventory declares: what a host has to do with it, and what differed."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import Entry

Row = t.Dict[str, t.Any]

_VENDOR_OF: t.Final = {
    "license_activations": "chaos",
    "license_dongle_migrations": "chaos",
    "license_server_borrows": "chaos",
    "license_transfers": "codemeter",
    "license_borrows": "codemeter",
    "license_orders": "altigen",
    "license_server_moves": "aimms",
}
"""Whose product a declaration is about; entries of license_server_configs say it themselves."""

_LIKENESS_MIN: t.Final = 0.92
"""Of two names, as difflib measures it: a letter or two of twenty differ."""

_COLUMNS: t.Final = {
    "host": "Host",
    "what": "What",
    "declared": "Declared",
    "present": "Present",
    "outcome": "Outcome",
}
_RUN_COLUMNS: t.Final = {**_COLUMNS, "present": "Before"}


def vendors_here(
    reported: list[str] | None, found: list[Entry], declared: dict[str, list[Entry]], host: str
) -> list[str]:
    """Whose products ``host`` has, in the order of the alphabet.

    ``reported`` is what the inventory says, ``found`` what the agent shows otherwise; what is
    declared for this very host counts in either case: nothing declared is left out in silence.
    """
    vendors = set(reported or ())
    if not vendors:
        # An agent of an older release names CodeMeter everywhere, without a version where none is.
        vendors = {
            entry["vendor"]
            for entry in found
            if entry["vendor"] != "codemeter" or entry["version"] is not None
        }
    for variable, entries in declared.items():
        for entry in entries:
            if host in (entry.get("host"), entry.get("source"), entry.get("target")):
                vendor = _VENDOR_OF.get(variable) or entry.get("vendor")
                vendors |= {vendor} if vendor else set()
    return sorted(vendors or {"codemeter"})


def drift(results: list[dict[str, t.Any]]) -> list[Row]:
    """What differed from the declaration, or waits, by what modules returned; loops included.

    Work of several tasks is one row: as it was before the first, as it came out of the last.
    """
    rows: dict[str, Row] = {}
    for row in (row for result in _each(results) for row in _rows(result)):
        first = rows.get(row["what"], row)
        rows[row["what"]] = {**row, **{key: first[key] for key in ("present",) if key in first}}
    return list(rows.values())


def held_up(results: list[dict[str, t.Any]], waiting: list[Entry]) -> bool:
    """Whether all that failed only has to wait for work that itself waits for somebody.

    A license server does one thing at a time, and a step of a person is no failure.
    """
    refused = [result for result in _each(results) if "problem" in result or "msg" in result]
    operations = {wait["operation"] for wait in waiting}
    problems = [result.get("problem") or {} for result in refused]
    return bool(problems) and all(
        problem.get("code") == "container-busy" and problem.get("operation") in operations
        for problem in problems
    )


def misspelt(names: t.Iterable[str], known: list[str]) -> list[str]:
    """Which variables are spelled almost as one that is read, and are read by nothing."""
    nearest = {
        name: difflib.get_close_matches(name, known, 1, _LIKENESS_MIN)
        for name in sorted(set(names) - set(known))
    }
    return [
        f"The inventory sets {name}, which nothing reads. Did you mean {near[0]}? Nothing was done"
        " here."
        for name, near in nearest.items()
        if near
    ]


def failures(result: dict[str, t.Any]) -> list[str]:
    """Why a task failed, one text for each item of a loop that did."""
    items = [item for item in result.get("results") or () if item.get("failed")]
    return [str(item.get("msg", "no reason was given")) for item in items or [result]]


def drift_table(reported: list[Entry], hosts: list[str], check: bool) -> list[str]:
    """The table of all hosts of a run, with a line also where nothing differs or is known."""
    by_host = {entry["host"]: entry for entry in reported}
    rows: list[Row] = []
    for host in hosts:
        entry = by_host.get(host, {})
        found = [*entry.get("drift", ()), *_failed(entry)]
        if not found:
            whole = entry.get("whole", False)
            why = "nothing differs" if whole else "not looked at, its failure says why"
            found = [{"what": why}]
        rows += [{"host": host, **_in_words(row, check)} for row in found]
    return table(rows, _COLUMNS if check else _RUN_COLUMNS)


def _in_words(row: Row, check: bool) -> Row:
    changes = check and row.get("outcome") == "changed"
    return {**row, "outcome": "would change"} if changes else row


def _failed(entry: Entry) -> list[Row]:
    parts = dict.fromkeys(failure["part"] for failure in entry.get("failures", ()))
    return [{"what": part, "outcome": "failed"} for part in parts]


def _each(results: list[dict[str, t.Any]]) -> t.Iterator[dict[str, t.Any]]:
    for result in results:
        items = result.get("results")
        yield from items if isinstance(items, list) else [result]


def _rows(result: dict[str, t.Any]) -> t.Iterator[Row]:
    difference = result.get("diff") or {}
    what = str(difference.get("before_header", "")).removesuffix(", before")
    waits = result.get("waiting") or ()
    if result.get("changed"):
        outcome = "waits" if waits else "changed"
        before, after = (_leaves(difference.get(when) or {}) for when in ("before", "after"))
        for name in [name for name in {**before, **after} if before.get(name) != after.get(name)]:
            yield {
                "what": f"{what}: {name}",
                # Work that goes through several hands is declared to come to its end.
                "declared": "done" if name == "state" else after.get(name),
                "present": before.get(name),
                "outcome": outcome,
            }
    for wait in waits:
        outcome = f"waits for {wait['who']}"
        yield {"what": wait["subject"], "present": wait["title"], "outcome": outcome}
    problem = result.get("problem") or {}
    if problem.get("code") == "container-busy":
        yield {"what": problem["detail"], "outcome": "waits"}


def _leaves(tree: dict[str, t.Any], path: str = "") -> dict[str, t.Any]:
    """Single values by their paths; what is told as a list is too much for a table."""
    found: dict[str, t.Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found.update(_leaves(value, f"{path}{name}."))
        elif not isinstance(value, (list, tuple)):
            found[f"{path}{name}"] = value
    return found
