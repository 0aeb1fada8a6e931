# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the demo beside each other: each a process, its output kept and printed whole.

While they run, a line tells each stage that one of them begins.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.context import SpawnProcess

from seatkeeper_twins.demo.screen import Screen

END_SECONDS_MAX = 120.0
STAGE, TEXT = "stage", "text"

Show = Callable[[str, Screen], bool]
"""Shows the part of that name, and tells whether all of its claims were observed.

It runs in a new interpreter, which has to find it by its name, and so not in a ``__main__``.
"""


@dataclass
class _Part:
    """A part that runs, and what it has printed so far."""

    name: str
    process: SpawnProcess
    printed: list[str] = field(default_factory=list)


def at_once() -> int:
    """How many parts run beside each other: one for each core of this machine."""
    return len(os.sched_getaffinity(0))


def show(screen: Screen, names: Sequence[str], how: Show, number: int) -> list[str]:
    """Run all parts, so many at once, the first ones first; the names of those that failed.

    A part that fails does not keep back the others. However this ends, no part is left running.
    """
    left, failed = list(names), list[str]()
    running: dict[connection.Connection, _Part] = {}
    try:
        while left or running:
            while left and len(running) < number:
                name = left.pop(0)
                pipe, process = _started(name, how, screen)
                running[pipe] = _Part(name, process)
            ready = connection.wait(list(running))
            for pipe in [each for each in running if each in ready]:
                if not _received(pipe, running[pipe], screen):
                    failed += _ended(running.pop(pipe), screen)
    finally:
        _end(list(running.values()))
    return failed


def _started(name: str, how: Show, screen: Screen) -> tuple[connection.Connection, SpawnProcess]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    arguments = (name, how, sender, screen.started, screen.colours)
    process = context.Process(target=_show, args=arguments, name=name)
    process.start()
    sender.close()
    return receiver, process


def _show(
    name: str, how: Show, sender: connection.Connection, started: float, colours: bool
) -> None:
    """What a process does; its exit code is 0 when everything was observed."""

    def on_stage(title: str) -> None:
        sender.send((STAGE, title))

    screen = Screen(_Sent(sender), started=started, colours=colours, on_stage=on_stage)
    sys.exit(0 if how(name, screen) else 1)


class _Sent(io.TextIOBase):
    """A stream whose text goes to the process that prints it."""

    def __init__(self, sender: connection.Connection) -> None:
        self._sender = sender

    def write(self, text: str, /) -> int:
        """Send it at once."""
        self._sender.send((TEXT, text))
        return len(text)


def _received(pipe: connection.Connection, part: _Part, screen: Screen) -> bool:
    """Take in what a part says; whether it had anything left to say."""
    try:
        kind, text = pipe.recv()
    except EOFError:
        pipe.close()
        return False
    if kind == STAGE:
        screen.progress(part.name, text)
    else:
        part.printed.append(text)
    return True


def _ended(part: _Part, screen: Screen) -> list[str]:
    """Print all of it; its name if it failed."""
    part.process.join()
    screen.heading(part.name)
    screen.line("".join(part.printed).rstrip("\n"))
    return [part.name] if part.process.exitcode else []


def _end(parts: Sequence[_Part]) -> None:
    """They stop what they started; one that does not is killed, and the kernel ends the rest."""
    for part in parts:
        part.process.terminate()
    for part in parts:
        part.process.join(END_SECONDS_MAX)
        part.process.kill()
        part.process.join()
