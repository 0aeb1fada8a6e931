# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfer documents in files, for hosts that are never reachable together."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    DOCUMENT_FILE,
    LicenseProblem,
)

DOCUMENT_BYTES_MAX = 8 * 1024 * 1024
FILE_MODE = 0o600


def read_document(path: str) -> dict[str, t.Any] | None:
    """The document in the file; None where the file is not there (yet)."""
    try:
        with open(path, "rb") as stream:
            content = stream.read(DOCUMENT_BYTES_MAX + 1)
        document = json.loads(content) if len(content) <= DOCUMENT_BYTES_MAX else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _file_problem(path, f"cannot be read: {error.strerror}") from error
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _file_problem(path, "does not hold a transfer document")
    return document


def write_document(path: str, document: dict[str, t.Any], dry_run: bool) -> bool:
    """Have the document in the file, readable by its owner only; whether that is a change.

    The file is replaced in one step, so that whoever carries it never gets half of it.
    """
    content = (json.dumps(document, indent=2, sort_keys=True) + "\n").encode("utf-8")
    if _holds(path, content):
        return False
    if not dry_run:
        try:
            _replace(path, content)
        except OSError as error:
            raise _file_problem(path, f"cannot be written: {error.strerror}") from error
    return True


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


def _file_problem(path: str, what: str) -> LicenseProblem:
    return LicenseProblem.of(
        DOCUMENT_FILE,
        f"The file {path} {what}.",
        "Copy the file from the other host again, or correct its path and permissions.",
    )
