# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files that are made from people's names: recognised, and never the same for two.

A letter with an accent is one character or two, by who typed it or which file system kept it; to
people it is one name, and so it is here.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata

_LENGTH_MAX = 80
_DIGEST_LENGTH = 16


def file_stem(name: str) -> str:
    """The name itself where a file may have it; otherwise what is left of it, and its digest."""
    name = unicodedata.normalize("NFC", name)
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:_LENGTH_MAX]
    if name and safe == name and not name.startswith("."):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{safe.lstrip('.')}-{digest[:_DIGEST_LENGTH]}"


def as_on_disk(path: str) -> str:
    """The path in the spelling that its folders have; as it is where nothing of that name is there.

    What is there exactly as it is written comes first.
    """
    if path.isascii() or os.path.lexists(path):
        return path
    head, name = os.path.split(path.rstrip(os.sep))
    folder = as_on_disk(head) if head else ""
    return os.path.join(folder, _entry(folder or os.curdir, name))


def _entry(folder: str, name: str) -> str:
    wanted = unicodedata.normalize("NFC", name)
    try:
        found = sorted(os.listdir(folder))
    except OSError:
        return name
    same = (entry for entry in found if unicodedata.normalize("NFC", entry) == wanted)
    return next(same, name)
