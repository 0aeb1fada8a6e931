# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a lab: made or taken over, in use by one process, removed if it was a loan."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from seatkeeper_twins.lab.process import LabError

INDEX_NAME = "lab.json"
SOCKET_PATH_BYTES_MAX = 107


@dataclass
class LabFolder:
    """A folder that this process may use; ``index`` is lab.json, locked until released."""

    path: Path
    index: IO[str]
    temporary: bool = False
    made_here: bool = False

    @classmethod
    def make(cls, folder: Path | None) -> Self:
        """A new or empty folder, a temporary one for None; LabError when it cannot be used."""
        if folder is None:
            path = Path(tempfile.mkdtemp(prefix="seatkeeper-")).resolve()
            return cls(path, _locked_index(path), temporary=True, made_here=True)
        path = folder.resolve()
        try:
            made_here = not path.exists()
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            entries = list(path.iterdir())
        except OSError as error:
            raise LabError(f"The folder {path} cannot be used: {error.strerror}.") from error
        if entries:
            raise LabError(f"The folder {path} is not empty: give an empty or a new one.")
        return cls(path, _locked_index(path), made_here=made_here)

    @classmethod
    def take(cls, folder: Path) -> Self:
        """The folder of a lab that was made before; LabError when it is none or in use."""
        if not holds_lab(folder):
            raise LabError(f"{folder} holds no lab.")
        path = folder.resolve()
        return cls(path, _locked_index(path))

    def host_names(self) -> list[str]:
        """The hosts of a lab that was made before."""
        try:
            names = json.load(self.index)["hosts"]
        except (ValueError, KeyError, TypeError) as error:
            raise LabError(f"{self.path / INDEX_NAME} is not the index of a lab.") from error
        return [str(name) for name in names]

    def finish(self, host_names: list[str]) -> None:
        """Call it a lab; done last, so that a lab whose making broke off is not taken for one."""
        self.index.write(json.dumps({"hosts": host_names}) + "\n")
        self.index.flush()

    def undo(self) -> None:
        """Remove what an attempt to make a lab left here."""
        self.index.close()
        if self.made_here:
            shutil.rmtree(self.path)
            return
        for entry in self.path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def release(self, keep: bool) -> None:
        """Let others use it, or remove it if it is a temporary one that is not to be kept."""
        self.index.close()
        if self.temporary and not keep:
            shutil.rmtree(self.path, ignore_errors=True)


def holds_lab(folder: Path) -> bool:
    """Whether a folder holds a lab that was made to the end."""
    index = folder / INDEX_NAME
    return index.is_file() and index.stat().st_size > 0


def check_socket_path(path: Path) -> None:
    """LabError when a path does not fit into a socket's address."""
    size = len(os.fsencode(path))
    if size > SOCKET_PATH_BYTES_MAX:
        raise LabError(
            f"The path of the socket {path} has {size} bytes and a socket's path may have"
            f" {SOCKET_PATH_BYTES_MAX}: choose a shorter folder."
        )


def _locked_index(path: Path) -> IO[str]:
    index = (path / INDEX_NAME).open("a+", encoding="utf-8")
    try:
        fcntl.flock(index, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        index.close()
        raise LabError(f"The lab in {path} is in use by another process.") from error
    index.seek(0)
    return index
