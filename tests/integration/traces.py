# SPDX-License-Identifier: GPL-3.0-or-later
"""Look for a secret where it must not be: in files, in texts, and in what processes show."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

LOOK_AGAIN_SECONDS = 0.02
FILE_BYTES_MAX = 256 << 20


def forms(word: str) -> list[bytes]:
    """How a plain word may be written down: as it is, in UTF-16, hexadecimal or base64."""
    plain = word.encode("ascii")
    shifted = (base64.b64encode(b"\0" * before + plain) for before in range(3))
    # The characters at both ends depend on what stands beside the word.
    coded = [text[4 if before else 0 : -4] for before, text in enumerate(shifted)]
    return [plain, word.encode("utf-16-le"), plain.hex().encode(), *coded]


def holds(content: bytes | str, words: Iterable[str]) -> bool:
    """Whether one of the words is in it, in whatever form."""
    found = content.encode() if isinstance(content, str) else content
    return any(form in found for word in words for form in forms(word))


def files_with(folders: Iterable[Path], words: Iterable[str]) -> list[Path]:
    """The files below folders that hold one of the words; what vanishes meanwhile does not."""
    return sorted(path for path in _files(folders) if holds(_content(path), words))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                path = Path(place) / name
                if path.is_file() and not path.is_symlink():
                    yield path


def _content(path: Path) -> bytes:
    try:
        assert path.stat().st_size <= FILE_BYTES_MAX, path
        return path.read_bytes()
    except FileNotFoundError:
        return b""


class ProcessWatch:
    """Looks, again and again, at the command lines of all processes and at some environments.

    Environments only of processes that have ``mark`` in theirs. ``seen`` has the words that were
    found, ``lines`` all distinct command lines.
    """

    def __init__(self, words: Iterable[str], mark: str) -> None:
        self.seen: set[str] = set()
        self.lines: set[bytes] = set()
        self._words = list(words)
        self._mark = mark.encode()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="process-watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_AGAIN_SECONDS):
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    self._look_at(entry)

    def _look_at(self, entry: Path) -> None:
        try:
            line = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
        except OSError:
            return  # ended meanwhile, or somebody else's
        if line not in self.lines:
            self.lines.add(line)
            self.seen.update(word for word in self._words if holds(line, [word]))
        if self._mark in environment:
            self.seen.update(word for word in self._words if holds(environment, [word]))
