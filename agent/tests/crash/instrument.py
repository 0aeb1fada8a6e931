# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a forked agent or twin announce its points; the code under test knows nothing of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import apsw

from seatkeeper_agent.api import app
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.state import State
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver
from seatkeeper_twins.codemeter.faults import Faults

from .tripwire import Tripwire

EFFECTS = (
    "create_request",
    "do_transfer",
    "import_update",
    "create_receipt",
    "confirm_transfer",
)
_FRAMES_TO_CALLER = 3  # the unit of work and the context manager lie between


def instrument_agent(
    tripwire: Tripwire, process: str, ready: Callable[[], None], waits_for_recovery: bool
) -> None:
    """Points around every COMMIT and every driver call with an effect.

    ``ready`` is called once: when what the agent does by itself at its start is over, or begins.
    """
    commit = Journal._commit
    recover, has_work = app._recover, State.has_work
    reported: list[bool] = []

    def announced_commit(self: Journal, connection: apsw.Connection) -> None:
        about = f"commit of {sys._getframe(_FRAMES_TO_CALLER).f_code.co_qualname}"
        tripwire.announce(process, f"before the {about}")
        commit(self, connection)
        tripwire.announce(process, f"after the {about}")

    def tell_ready() -> None:
        if not reported:
            reported.append(True)
            ready()

    def announced_recover(agent: Any) -> None:
        if not waits_for_recovery:
            tell_ready()
        try:
            recover(agent)
        finally:
            tell_ready()

    def announced_look(self: State) -> bool:
        found = has_work(self)
        if not found:
            tell_ready()
        return found

    Journal._commit = announced_commit  # type: ignore[method-assign]
    app._recover = announced_recover
    State.has_work = announced_look  # type: ignore[method-assign]
    for name in EFFECTS:
        setattr(
            CodeMeterDriver, name, _announced(tripwire, process, getattr(CodeMeterDriver, name))
        )


def _announced(tripwire: Tripwire, process: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*arguments: Any) -> Any:
        tripwire.announce(process, f"before the call of {method.__name__}")
        try:
            return method(*arguments)
        finally:
            tripwire.announce(process, f"after the call of {method.__name__}")

    return call


def instrument_engine(tripwire: Tripwire, process: str) -> None:
    """Points just before and just after each durable change of a twin."""
    reach = Faults.reach

    def announced_reach(self: Faults, point: str) -> None:
        tripwire.announce(process, point)
        reach(self, point)

    Faults.reach = announced_reach  # type: ignore[method-assign]


def tell(descriptor: int) -> None:
    """Write the one byte that says: ready."""
    os.write(descriptor, b"!")
    os.close(descriptor)
