# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that jumped while the agent was stopped: shown, and nothing that depends on dates."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.clock import OPERATION
from seatkeeper_twins.lab.lab import Lab, LabHost

from .asking import Asker, asking
from .contract import Contract
from .order_routes import ORDER_HOST, ORDER_SEED, ordered, path_of, place

YEAR = 366 * 86_400
COMMAND_SECONDS_MAX = 120


@pytest.fixture
def order_lab() -> Iterator[Lab]:
    """A host that orders are placed from."""
    with Lab.create({ORDER_HOST: ORDER_SEED}) as running:
        yield running


@pytest.fixture
def office(order_lab: Lab, contract: Contract) -> Iterator[Asker]:
    """Its agent."""
    with asking(order_lab[ORDER_HOST], contract) as asker:
        yield asker


def written_ahead(host: LabHost) -> None:
    """The agent had written two years ahead before the clock was set back to now."""
    host.agent.stop()
    journal = Journal(host.state_folder / "journal.db", clock=lambda: time.time() + 2 * YEAR)
    with journal.transaction() as unit:
        unit.audit.append("agent", "anything", "it", {})
    journal.close()
    host.agent.start()


def doctor(host: LabHost) -> tuple[int, dict[str, str]]:
    """Its exit status, and what it says of the clock."""
    command = [sys.executable, "-P", "-m", "seatkeeper_agent", "--config", str(host.settings_path)]
    done = subprocess.run(
        [*command, "doctor", "--json"],
        capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS_MAX,
    )  # fmt: skip
    findings = {entry["name"]: entry for entry in json.loads(done.stdout)}
    return done.returncode, findings["clock"]


def test_a_clock_that_was_set_back_is_shown_blocks_and_can_be_confirmed(
    order_lab: Lab, office: Asker
) -> None:
    host = order_lab[ORDER_HOST]
    place(office, "front-desk")
    assert office.get("/v1/agent")["clock"] == {"plausible": True, "problem": None}
    assert doctor(host)[1]["verdict"] == "ok"
    written_ahead(host)
    with asking(host, office.contract) as again:
        reported = again.get("/v1/agent")["clock"]
        assert (reported["plausible"], reported["problem"]["code"]) == (False, "clock-implausible")
        refused = again.problem("PUT", f"{path_of('new')}?dry_run=true", json=ordered("new"))
        assert refused["code"] == "clock-implausible"
        # What was placed depends on no date any more.
        placed = {**ordered("front-desk"), "case_number": "CAS-7"}
        assert again.ask("PUT", path_of("front-desk"), json=placed).status_code == 200
        found = {e["id"]: e["state"] for e in again.get("/v1/operations")["operations"]}
        assert found[OPERATION] == "in_doubt"
        status, finding = doctor(host)
        assert (status, finding["verdict"]) == (1, "wrong")
        assert f"attest {OPERATION} settled" in finding["detail"]
        said = {"statement": "The clock was two years ahead before, and is right now."}
        done = again.ask("POST", f"/v1/operations/{OPERATION}/attest", json=said)
        assert done.status_code == 200
        assert again.get("/v1/agent")["clock"]["plausible"] is True
        keys = [{"key": "LK-NEW", "product": "ALTI-STATION-10"}]
        body = ordered("new", keys=keys)
        judged = again.ask("PUT", f"{path_of('new')}?dry_run=true", json=body).json()
        assert judged["report"]["verdict"] == "open"
        twice = again.problem("POST", f"/v1/operations/{OPERATION}/attest", json=said)
        assert twice["code"] == "operation-unknown"
    host.agent.stop()
    host.agent.start()
    with asking(host, office.contract) as again:
        assert again.get("/v1/agent")["clock"]["plausible"] is True
