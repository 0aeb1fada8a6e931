# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab comes up, is killed and started again in parts, and leaves nothing behind."""

from __future__ import annotations

import shutil
import signal
import stat
import subprocess
import threading
import time
import tomllib
from pathlib import Path

import pytest

from seatkeeper_twins.lab.folder import SOCKET_PATH_BYTES_MAX
from seatkeeper_twins.lab.lab import Lab, LabHost
from seatkeeper_twins.lab.process import LabError
from seatkeeper_twins.parts.seed import SeedError

from .conftest import SEEDS

COMMAND_SECONDS_MAX = 200


def seats(host: LabHost) -> int:
    """What the agent says that its first container holds."""
    (container,) = host.client.all("/v1/containers", "containers")
    items = host.client.all(f"/v1/containers/{container['serial']}/items", "items")
    return sum(item["seats"] for item in items)


def product_runs(host: LabHost) -> bool:
    """Whether the agent says that its license server runs."""
    (vendor,) = host.client.get("/v1/agent")["vendors"]
    return bool(vendor["running"])


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_every_host_works_trusts_the_others_and_is_private(lab: Lab) -> None:
    assert {name: seats(host) for name, host in lab.hosts.items()} == {
        "old-server": 25,
        "new-server": 0,
    }
    for name, host in lab.hosts.items():
        agent = host.client.get("/v1/agent")["agent"]
        assert agent["name"] == name
        assert agent["trusts"] == [other for other in lab.hosts if other != name]
        assert mode(host.socket_path) == 0o660
        assert mode(host.state_folder) == 0o700
        assert mode(host.state_folder / "agent.key") == 0o600
        assert mode(host.twin_folder) == 0o700
    assert mode(lab.folder) == 0o700


@pytest.mark.usefixtures("started_for_real")
def test_nothing_is_left_after_the_end() -> None:
    with Lab.create(SEEDS) as lab:
        assert len(lab.processes()) >= 4
        exit_codes = {process.title: process.stop() for process in reversed(lab.programs())}
    # 0, or the signal that asked; not the one that does not ask.
    assert set(exit_codes.values()) <= {0, -signal.SIGTERM}, exit_codes
    assert lab.processes() == []
    assert not lab.folder.exists()


@pytest.mark.usefixtures("started_for_real")
def test_nothing_runs_after_a_failure_but_the_logs_are_kept() -> None:
    lab = Lab.create(SEEDS)

    def fail() -> None:
        with lab:
            assert lab.processes()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert lab.processes() == []
    assert (lab.folder / "old-server" / "agent.log").is_file()
    shutil.rmtree(lab.folder)


def test_an_agent_is_killed_and_starts_again(lab: Lab) -> None:
    host = lab["old-server"]
    key = host.client.get("/v1/agent")["agent"]["key_id"]
    assert host.agent.kill() == -9
    assert not host.client.is_ready()
    host.agent.start()
    assert host.client.get("/v1/agent")["agent"]["key_id"] == key
    assert seats(host) == 25


def test_an_engine_is_killed_and_starts_again(lab: Lab) -> None:
    host = lab["old-server"]
    assert host.engine.kill() == -9
    assert not product_runs(host)
    host.engine.start()
    assert product_runs(host)
    assert seats(host) == 25


@pytest.mark.usefixtures("started_for_real")
def test_a_process_started_by_a_thread_outlives_the_thread(lab: Lab) -> None:
    engine = lab["new-server"].engine
    engine.kill()
    starter = threading.Thread(target=engine.start)
    starter.start()
    starter.join()
    while Path(f"/proc/self/task/{starter.native_id}").exists():
        time.sleep(0.001)
    # The kernel has sent what it sends at a thread's end; what it kills answers nobody.
    assert product_runs(lab["new-server"])
    assert engine.pid is not None


def test_a_host_can_stop_and_start_its_license_server(lab: Lab) -> None:
    host = lab["old-server"]
    reported = tomllib.loads(host.settings_path.read_text(encoding="utf-8"))["codemeter"]
    subprocess.run(reported["stop_command"], check=True, timeout=COMMAND_SECONDS_MAX)
    assert host.engine.exit_code == 0
    subprocess.run(reported["start_command"], check=True, timeout=COMMAND_SECONDS_MAX)
    assert seats(host) == 25


def test_a_lab_is_used_again_as_it_was_left(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    with Lab.create(SEEDS, folder) as lab:
        key = lab["old-server"].client.get("/v1/agent")["agent"]["key_id"]
        with pytest.raises(LabError, match="in use by another process"):
            Lab.open(folder)
    with Lab.open(folder) as lab:
        assert lab["old-server"].client.get("/v1/agent")["agent"]["key_id"] == key
        assert seats(lab["old-server"]) == 25


def test_a_process_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    lab = Lab.create(SEEDS, tmp_path / "lab")
    (lab["old-server"].twin_folder / "containers.db").unlink()
    with pytest.raises(LabError, match=r"(?s)twin of old-server ended .* exit code 1.*last line"):
        lab.start()
    lab.close()
    assert lab.processes() == []


def test_a_socket_path_that_does_not_fit_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * SOCKET_PATH_BYTES_MAX)
    with pytest.raises(LabError, match=r"lab\.sock has \d+ bytes .* may have 107: choose a shor"):
        Lab.create(SEEDS, folder)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_in_it_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(LabError, match="is not empty"):
        Lab.create(SEEDS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(LabError, match="holds no lab"):
        Lab.open(tmp_path)


@pytest.mark.parametrize("name", ["", "../up", "a b", "-"])
def test_a_name_that_is_no_host_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LabError, match="is not a host name"):
        Lab.create({name: SEEDS["new-server"]}, tmp_path / "lab")


def test_a_bad_seed_is_told_with_its_host_and_leaves_an_empty_folder(tmp_path: Path) -> None:
    seeds = {**SEEDS, "third": {"containers": [{"serial": "nonsense"}]}}
    with pytest.raises(SeedError, match=r"seed of third cannot be used: .*serial must look like"):
        Lab.create(seeds, tmp_path)
    assert list(tmp_path.iterdir()) == []
