# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of a CodeMeter twin."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from seatkeeper_twins.codemeter import control
from seatkeeper_twins.lab.process import LabProcess


def engine_of(directory: Path) -> LabProcess:
    """Not started yet; it is ready when calls are answered."""

    def answers() -> bool:
        try:
            return "faults" in control.send(directory, {"op": "_twin.faults"})
        except OSError:
            return False

    module = [sys.executable, "-P", "-m", "seatkeeper_twins.codemeter"]
    return LabProcess(
        "The CodeMeter twin",
        [*module, "serve", "--dir", str(directory)],
        directory,
        directory / "twin.log",
        os.environ,
        answers,
    )
