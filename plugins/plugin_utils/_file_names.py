# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files that are made from people's names: recognised, and never the same for two."""

from __future__ import annotations

import hashlib
import re

_LENGTH_MAX = 80
_DIGEST_LENGTH = 16


def file_stem(name: str) -> str:
    """The name itself where a file may have it; otherwise what is left of it, and its digest."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:_LENGTH_MAX]
    if name and safe == name and not name.startswith("."):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{safe.lstrip('.')}-{digest[:_DIGEST_LENGTH]}"
