# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a twin directory: library, `cmu`, Server.ini and containers.db side by side."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from seatkeeper_twins.codemeter import server_ini
from seatkeeper_twins.codemeter.build import build_library
from seatkeeper_twins.codemeter.constants import PROFILES
from seatkeeper_twins.codemeter.seed import parse_seed
from seatkeeper_twins.codemeter.store import DATABASE_NAME, create_store
from seatkeeper_twins.parts.seed import SeedError

LIBRARY_NAME = "libwibucm.so"
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def create_twin(
    directory: Path | str, profile: str, seed: object, cache_directory: Path | None = None
) -> Path:
    """Make a twin of one host's runtime, ready to be served; gives back its directory.

    SeedError: profile or seed unusable. FileExistsError: a twin is there. BuildError: no compiler.
    """
    if profile not in PROFILES:
        raise SeedError(f"profile must be one of {', '.join(PROFILES)}")
    containers = parse_seed(seed)
    library = build_library(profile, cache_directory)
    directory = Path(directory).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (directory / DATABASE_NAME).exists():
        raise FileExistsError(f"{directory} holds a twin already: {DATABASE_NAME} exists")
    _place(library, directory / LIBRARY_NAME)
    _write_cmu(directory / "cmu")
    server_ini.write(directory, server_ini.DEFAULT)
    # Last, because its presence is what makes the directory a twin.
    create_store(directory, profile, containers)
    return directory


def _place(library: Path, target: Path) -> None:
    # A copy, not a link: the library finds its engine beside the file that was loaded, and the
    # loader takes two names of one file for the same library.
    target.unlink(missing_ok=True)
    shutil.copy2(library, target)


def _write_cmu(path: Path) -> None:
    path.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(_PACKAGE_ROOT))} exec {shlex.quote(sys.executable)}"
        ' -m seatkeeper_twins.codemeter.cmu "$(dirname -- "$0")" "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
