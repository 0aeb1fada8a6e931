# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run tells at its end of everything that is declared, read as a person reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

COLUMNS = ("Hosts", "What", "Declared", "Before", "Outcome")
Row = dict[str, str]
Step = tuple[str, ...]
"""Title, performer, and whether it can be undone."""

_HEADER = re.compile("^" + " +".join(COLUMNS) + "$")
_RESULT = re.compile(r"^(\w+: \[|\[ERROR\]|\[WARNING\]|$)")
_GAP = re.compile(r" {2,}")
_RULE = re.compile(r"^(met|not met|unknown) {2,}(\w+) ")
_STEPS = re.compile(r"^The steps of (.+), which cannot be undone:$")
_CONFIRMS = re.compile(r"^This confirms (.+):$")
_DIGEST = re.compile(r"^  plan_digest: ([0-9a-f]{64})$")
_SENTENCE = re.compile(r"^  acknowledge_irreversible: (.+)$")


@dataclass(frozen=True)
class Confirmation:
    """What confirms one plan; a sentence only where it has to be repeated."""

    digest: str
    sentence: str = ""


def report_lines(body: Iterable[str]) -> list[str]:
    """The report among the lines of a task: its table and all that stands below it."""
    lines = list(body)
    starts = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    if not starts:
        return []
    return list(takewhile(lambda line: not _RESULT.match(line), lines[starts[0] :]))


@dataclass(frozen=True)
class Report:
    """The report of a run; empty where it came to none."""

    lines: list[str]

    def rows(self) -> list[Row]:
        """The table, by the names of its columns."""
        if not self.lines:
            return []
        header, *others = self.lines
        starts = [header.index(name) for name in COLUMNS]
        ends = [*starts[1:], None]

        def is_row(line: str) -> bool:
            return len(line) > starts[-1] and all(line[s - 2 : s] == "  " for s in starts[1:])

        return [
            {
                name: line[start:end].strip()
                for name, start, end in zip(COLUMNS, starts, ends, strict=True)
            }
            for line in takewhile(is_row, others)
        ]

    def differences(self) -> list[Row]:
        """The rows of what became different, or in check mode would."""
        # The plan and the run say the same of each thing, but for this word.
        changed = {"changed": "changed", "would change": "changed"}
        return [
            {**row, "Outcome": changed[row["Outcome"]]}
            for row in self.rows()
            if row["Outcome"] in changed
        ]

    def rules(self) -> dict[str, str]:
        """The rules below the table, each with met, not met or unknown."""
        return {match[2]: match[1] for line in self.lines if (match := _RULE.match(line))}

    def steps(self) -> dict[str, list[Step]]:
        """By what cannot be undone, the steps that it is planned to take."""
        found: dict[str, list[Step]] = {}
        for number, line in enumerate(self.lines):
            if match := _STEPS.match(line):
                below = self.lines[number + 2 :]
                rows = takewhile(lambda row: not _CONFIRMS.match(row), below)
                found[match[1]] = [tuple(_GAP.split(row)) for row in rows]
        return found

    def confirmations(self) -> dict[str, Confirmation]:
        """By what cannot be undone, what confirms its plan."""
        found = {}
        for number, line in enumerate(self.lines):
            if match := _CONFIRMS.match(line):
                digest, *below = self.lines[number + 1 : number + 3]
                sentence = _SENTENCE.match(below[0]) if below else None
                if named := _DIGEST.match(digest):
                    found[match[1]] = Confirmation(named[1], sentence[1] if sentence else "")
        return found
