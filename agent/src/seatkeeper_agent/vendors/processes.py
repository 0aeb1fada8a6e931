# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the product's programs: argument lists, a time limit, a limit on their output."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seatkeeper_agent.host import host
from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)

OUTPUT_BYTES_MAX = 1024 * 1024
TICK_SECONDS = 0.02


class Unended(DriverUnfinished):
    """A program that was killed; ``output`` is what it had said by then."""

    def __init__(self, text: str, output: str) -> None:
        super().__init__(text)
        self.output = output


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended; ``output`` holds both of its streams in their order."""

    exit_code: int
    output: str


def run(command: Sequence[str], environment: Mapping[str, str], seconds_max: float) -> Outcome:
    """Run a program to its end.

    DriverRefused for an argument that must not be passed on, DriverUnavailable where the
    program is not there, Unended when it takes too long or writes too much; it is killed then,
    with whatever it started.
    """
    for argument in command:
        # A format string of CodeMeter was once reachable through its settings.
        if "%" in argument or not argument.isprintable():
            raise DriverRefused(f"{argument!r} must not hold % or control characters.")
    try:
        process = host().start(
            command, environment, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise DriverUnavailable(
            f"{command[0]} could not be started: {error.strerror or error}."
        ) from error
    with process:
        output = bytearray()
        try:
            _read(process, output, time.monotonic() + seconds_max)
        except TimeoutError as error:
            host().end(process)
            raise Unended(f"{' '.join(command)} {error}.", _text(output)) from None
        return Outcome(process.returncode, _text(output))


def _text(output: bytearray) -> str:
    return output.decode("utf-8", "replace")


def _read(process: subprocess.Popen[bytes], output: bytearray, deadline: float) -> None:
    # Read until the program has ended, not until the pipe is closed: a daemon that it started
    # may keep the pipe for good.
    if process.stdout is None:
        raise TypeError("the process has no output to read")
    while True:
        ended = process.poll() is not None
        pause = 0.0 if ended else TICK_SECONDS
        ready, _, _ = select.select([process.stdout], [], [], pause)
        part = os.read(process.stdout.fileno(), 65536) if ready else b""
        output += part
        if ended and not part:
            return
        if len(output) > OUTPUT_BYTES_MAX:
            raise TimeoutError(f"wrote more than {OUTPUT_BYTES_MAX} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("did not end in time")
        if ready and not part:
            # Both streams are closed and the program still runs.
            time.sleep(TICK_SECONDS)
