# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vendor's program said, for people: its last lines, without secrets and control characters.

The texts of the products' programs are not documented, so nothing is concluded from them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from seatkeeper_agent.operations.ports import CommandReport
from seatkeeper_agent.vendors.processes import Outcome

LINES_MAX = 10
CHARACTERS_MAX = 800
HIDDEN = "…"
PART_LENGTH = 6
_BETWEEN = " / "
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""What a terminal is told by: colors, titles, moves."""


def reported(
    outcome: Outcome, secrets: Iterable[str] = (), like_secrets: re.Pattern[str] | None = None
) -> CommandReport:
    """How it ended and its last lines, ``secrets`` and what looks ``like_secrets`` hidden."""
    return CommandReport(outcome.exit_code, output_tail(outcome.output, secrets, like_secrets))


def stopped(
    output: str, secrets: Iterable[str] = (), like_secrets: re.Pattern[str] | None = None
) -> str:
    """A clause for a program that was killed."""
    words = output_tail(output, secrets, like_secrets)
    return f"the command was stopped before its end and had said {words or 'nothing'}"


def output_tail(
    output: str, secrets: Iterable[str] = (), like_secrets: re.Pattern[str] | None = None
) -> str:
    """The last lines as one, hidden before anything is cut off."""
    # What is drawn over a line, or hides in it, must not keep a secret from being found.
    drawn = _SEQUENCE.sub("", output).replace("\r", "\n")
    text = "".join(each for each in drawn if each.isprintable() or each in "\n\t")
    for spelling in sorted(_spellings(secrets), key=len, reverse=True):
        text = re.sub(re.escape(spelling), HIDDEN, text, flags=re.IGNORECASE)
    if like_secrets is not None:
        text = like_secrets.sub(HIDDEN, text)
    parts = _parts(secrets)
    lines = [
        HIDDEN if any(part in line.lower() for part in parts) else " ".join(line.split())
        for line in text.splitlines()
    ]
    tail = _BETWEEN.join([line for line in lines if line][-LINES_MAX:])
    return tail[-CHARACTERS_MAX:].rstrip(".")


def _parts(secrets: Iterable[str]) -> set[str]:
    """What betrays a secret that is spelled in another way: the line is left out then."""
    return {
        secret.lower()[start : start + PART_LENGTH]
        for secret in secrets
        for start in range(max(1, len(secret) - PART_LENGTH + 1))
        if secret
    }


def _spellings(secrets: Iterable[str]) -> set[str]:
    """A secret as it is, and as programs print it in JSON or in an address."""
    found = set()
    for secret in secrets:
        found |= {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret)}
    return found - {""}
