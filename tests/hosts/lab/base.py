# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian releases that hosts start from: built once, kept in a cache folder, never changed."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from hosts.kept import ImageUnavailable, kept, key_of, missing_programs, run_build_script

BUILD_SCRIPT = Path(__file__).with_name("build-base.sh")
PROGRAMS = ("mmdebstrap", "unshare")
RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13"}


def cache_folder() -> Path:
    """SEATKEEPER_HOSTS_CACHE, or a folder in the user's cache folder."""
    reported = os.environ.get("SEATKEEPER_HOSTS_CACHE")
    if reported:
        return Path(reported).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).resolve() / "seatkeeper" / "hosts"


def key() -> str:
    """Changes with whatever makes a kept base unusable."""
    return key_of(BUILD_SCRIPT)


def get(release: str) -> Path:
    """The root folder of a release, built now if it was not. ImageUnavailable if it cannot be."""
    missing = missing_programs(PROGRAMS)
    if missing:
        raise ImageUnavailable(
            f"{', '.join(missing)} missing: run tests/hosts/install.sh as root on Debian."
        )
    return kept(cache_folder(), release, key(), partial(_make, release)) / "tree"


def _make(release: str, folder: Path) -> None:
    run_build_script(BUILD_SCRIPT, folder, release)
