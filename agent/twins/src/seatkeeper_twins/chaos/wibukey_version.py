# SPDX-License-Identifier: GPL-3.0-or-later
"""wibukey-version: print the version of the twin's WibuKey driver. Made up: no vendor command.

Run by its path with the twin's folder as first argument; standard library only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(folder: str) -> int:
    """Print the version."""
    print(json.loads((Path(folder) / "state.json").read_text(encoding="utf-8"))["wibukey_version"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
