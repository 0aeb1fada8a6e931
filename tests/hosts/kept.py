# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made once from Debian packages and kept: the guest of usb/, the base of all hosts."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from seatkeeper_twins.lab.process import spawn

BUILD_SECONDS_MAX = 900.0
END_SECONDS_MAX = 20.0
LOG_TAIL_CHARACTERS = 2000


class ImageUnavailable(Exception):
    """It is not there and cannot be made here; the text says why and what to do."""


def kept(cache: Path, kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder of this kind and key, made now if it was not; older ones are removed.

    ``make`` fills a new folder or raises; a folder in ``cache`` is always whole.
    """
    folder = cache / f"{kind}-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            if os.geteuid() != 0:
                raise ImageUnavailable("Making it needs root: run make test-hosts as root.")
            # Nobody is making these: the lock is ours.
            for stale in (*cache.glob(f"{kind}-*"), *cache.glob(f"making-{kind}-*")):
                if not _is_mounted(stale):
                    shutil.rmtree(stale)
            with tempfile.TemporaryDirectory(prefix=f"making-{kind}-", dir=cache) as name:
                made = Path(name) / "image"
                made.mkdir()
                make(made)
                made.rename(folder)
    return folder


def run_build_script(script: Path, folder: Path, *arguments: str) -> None:
    """Let the script fill the folder; ImageUnavailable with its last words where it cannot."""
    # In namespaces of its own: however it ends, no process and no mount is left of it.
    isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    log = folder / "build.log"
    with log.open("wb") as output:
        command = ["nice", "-n", "10", *isolated, str(script), str(folder), *arguments]
        process = spawn(command, folder, os.environ, output)
        try:
            status = process.wait(BUILD_SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            raise ImageUnavailable(f"{script.name} took over {BUILD_SECONDS_MAX:.0f} s.") from error
        finally:
            process.kill()
            process.wait(END_SECONDS_MAX)
    if status:
        told = log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
        raise ImageUnavailable(f"{script.name} failed: {told}")


def missing_programs(names: Iterable[str]) -> list[str]:
    """Those that are not installed, in the folders of root's programs as well."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [name for name in names if shutil.which(name, path=path) is None]


def _is_mounted(folder: Path) -> bool:
    """Whether a running host, perhaps of another checkout, lives on it."""
    return f"lowerdir={folder}/" in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
