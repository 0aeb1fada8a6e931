# SPDX-License-Identifier: GPL-3.0-or-later
"""What people call a license that the vendor numbers."""

from __future__ import annotations


def called(number: str, name: str | None) -> str:
    """A license's number, with its name where it is declared."""
    return number if name is None else f"{number} ({name})"
