# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with Chaos license servers: each beside its agent, with dongles, and one cloud for all."""

from __future__ import annotations

import socket
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.settings import load
from seatkeeper_twins.cli import main
from seatkeeper_twins.lab.chaos import free_port
from seatkeeper_twins.lab.lab import Lab, LabHost
from seatkeeper_twins.lab.process import LabError
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.seed import SeedError

from .conftest import SEEDS

COMMAND_SECONDS_MAX = 120
DONGLE = {"port": "1-1.4", "serial": "90000001"}
ACTIVATED = {"activated_as": "admin@studio-a.example", "dongle_service": True}
CHAOS_SEEDS: dict[str, Any] = {
    "render-server": {"chaos": {"server": ACTIVATED, "dongles": [DONGLE]}},
    "both-server": {"codemeter": SEEDS["old-server"], "chaos": {"profile": "4.0"}},
    "old-server": SEEDS["old-server"],
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Three running hosts: with Chaos, with both products, with CodeMeter."""
    with Lab.create(CHAOS_SEEDS) as running:
        yield running


def running_vendors(host: LabHost) -> dict[str, bool]:
    """What the agent says of its products."""
    return {v["vendor"]: v["running"] for v in host.client.get("/v1/agent")["vendors"]}


def test_each_host_has_the_products_of_its_seed(lab: Lab) -> None:
    assert {host.name: running_vendors(host) for host in lab} == {
        "render-server": {"chaos": True},
        "both-server": {"codemeter": True, "chaos": True},
        "old-server": {"codemeter": True},
    }
    with pytest.raises(LabError, match=r"render-server has no CodeMeter twin\."):
        _ = lab["render-server"].engine
    with pytest.raises(LabError, match=r"old-server has no Chaos twin\."):
        _ = lab["old-server"].chaos


def test_the_servers_share_a_cloud_and_have_their_own_dongles(lab: Lab) -> None:
    server = lab["render-server"].client.get("/v1/servers/chaos")
    assert server["version"] == "6.0.1"
    assert server["activation"]["activated"] is True
    assert [entry["product"] for entry in server["licenses"]] == ["Phoenix", "V-Ray"]
    assert lab["both-server"].client.get("/v1/servers/chaos")["version"] == "4.0.3"
    seen = {host.name: host.client.get("/v1/dongles") for host in lab}
    assert {reported["source"] for reported in seen.values()} == {"recording"}
    assert {name: [d["id"] for d in reported["dongles"]] for name, reported in seen.items()} == {
        "render-server": ["90000001"],
        "both-server": [],
        "old-server": [],
    }
    assert set(lab.cloud.describe()["users"].values()) == {"Studio A", "Studio B"}


def test_dongles_come_and_go(lab: Lab) -> None:
    host = lab["both-server"]
    host.chaos.plug("1-1.1", "90000002")
    (seen,) = host.client.get("/v1/dongles")["dongles"]
    assert (seen["serial"], seen["path"], seen["authorized"]) == ("90000002", "1-1.1", True)
    host.chaos.unplug("1-1.1")
    assert host.client.get("/v1/dongles")["dongles"] == []


def test_the_agent_can_ask_the_operators_commands(lab: Lab) -> None:
    reported = load(lab["render-server"].settings_path).vendors["chaos"]
    assert reported is not None
    assert reported.performer == "person"
    done = subprocess.run(
        reported.wibukey_version_command,
        capture_output=True,
        text=True,
        check=True,
        timeout=COMMAND_SECONDS_MAX,
    )
    assert done.stdout == "6.40\n"


def test_a_killed_twin_comes_back_where_its_clients_look_for_it(lab: Lab) -> None:
    for twin in (lab["render-server"].chaos, lab.cloud):
        control.crash(twin.address)
        assert twin.process.wait() == -9
        twin.process.start()
        assert twin.describe()
    assert lab["render-server"].client.get("/v1/servers/chaos")["activation"]["activated"]


def test_a_host_can_stop_and_start_each_of_its_license_servers(lab: Lab) -> None:
    host = lab["both-server"]
    reported = tomllib.loads(host.settings_path.read_text(encoding="utf-8"))
    for product, other in (("chaos", "codemeter"), ("codemeter", "chaos")):
        commands = reported[product]
        subprocess.run(commands["stop_command"], check=True, timeout=COMMAND_SECONDS_MAX)
        assert running_vendors(host) == {product: False, other: True}
        subprocess.run(commands["start_command"], check=True, timeout=COMMAND_SECONDS_MAX)
        assert running_vendors(host) == {product: True, other: True}


def test_a_product_that_a_host_does_not_have_cannot_be_stopped(lab: Lab) -> None:
    reported = tomllib.loads(lab["old-server"].settings_path.read_text(encoding="utf-8"))
    command = [*reported["codemeter"]["stop_command"][:-1], "chaos"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS_MAX
    )
    assert (done.returncode, done.stderr) == (1, "cannot stop chaos on old-server\n")


def test_a_lab_is_used_again_with_its_ports_accounts_and_dongles(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    seeds: dict[str, Any] = {"render-server": CHAOS_SEEDS["render-server"]}
    with Lab.create(seeds, folder) as lab:
        addresses = lab.cloud.address, lab["render-server"].chaos.address
        lab["render-server"].chaos.unplug("1-1.4")
    assert lab.processes() == []
    with Lab.open(folder) as lab:
        host = lab["render-server"]
        assert (lab.cloud.address, host.chaos.address) == addresses
        assert host.client.get("/v1/servers/chaos")["activation"]["activated"]
        assert host.client.get("/v1/dongles")["dongles"] == []
        assert set(host.products()) == {"chaos"}
    with pytest.raises(control.NotRunning):
        control.describe(addresses[0])


def test_the_cloud_can_have_a_seed_of_its_own(tmp_path: Path) -> None:
    cloud = {"companies": {"Studio C": {"users": {"lead@studio-c.example": "a-password"}}}}
    seeds: dict[str, Any] = {"render-server": {"chaos": {}}}
    with Lab.create(seeds, tmp_path / "lab", cloud_seed=cloud) as lab:
        assert lab.cloud.describe()["users"] == {"lead@studio-c.example": "Studio C"}


def test_a_lab_without_chaos_has_no_cloud(tmp_path: Path) -> None:
    lab = Lab.create(SEEDS, tmp_path / "lab")
    assert not lab.has_cloud
    with pytest.raises(LabError, match="there is no cloud"):
        _ = lab.cloud
    lab.close()


def test_a_port_is_free_and_none_that_the_kernel_gives_to_clients() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert port < other.getsockname()[1]
    with socket.create_server(("127.0.0.1", port)) as taken:
        assert taken.getsockname()[1] == port


@pytest.mark.parametrize(
    ("chaos", "sentence"),
    [
        ([], "chaos must be an object"),
        ({"profile": "3.0"}, "the profile must be one of 4.0, 4.5, 5.5, 6"),
        ({"performer": "nobody"}, "chaos.performer must be one of person, browser"),
        ({"dongle": []}, "chaos has the unknown key 'dongle'"),
        ({"dongles": {}}, "chaos.dongles must be a list"),
        ({"dongles": [{"serial": "1"}]}, r"chaos.dongles\[0\].port must be a text"),
        ({"dongles": [{"port": "here"}]}, "chaos.dongles: 'here' is no port of a USB bus"),
        ({"dongles": [DONGLE, DONGLE]}, "chaos.dongles: Something is plugged into 1-1.4 already"),
        ({"dongles": [{**DONGLE, "ids": "wibu"}]}, r"chaos.dongles\[0\].ids must look like 064f:"),
        ({"server": {"config": 1}}, "config must be an object"),
    ],
)
def test_a_bad_seed_is_told_with_its_host_and_leaves_nothing(
    tmp_path: Path, chaos: object, sentence: str
) -> None:
    with pytest.raises(SeedError, match=f"^The seed of third cannot be used: {sentence}"):
        Lab.create({"third": {"chaos": chaos}}, tmp_path / "lab")
    assert list(tmp_path.iterdir()) == []


def test_chaos_or_a_cloud_are_for_new_labs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Lab.create(SEEDS, tmp_path / "lab").close()
    assert main(["lab", "up", "--dir", str(tmp_path / "lab"), "--chaos"]) == 1
    assert "holds a lab already: leave out --seed, --chaos" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["lab", "up", "--dir", str(tmp_path / "new"), "--chaos", "--seed", "a.json"])
    assert "not allowed with argument" in capsys.readouterr().err
