# SPDX-License-Identifier: GPL-3.0-or-later
"""Check what no linter does: license lines, the file header and the size of files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES_MAX = 500
LICENSE_LINE = "SPDX-License-Identifier: GPL-3.0-or-later"
# What is made by a tool or is the license itself is not written by hand.
GENERATED = {"CHANGELOG.md", "changelogs/changelog.yaml"}
GENERATED |= {"roles/license_state/meta/argument_specs.yml"}
GENERATED |= {"LICENSE", "agent/LICENSE", "agent/twins/LICENSE"}


def problems_of(name: str, text: str) -> list[str]:
    """Return what is wrong with a file, one sentence each."""
    lines = text.splitlines()
    found = []
    if len(lines) > LINES_MAX and not name.endswith(".lock"):
        found.append(f"{name}: {len(lines)} lines, at most {LINES_MAX} are allowed")
    if name.endswith((".py", ".sh", ".c", ".sql")) and lines:
        if not any(LICENSE_LINE in line for line in lines[:2]):
            found.append(f"{name}: the first lines do not name the license")
        script = name.endswith(".py") and not name.endswith("__init__.py")
        if script and "from __future__ import annotations" not in lines:
            found.append(f"{name}: from __future__ import annotations is missing")
    return found


def main() -> int:
    """Print every problem in the tracked files and return whether there was one."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if name in GENERATED or not path.is_file():
            continue
        try:
            found += problems_of(name, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # a capture or a picture
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
