# SPDX-License-Identifier: GPL-3.0-or-later
"""No problem without a way out: each code has a script that follows its advice and ends."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from seatkeeper_agent.domain.problems import ProblemCode

from .table import RECOVERIES


def test_every_problem_code_has_a_script_that_recovers_from_it() -> None:
    """A new code is not done before somebody has shown that its advice leads out."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        import_module(f"{__package__}.{path.stem}")
    missing = {code.value for code in ProblemCode} - {code.value for code in RECOVERIES}
    assert missing == set()
