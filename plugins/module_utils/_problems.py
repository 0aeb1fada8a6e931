# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between a module and an agent, told the way the agent tells its own problems.

The agent answers with problems of RFC 9457. What keeps a module from getting an answer at all
is told in the same form, with the codes below, so that a playbook handles both alike.
"""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import (
    made_printable,
    one_line,
    printable,
)

TYPE_PREFIX = "urn:seatkeeper:problem:"

AGENT_MISSING = "agent-missing"
AGENT_FORBIDDEN = "agent-forbidden"
AGENT_STOPPED = "agent-stopped"
AGENT_OVERLOADED = "agent-overloaded"
AGENT_UNKNOWN = "agent-unknown"
AGENT_VERSION = "agent-version"
AGENT_TIMEOUT = "agent-timeout"
AGENT_LOST = "agent-lost"
INPUT_INVALID = "input-invalid"
DOCUMENT_FILE = "document-file"
CLIENT_FILE = "client-file"

COLLECTION_CODES: t.Final = {
    AGENT_MISSING: "There is no agent at this socket",
    AGENT_FORBIDDEN: "The socket may not be used by this user",
    AGENT_STOPPED: "Nobody listens on the socket",
    AGENT_OVERLOADED: "The agent takes no more connections",
    AGENT_UNKNOWN: "What answers is not an agent",
    AGENT_VERSION: "The agent and the collection are too far apart in version",
    AGENT_TIMEOUT: "The agent did not answer in time",
    AGENT_LOST: "The connection broke and did not come back",
    INPUT_INVALID: "An option's value cannot be used",
    DOCUMENT_FILE: "A document's file cannot be read or written",
    CLIENT_FILE: "A client's file cannot be read or edited",
}
"""Code to title of every problem that the collection itself reports."""

_RETRYABLE = frozenset((AGENT_MISSING, AGENT_STOPPED, AGENT_OVERLOADED, AGENT_TIMEOUT, AGENT_LOST))


class LicenseProblem(Exception):
    """One refusal or failure: ``detail`` says what and where, ``next_action`` what to do.

    ``document`` is the whole problem as the agent gave it, or in the same form when the
    collection found it. ``reported`` is what a person reads in place of its two sentences, and
    ``result`` is what a failed task returns besides the problem.
    """

    def __init__(
        self,
        document: dict[str, t.Any],
        reported: str | None = None,
        result: dict[str, t.Any] | None = None,
    ) -> None:
        super().__init__(document)
        self.document = document
        self.result = result or {}
        self._result = reported

    @classmethod
    def of(cls, code: str, detail: str, next_action: str) -> LicenseProblem:
        """A problem that the collection found; ``code`` is one of COLLECTION_CODES."""
        return cls(
            {
                "type": TYPE_PREFIX + code,
                "code": code,
                "title": COLLECTION_CODES[code],
                "status": None,
                "detail": detail,
                "next_action": next_action,
                "retryable": code in _RETRYABLE,
            }
        )

    @property
    def code(self) -> str:
        """The stable code, the last part of the problem's type."""
        return str(self.document.get("code", ""))

    def __str__(self) -> str:
        if self._result is not None:
            return self._result
        parts = (self.document.get("detail"), self.document.get("next_action"))
        return " ".join(one_line(str(part)) for part in parts if part)


def failed_result(problem: LicenseProblem) -> dict[str, t.Any]:
    """The result of a task that failed with it; no word of anybody's acts on a terminal."""
    reported = made_printable({"problem": problem.document, **problem.result})
    return {**reported, "failed": True, "msg": printable(str(problem))}
