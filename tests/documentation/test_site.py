# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of the documentation site notices what would not work from a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[1] / "tools" / "check_site.py"
WHOLE = '<p id="top"><a href="other.html#part">x</a><a href="https://a.example/">y</a></p>'
OTHER = '<h2 id="part">Part</h2><img src="data:image/png;base64,AA==" alt="">'


def check(folder: Path, page: str, style: str = "") -> tuple[int, str]:
    """The status of the check and what it prints about a site with this page and style."""
    (folder / "index.html").write_text(page)
    (folder / "other.html").write_text(OTHER)
    (folder / "site.css").write_text(style)
    command = [sys.executable, str(CHECK), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def test_a_whole_site_passes(tmp_path: Path) -> None:
    status, reported = check(tmp_path, WHOLE, "@import 'more.css'; p { background: url(a.png) }")
    assert (status, reported.strip()) == (0, "2 pages, every link leads somewhere")


@pytest.mark.parametrize(
    ("page", "style", "reported"),
    [
        ('<a href="gone.html">x</a>', "", "gone.html leads to no file"),
        ('<a href="other.html#gone">x</a>', "", "other.html#gone leads to no part of that page"),
        ('<a href="#gone">x</a>', "", "#gone leads to no part of that page"),
        ('<img src="gone.png">', "", "gone.png leads to no file"),
        ('<script src="https://cdn.example/x.js"></script>', "", "https://cdn.example/x.js"),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', "", "//cdn.example/x.css"),
        ("", "p { background: url('https://cdn.example/a.png') }", "https://cdn.example/a.png"),
        ("", '@import "https://cdn.example/a.css";', "https://cdn.example/a.css"),
    ],
)
def test_what_leads_nowhere_or_outside_is_told(
    tmp_path: Path, page: str, style: str, reported: str
) -> None:
    status, output = check(tmp_path, page, style)
    assert status == 1
    assert reported in output


def test_a_folder_without_pages_is_no_site(tmp_path: Path) -> None:
    command = [sys.executable, str(CHECK), str(tmp_path)]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 1
