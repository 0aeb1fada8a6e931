# SPDX-License-Identifier: GPL-3.0-or-later
"""What the payloads of signed documents look like: one JSON Schema file per kind.

A signature says who wrote it, not that it can be used. What a newer agent adds is passed over.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from seatkeeper_agent.schema_files import SchemaFiles

FILES = SchemaFiles(__name__)


def fault(kind: StrEnum, payload: Any) -> str | None:
    """Why it is no payload of this kind, as a clause; None for one that is."""
    found = FILES.fault(kind.value, payload)
    if found is None:
        return None
    place, clause = found
    return f"{place or 'it'} {clause}"
