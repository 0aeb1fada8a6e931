# SPDX-License-Identifier: GPL-3.0-or-later
"""A container that went back in time stays frozen until a person has settled it, by the command."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from seatkeeper_agent.cli import main
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab

from .asking import asking, carry, declared
from .conftest import SEEDS

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
