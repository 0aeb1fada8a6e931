# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that a person or the vendor has to go on with: waited for, told, and no failure."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import ArgumentSpec
from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import AgentClient
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
)

Answer = t.Dict[str, t.Any]

PERSON_ARGUMENTS: t.Final = ArgumentSpec(options={"wait_timeout": {"type": "int", "default": 0}})
"""The option of the doc fragment seatkeeper.licensing.person."""

_WHO: t.Final = {"person": "a person", "vendor": "the vendor"}


def request_with_retries(
    client: AgentClient, ask: t.Callable[[], Answer], wait_timeout_seconds: int
) -> Answer:
    """Ask the agent; while a person is awaited, wait as long as the task may and ask again.

    What comes back is the last answer; it has changed if anything did since the first one, be it
    by somebody who was awaited, and tells what was there before that.
    """
    if wait_timeout_seconds < 0:
        raise LicenseProblem.of(
            INPUT_INVALID,
            f"The value {wait_timeout_seconds} of wait_timeout is not a number of seconds.",
            "Set wait_timeout to 0, not to wait, or to more.",
        )
    first = answer = ask()
    changed = bool(first["changed"])
    deadline = time.monotonic() + wait_timeout_seconds
    while is_waiting(answer) and time.monotonic() < deadline:
        client.follow_waiting(answer["operation"]["id"], deadline - time.monotonic())
        answer = ask()
        changed = changed or bool(answer["changed"]) or not is_waiting(answer)
    reported = {"before": first.get("before"), "after": answer.get("after") or first.get("after")}
    return {**answer, **reported, "changed": changed}


def is_waiting(answer: Answer) -> bool:
    """Whether the operation behind the answer waits for somebody."""
    return (answer.get("operation") or {}).get("state") == "waiting"


def waiting_members(answer: Answer) -> Answer:
    """The members of a result that tell what is awaited: the steps, and a warning for each."""
    waits = list(answer.get("waiting") or ())
    return {"waiting": waits, "warnings": [wait_sentence(wait) for wait in waits]}


def wait_sentence(wait: dict[str, t.Any]) -> str:
    """Who has to do what, in one line."""
    who = _WHO.get(wait["who"], wait["who"])
    steps = enumerate(wait.get("instructions") or (), start=1)
    todo = " ".join(f"({number}) {text}" for number, text in steps)
    late = f" This was expected by {wait['until']}." if wait.get("overdue") else ""
    seen = _sentence(wait.get("verified_by") or "")
    parts = (f"Waiting for {who}: {_sentence(wait['title'])}", _sentence(todo), seen)
    return " ".join(part for part in parts if part) + late


def _sentence(text: str) -> str:
    stripped = text.strip()
    return stripped if not stripped or stripped[-1] in ".!?:" else f"{stripped}."
