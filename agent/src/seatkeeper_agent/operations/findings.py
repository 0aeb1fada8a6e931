# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check of a host found: ok, a warning, or wrong, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and its result; ``detail`` says what to do where it is not ok."""

    name: str
    verdict: Verdict
    detail: str
