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
from typing import Any, Generic, TypedDict, TypeVar

STATE_NAME = "state.json"
INITIAL_NAME = "initial.json"


class State(TypedDict):
    """What every process keeps: how many seconds its clock is ahead."""

    clock_offset: float


StateType = TypeVar("StateType", bound=State)


def _nothing() -> None:
    return None


def write_whole(path: Path, value: Any, half_way: Callable[[], None] = _nothing) -> None:
    """Replace a JSON file at once; ``half_way`` is called when the new one lies beside it."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    half_way()
    draft.replace(path)


def new_folder(folder: Path | str, what: str) -> Path:
    """Make a folder, if it is not there, for ``what``; FileExistsError when it holds a twin."""
    path = Path(folder).resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (path / STATE_NAME).exists():
        raise FileExistsError(f"{path} holds {what} already.")
    return path


def write_new(folder: Path, state: State) -> None:
    """Make the folder a twin of this state, to which it can be reset."""
    write_whole(folder / INITIAL_NAME, state)
    # Last, because its presence is what makes the folder a twin.
    write_whole(folder / STATE_NAME, state)


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
