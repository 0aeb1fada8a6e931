# SPDX-License-Identifier: GPL-3.0-or-later
"""With the vendor's product down or not installed the agent tells so and begins nothing."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab

from .asking import SERIALS, Asker, asking, carry, declared
from .bare import BareAgent
from .conftest import SEEDS
from .contract import Contract

CHANGES = ("request", "install", "acknowledge")


@pytest.fixture(scope="module")
def down(contract: Contract) -> Iterator[dict[str, Asker]]:
    """Agents whose license servers are stopped, after one transfer went through."""
    with (
        Lab.create(SEEDS) as lab,
        asking(lab["old-server"], contract) as old,
        asking(lab["new-server"], contract) as new,
    ):
        askers = {"old-server": old, "new-server": new}
        carry(askers, declared("before"))
        for host in lab.hosts.values():
            host.engine.stop()
        yield askers


@pytest.fixture(scope="module")
def absent(tmp_path_factory: pytest.TempPathFactory, contract: Contract) -> Iterator[Asker]:
    """An agent on a host without the vendor's library."""
    agent = BareAgent(Path(tmp_path_factory.mktemp("absent")), "new-server")
    agent.process.start()
    asker = Asker(agent.socket_path, contract)
    yield asker
    asker.close()
    agent.process.stop()


def check_nothing_begun(asker: Asker) -> None:
    """AssertionError when a transfer or an operation was opened."""
    assert asker.get("/v1/operations", state="open")["operations"] == []
    assert asker.get("/v1/transfers", state="open")["transfers"] == []
    assert asker.get("/readyz")["status"] == "ready"


def unavailable(problem: dict[str, Any]) -> bool:
    """Whether it says that the product does not answer, and may be asked again."""
    return (problem["code"], problem["status"], problem["retryable"]) == (
        "runtime-unavailable",
        503,
        True,
    )


def test_a_stopped_server_is_told_with_its_capabilities(down: dict[str, Asker]) -> None:
    for asker in down.values():
        (vendor,) = asker.get("/v1/agent")["vendors"]
        assert vendor["running"] is False
        assert vendor["capabilities"][0]["name"] == "runtime"
        assert vendor["capabilities"][0]["grade"] == "refused"
        assert asker.get("/v1/servers/codemeter")["running"] is False
        assert "not running" in asker.ask("GET", "/").text
        serial = SERIALS["old-server"]
        for path in ("", f"/{serial}/items", f"/{serial}/history"):
            assert unavailable(asker.problem("GET", f"/v1/containers{path}"))


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_with_a_stopped_server_no_leg_begins(down: dict[str, Asker], dry_run: str) -> None:
    for leg, name in (("request", "new-server"), ("issue", "old-server")):
        path = f"/v1/transfers/{transfer_id('down')}/{leg}?dry_run={dry_run}"
        problem = down[name].problem("POST", path, json={"transfer": declared("down")})
        assert unavailable(problem), problem
    for asker in down.values():
        check_nothing_begun(asker)


def test_what_is_in_the_journal_needs_no_product(down: dict[str, Asker]) -> None:
    answers = carry(down, declared("before"))
    assert [answer["changed"] for answer in answers] == [False] * 5
    assert all(answer["transfer"]["state"] == "transferred_receipted" for answer in answers)


def test_a_product_that_is_not_on_this_host_is_not_among_its_products(absent: Asker) -> None:
    assert absent.get("/v1/agent")["vendors"] == []
    assert "no vendor's product found here" in html.unescape(absent.ask("GET", "/").text)
    assert "seatkeeper_invariant_holds" in absent.ask("GET", "/metrics").text


def test_a_product_whose_library_is_gone_is_described_as_such(absent: Asker) -> None:
    cmu = absent.socket_path.with_name("cmu")
    cmu.touch()
    (vendor,) = absent.get("/v1/agent")["vendors"]
    assert (vendor["version"], vendor["running"]) == (None, False)
    assert vendor["security_floor_met"] is None
    found = {entry["name"]: entry for entry in vendor["capabilities"]}
    assert found["runtime"]["grade"] == "refused"
    assert "absent.so" in found["runtime"]["reason"]
    assert all(entry["reason"] for entry in vendor["capabilities"])
    assert "not found" in absent.ask("GET", "/").text
    cmu.unlink()


def test_without_a_product_nothing_begins(absent: Asker) -> None:
    for leg in CHANGES:
        path = f"/v1/transfers/{transfer_id('absent')}/{leg}"
        problem = absent.problem("POST", path, json={"transfer": declared("absent")})
        assert problem["code"] in ("runtime-unavailable", "leg-out-of-order"), problem
    borrow = {
        "name": "absent",
        "item": "6000010:204",
        "type": "borrow_local",
        "source": declared("x")["source"],
        "target": declared("x")["target"],
        "seats": 1,
        "until": "2036-12-10T00:00:00Z",
    }
    path = f"/v1/borrows/{transfer_id('absent')}"
    assert unavailable(absent.problem("PUT", path, json=borrow))
    settings = {"settings": {"General": {"LogLicenseTracking": "1"}}}
    assert absent.problem("PUT", "/v1/servers/codemeter", json=settings)["status"] in (409, 503)
    check_nothing_begun(absent)
    assert absent.get("/v1/borrows")["borrows"] == []
    assert absent.get("/v1/transfers")["transfers"] == []
