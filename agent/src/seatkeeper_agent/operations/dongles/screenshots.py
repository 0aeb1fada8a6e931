# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a page that lacked what the vendor documents."""

from __future__ import annotations

import os
from pathlib import Path


def is_kept(path: Path, screenshot: bytes) -> bool:
    """Write a picture for the agent's user only; one that cannot be kept must hide no problem."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(screenshot)
    except OSError:
        return False
    return True
