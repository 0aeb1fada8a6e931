# SPDX-License-Identifier: GPL-3.0-or-later
"""The crash campaign: real agents and twins, killed wherever something becomes durable."""

from __future__ import annotations

import sys
from pathlib import Path

# The documents are carried by the collection's own courier, also where pytest has no part in it.
sys.path.append(str(Path(__file__).resolve().parents[3] / ".venv" / "collections"))
