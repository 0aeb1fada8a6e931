# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's release says what is in it, and is installed whatever the host has told pip."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name, parse_wheel_filename

from hosts import made
from hosts.kept import ROOT

COMMAND_SECONDS_MAX = 1800
SBOM = ROOT / "agent" / "sbom.py"
PYTHONS = ("3.11", "3.12", "3.13")


def command(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
    )


@pytest.fixture(scope="module")
def release() -> Path:
    """The bundle of this checkout."""
    (found,) = made.bundle().glob("seatkeeper-agent-*.tar")
    return found


@pytest.fixture
def unpacked(release: Path, tmp_path: Path) -> Path:
    """What is in it."""
    with tarfile.open(release) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "bundle"


def test_what_is_in_a_release_is_named_with_every_file_and_its_hash(
    release: Path, unpacked: Path
) -> None:
    text = release.with_suffix(".cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    reported = json.loads(text)
    agent = reported["metadata"]["component"]
    parts = [agent, *reported["components"]]
    files = {
        reference["url"]: {entry["alg"]: entry["content"] for entry in reference["hashes"]}
        for part in parts
        for reference in part["externalReferences"]
    }
    wheels = sorted((unpacked / "wheels").iterdir())
    assert files == {
        f"bundle/wheels/{wheel.name}": {"SHA-256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
        for wheel in wheels
    }
    versions = {(part["name"], part["version"]) for part in parts}
    assert versions == {
        (str(name), str(version))
        for name, version, _build, _tags in (parse_wheel_filename(wheel.name) for wheel in wheels)
    }
    # What the agent's package asks for by itself, and that nothing needs what is not there.
    needs = {entry["ref"]: set(entry.get("dependsOn", ())) for entry in reported["dependencies"]}
    assert set(needs) == {part["bom-ref"] for part in parts}
    lines = (ROOT / "agent" / "pyproject.toml").read_text().partition("\ndependencies = [")[2]
    requested = re.findall(r'"([a-z-]+)[>=<]', lines.partition("]")[0])
    assert {ref.partition("@")[0] for ref in needs[agent["bom-ref"]]} == {
        canonicalize_name(name) for name in requested
    }
    reached = {agent["bom-ref"]}
    while more := set().union(*(needs[ref] for ref in reached)) - reached:
        reached |= more
    assert reached == set(needs)


def test_the_same_bundle_is_told_in_the_same_words_and_another_is_not_told(
    release: Path, unpacked: Path
) -> None:
    again = command(sys.executable, SBOM, unpacked, *PYTHONS)
    assert again.stdout == release.with_suffix(".cdx.json").read_text(), again.stderr
    wheel = next((unpacked / "wheels").iterdir())
    with wheel.open("ab") as file:
        file.write(b"x")
    altered = command(sys.executable, SBOM, unpacked, *PYTHONS)
    assert (altered.returncode, altered.stdout) == (1, "")
    assert f"{wheel.name} is not in the lock with the content that it has." in altered.stderr


def index_of(wheels: Path, folder: Path) -> str:
    """A package index of these files, as pip takes it; its address."""
    for wheel in wheels.iterdir():
        name = parse_wheel_filename(wheel.name)[0]
        page = folder / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as file:
            file.write(f'<a href="{wheel.as_uri()}">{wheel.name}</a>\n')
    return folder.as_uri()


def hostile(folder: Path) -> dict[str, str]:
    """What a user or an environment may have told Python and pip, all of it in the way."""
    folder.mkdir()
    (folder / "pip").mkdir()
    (folder / "pip" / "__init__.py").write_text("raise SystemExit('a pip of somebody else')\n")
    (folder / "pip.conf").write_text(
        f"[global]\nindex-url = file://{folder}\nno-deps = true\n[install]\ntarget = {folder}/t\n"
    )
    (folder / ".config" / "pip").mkdir(parents=True)
    (folder / "pip.conf").rename(folder / ".config" / "pip" / "pip.conf")
    return {
        "HOME": str(folder),
        "PYTHONPATH": str(folder),
        "PIP_TARGET": str(folder / "t"),
        "PIP_INDEX_URL": folder.as_uri(),
        "PIP_NO_BINARY": ":all:",
        "PIP_REQUIREMENT": str(folder / "absent.txt"),
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="what is installed belongs to root: run it as root")
@pytest.mark.parametrize("form", ["bundle", "requirements"])
def test_it_is_installed_whatever_a_user_or_an_environment_has_told_pip(
    form: str, release: Path, unpacked: Path, tmp_path: Path
) -> None:
    variables: dict[str, Any] = {
        "seatkeeper_agent_origin": str(
            release if form == "bundle" else release.with_suffix(".txt")
        ),
        "seatkeeper_agent_bundle": str(release) if form == "bundle" else "",
        "seatkeeper_agent_requirements": ""
        if form == "bundle"
        else str(release.with_suffix(".txt")),
        "seatkeeper_agent_index_url": ""
        if form == "bundle"
        else index_of(unpacked / "wheels", tmp_path / "i"),
        "seatkeeper_agent_python": sys.executable,
        "seatkeeper_agent_release_dir": str(tmp_path / "release"),
        "seatkeeper_agent_version": release.stem.removeprefix("seatkeeper-agent-"),
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
    }
    install = {"name": "seatkeeper.licensing.seatkeeper_agent", "tasks_from": "install"}
    tasks = [{"ansible.builtin.include_role": install}]
    environment = hostile(tmp_path / "hostile")
    play = {"hosts": "all", "gather_facts": False, "environment": environment, "tasks": tasks}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    done = command(
        Path(sys.executable).with_name("ansible-playbook"),
        *("-i", "here,", "-e", json.dumps(variables), tmp_path / "play.yml"),
        ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"),
    )
    assert done.returncode == 0, done.stdout
    reported = command(tmp_path / "release" / "bin" / "seatkeeper-agent", "--version")
    assert reported.stdout.strip() == variables["seatkeeper_agent_version"]
    assert not (tmp_path / "hostile" / "t").exists()
    # Nothing of where the packages came from is left.
    assert not (tmp_path / "release" / "index.txt").exists()
    assert not (tmp_path / "release" / "bundle").exists()
