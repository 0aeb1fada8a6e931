# SPDX-License-Identifier: GPL-3.0-or-later
"""The promises of the playbook: planned as run, unchanged when run again, sums kept."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.lab.lab import Lab

from .runs import ROOT, Run, holdings, journals, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(3600)

MIGRATE = ROOT / "playbooks" / "migrate_licenses.yml"
REPORT = ROOT / "playbooks" / "license_report.yml"
BEFORE = {
    "old-server": {
        "6000010:201": (25, 0),
        "6000010:202": (5, 0),
        "6000010:203": (0, 100),
        "6000010:204": (5, 0),
    },
    "new-server": {},
}
AFTER = {
    "old-server": {
        "6000010:201": (15, 0),
        "6000010:202": (0, 0),
        "6000010:203": (0, 60),
        "6000010:204": (3, 0),
    },
    "new-server": {
        "6000010:201": (10, 0),
        "6000010:202": (5, 0),
        "6000010:203": (0, 40),
        "6000010:204": (2, 0),
    },
}
SIMULATION = {
    "name": "simulation-seats",
    "item": "6000010:201",
    "type": "licenses",
    "quantity": 10,
    "source": "old-server",
    "target": "new-server",
}


def only(*transfers: dict[str, Any]) -> dict[str, Any]:
    """Variables that declare these transfers and no borrow."""
    return {"license_transfers": list(transfers), "license_borrows": []}


def test_the_plan_of_check_mode_is_the_run_and_the_second_run_changes_nothing(
    lab: Lab, tmp_path: Path
) -> None:
    journals_before = journals(lab)
    planned = play(lab, tmp_path, MIGRATE, "--check", "--diff").ended_well()
    assert holdings(lab) == BEFORE
    assert journals(lab) == journals_before
    _shows_both_sides(planned)

    done = play(lab, tmp_path, MIGRATE).ended_well()
    assert holdings(lab) == AFTER
    assert len(done.plan) == 5 * 5
    _did_what_was_planned(done, planned)

    journals_before = journals(lab)
    again = play(lab, tmp_path, MIGRATE).ended_well()
    assert (again.changed, again.plan) == (0, [])
    assert (holdings(lab), journals(lab)) == (AFTER, journals_before)


def _did_what_was_planned(done: Run, planned: Run) -> None:
    assert done.plan == planned.plan
    changed = {host: counts["changed"] for host, counts in planned.recap.items()}
    assert {host: counts["changed"] for host, counts in done.recap.items()} == changed


def _shows_both_sides(planned: Run) -> None:
    assert "at old-server (source, container 130-1000000001), before" in planned.output
    assert "at new-server (target, container 130-2000000002), after" in planned.output
    assert '-            "seats": 25,' in planned.output
    assert '+            "seats": 15,' in planned.output


@pytest.mark.slow
def test_a_seat_comes_back_early_when_fewer_are_declared(lab: Lab, tmp_path: Path) -> None:
    variables = {"license_transfers": [], "demo_borrowed_seats": 2}
    play(lab, tmp_path, MIGRATE, variables=variables).ended_well()
    assert holdings(lab)["new-server"]["6000010:204"] == (2, 0)
    fewer = {**variables, "demo_borrowed_seats": 1}
    planned = play(lab, tmp_path, MIGRATE, "--check", variables=fewer).ended_well()
    returned = play(lab, tmp_path, MIGRATE, variables=fewer).ended_well()
    _did_what_was_planned(returned, planned)
    assert [row["agent"] for row in returned.plan if row.get("leg") == "issue"] == ["new-server"]
    assert holdings(lab)["new-server"]["6000010:204"] == (1, 0)
    assert holdings(lab)["old-server"]["6000010:204"] == (4, 0)
    assert play(lab, tmp_path, MIGRATE, "--check", variables=fewer).ended_well().changed == 0


@pytest.mark.slow
def test_a_stopped_agent_is_one_sentence_and_a_second_run_does_all_that_can_be_done(
    lab: Lab, tmp_path: Path
) -> None:
    too_many = {**SIMULATION, "name": "too-many", "item": "6000010:203", "type": "units"}
    variables = only({**too_many, "quantity": 1000}, SIMULATION)
    lab["new-server"].agent.stop()
    failed = play(lab, tmp_path, MIGRATE, variables=variables)
    assert failed.recap["new-server"]["failed"] == 1
    assert failed.recap["old-server"]["failed"] == 0
    assert "seatkeeper-agent" in failed.output
    lab["new-server"].agent.start()

    done = play(lab, tmp_path, MIGRATE, variables=variables)
    assert done.code != 0
    assert done.recap["old-server"]["failed"] == 1
    assert done.recap["new-server"]["failed"] == 0
    assert "The item 6000010:203 of transfer 'too-many'" in done.output
    assert "Declare at most 100" in done.output
    assert "Traceback" not in failed.output + done.output
    assert holdings(lab)["new-server"]["6000010:201"] == (10, 0)
    assert holdings(lab)["old-server"]["6000010:203"] == (0, 100)


@pytest.mark.slow
def test_what_is_no_longer_declared_is_brought_to_its_end(lab: Lab, tmp_path: Path) -> None:
    old, new = lab["old-server"], lab["new-server"]
    new.twin("_twin.fault", point="import.before", action="die")
    broken = play(lab, tmp_path, MIGRATE, variables=only(SIMULATION))
    assert broken.code != 0
    new.engine.stop()
    new.engine.start()
    play(lab, tmp_path, MIGRATE, variables=only()).ended_well()
    assert holdings(lab)["new-server"]["6000010:201"] == (10, 0)
    for host in (old, new):
        assert host.client.get("/v1/transfers", state="open")["transfers"] == []


@pytest.mark.slow
def test_hosts_that_are_never_reachable_together(lab: Lab, tmp_path: Path) -> None:
    transfer = {
        **SIMULATION,
        "source_container": "130-1000000001",
        "target_container": "130-2000000002",
    }
    folders = {}
    for host in lab.hosts:
        folders[host] = tmp_path / host
        folders[host].mkdir()

    def at(host: str, *arguments: str) -> Run:
        variables = only(transfer) | {"license_state_documents_dir": str(folders[host])}
        arguments = ("--limit", host, *arguments)
        return play(lab, tmp_path, MIGRATE, *arguments, variables=variables).ended_well()

    def carry(source: str, target: str, kind: str) -> None:
        (path,) = folders[source].glob(f"*.{kind}.json")
        assert path.stat().st_mode & 0o777 == 0o600
        shutil.copy2(path, folders[target])

    waiting = at("new-server")
    (row,) = waiting.rows.values()
    awaited = folders["new-server"] / "simulation-seats-"
    assert row["outcome"] == "waits"
    assert row["who"].startswith(f"the file {awaited}")
    assert row["who"].endswith(".transfer.json")
    carry("new-server", "old-server", "request")
    assert at("old-server", "--check").changed == at("old-server").changed == 1
    carry("old-server", "new-server", "transfer")
    at("new-server")
    carry("new-server", "old-server", "receipt")
    at("old-server")
    carry("old-server", "new-server", "acknowledgement")
    at("new-server")
    for host in lab.hosts:
        again = at(host)
        assert again.changed == 0
        assert [row["outcome"] for row in again.rows.values()] == ["same"]
    assert holdings(lab)["new-server"]["6000010:201"] == (10, 0)


@pytest.mark.parametrize(
    "arguments", [(), pytest.param(("--check",), marks=pytest.mark.slow)], ids=["run", "check"]
)
def test_the_report_changes_nothing(
    shared_lab: Lab, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    lab, journals_before = shared_lab, journals(shared_lab)
    # With the real Python: a module is sent with all that it needs.
    python = {"ansible_python_interpreter": sys.executable}
    report = play(lab, tmp_path, REPORT, *arguments, variables=python).ended_well()
    assert report.changed == 0
    assert "6000010:201@1" in report.output
    assert journals(lab) == journals_before
