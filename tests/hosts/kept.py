# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made once and kept as long as nothing changes of which it is made."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from seatkeeper_twins.lab.process import spawn

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "hosts"
"""For what is made of this checkout; the bases of hosts are shared, see lab/base.py."""
BUILD_SECONDS_MAX = 3600.0
END_SECONDS_MAX = 300.0
LOG_TAIL_CHARACTERS = 2000
KEY_CHARACTERS = 16


class ImageUnavailable(Exception):
    """It is not there and cannot be made here; the text says why and what to do."""


def key_of(*parts: str | bytes | Path) -> str:
    """A key that changes with any of the texts, files and folders that something is made of."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            _add_path(digest, part)
        else:
            _add(digest, "text", part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()[:KEY_CHARACTERS]


def kept(cache: Path, kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder of this kind and key, made now if it was not; older ones are removed.

    ``make`` fills a new folder or raises; a folder in ``cache`` is always whole.
    """
    folder = cache / f"{kind}-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            # Nobody is making these: the lock is ours.
            older = cache.glob(f"{kind}-{'[0-9a-f]' * KEY_CHARACTERS}")
            for stale in (*older, *cache.glob(f"making-{kind}.*")):
                if not _is_mounted(stale):
                    shutil.rmtree(stale)
            with tempfile.TemporaryDirectory(prefix=f"making-{kind}.", dir=cache) as name:
                made = Path(name) / "image"
                made.mkdir()
                make(made)
                made.rename(folder)
    return folder


def run_build_script(script: Path, folder: Path, *arguments: str) -> None:
    """Let the script fill the folder; ImageUnavailable with its last words where it cannot."""
    if os.geteuid() != 0:
        raise ImageUnavailable("Making it needs root: run make test-hosts as root.")
    # In namespaces of its own: however it ends, no process and no mount is left of it.
    isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    run_logged([*isolated, str(script), str(folder), *arguments], folder, os.environ)


def run_logged(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    """Run a program that fills the folder; ImageUnavailable with its last words if it fails."""
    log = folder / "build.log"
    with log.open("wb") as output:
        process = spawn(command, ROOT, environment, output)
        try:
            status = process.wait(BUILD_SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            reported = f"{shlex.join(command)} took over {BUILD_SECONDS_MAX:.0f} s."
            raise ImageUnavailable(reported) from error
        finally:
            process.kill()
            process.wait(END_SECONDS_MAX)
    if status:
        reported = log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
        raise ImageUnavailable(f"{shlex.join(command)} failed: {reported}")


def missing_programs(names: Iterable[str]) -> list[str]:
    """Those that are not installed, in the folders of root's programs as well."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [name for name in names if shutil.which(name, path=path) is None]


def _add(digest: hashlib._Hash, *words: str | bytes) -> None:
    """Each with its length, so that no two lists of words are one."""
    for word in words:
        content = word.encode() if isinstance(word, str) else word
        digest.update(b"%d:" % len(content) + content)


def _add_path(digest: hashlib._Hash, path: Path) -> None:
    """Names, content and whether it is executable; not what Python has compiled."""
    if not path.is_dir():
        runs = "runs" if os.access(path, os.X_OK) else "is read"
        _add(digest, "file", path.name, runs, path.read_bytes())
        return
    _add(digest, "folder", path.name)
    for entry in sorted(path.iterdir()):
        if entry.name != "__pycache__":
            _add_path(digest, entry)
    _add(digest, "end")


def _is_mounted(folder: Path) -> bool:
    """Whether a running host, perhaps of another checkout, lives on it."""
    return f"{folder}/" in Path("/proc/self/mountinfo").read_text(encoding="utf-8")
