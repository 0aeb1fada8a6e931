# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product's folders show; what its files hold is not documented and never interpreted."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import stat
from pathlib import Path

from seatkeeper_agent.domain.server_moves import FILES_MAX, LICENSE_NUMBER, ServerFile
from seatkeeper_agent.operations.ports import DriverRefused
from seatkeeper_agent.vendors.aimms.settings import LICENSE

BIN, CONFIG, LICENSES, NODELOCKS = "Bin", "Config", "Licenses", "Nodelocks"
LICENSE_FILE_ENDINGS = (".lic", ".cpx")
"""Both are put into Licenses before an activation (grade D)."""

LICENSE_FILE_BYTES_MAX = 16 << 20
INSTALLER_BYTES_MAX = 4 << 30
_WRITE_BITS = 0o222


def license_files(folder: Path) -> tuple[ServerFile, ...] | None:
    """The files for an activation, by name; None where the folder cannot be read."""
    entries = _entries(folder / LICENSES)
    if entries is None:
        return None
    wanted = [entry for entry in entries if entry.suffix.lower() in LICENSE_FILE_ENDINGS]
    found = [described(entry, LICENSE_FILE_BYTES_MAX) for entry in wanted]
    return None if None in found else tuple(entry for entry in found if entry is not None)


def described(path: Path, bytes_max: int) -> ServerFile | None:
    """A file's name, size and SHA-256; None where it cannot be read or is too large."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > bytes_max:
            return None
        return _described(path, (found.st_ino, found.st_size, found.st_mtime_ns))
    except OSError:
        return None


def holds_more_than_license_files(folder: Path) -> bool:
    """Whether something of a server is there, or might be, besides files for an activation."""
    return any(_entries(folder / name) != [] for name in (BIN, CONFIG, NODELOCKS))


def update_locks(folder: Path) -> tuple[str, ...] | None:
    """The read-only lock files in Nodelocks, which block updates (grade D); None if unreadable."""
    entries = _entries(folder / NODELOCKS)
    if entries is None:
        return None
    found = []
    for entry in entries:
        # The vendor's name of it is ".lock"; whether something stands before the dot is open.
        if entry.name.endswith(".lock"):
            try:
                mode = entry.stat().st_mode
            except FileNotFoundError:
                continue
            except OSError:
                return None
            if stat.S_ISREG(mode) and not mode & _WRITE_BITS:
                found.append(entry.name)
    return tuple(found)


def nodelocked(folder: Path, form: str) -> tuple[str, ...] | None:
    """The licenses with a nodelock file called as the operator says; None if it cannot be read."""
    entries = _entries(folder / NODELOCKS)
    if entries is None:
        return None
    before, _, after = form.partition(LICENSE)
    pattern = re.compile(f"{re.escape(before)}({LICENSE_NUMBER.pattern}){re.escape(after)}")
    found = [pattern.fullmatch(entry.name) for entry in entries]
    return tuple(match[1] for match in found if match is not None)


def free_bytes(folder: Path) -> int | None:
    """Room in the file system where the product lies or will lie."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


@functools.lru_cache(maxsize=256)
def _described(path: Path, mark: tuple[int, int, int]) -> ServerFile:
    """Read once for each ``mark``: an installer may be large, and is looked at often."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ServerFile(path.name, mark[1], digest)


def _entries(folder: Path) -> list[Path] | None:
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError:
        return None
    if len(found) > FILES_MAX:
        raise DriverRefused(f"{folder} holds more than {FILES_MAX} files.")
    return found
