# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as lines of text, for terminals."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import one_line


def table(rows: list[dict[str, t.Any]], columns: dict[str, str]) -> list[str]:
    """Rows as lines of text, one column for each member named in ``columns``."""
    cells = [list(columns.values())]
    for row in rows:
        shown = (row.get(member) for member in columns)
        cells.append(["" if value is None else one_line(str(value)) for value in shown])
    widths = [max(len(row[position]) for row in cells) for position in range(len(columns))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells
    ]
