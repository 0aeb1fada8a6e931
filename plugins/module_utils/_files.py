# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a person carries: read whole, written in one step and for their owner only."""

from __future__ import annotations

import os
import stat
import tempfile

from ansible_collections.seatkeeper.licensing.plugins.module_utils._file_names import as_on_disk
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    DOCUMENT_FILE,
    LicenseProblem,
)

FILE_BYTES_MAX = 8 * 1024 * 1024
FILE_MODE = 0o600


def read_file(path: str) -> bytes | None:
    """What is in the file; None where the file is not there (yet)."""
    try:
        with open(as_on_disk(path), "rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise file_problem(path, f"cannot be read: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise file_problem(path, f"is larger than {FILE_BYTES_MAX} bytes")
    return content


def write_file(path: str, content: bytes, dry_run: bool) -> bool:
    """Have the content in the file, readable by its owner only; whether that is a change.

    The file is replaced in one step, so that whoever carries it never gets half of it.
    """
    path = as_on_disk(path)
    if _holds(path, content):
        return False
    if not dry_run:
        try:
            _replace(path, content)
        except OSError as error:
            raise file_problem(path, f"cannot be written: {error.strerror}") from error
    return True


def file_problem(path: str, what: str) -> LicenseProblem:
    """The problem of a carried file; ``what`` goes on from its path."""
    return LicenseProblem.of(
        DOCUMENT_FILE,
        f"The file {path} {what}.",
        "Copy the file from where it was made again, or correct its path and permissions.",
    )


def _holds(path: str, content: bytes) -> bool:
    try:
        with open(path, "rb") as stream:
            same = stream.read(len(content) + 1) == content
            return same and stat.S_IMODE(os.fstat(stream.fileno()).st_mode) == FILE_MODE
    except OSError:
        return False


def _replace(path: str, content: bytes) -> None:
    folder = os.path.dirname(os.path.abspath(path))
    number, temporary = tempfile.mkstemp(prefix=".document-", dir=folder)
    try:
        with os.fdopen(number, "wb") as stream:
            os.fchmod(stream.fileno(), FILE_MODE)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    folder_number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder_number)
    finally:
        os.close(folder_number)
