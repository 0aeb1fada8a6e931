# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of a twin: Bin/licman and Bin/licsrv of the product, and a made-up installer."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from seatkeeper_twins.aimms.folders import BIN, CONFIG, NODELOCKS

INSTALLER_NAME = "twin-installer"
_LICMAN = Path(__file__).with_name("licman.py")


def write_programs(root: Path) -> None:
    """Write what an installation brings, unless it is there."""
    python = shlex.quote(sys.executable)
    here = '"$(dirname -- "$0")/.."'
    _write(root / BIN / "licman", f'exec {python} -I -S {shlex.quote(str(_LICMAN))} {here} "$@"')
    _write(root / BIN / "licsrv", f"exec {python} -P -m seatkeeper_twins.aimms server --dir {here}")


def remove_programs(root: Path) -> None:
    """Remove what an installation brought, and the folders that only a server has."""
    for name in (BIN, CONFIG, NODELOCKS):
        shutil.rmtree(root / name, ignore_errors=True)


def write_installer(root: Path) -> Path:
    """Write the installer, which is the same file on every machine."""
    python = shlex.quote(sys.executable)
    here = '"$(dirname -- "$0")"'
    path = root / INSTALLER_NAME
    _write(path, f"exec {python} -I -S {shlex.quote(str(_LICMAN))} {here} --twin-install")
    return path


def _write(path: Path, command: str) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    draft.chmod(0o755)
    draft.replace(path)
