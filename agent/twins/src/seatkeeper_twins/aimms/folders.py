# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of a license server, as documented: Bin, Config, Licenses, Nodelocks (grade D).

What the product's files in them are called and hold is not public: names and contents here are
made up, with ``twin`` in each name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from seatkeeper_twins.parts.store import write_whole

if TYPE_CHECKING:
    from seatkeeper_twins.aimms.models import ServerState

BIN, CONFIG, LICENSES, NODELOCKS = "Bin", "Config", "Licenses", "Nodelocks"
LICENSE_FILE_FORM = "SEATKEEPER TWIN LICENSE FILE, NOT A LICENSE"
_LICENSE, _PROFILE, _NODELOCK, _REQUEST = (
    ".twin-license", ".twin-profile", ".twin-nodelock", ".twin-request",
)  # fmt: skip
_WRITE_BITS = 0o222


def put_license_file(root: Path, number: str) -> Path:
    """Put a license file where it must be before an activation."""
    path = root / LICENSES / f"twin-{number}.lic"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{LICENSE_FILE_FORM}\n{number}\n", encoding="ascii")
    return path


def has_license_file(root: Path, number: str) -> bool:
    """Whether a license file of this number is there."""
    files = (root / LICENSES).glob("*.lic")
    return any(number in each.read_text(errors="replace").split() for each in files)


def locked(root: Path) -> bool:
    """Whether a read-only .lock in Nodelocks blocks updates (grade D)."""
    return any(
        not each.stat().st_mode & _WRITE_BITS
        for each in (root / NODELOCKS).glob("*.lock")
        if each.is_file()
    )


def cancelled(root: Path, state: ServerState) -> list[str]:
    """The pending licenses whose files somebody deleted to cancel them (grade D)."""
    return [
        number
        for number, entry in state["licenses"].items()
        if entry["state"] == "pending"
        and entry["in_files"]
        and not any(
            (root / folder / f"{number}{ending}").exists()
            for folder, ending in ((CONFIG, _LICENSE), (NODELOCKS, _REQUEST))
        )
    ]


def show(root: Path, state: ServerState) -> None:
    """Make the files of Config and Nodelocks be those of a state; others' files are kept."""
    wanted = _wanted(root, state)
    for folder in (CONFIG, NODELOCKS):
        (root / folder).mkdir(exist_ok=True)
        for path in (root / folder).iterdir():
            is_ours = path.suffix in (_LICENSE, _PROFILE, _NODELOCK, _REQUEST)
            if is_ours and path not in wanted:
                path.unlink(missing_ok=True)
    for path, content in wanted.items():
        if not path.exists() or json.loads(path.read_bytes()) != content:
            write_whole(path, content)


def _wanted(root: Path, state: ServerState) -> dict[Path, object]:
    wanted: dict[Path, object] = {}
    for number, entry in state["licenses"].items():
        is_active = entry["state"] == "active"
        ending = _NODELOCK if is_active else _REQUEST
        wanted[root / CONFIG / f"{number}{_LICENSE}"] = {"state": entry["state"]}
        wanted[root / NODELOCKS / f"{number}{ending}"] = {"machine": state["machine"]}
    for name, number in state["profiles"].items():
        wanted[root / CONFIG / f"{name}{_PROFILE}"] = {"license": number}
    return wanted
