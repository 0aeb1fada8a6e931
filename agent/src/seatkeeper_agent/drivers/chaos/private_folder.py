# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders that only this user can enter and that are gone after their use.

Each is held by a lock on itself, which ends with the process that holds it: what an agent
that was killed has left can be told from what another one is using.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from seatkeeper_agent.operations.ports import DriverUnavailable

_ATTEMPTS_MAX = 5


def memory_backed() -> list[Path]:
    """Places for secrets, best first: memory of this service, of this host, then any."""
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    places = [Path(runtime)] if runtime.startswith("/") else []
    return [*places, Path("/dev/shm"), *on_disk()]  # noqa: S108 - a private folder is made in it


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
        os.close(lock)


def sweep(prefix: str, places: Sequence[Path], owner: int | None = None) -> int:
    """Remove the folders of a user, if not another of this one, that nobody holds any more.

    How many there were.
    """
    uid = os.geteuid() if owner is None else owner
    return sum(_swept(folder, uid) for place in places for folder in _candidates(prefix, place))


def _made(prefix: str, place: Path) -> tuple[Path, int] | None:
    for _attempt in range(_ATTEMPTS_MAX):
        try:
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between the two calls somebody's sweep may have taken it for a left one.
            if folder.stat().st_ino == os.fstat(lock).st_ino:
                return folder, lock
        except OSError:
            pass
        os.close(lock)
    return None


def _candidates(prefix: str, place: Path) -> list[Path]:
    try:
        return [entry for entry in place.iterdir() if entry.name.startswith(prefix)]
    except OSError:
        return []


def _swept(folder: Path, owner: int) -> bool:
    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
            return False
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        with suppress(OSError):
            shutil.rmtree(folder)
        return not folder.exists()
    finally:
        os.close(lock)
