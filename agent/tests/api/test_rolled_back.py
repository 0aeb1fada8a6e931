# SPDX-License-Identifier: GPL-3.0-or-later
"""A container that went back in time stays frozen until a person has settled it, by the command."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from seatkeeper_agent.cli import main
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_agent.journal.read_only import read_only
from seatkeeper_agent.state import JOURNAL
from seatkeeper_twins.lab.lab import Lab, LabHost

from .asking import SERIALS, asking, carry, declared
from .conftest import SEEDS

SEEN_SECONDS_MAX = 120.0
STATEMENT = "The licensor said that what the old server shows counts."


def test_what_went_back_in_time_is_settled_by_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Lab.create(SEEDS) as lab, ExitStack() as stack:
        askers = {host.name: stack.enter_context(asking(host)) for host in lab}
        old, host = askers["old-server"], lab["old-server"]
        host.twin("_twin.snapshot", name="before")
        carry(askers, declared("moved"))
        host.twin("_twin.rollback", name="before")

        later = declared("later")
        document = carry(askers, later, until="request")[-1]["document"]
        leg = f"/v1/transfers/{transfer_id('later')}/issue"
        body = {"transfer": later, "document": document}
        assert old.problem("POST", leg, json=body)["code"] == "snapshot-rolled-back"
        (frozen,) = old.get("/v1/operations", state="open")["operations"]
        assert frozen["state"] == "in_doubt"

        command = ["--config", str(host.settings_path), "attest", frozen["id"]]
        assert main([*command, "done", STATEMENT]) == 1, "there is no step that happened"
        assert main([*command, "settled", STATEMENT]) == 0
        assert "is now: failed" in capsys.readouterr().out
        assert old.get("/v1/operations", state="open")["operations"] == []
        assert old.ask("POST", leg, json=body).status_code == 200
        reported = [
            entry for entry in old.get("/v1/audit")["entries"] if entry["action"] == "attested"
        ]
        assert [entry["detail"]["statement"] for entry in reported] == [STATEMENT]


@pytest.mark.slow
def test_a_restored_container_is_frozen_although_nobody_asks() -> None:
    """The agent has just been started; all that happens is that its container's file goes back."""
    with Lab.create(SEEDS) as lab:
        host = lab["old-server"]
        with ExitStack() as stack:
            askers = {it.name: stack.enter_context(asking(it)) for it in lab}
            host.twin("_twin.snapshot", name="before")
            carry(askers, declared("moved"))
        host.agent.stop()
        host.agent.start()
        host.twin("_twin.rollback", name="before")
        deadline = time.monotonic() + SEEN_SECONDS_MAX
        while not (frozen := in_doubt(host)):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert frozen == [SERIALS["old-server"]]
        with asking(host) as old:
            (shown,) = old.get("/v1/agent")["frozen"]
            assert shown["held"] == SERIALS["old-server"]


def in_doubt(host: LabHost) -> list[str]:
    """What is frozen, read from the file of the journal: the agent is not asked."""
    with read_only(host.state_folder / JOURNAL, is_in_use=True) as unit:
        return [entry.holds for entry in unit.operations.in_doubt()] if unit else []
