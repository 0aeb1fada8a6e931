# SPDX-License-Identifier: GPL-3.0-or-later
"""vrlctl: the documented verbs, exit codes that mean something for a login only, and no leak."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.chaos import people, twin
from seatkeeper_twins.parts import control

from .world import ADMIN, PASSWORD, WRONG, World


def test_exit_codes_of_a_login(world: World) -> None:
    """5 bad credentials, 6 refused, 1 another network error, 9 usage, 0 also when active."""
    assert world.log_in(password=WRONG) == 5
    control.set_fault(world.server, "activate.before", "refuse", 403)
    assert world.log_in() == 6
    control.set_fault(world.server, "activate.before", "lose")
    assert world.log_in() == 1
    control.set_fault(world.cloud, "login.before", "lose")
    assert world.log_in() == 1
    assert world.vrlctl("online", "login", ADMIN).returncode == 9
    assert world.vrlctl("online", "login", ADMIN, PASSWORD, "--retries=x").returncode == 9
    assert world.vrlctl("online", "login", "--credentials", "/nonexistent.json").returncode == 9
    assert world.status()["online"] == {"available": False}
    assert world.log_in() == 0
    assert world.log_in() == 0
    world.vrlctl("online", "disable")
    assert world.vrlctl("online", "login", ADMIN, PASSWORD, "--retries=1").returncode == 0


def test_a_lost_answer_after_the_effect(world: World) -> None:
    """The exit code says a network error; the status says active."""
    control.set_fault(world.server, "activate.after", "lose")
    assert world.log_in() == 1
    assert world.status()["online"]["available"] is True


def test_without_a_server(make_world: Any) -> None:
    """A login says so, also after retries; everything else fails with 0."""
    world = make_world()
    world.server_process.stop()
    assert world.log_in() == 6
    assert world.vrlctl("online", "login", ADMIN, PASSWORD, "--retries=1").returncode == 6
    for words in (("online", "disable"), ("dongle", "enable"), ("config", "get", "proxy.host")):
        assert world.vrlctl(*words).returncode == 0


def test_the_other_verbs(world: World, tmp_path: Path) -> None:
    """Each does what its route does."""
    world.vrlctl("online", "getcsr", str(tmp_path))
    request = (tmp_path / "cert.csr").read_bytes()
    assert request == world.raw("GET", "/csr")[1]
    answer = people.answer_request(world.cloud, ADMIN, PASSWORD, request, "render-01")
    (tmp_path / "cert.crt").write_bytes(answer)
    world.vrlctl("online", "enable", str(tmp_path / "cert.crt"))
    assert world.status()["online"]["available"] is True
    assert "enabled" in world.vrlctl("online", "status").stdout
    world.vrlctl("online", "disable")
    assert world.status()["online"]["available"] is False
    world.vrlctl("config", "set", "proxy.host", "10.0.0.1")
    assert world.vrlctl("config", "get", "proxy.host").stdout == "10.0.0.1\n"
    world.vrlctl("dongle", "enable")
    assert world.status()["dongle"]["enabled"] is True
    world.vrlctl("dongle", "disable")
    assert world.status()["dongle"]["enabled"] is False
    world.vrlctl("diagnostics", "get", str(tmp_path))
    assert (tmp_path / "diagnostics.zip").exists()
    assert world.vrlctl("browser").stdout.strip() == f"{world.server}/"


def test_the_broken_verb(world: World) -> None:
    """`dongle port n` sets nothing and exits with 0, as the product's does."""
    before = world.vrlctl("dongle", "port").stdout
    assert world.vrlctl("dongle", "port", "40000").returncode == 0
    assert world.vrlctl("dongle", "port").stdout == before
    world.vrlctl("config", "set", "local.vrlPort", "40000")
    assert world.vrlctl("dongle", "port").stdout == "40000\n"


def test_failures_exit_with_0(world: World, tmp_path: Path) -> None:
    """So a driver has to look at the status."""
    (tmp_path / "cert.crt").write_text("no answer")
    for words in (
        ("online", "enable", str(tmp_path / "cert.crt")),
        ("online", "enable", str(tmp_path / "missing.crt")),
        ("online", "getcsr", str(tmp_path / "missing")),
        ("config", "set", "local.vrlPort", "30306"),
    ):
        assert world.vrlctl(*words).returncode == 0
    assert world.status()["online"] == {"available": False}


@pytest.mark.parametrize(
    "words",
    [
        (), ("nothing",), ("online",), ("online", "borrow"), ("online", "disable", "now"),
        ("config", "get"), ("config", "set", "proxy.host"), ("dongle", "transfer"),
        ("diagnostics",), ("browser", "now"),
    ],
)  # fmt: skip
def test_wrong_usage(world: World, words: tuple[str, ...]) -> None:
    """9, with what can be said; there is no verb for borrowing or for a transfer."""
    done = world.vrlctl(*words)
    assert done.returncode == 9
    assert done.stderr.startswith("usage: vrlctl")


def test_status_text_differs_between_versions(world: World) -> None:
    """So nobody can parse it."""
    newer = world.vrlctl("online", "status").stdout
    control.set_values(world.server, version="4.5.0")
    assert world.vrlctl("online", "status").stdout != newer


def test_a_password_in_a_file_is_nowhere_else(make_world: Any) -> None:
    """Not in an argument list or an environment, not in what the twins keep or log."""
    world = make_world()
    credentials = world.folder / "credentials.json"
    credentials.write_text(json.dumps({"username": ADMIN, "password": PASSWORD}))
    control.set_fault(world.server, "activate.before", "slow", 800)
    command = [world.server_folder / twin.VRLCTL_NAME, "online", "login", "--credentials"]
    with subprocess.Popen([*command, credentials], stdout=subprocess.PIPE) as running:
        looked = 0
        while running.poll() is None:
            assert PASSWORD.encode() not in _all_processes()
            looked += 1
            time.sleep(0.02)
        assert running.communicate()[0] == b"Online licensing is enabled.\n"
    assert looked > 0
    credentials.unlink()
    control.describe(world.cloud)
    for path in world.folder.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path


def _all_processes() -> bytes:
    found = []
    for name in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{name}"):
            try:
                found.append(path.read_bytes())
            except OSError:
                continue  # ended meanwhile, or somebody else's
    return b"\n".join(found)
