# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m seatkeeper_twins.acme FOLDER WORD: what a twin's program runs."""

from __future__ import annotations

import sys
from pathlib import Path

from seatkeeper_twins.acme.twin import act

if __name__ == "__main__":
    sys.exit(act(Path(sys.argv[1]), sys.argv[2]))
