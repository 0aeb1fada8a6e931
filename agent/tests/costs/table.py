# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what was counted against what is written down, and says what to do where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ADVICE = """
Fewer: write the new number down, so that it stays so. More: find out what asks once more; if it
has to be, say why in the commit that writes the new number down."""


def assert_written(counted: Mapping[str, Any], written: Mapping[str, Any]) -> None:
    """AssertionError with every row that differs, old and new, as it would be written down."""
    differing = [
        f"{title}\n    written  {_shown(written.get(title))}\n    counted  {_shown(found)}"
        for title, found in counted.items()
        if written.get(title) != found
    ]
    differing += [f"{title}\n    is not counted" for title in written.keys() - counted.keys()]
    assert not differing, "\n".join(["What it costs has changed.", *differing, ADVICE])


def _shown(row: Any) -> str:
    if row is None:
        return "nothing"
    return row.written() if hasattr(row, "written") else repr(row)
