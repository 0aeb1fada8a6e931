# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's unit is what its page says of it: capabilities, limits and how exposed it is."""

from __future__ import annotations

import os.path
import re
import shutil
import subprocess
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles" / "seatkeeper_agent"
ROWS = {
    "as it is": {},
    "`seatkeeper_agent_dongle_isolation`": {"seatkeeper_agent_dongle_isolation": True},
    "`seatkeeper_agent_server_dirs`": {"seatkeeper_agent_server_dirs": ["/etc/wibu/CodeMeter"]},
    "both": {
        "seatkeeper_agent_dongle_isolation": True,
        "seatkeeper_agent_server_dirs": ["/etc/wibu/CodeMeter"],
    },
}
"""The rows of the page's table, and what is set for each."""


def unit(**values: t.Any) -> str:
    """The unit as the role writes it with these variables."""
    environment = jinja2.Environment(trim_blocks=True, autoescape=False)  # noqa: S701 - no markup
    environment.filters["basename"] = os.path.basename
    known: dict[str, t.Any] = {"ansible_managed": "Written by a role."}
    for folder in ("defaults", "vars"):
        known |= yaml.safe_load((ROLE / folder / "main.yml").read_text("utf-8"))
    template = (ROLE / "templates" / "seatkeeper-agent.service.j2").read_text("utf-8")
    return environment.from_string(template).render(known | values)


def lines(text: str, name: str) -> list[str]:
    """What a unit sets a name to, in turn."""
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def reported() -> dict[str, tuple[str, float]]:
    """Capabilities and exposure of each row of the page's table."""
    text = (ROLE / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (\d\.\d) \|$", text, re.MULTILINE)
    return {name: (capabilities, float(exposure)) for name, capabilities, exposure in rows}


def test_the_page_has_every_row() -> None:
    assert set(reported()) == set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_the_capabilities_are_those_of_the_page(row: str) -> None:
    capabilities = re.findall(r"CAP_\w+", reported()[row][0])
    text = unit(**ROWS[row])
    for name in ("CapabilityBoundingSet", "AmbientCapabilities"):
        assert [line.split() for line in lines(text, name)] == [capabilities]
    # The agent gives up what the programs that it starts would inherit, and has to be let.
    allowed = [word for line in lines(text, "SystemCallFilter") for word in line.split()]
    assert ("capset" in allowed) is bool(capabilities)
    assert lines(text, "NoNewPrivileges") == ["yes"]


@pytest.mark.parametrize("row", ROWS)
def test_it_is_exposed_as_the_page_says(row: str, tmp_path: Path) -> None:
    measuring = shutil.which("systemd-analyze")
    if measuring is None:
        pytest.skip("systemd-analyze is not installed, so the exposure cannot be measured")
    path = tmp_path / "seatkeeper-agent.service"
    path.write_text(unit(**ROWS[row]), "utf-8")
    done = subprocess.run(
        [measuring, "security", "--offline=yes", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    (exposure,) = re.findall(r"Overall exposure level for \S+: (\d+\.\d)", done.stdout)
    # Releases of systemd weigh some settings a little differently.
    assert float(exposure) == pytest.approx(reported()[row][1], abs=0.2)


def test_the_page_has_the_limits() -> None:
    text, page = unit(), (ROLE / "README.md").read_text("utf-8")
    for name in ("LimitNOFILE", "LimitCORE", "MemoryMax", "TasksMax"):
        (value,) = lines(text, name)
        assert f"`{name}={value}`" in page
