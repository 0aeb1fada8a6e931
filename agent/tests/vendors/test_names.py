# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor is one folder: what is outside serves any, and names none but for facts about others."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from seatkeeper_agent.vendors.registry import BUILT_IN

FILES_MAX = 6
SOURCE = Path(str(files("seatkeeper_agent")))
WORDS = (*BUILT_IN, "wibukey", "libwibucm")
"""The vendors and what their products are called, in any case."""

NAMING = {
    "domain/eligibility.py": "the rules of a dongle's migration, which one vendor has",
    "domain/card_data.py": "serial numbers that are no card's number",
    "usb/known_dongles.json": "the public list of dongles, of vendors without a folder as well",
}


def test_few_files_outside_of_a_vendors_folder_name_it() -> None:
    assert named() == set(NAMING)
    assert len(NAMING) <= FILES_MAX


def named() -> set[str]:
    """The files of the agent outside of ``vendors`` in which one of the words stands."""
    found = set()
    for path in SOURCE.rglob("*"):
        place = path.relative_to(SOURCE)
        if place.parts[0] == "vendors" or not path.is_file() or path.suffix == ".pyc":
            continue
        text = path.read_text(encoding="utf-8", errors="replace").lower()
        if any(word in text or word in place.name.lower() for word in WORDS):
            found.add(place.as_posix())
    return found
