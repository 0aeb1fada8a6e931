# SPDX-License-Identifier: GPL-3.0-or-later
"""What agents of the tree before left when they died, this tree's agents bring to its end."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import FIGURES
from .test_campaign import SECONDS_MAX, crash
from .versions import ROOT, before

SHARE = 0.02
"""Of about 500 points eleven: one of each scenario."""


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_MAX)
def test_what_died_in_the_tree_before_goes_on_in_this_one(
    tmp_path: Path, record_property: Any
) -> None:
    look = ["git", "cat-file", "-e", before()]
    if subprocess.run(look, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip(f"the tree before, {before()}, is not in this clone")
    reported = crash(tmp_path / "report.json", SHARE, module="crash.versions")
    record_property(FIGURES, reported["text"])
    assert reported["kills"] == reported["points"] > 0
    assert reported["failed"] == 0, "\n".join(reported["failures"])
