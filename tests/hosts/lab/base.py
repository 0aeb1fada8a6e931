# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian that all hosts start from: built once, kept in a cache folder, never changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hosts.kept import ImageUnavailable, kept, missing_programs, run_build_script

BUILD_SCRIPT = Path(__file__).with_name("build-base.sh")
PROGRAMS = ("mmdebstrap", "unshare")


def cache_folder() -> Path:
    """SEATKEEPER_HOSTS_CACHE, or a folder in the user's cache folder."""
    told = os.environ.get("SEATKEEPER_HOSTS_CACHE")
    if told:
        return Path(told).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).resolve() / "seatkeeper" / "hosts"


def key() -> str:
    """Changes with whatever makes a kept base unusable."""
    return hashlib.sha256(BUILD_SCRIPT.read_bytes()).hexdigest()[:16]


def get() -> Path:
    """The root folder of the base, built now if it was not. ImageUnavailable if it cannot be."""
    missing = missing_programs(PROGRAMS)
    if missing:
        raise ImageUnavailable(
            f"{', '.join(missing)} missing: run tests/hosts/install.sh as root on Debian."
        )
    return kept(cache_folder(), "base", key(), _make) / "tree"


def _make(folder: Path) -> None:
    run_build_script(BUILD_SCRIPT, folder)
