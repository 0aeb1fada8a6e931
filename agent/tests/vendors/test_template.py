# SPDX-License-Identifier: GPL-3.0-or-later
"""`make driver` makes a driver whose tests pass as they are, and refuses what it cannot make."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from seatkeeper_agent.client import through
from seatkeeper_twins.lab.lab import Lab, LabHost

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("agent/src", "agent/twins/src")
COPIED = (
    *PACKAGES,
    "agent/templates",
    "agent/tests/conftest.py",
    "agent/tests/crash/warm.py",
    "agent/tests/forking.py",
    "tests/tools",
    "pyproject.toml",
)
SECONDS_MAX = 280
SEED: dict[str, object] = {"containers": [{"serial": "130-1000000001", "items": []}]}
WORDS = ("status", "start", "stop", "version")
STOPPED = 3
"""How a service command says that it does not run."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of what the template needs; a driver is never made in the checkout itself."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        source, target = ROOT / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    yield copy
    shutil.rmtree(copy)


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, with the packages of the copy."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(checkout / at) for at in PACKAGES)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def make(checkout: Path, name: str) -> subprocess.CompletedProcess[str]:
    """What `make driver NAME=…` runs."""
    return run(checkout, "tests/tools/new_driver.py", name)


def test_a_new_driver_passes_its_tests(checkout: Path) -> None:
    made = make(checkout, "initech")
    assert made.returncode == 0, made.stderr
    parts = ("src/seatkeeper_agent/vendors", "twins/src/seatkeeper_twins")
    folders = [f"agent/{part}/initech" for part in parts]
    tests = ["agent/tests/vendors/initech", "agent/tests/twins/initech"]
    for folder in [*folders, *tests]:
        names = {path.name for path in (checkout / folder).iterdir()}
        assert "__init__.py" in names, folder
        for path in (checkout / folder).iterdir():
            assert "acme" not in path.read_text(encoding="utf-8").lower(), path
    driver = {path.name for path in (checkout / folders[0]).iterdir()}
    assert driver >= {"README.md", "driver.py", "settings.py", "capabilities.py"}
    tested = run(checkout, "-m", "pytest", "-q", *tests)
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize("name", ["zz", "a2345678901234567890"])
def test_the_form_is_that_of_the_checkout_whatever_the_name(checkout: Path, name: str) -> None:
    assert make(checkout, name).returncode == 0
    places = [path for path in (checkout / "agent").rglob(name) if path.is_dir()]
    assert len(places) == 4
    for command in (["check"], ["format", "--check"]):
        checked = run(checkout, "-m", "ruff", *command, "--no-cache", *map(str, places))
        assert checked.returncode == 0, checked.stdout


@pytest.fixture(scope="module")
def unpacked(checkout: Path) -> Path:
    """The wheel of a driver outside the tree, as an environment has it; its twin beside it."""
    project = checkout / "seatkeeper-hooli"
    made = run(checkout, "tests/tools/new_driver.py", "hooli", str(project))
    assert made.returncode == 0, made.stderr
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", str(checkout)], cwd=project, check=True)
    (wheel,) = checkout.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {name.split("/")[0].split("-")[0] for name in archive.namelist()} == {
            "seatkeeper_hooli"
        }
        archive.extractall(checkout / "installed")
    return project


def test_a_driver_of_its_own_distribution_passes_its_tests(unpacked: Path) -> None:
    paths = [str(unpacked.parent / "installed"), str(unpacked / "twin"), *sys.path]
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=unpacked,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout


@pytest.mark.usefixtures("started_for_real")
def test_an_agent_finds_it_by_its_entry_point(
    unpacked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside CodeMeter, and with no line about it anywhere in the agent."""
    paths = [unpacked.parent / "installed", unpacked / "twin"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, paths)))
    program = unpacked / "product" / "service"
    make = "from seatkeeper_hooli_twin import twin; import pathlib, sys"
    create = f"{make}; twin.create(pathlib.Path(sys.argv[1]), running=True)"
    subprocess.run([sys.executable, "-c", create, str(program.parent)], check=True)
    table = [f'{word}_command = ["{program}", "{word}"]' for word in WORDS]
    with Lab.create({"old-server": {"codemeter": SEED}}) as lab:
        host = lab["old-server"]
        with host.settings_path.open("a", encoding="utf-8") as settings:
            settings.write("\n".join(["[hooli]", *table, ""]))
        host.agent.stop()
        host.agent.start()
        about = host.client.get("/v1/agent")
        assert [entry["vendor"] for entry in about["vendors"]] == ["codemeter", "hooli"]
        for command in ("status", "doctor"):
            assert "icense server 1.4.2" in reported(host, command), command
        transport = through(host.socket_path)
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=60) as client:
            assert "Hooli license server 1.4.2" in client.get("/").text
            stopped = client.put("/v1/servers/hooli", json={"running": False})
        assert (stopped.status_code, stopped.json()["changed"]) == (200, True)
    assert subprocess.run([program, "status"], check=False).returncode == STOPPED


def reported(host: LabHost, command: str) -> str:
    """What a command of the agent prints."""
    agent = [sys.executable, "-P", "-m", "seatkeeper_agent", "--config", str(host.settings_path)]
    return subprocess.run([*agent, command], capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
def test_a_new_driver_is_typed(checkout: Path) -> None:
    assert make(checkout, "globex").returncode == 0
    packages = ["seatkeeper_agent.vendors.globex", "seatkeeper_twins.globex"]
    checked = run(checkout, "-m", "mypy", *(word for name in packages for word in ("-p", name)))
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("", "driver: name it, such as make driver NAME=acme"),
        ("Acme", "'Acme' cannot be a driver's name"),
        ("acme-corp", "'acme-corp' cannot be a driver's name"),
        ("../acme", "'../acme' cannot be a driver's name"),
        ("a", "'a' cannot be a driver's name"),
        ("class", "The name class means something else"),
        ("usb", "The name usb means something else"),
        ("chaos", "vendors/chaos is there already"),
        ("processes", "vendors/processes is there already"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_in_one_sentence(
    checkout: Path, name: str, reported: str
) -> None:
    before = sorted(checkout.rglob("*.md"))
    refused = make(checkout, name)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert reported in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert sorted(checkout.rglob("*.md")) == before
