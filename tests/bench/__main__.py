# SPDX-License-Identifier: GPL-3.0-or-later
"""Print every comparison; figures only, no verdict by exit status, since machines differ."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import commits, containers, flood, idle, pages
from bench.comparison import heading

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run the comparisons one after another in a folder on the disk of the checkout."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    print(heading(), flush=True)
    # Not the system's temporary folder: that may be memory, where durability costs nothing.
    with tempfile.TemporaryDirectory(dir=cache, prefix="bench-") as folder:
        for part in (commits, idle, flood, pages, containers):
            for comparison in part.compare(Path(folder)):
                print(comparison.line(), flush=True)


if __name__ == "__main__":
    main()
