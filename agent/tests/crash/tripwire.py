# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the points that all processes of a world pass, and kills the one at the chosen point.

Or, where a twin is paired with its agent, the agent in the twin's place: it then dies in the
middle of a call whose effect still comes. The count lives in memory that forked processes
share, so it outlives the process that it ends, and all points have one common order.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import signal
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

KILLS_MAX = 4
TRACE_BYTES_MAX = 1 << 20
VICTIMS_MAX = 2
_HEAD = struct.Struct(f"<{KILLS_MAX}q{VICTIMS_MAX}qqq")
"""Countdowns, process ids of the victims, kills so far, bytes of trace."""


@dataclass(frozen=True)
class Passage:
    """One point that was passed: which process, what it was about, whether it died there."""

    process: str
    point: str
    deadly: bool

    def __str__(self) -> str:
        return f"{self.process}: {self.point}{', killed' * self.deadly}"


class Tripwire:
    """Made before any process is forked; all of them announce their points to it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _HEAD.size + TRACE_BYTES_MAX)
        # A record lock ends with the process that holds it, however that ends.
        self._lock_descriptor = os.memfd_create("tripwire")
        self._threads = threading.Lock()
        self._victims: dict[str, tuple[int, str]] = {}
        self.arm(())

    def pair(self, process: str, victim: str) -> None:
        """Let ``victim`` die in the place of ``process`` once its id is given; before forking."""
        self._victims[process] = (len(self._victims), victim)

    def offer(self, victim: str, process_id: int) -> None:
        """Say which process the victim is now."""
        slot = next(slot for slot, name in self._victims.values() if name == victim)
        with self._locked():
            countdowns, victims, kills, used = self._read()
            victims[slot] = process_id
            self._write(countdowns, victims, kills, used)

    def arm(self, countdowns: Sequence[int], only: str | None = None) -> None:
        """Forget the trace; kill at the n-th point from now, then at the m-th after that.

        With ``only`` no other point counts, for processes that are forked from now on.
        """
        if len(countdowns) > KILLS_MAX or min(countdowns, default=1) < 1:
            raise ValueError(f"these are no countdowns: {countdowns}")
        padded = [*countdowns, *[0] * (KILLS_MAX - len(countdowns))]
        self._only = only
        with self._locked():
            self._write(padded, [0] * VICTIMS_MAX, 0, 0)

    def disarm(self) -> None:
        """Kill no more; the trace stays and grows on."""
        with self._locked():
            _, _, kills, used = self._read()
            self._write([0] * KILLS_MAX, [0] * VICTIMS_MAX, kills, used)

    def announce(self, process: str, point: str) -> None:
        """Called by a process where something is about to become durable, or just did."""
        with self._locked():
            countdowns, victims, kills, used = self._read()
            slot, name = self._victims.get(process, (None, process))
            victim = victims[slot] if slot is not None else 0
            # Once victims are offered, only the points count at which they die.
            counts = (bool(victim) or not any(victims)) and self._only in (None, point)
            deadly = counts and countdowns[0] == 1
            if deadly:
                countdowns = [*countdowns[1:], 0]
            elif counts and countdowns[0]:
                countdowns[0] -= 1
            line = f"{name if deadly and victim else process}\t{point}\t{int(deadly)}\n".encode()
            if used + len(line) > TRACE_BYTES_MAX:
                raise OverflowError("the trace is full")
            start = _HEAD.size + used
            self._memory[start : start + len(line)] = line
            self._write(countdowns, victims, kills + deadly, used + len(line))
            if deadly:
                os.kill(victim or os.getpid(), signal.SIGKILL)

    @property
    def kills(self) -> int:
        """How many processes died here since it was armed."""
        with self._locked():
            return self._read()[2]

    @property
    def trace(self) -> list[Passage]:
        """All points passed since it was armed, in their order."""
        with self._locked():
            used = self._read()[3]
            text = self._memory[_HEAD.size : _HEAD.size + used].decode()
        rows = (line.split("\t") for line in text.splitlines())
        return [Passage(process, point, deadly == "1") for process, point, deadly in rows]

    def _read(self) -> tuple[list[int], list[int], int, int]:
        numbers = _HEAD.unpack(self._memory[: _HEAD.size])
        countdowns, victims = numbers[:KILLS_MAX], numbers[KILLS_MAX : KILLS_MAX + VICTIMS_MAX]
        return list(countdowns), list(victims), numbers[-2], numbers[-1]

    def _write(self, countdowns: list[int], victims: list[int], kills: int, used: int) -> None:
        self._memory[: _HEAD.size] = _HEAD.pack(*countdowns, *victims, kills, used)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._threads:
            fcntl.lockf(self._lock_descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._lock_descriptor, fcntl.LOCK_UN)
