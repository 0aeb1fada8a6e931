# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the twin's library from shim.c on demand, once per content and compiler."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from seatkeeper_twins.codemeter.constants import version_number

SOURCE = Path(__file__).with_name("shim.c")
BUILD_SECONDS_MAX = 300
_FLAGS = (
    "-std=c11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden",
)  # fmt: skip


class BuildError(RuntimeError):
    """The library cannot be built; the text says what is missing or what the compiler said."""


def build_library(profile: str, cache_directory: Path | None = None) -> Path:
    """The library for a profile, built now or found in the cache; BuildError when impossible."""
    compiler = find_compiler()
    flags = [*_FLAGS, f"-DTWIN_VERSION={version_number(profile):#x}u"]
    content = "\0".join([*compiler, *flags, SOURCE.read_text(encoding="utf-8")])
    digest = hashlib.sha256(content.encode()).hexdigest()[:32]
    folder = cache_directory or default_cache_directory()
    library = folder / f"libwibucm-twin-{digest}.so"
    if library.is_file():
        return library
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as draft_folder:
        draft = Path(draft_folder) / library.name
        _compile([*compiler, *flags, str(SOURCE), "-o", str(draft), "-ldl", "-lpthread"])
        draft.replace(library)
    return library


def find_compiler() -> list[str]:
    """The command of a C compiler: the system's, else the one in the ziglang wheel."""
    for name in ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found:
            return [found]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise BuildError(
        "No C compiler was found: install cc, gcc or clang, or the Python package ziglang."
    )


def default_cache_directory() -> Path:
    """Where built libraries are kept for this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "seatkeeper"


def _compile(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - a compiler found by name, our own source
            command, capture_output=True, text=True, timeout=BUILD_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"The compiler took more than {BUILD_SECONDS_MAX} seconds.") from error
    if done.returncode != 0:
        raise BuildError(f"The compiler refused shim.c: {done.stderr.strip()}")
