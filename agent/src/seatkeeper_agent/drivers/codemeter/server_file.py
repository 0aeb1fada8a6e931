# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and replacing a settings file so that it is whole at every moment.

The file's folder may belong to the daemon's user, and the product's daemon once overwrote files
through a symbolic link. So a link is followed only if root or the agent's own user made it; it
stays, and the file behind it is read and replaced.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seatkeeper_agent.operations.ports import DriverError, DriverRefused, DriverUnavailable

FILE_BYTES_MAX = 1024 * 1024
LINKS_MAX = 8
_TEMPORARY_SUFFIX = ".seatkeeper"


def read_file(path: Path) -> bytes:
    """The file's bytes; DriverUnavailable or DriverRefused in one sentence."""
    path = _behind_links(path)
    with _folder(path) as folder:
        return _read(folder, path)[0]


def replace_file(path: Path, content: bytes, expected: bytes) -> None:
    """Put ``content`` in the place of ``expected``, with the same owner and mode, durably.

    DriverRefused where the file no longer holds ``expected``.
    """
    path = _behind_links(path)
    with _folder(path) as folder:
        found, status = _read(folder, path)
        if found != expected:
            raise DriverRefused(f"{path} was changed by somebody else: read it again.")
        temporary = path.name + _TEMPORARY_SUFFIX
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
                os.fsync(file.fileno())
            os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)


def _behind_links(path: Path) -> Path:
    """The file itself; DriverRefused for a link of somebody else, and for links without an end."""
    for _link in range(LINKS_MAX):
        try:
            status = path.lstat()
            if not stat.S_ISLNK(status.st_mode):
                return path
            if status.st_uid not in (0, os.geteuid()):
                raise DriverRefused(
                    f"{path} is a symbolic link that belongs to neither root nor the agent's user"
                    f" (its owner is {status.st_uid}), so it is not followed."
                )
            path = path.parent / path.readlink()
        except OSError as error:
            raise _reported(path, error) from error
    raise DriverRefused(f"{path} is one of more than {LINKS_MAX} links in a row.")


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    # The folder's own path is the operator's setting, or that of a link that was followed; within
    # it, what became a link since then counts for nothing.
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _reported(path, error) from error


def _read(folder: int, path: Path) -> tuple[bytes, os.stat_result]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path.name, flags, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise DriverRefused(f"{path} is not a regular file.")
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise DriverRefused(f"{path} is larger than {FILE_BYTES_MAX} bytes.")
    return content, status


def _reported(path: Path, error: OSError) -> DriverError:
    reason = error.strerror or str(error)
    if path.is_symlink():
        return DriverRefused(f"{path} became a symbolic link while it was used: look who did that.")
    return DriverUnavailable(
        f"{path} cannot be used ({reason}): check the setting server_ini of codemeter and the"
        " agent's permissions."
    )
