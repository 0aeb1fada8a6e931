# SPDX-License-Identifier: GPL-3.0-or-later
"""No character of anybody's text acts on a terminal, and all that people write stays as it is."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import (
    made_printable,
    one_line,
    printable,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._tables import table

ACTS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
EVIL = "\x1b[2K\rok\x9b\u202eko\u2066\u200b\nok"
SEEN = r"\x1b[2K\rok\x9b\u202eko\u2066\u200b\nok"


def test_of_all_characters_just_those_that_act_are_shown_as_escapes() -> None:
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        shown = one_line(character)
        if unicodedata.category(character) in ACTS:
            assert shown.isascii(), hex(number)
            assert shown.startswith("\\"), hex(number)
        else:
            assert shown == character, hex(number)


@pytest.mark.parametrize("text", ["plain", "Zürich, 東京\u00a0☂", "two\nlines\tof it", ""])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_a_tree_is_printable_throughout_and_the_same_where_it_was() -> None:
    clean = {"a": ["b", {"c": 1}], "d": None}
    assert made_printable(clean) is clean
    tree = made_printable({EVIL: [EVIL, {"c": (EVIL, 2)}]})
    kept = SEEN.replace(r"\nok", "\nok")
    assert tree == {kept: [kept, {"c": [kept, 2]}]}


def test_neither_a_row_nor_a_problem_has_a_second_line() -> None:
    assert table([{"a": EVIL}], {"a": "A"}) == ["A", SEEN]
    assert str(LicenseProblem({"detail": EVIL, "next_action": EVIL})) == f"{SEEN} {SEEN}"
