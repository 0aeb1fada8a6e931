# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a page that lacked what the vendor documents."""

from __future__ import annotations

import os
from pathlib import Path

from seatkeeper_agent.host import host


def is_kept(path: Path, screenshot: bytes) -> bool:
    """Write a picture for the agent's user only; one that cannot be kept must hide no problem."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(host().private_file(path), "wb") as file:
            file.write(screenshot)
    except OSError:
        return False
    return True
