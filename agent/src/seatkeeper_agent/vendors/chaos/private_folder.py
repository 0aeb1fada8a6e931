# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that only this user can enter and that are gone after their use.

Each is held by a lock on itself, which ends with the process that holds it: what an agent
that was killed has left can be told from what another one is using.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from seatkeeper_agent.host import host
from seatkeeper_agent.operations.ports import DriverUnavailable

_ATTEMPTS_MAX = 5


def memory_backed() -> list[Path]:
    """Places for secrets, best first: memory, then any."""
    return [*host().memory_folders(), *on_disk()]


def on_disk() -> list[Path]:
    """Places for what is too large for memory."""
    return [Path(tempfile.gettempdir())]


@contextmanager
def private_folder(prefix: str, places: Sequence[Path]) -> Iterator[Path]:
    """A new folder with mode 0700 in the first place that takes one; removed in the end.

    DriverUnavailable where none can be made.
    """
    for place in places:
        made = _made(prefix, place)
        if made is not None:
            break
    else:
        raise DriverUnavailable(
            f"No private folder can be made in {' or '.join(str(place) for place in places)}."
        )
    folder, lock = made
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        host().unlock(lock)


def sweep(prefix: str, places: Sequence[Path], owner: int | None = None) -> int:
    """Remove the folders of a user, if not another of this one, that nobody holds any more.

    How many there were.
    """
    uid = host().user_id() if owner is None else owner
    return sum(_swept(folder, uid) for place in places for folder in _candidates(prefix, place))


def _made(prefix: str, place: Path) -> tuple[Path, int] | None:
    for _attempt in range(_ATTEMPTS_MAX):
        try:
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
            lock = host().lock_folder(folder)
        except OSError:
            return None
        # None where somebody's sweep has just taken it for a left one.
        if lock is not None:
            return folder, lock
    return None


def _candidates(prefix: str, place: Path) -> list[Path]:
    try:
        return [entry for entry in place.iterdir() if entry.name.startswith(prefix)]
    except OSError:
        return []


def _swept(folder: Path, owner: int) -> bool:
    try:
        lock = host().lock_folder(folder) if host().is_folder_of(folder, owner) else None
    except OSError:
        return False
    if lock is None:
        return False
    try:
        with suppress(OSError):
            shutil.rmtree(folder)
        return not folder.exists()
    finally:
        host().unlock(lock)
