# SPDX-License-Identifier: GPL-3.0-or-later
"""What entry points import, as it is written down."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS_MAX = 240
"""For all entry points together, which take three seconds."""


@dataclass(frozen=True)
class Imports:
    """How many modules of the product's own, and which heavy packages."""

    own: int
    heavy: str = ""
    code: int = 0
    lowered_by: int | None = field(default=None, compare=False)


def imports_of(
    own: str,
    entries: list[list[str]],
    environment: dict[str, str],
    shared: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, Imports]:
    """Run the entries, as entry_points.py says; what each imported."""
    program = Path(__file__).with_name("entry_points.py")
    done = subprocess.run(
        [sys.executable, str(program)],
        input=json.dumps({"own": own, "entries": entries, "shared": shared, **more}),
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    reported: dict[str, Any] = json.loads(done.stdout)
    return {
        title: Imports(entry["own"], " ".join(entry["heavy"]), entry["code"])
        for title, entry in reported.items()
    }
