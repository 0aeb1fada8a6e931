# SPDX-License-Identifier: GPL-3.0-or-later
"""One JSON file, replaced whole: a process that is killed leaves the old state or the new one.

The file is not forced to the disk, since a twin may lose what the machine loses with its power.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from seatkeeper_twins.chaos.shapes import State

STATE_NAME = "state.json"
INITIAL_NAME = "initial.json"

StateType = TypeVar("StateType", bound=State)


def _nothing() -> None:
    return None


def write_whole(path: Path, value: Any, half_way: Callable[[], None] = _nothing) -> None:
    """Replace a JSON file at once; ``half_way`` is called when the new one lies beside it."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    half_way()
    draft.replace(path)


class Store(Generic[StateType]):
    """The state of one process; callers hold its lock."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / STATE_NAME
        if not self.path.is_file():
            raise FileNotFoundError(f"{folder} holds no twin: {STATE_NAME} is missing.")
        self.state: StateType = json.loads(self.path.read_text(encoding="utf-8"))
        self._initial_path = folder / INITIAL_NAME

    @contextmanager
    def change(self, half_way: Callable[[], None] = _nothing) -> Iterator[StateType]:
        """A draft of the state, which becomes the state unless an exception ends the block."""
        draft = copy.deepcopy(self.state)
        yield draft
        if draft != self.state:
            write_whole(self.path, draft, half_way)
            self.state = draft

    def initial(self) -> StateType:
        """The state that the twin was made with."""
        made_with: StateType = json.loads(self._initial_path.read_text(encoding="utf-8"))
        return made_with
