# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo prints: stages with the time they begin, tables, and claims that were observed."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

_BOLD, _DIM, _RED, _GREEN, _YELLOW = (f"\033[{number}m" for number in (1, 2, 31, 32, 33))
_PLAIN = "\033[0m"
_HEADING_WIDTH = 80
_OF_OUTPUT = {
    "changed": _YELLOW, "fatal": _RED, "failed": _RED, "ERROR": _RED, "[ERROR]": _RED, "-": _RED,
    "+": _GREEN, "TASK": _DIM, "PLAY": _DIM,
}  # fmt: skip


class DemoError(Exception):
    """A claim of the demo was not observed; the text is one sentence."""


class Screen:
    """Writes to a stream at once; by itself in colours on a terminal, unless NO_COLOR is set.

    ``started`` is the beginning that times are told from, by the monotonic clock; ``on_stage`` is
    told the title of each stage.
    """

    def __init__(
        self,
        stream: TextIO | io.TextIOBase = sys.stdout,
        environment: Mapping[str, str] = os.environ,
        *,
        started: float | None = None,
        colours: bool | None = None,
        on_stage: Callable[[str], None] | None = None,
    ) -> None:
        self._stream = stream
        self._on_stage = on_stage
        self.started = time.monotonic() if started is None else started
        wanted = stream.isatty() and not environment.get("NO_COLOR")
        self.colours = wanted if colours is None else colours

    def stage(self, title: str) -> None:
        """Say what happens from now on, with the seconds since the beginning."""
        if self._on_stage is not None:
            self._on_stage(title)
        self.line(f"\n{self._clock()} {self._coloured(title, _BOLD)}")

    def progress(self, part: str, title: str) -> None:
        """Say which stage a part has begun whose output is printed at its end."""
        self.line(f"{self._clock()} {part}: {title}")

    def heading(self, part: str) -> None:
        """Say whose output follows."""
        self.line(f"\n{self._coloured(f'== {part} =='.ljust(_HEADING_WIDTH, '='), _BOLD)}")

    def line(self, text: str = "") -> None:
        """Print one line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def output(self, text: str) -> None:
        """Print one line of another program, in the colour that its beginning calls for."""
        start = text.strip()
        colours = [colour for begin, colour in _OF_OUTPUT.items() if start.startswith(begin)]
        self.line(f"    {self._coloured(text, colours[0]) if colours else text}")

    def table(self, rows: Sequence[Mapping[str, object]], columns: Mapping[str, str]) -> None:
        """Print rows, one column for each member named in ``columns`` with its heading.

        Numbers stand at the right; a column without any value is left out.
        """
        shown = {
            member: [_text(row.get(member)) for row in rows]
            for member in columns
            if any(row.get(member) is not None for row in rows)
        }
        numeric = {
            member
            for member in shown
            if all(isinstance(row.get(member), int | None) for row in rows)
        }
        widths = {
            member: max(len(columns[member]), *map(len, cells)) for member, cells in shown.items()
        }

        def joined(cells: Mapping[str, str]) -> str:
            parts = (
                cell.rjust(widths[member]) if member in numeric else cell.ljust(widths[member])
                for member, cell in cells.items()
            )
            return "  " + "  ".join(parts).rstrip()

        self.line(self._coloured(joined({member: columns[member] for member in shown}), _DIM))
        for position in range(len(rows)):
            self.line(joined({member: cells[position] for member, cells in shown.items()}))

    def require(self, observed: bool, claim: str, otherwise: str) -> None:
        """Print a claim that was observed; DemoError with the other sentence if it was not."""
        if not observed:
            raise DemoError(otherwise)
        self.line(f"  {self._coloured('observed:', _GREEN)} {claim}")

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.started

    def _clock(self) -> str:
        return self._coloured(f"[{self.elapsed():5.1f} s]", _DIM)

    def _coloured(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self.colours else text


def _text(value: object) -> str:
    return "" if value is None else str(value)
