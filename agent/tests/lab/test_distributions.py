# SPDX-License-Identifier: GPL-3.0-or-later
"""What license servers install has no stand-ins in it; these are a distribution of their own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

AGENT = Path(__file__).resolve().parents[2]


def packed(project: Path, folder: Path) -> set[str]:
    """The names in a project's wheel, without its metadata."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", str(folder)], cwd=project, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_the_agents_distribution_has_the_agent_only(tmp_path: Path) -> None:
    names = packed(AGENT, tmp_path)
    assert {name.split("/")[0] for name in names} == {"seatkeeper_agent"}
    assert {"seatkeeper_agent/cli.py", "seatkeeper_agent/api/status.html"} <= names


def test_twins_labs_and_the_demo_are_one_of_their_own(tmp_path: Path) -> None:
    names = packed(AGENT / "twins", tmp_path)
    assert {name.split("/")[0] for name in names} == {"seatkeeper_twins"}
    parts = ("codemeter/shim.c", "demo/seed.json", "lab/lab.py")
    assert {f"seatkeeper_twins/{part}" for part in parts} <= names
