# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent in foreign hands answers as it likes: no other host does what nobody has declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import transfer_id
from seatkeeper_twins.lab.lab import Lab

from .hostile import hostile, seats_in_the_file
from .runs import ROOT, holdings, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(3600)

MIGRATE = ROOT / "playbooks" / "migrate_licenses.yml"
ONLY_THE_BORROW: dict[str, Any] = {"license_transfers": []}
THERE = {"6000010:201": 25, "6000010:202": 5}


def stolen(name: str, item: str, kind: str, quantity: int | None) -> dict[str, Any]:
    """A transfer that nobody has declared, as an agent tells one that a borrow brings about."""
    return {
        "id": transfer_id(name),
        "name": name,
        "item": item,
        "type": kind,
        "mode": "push",
        "quantity": quantity,
        "until": None,
        "parent": None,
        "source": {"agent": "old-server", "container": "130-1000000001"},
        "target": {"agent": "new-server", "container": "130-2000000002"},
    }


def borrows(path: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What an answer says of borrows."""
    results = answer["results"] if path == "/v2/state" else []
    return [result for result in results if result["kind"] == "borrow"]


def is_whole(lab: Lab) -> bool:
    """Whether the host that was robbed has all that it had, on its disk and in its journal."""
    found = seats_in_the_file(lab["old-server"])
    known = lab["old-server"].client.get("/v1/transfers", state="all")["transfers"]
    return {item: found.get(item) for item in THERE} == THERE and not any(
        record["item"] in THERE for record in known
    )


def test_a_hostile_answer_makes_no_other_host_give_what_is_not_declared(
    lab: Lab, tmp_path: Path
) -> None:
    def rob(_method: str, path: str, answer: dict[str, Any]) -> None:
        for borrowed in borrows(path, answer):
            borrowed["details"]["transfers"] = [
                *borrowed["details"].get("transfers", ()),
                stolen("cad-seats/lot-3", "6000010:201", "licenses", 25),
                stolen("gone-for-good", "6000010:202", "complete", None),
            ]

    with hostile(lab["new-server"], rob):
        run = play(lab, tmp_path, MIGRATE, variables=ONLY_THE_BORROW)
    assert run.code != 0
    assert run.recap["new-server"]["failed"] == 1
    assert run.recap["old-server"]["failed"] == 0
    assert (
        "The agent of new-server claims gone-for-good of item 6000010:202, and the inventory"
        " declares no such borrow for this host." in run.output
    )
    assert "claims cad-seats/lot-3 of item 6000010:201" in run.output
    assert "Traceback" not in run.output
    assert is_whole(lab)
    # What is declared was lent all the same.
    assert holdings(lab)["new-server"] == {"6000010:204": (2, 0)}


@pytest.mark.slow
def test_an_open_transfer_that_only_a_hostile_agent_knows_moves_nothing(
    lab: Lab, tmp_path: Path
) -> None:
    def rob(_method: str, _path: str, answer: dict[str, Any]) -> None:
        if "look" in answer:
            open_one = stolen("old-business", "6000010:201", "licenses", 25)
            as_known = {"side": "target", "state": "accepted", "status": "", "amounts": {}}
            answer["look"]["products"]["codemeter"]["transfer"]["seen"] += [
                {**open_one, **as_known}
            ]

    nothing = {"license_transfers": [], "license_borrows": []}
    with hostile(lab["new-server"], rob):
        run = play(lab, tmp_path, MIGRATE, variables=nothing)
    assert run.recap["new-server"]["failed"] == 1
    assert run.recap["old-server"]["failed"] == 0
    assert "neither the inventory nor old-server knows it" in run.output
    assert is_whole(lab)


@pytest.mark.slow
def test_a_borrower_that_has_forgotten_its_lots_gets_no_more_than_is_declared(
    lab: Lab, tmp_path: Path
) -> None:
    play(lab, tmp_path, MIGRATE, variables=ONLY_THE_BORROW).ended_well()
    until: list[str] = []

    def rob(_method: str, path: str, answer: dict[str, Any]) -> None:
        for borrowed in borrows(path, answer):
            until.append(borrowed["after"]["until"])
            again = stolen("cad-seats/lot-3", "6000010:204", "borrow_local", None)
            borrowed["details"]["transfers"] = [{**again, "until": until[0]}]
            borrowed["changed"] = True

    with hostile(lab["new-server"], rob):
        run = play(lab, tmp_path, MIGRATE, variables=ONLY_THE_BORROW)
    assert until
    assert run.recap["new-server"]["failed"] == 1
    assert "the inventory declares 2 in all" in run.output
    assert holdings(lab)["old-server"]["6000010:204"] == (3, 0)
