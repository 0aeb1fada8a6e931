# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a task failed."""

from __future__ import annotations

import typing as t


def failures(result: dict[str, t.Any]) -> list[str]:
    """Why a task failed, one text for each item of a loop that did."""
    items = [item for item in result.get("results") or () if item.get("failed")]
    return [str(item.get("msg", "no reason was given")) for item in items or [result]]
