# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent of a host that is reached by a command there, which hands the request to its socket."""

from __future__ import annotations

import shlex
import typing as t
import uuid
from dataclasses import dataclass

from ansible_collections.seatkeeper.licensing.plugins.module_utils import _wire
from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import one_line
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_FORBIDDEN,
    AGENT_LOST,
    AGENT_MISSING,
    AGENT_OVERLOADED,
    AGENT_STOPPED,
    AGENT_TIMEOUT,
    AGENT_UNKNOWN,
    AGENT_VERSION,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import (
    Answer,
    Transport,
    no_answer,
    require_short,
)

COMMAND_UNKNOWN: t.Final = (126, 127)
"""What a shell ends with where it has no such command, or may not run it."""
USAGE_WRONG: t.Final = 2
"""What the agent's command ends with where it does not know ``relay``."""
SHOWN_MAX: t.Final = 200
_AS_TOLD: t.Final = (AGENT_MISSING, AGENT_STOPPED, AGENT_OVERLOADED, AGENT_LOST)
_DAMAGED: t.Final = "request-damaged"
_UNKNOWN: t.Final = "request-unknown"


@dataclass(frozen=True)
class Printed:
    """What a command on the host printed, and how it ended."""

    code: int
    output: str
    errors: str


Execute = t.Callable[[str, bytes], Printed]
"""Runs a command on the host with this on its standard input."""


class RelayTransport(Transport):
    """An agent by the command of its host; each request is one run of it."""

    def __init__(self, execute: Execute, command: str, socket_path: str) -> None:
        self._execute = execute
        self._command = command
        self._socket_path = socket_path

    @property
    def place(self) -> str:
        return f"the socket {self._socket_path}"

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        timeout_seconds: float,
    ) -> Answer:
        require_short(self._socket_path)
        identity = uuid.uuid4().hex
        request = _wire.request_of(identity, method, path, headers, body, timeout_seconds)
        words = (self._command, "relay", "--socket", self._socket_path)
        printed = self._execute(shlex.join(words), request)
        try:
            answer = _wire.answer_in(printed.output, identity)
            if "code" in answer:
                raise self._untold(answer, timeout_seconds)
            return Answer(_status(answer), str(answer.get("media_type")), _wire.body_of(answer))
        except _wire.NoAnswerSeen:
            raise self._unanswered(printed) from None
        except _wire.AnswerDamaged:
            raise no_answer(AGENT_LOST, self._socket_path) from None

    def _untold(self, answer: t.Mapping[str, t.Any], timeout_seconds: float) -> LicenseProblem:
        """The relay's own word that nobody answers there; all of it is only shown."""
        code, place = answer["code"], self._socket_path
        told = {name: one_line(str(answer.get(name))) for name in ("user", "group", "shown")}
        if code in _AS_TOLD:
            return no_answer(code, place)
        if code == AGENT_TIMEOUT:
            return no_answer(code, place, seconds=f"{timeout_seconds:.0f}")
        if code == AGENT_FORBIDDEN:
            return no_answer(code, place, user=told["user"], group=told["group"])
        if code == _DAMAGED:
            return no_answer(AGENT_LOST, place)
        if code == _UNKNOWN:
            return self._too_old()
        return no_answer(AGENT_UNKNOWN, place, shown=told["shown"])

    def _unanswered(self, printed: Printed) -> LicenseProblem:
        """Why the command printed no answer."""
        shown = one_line(" ".join((printed.errors or printed.output).split()))[-SHOWN_MAX:]
        if printed.code in COMMAND_UNKNOWN:
            return LicenseProblem.of(
                AGENT_MISSING,
                f"There is no command {self._command} on this host that the user may run: {shown}.",
                "Install seatkeeper-agent there, or set agent_command to where it is.",
            )
        if printed.code == USAGE_WRONG and "relay" in printed.errors:
            return self._too_old()
        return LicenseProblem.of(
            AGENT_UNKNOWN,
            f"The command {self._command} ended with {printed.code} and without an answer:"
            f" {shown or 'it printed nothing'}.",
            "Log in as the user of the task and run it, or set agent_command to seatkeeper-agent.",
        )

    def _too_old(self) -> LicenseProblem:
        return LicenseProblem.of(
            AGENT_VERSION,
            f"The command {self._command} of this host and this collection do not understand each"
            " other: it is of another release.",
            "Update seatkeeper-agent and the collection to the same release.",
        )


def _status(answer: t.Mapping[str, t.Any]) -> int:
    status = answer.get("status")
    if isinstance(status, bool) or not isinstance(status, int):
        raise _wire.AnswerDamaged
    return status
