# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of rules: as lines of text, and as the problem of what they refuse."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    LicenseProblem,
)

Rules = t.List[t.Dict[str, t.Any]]

_VERDICTS: t.Final = {"met": "met", "not_met": "not met", "unknown": "unknown"}


def report_table(rules: Rules) -> list[str]:
    """The rules of a report as lines of text, with what to do below each that blocks."""
    verdict_width = max(map(len, _VERDICTS.values()))
    rule_width = max((len(rule["rule"]) for rule in rules), default=0)
    lines = []
    for rule in rules:
        verdict = str(_VERDICTS.get(rule["verdict"], rule["verdict"]))
        head = f"{verdict.ljust(verdict_width)}  {rule['rule'].ljust(rule_width)}  "
        lines.append(f"{head}{rule['required']}; seen: {rule['observed']}")
        if _blocks(rule):
            lines.append(" " * len(head) + (rule["advice"] or ""))
    return lines


def _blocks(rule: dict[str, t.Any]) -> bool:
    """Whether nothing is done because of it: not met, or unknown where that blocks."""
    unknown = rule["verdict"] == "unknown" and rule.get("on_unknown") == "blocks"
    return unknown or rule["verdict"] == "not_met"


def readable(
    problem: LicenseProblem,
    more: t.Sequence[str] = (),
    judged: dict[str, t.Any] | None = None,
) -> LicenseProblem:
    """A refusal with its rules as a table, for whoever reads only the message.

    ``more`` are lines below it, ``judged`` what else the module returns.
    """
    rules = problem.document.get("rules")
    if not rules:
        return problem
    lines = report_table(rules)
    reported = "\n".join([str(problem), *lines, *more])
    report = {"report": {"verdict": "refused", "rules": rules}, "report_table": lines}
    return LicenseProblem(problem.document, reported=reported, result={**report, **(judged or {})})
