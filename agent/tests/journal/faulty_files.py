# SPDX-License-Identifier: GPL-3.0-or-later
"""A file layer under SQLite whose n-th call fails, and that keeps what a crash would leave."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

KINDS = ("write fails", "write is torn", "sync fails", "disk is full")
NAME = "faulty"


class FaultyFiles(apsw.VFS):
    """Counts writes, truncations and syncs; at the chosen one it fails as told.

    ``lasting`` faults go on for all later calls of that sort, as a full disk does.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fail_at: int | None = None
        self.kind = KINDS[0]
        self.lasting = False
        self.failed = False
        self.image: Path | None = None
        super().__init__(NAME, "")

    def xOpen(self, name: Any, flags: Any) -> Any:  # noqa: N802 - SQLite's name
        """Open a file whose calls are counted."""
        return _File(self, name, flags)

    def arm(self, fail_at: int | None, kind: str, image: Path, lasting: bool = False) -> None:
        """Let the n-th call from now on fail; copies of the files at that moment go to image."""
        self.calls, self.failed = [], False
        self.fail_at, self.kind, self.image, self.lasting = fail_at, kind, image, lasting

    def disarm(self) -> None:
        """Let everything succeed again."""
        self.fail_at = None

    def passes(self, call: str, path: str) -> bool:
        """Count a call; whether it goes well."""
        self.calls.append(f"{call} {Path(path).name}")
        if self.fail_at is None:
            return True
        due = len(self.calls) == self.fail_at
        if due:
            self.failed = True
        return not (due or (self.failed and self.lasting))

    def keep_image(self, path: str) -> None:
        """What a process that is killed right now would leave behind."""
        if self.image is None or self.image.exists():
            return
        self.image.mkdir()
        folder = Path(path).parent
        for name in ("journal.db", "journal.db-wal", "journal.db-journal"):
            if (folder / name).exists():
                shutil.copy(folder / name, self.image / name)


class _File(apsw.VFSFile):
    def __init__(self, files: FaultyFiles, name: Any, flags: Any) -> None:
        self._files = files
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        if self._files.passes("write", self._path):
            return super().xWrite(data, offset)
        if self._files.kind == "write is torn":
            super().xWrite(data[: len(data) // 2], offset)
        return self._fail()

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        if self._files.passes("truncate", self._path):
            return super().xTruncate(size)
        return self._fail()

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        if self._files.passes("sync", self._path):
            return super().xSync(flags)
        return self._fail()

    def _fail(self) -> None:
        self._files.keep_image(self._path)
        if self._files.kind == "disk is full":
            raise apsw.FullError("no space left, by a fault")
        raise apsw.IOError("the device failed, by a fault")


@contextmanager
def faulty_files() -> Iterator[FaultyFiles]:
    """Register the file layer for as long as it is needed."""
    files = FaultyFiles()
    try:
        yield files
    finally:
        files.unregister()
