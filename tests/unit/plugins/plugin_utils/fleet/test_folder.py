# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchanges that share a folder never take or overwrite each other's documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Declaration,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.folder import Folder

from .reading import declared_of

ENDS = {"source": "old", "target": "new"}
NAMES = ("seats", "Seats", "seats 2", "seats_2", "s\u00e4tze", "s_tze")


def declared() -> list[Declaration]:
    """Transfers and borrows of the same names."""
    transfer = {"item": "6000010:201", "type": "licenses", "quantity": 10, **ENDS}
    borrow = {"item": "6000010:204", "seats": 2, "until": "2030-01-31", **ENDS}
    return declared_of(
        "old",
        "new",
        license_transfers=[{"name": name, **transfer} for name in NAMES],
        license_borrows=[{"name": name, **borrow} for name in NAMES],
    )


def _envelope(number: int) -> dict[str, Any]:
    return {"number": number, "signatures": []}


def signed(number: int) -> dict[str, Any]:
    """A document that an agent gave for another host."""
    return {"kind": "request", "envelope": _envelope(number), "facts": {}, "planned": False}


def test_each_exchange_has_files_of_its_own(tmp_path: Path) -> None:
    folder, all_of_them = Folder(str(tmp_path), is_check=False), declared()
    for number, declaration in enumerate(all_of_them):
        assert folder.read(declaration, "request") is None
        assert folder.write(declaration, signed(number))
    found = [folder.read(declaration, "request") for declaration in all_of_them]
    assert found == [(_envelope(number), {}) for number in range(len(all_of_them))]
    names = [path.name for path in tmp_path.iterdir()]
    assert len({name.lower() for name in names}) == len(all_of_them), "also where case says nothing"


def test_the_folder_is_found_in_either_spelling_of_its_name(tmp_path: Path) -> None:
    (declaration, *_others) = declared()
    (tmp_path / "Kurie\u0308r").mkdir()
    composed = Folder(str(tmp_path / "Kuri\u00ebr"), is_check=False)
    assert composed.write(declaration, signed(1)) is True
    assert composed.write(declaration, signed(1)) is False
    decomposed = Folder(str(tmp_path / "Kurie\u0308r"), is_check=False)
    assert decomposed.read(declaration, "request") == (_envelope(1), {})
    assert len(list(tmp_path.iterdir())) == 1
