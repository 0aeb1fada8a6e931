# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of a twin: a state, a clock, faults, and control under `/_twin/`."""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, ClassVar, Generic

from seatkeeper_twins.parts.faults import Faults, points_of
from seatkeeper_twins.parts.store import StateType, Store
from seatkeeper_twins.parts.web import Answer, Handler, Refusal, Request

ADVANCE_SECONDS_MAX = 400 * 86_400
ADVANCE_STEP_SECONDS = 12 * 3600


class FolderInUse(RuntimeError):
    """Another process serves this folder."""


class Process(Generic[StateType]):
    """One process; the lock is held while its state is looked at or changed."""

    changes: ClassVar[tuple[str, ...]] = ()
    readings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.store: Store[StateType] = Store(folder)
        self.faults = Faults(folder, points_of(self.changes, self.readings))

    @property
    def state(self) -> StateType:
        """What is kept; never changed in place."""
        return self.store.state

    def now(self) -> float:
        """Seconds since 1970 by this process's own clock."""
        return time.time() + self.state["clock_offset"]

    def settle(self) -> None:
        """Make happen what is due by now; called before anything is looked at."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Everything, without passwords."""
        raise NotImplementedError

    def set_values(self, values: dict[str, Any]) -> None:
        """Change what a test or a demo may change; ValueError when it is not that."""
        raise NotImplementedError

    @contextmanager
    def passing(self, name: str) -> Iterator[None]:
        """Between the points name.before and name.after, which are passed without the lock."""
        self.faults.reach(f"{name}.before")
        with self.lock:
            self.settle()
            yield
        self.faults.reach(f"{name}.after")

    @contextmanager
    def changing(self, name: str) -> Iterator[StateType]:
        """A durable change of the state between the points around it."""
        with (
            self.passing(name),
            self.store.change(partial(self.faults.reach, f"{name}.during")) as draft,
        ):
            yield draft

    @contextmanager
    def due(self, name: str) -> Iterator[StateType]:
        """A durable change that comes by itself, for `settle`, which holds the lock."""
        self.faults.reach(f"{name}.before")
        with self.store.change(partial(self.faults.reach, f"{name}.during")) as draft:
            yield draft
        self.faults.reach(f"{name}.after")

    def reset(self) -> None:
        """Go back to the state that the twin was made with; no fault stays armed."""
        with self.lock, self.store.change() as draft:
            self.faults.clear()
            draft.update(self.store.initial())

    def advance(self, seconds: float) -> None:
        """Move the clock on in steps, so that what is due on the way happens in its order."""
        if not 0 <= seconds <= ADVANCE_SECONDS_MAX:
            raise ValueError(f"the clock moves on by 0 to {ADVANCE_SECONDS_MAX} seconds")
        while seconds > 0:
            step = min(seconds, ADVANCE_STEP_SECONDS)
            with self.lock, self.store.change() as draft:
                draft["clock_offset"] += step
            with self.lock:
                self.settle()
            seconds -= step

    def control_routes(self) -> dict[tuple[str, str], Handler]:
        """The made-up routes that all processes have."""

        def done(action: Callable[[Request], None]) -> Handler:
            def handler(request: Request) -> Answer:
                action(request)
                return Answer.of_json({})

            return handler

        def show(_request: Request) -> Answer:
            with self.lock:
                self.settle()
                return Answer.of_json({**self.describe(), "faults": self.faults.listed()})

        def put(request: Request) -> None:
            with self.lock:
                self.set_values(request.json())

        def crash(_request: Request) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        return {
            ("GET", "/_twin/describe"): show,
            ("GET", "/_twin/points"): lambda _: Answer.of_json({"points": self.faults.points}),
            ("POST", "/_twin/faults"): done(
                lambda request: self.faults.add(_fault(request.json()))
            ),
            ("DELETE", "/_twin/faults"): done(lambda _: self.faults.clear()),
            ("POST", "/_twin/set"): done(put),
            ("POST", "/_twin/reset"): done(lambda _: self.reset()),
            ("POST", "/_twin/advance"): done(lambda r: self.advance(float(r.json()["seconds"]))),
            ("POST", "/_twin/crash"): done(crash),
        }


def _fault(entry: dict[str, Any]) -> Any:
    fault = {"value": 0, "skip": 0, "times": 1, **entry}
    if set(fault) != {"point", "action", "value", "skip", "times"}:
        raise ValueError("a fault has point, action, value, skip and times")
    return fault


def new_id() -> str:
    """A name that nothing else has."""
    return secrets.token_hex(8)


def check(found: bool, status: int, text: str) -> None:
    """Refusal unless ``found``."""
    if not found:
        raise Refusal(status, text)


@contextmanager
def only_process(folder: Path) -> Iterator[IO[bytes]]:
    """Hold the folder's lock; FolderInUse when somebody else does."""
    with (folder / "lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(f"{folder} is served by another process.") from error
        yield file
