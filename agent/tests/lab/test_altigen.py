# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with a host that orders are placed from: its desk, its mailbox, its agent's settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.settings import load
from seatkeeper_twins.altigen import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.lab.process import LabError
from seatkeeper_twins.parts import control
from seatkeeper_twins.parts.seed import SeedError

HOST = "office-server"
NEW = "0012-9999-0001"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two hosts, one of which has no mail server."""
    seeds: dict[str, Any] = {HOST: {"altigen": {}}, "bare-server": {"altigen": {"mailed": False}}}
    with Lab.create(seeds) as running:
        yield running


def test_the_agent_knows_the_mailbox_of_its_own_twin(lab: Lab) -> None:
    reported = {host.name: load(host.settings_path).vendors.get("altigen") for host in lab}
    mailed, by_hand = reported[HOST], reported["bare-server"]
    assert mailed is not None
    assert (mailed.smtp_host, mailed.smtp_port) == ("127.0.0.1", lab[HOST].altigen.ports[1])
    assert by_hand is not None
    assert not by_hand.sends_mail
    for host in lab:
        assert control.describe(host.altigen.address)["mails"] == []
        assert host.client.get("/v1/orders")["orders"] == []
        assert host.products().keys() == {"altigen"}


def test_a_twin_that_was_killed_comes_back_where_the_agent_looks_for_it(lab: Lab) -> None:
    made = lab[HOST].altigen
    case = people.open_case(made.address, NEW)
    made.process.kill()
    made.process.start()
    assert case in control.describe(made.address)["cases"]


def test_a_lab_that_is_opened_again_has_it_as_it_was_left(tmp_path: Path) -> None:
    with Lab.create({HOST: {"altigen": {}}}, tmp_path / "lab") as first:
        case = people.open_case(first[HOST].altigen.address, NEW)
        ports = first[HOST].altigen.ports
    assert first.processes() == []
    with Lab.open(tmp_path / "lab") as second:
        assert second[HOST].altigen.ports == ports
        assert case in control.describe(second[HOST].altigen.address)["cases"]
    with pytest.raises(LabError, match="has no CodeMeter twin"):
        _ = second[HOST].engine


def test_others_have_none(tmp_path: Path) -> None:
    lab = Lab.create({"old-server": {"codemeter": {"containers": []}}}, tmp_path / "lab")
    with pytest.raises(LabError, match="old-server has no AltiGen twin"):
        _ = lab["old-server"].altigen
    lab.close()


@pytest.mark.parametrize(
    ("seed", "part"),
    [
        ({"mailed": "yes"}, "altigen.mailed must be true or false"),
        ({"port": 25}, "altigen"),
        ({"desk": {"conduct": "kindly"}}, "conduct must be one of"),
    ],
)
def test_a_seed_that_cannot_be_used_is_named(
    tmp_path: Path, seed: dict[str, Any], part: str
) -> None:
    with pytest.raises(SeedError, match="The seed of office-server cannot be used") as caught:
        Lab.create({HOST: {"altigen": seed}}, tmp_path / "lab")
    assert part in str(caught.value)
