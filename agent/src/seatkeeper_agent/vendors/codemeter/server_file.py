# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and replacing a settings file so that it is whole at every moment.

The file's folder may belong to the daemon's user, and the product's daemon once overwrote files
through a symbolic link. So a link is followed only if root or the agent's own user made it; it
stays, and the file behind it is read and replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seatkeeper_agent.host import FileUnusable, HostRefused, host
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnavailable

FILE_BYTES_MAX = 1024 * 1024


def read_file(path: Path) -> bytes:
    """The file's bytes; DriverUnavailable or DriverRefused in one sentence."""
    with _reported():
        return host().read_file(path, FILE_BYTES_MAX)


def replace_file(path: Path, content: bytes, expected: bytes) -> None:
    """Put ``content`` in the place of ``expected``, with the same owner and mode, durably.

    DriverRefused where the file no longer holds ``expected``.
    """
    with _reported():
        host().replace_file(path, content, expected, FILE_BYTES_MAX)


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except HostRefused as error:
        raise DriverRefused(str(error)) from error
    except FileUnusable as error:
        raise DriverUnavailable(
            f"{error.path} cannot be used ({error.reason}): check the setting server_ini of"
            " codemeter and the agent's permissions."
        ) from error
