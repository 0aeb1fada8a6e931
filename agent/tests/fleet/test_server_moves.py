# SPDX-License-Identifier: GPL-3.0-or-later
"""A license server moves in a run of all hosts, between real agents in front of real twins."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from costs.in_process import InProcess
from costs.lab import products

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.report import lines_of
from seatkeeper_agent.domain.server_move_legs import move_id
from seatkeeper_twins.aimms import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

from .running import Run, run

OLD, NEW = "old-aimms", "new-aimms"
BOTH = (OLD, NEW)
NUMBER = "15.90.10.1"
CODE = "TWIN1-AAAAA-BBBBB-CCCCC-DDDDD"
WHAT = "server move planning"
MACHINES: dict[str, Any] = {
    OLD: {"aimms": {"machine": {"licenses": {NUMBER: ["ProLicense"]}}}},
    NEW: {"aimms": {"machine": {"license_files": [NUMBER]}}},
}


@dataclass
class Fleet:
    """Two machines with their agents, and the folder beside the inventory."""

    lab: Lab
    agents: dict[str, InProcess]
    folder: Path

    def ask(self, host: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request; wherever a license is, it is there alone, and its code is in no answer."""
        assert len(self.holding()) <= 1
        answer = dict(self.agents[host].ask("PUT", "/v2/state", body))
        assert len(self.holding()) <= 1
        assert CODE not in json.dumps(answer)
        return answer

    def holding(self) -> list[str]:
        """The machines on which the license is active, as each of them and the vendor has it."""
        machines = {name: control.describe(self.lab[name].aimms.address) for name in self.lab.hosts}
        holder = people.holders(self.lab.aimms_vendor.address)[NUMBER]
        at_vendor = {name for name, each in machines.items() if each["machine"] == holder}
        active = {name for name, each in machines.items() if NUMBER in each["licenses"]}
        return sorted(at_vendor | active)

    def run(self, check: bool = False, hosts: tuple[str, ...] = BOTH, **values: Any) -> Run:
        """One run with the move as it is declared now."""
        return self.declaring([entry(**values)], check, hosts)

    def declaring(
        self,
        moves: list[dict[str, Any]],
        check: bool = False,
        hosts: tuple[str, ...] = BOTH,
        documents: Path | None = None,
        ask: Any = None,
    ) -> Run:
        """One run with these moves declared."""
        variables = {
            "license_server_moves": moves,
            "license_server_move_backup_dir": str(self.folder / "backups"),
        }
        courier = None if documents is None else str(documents)
        return run(ask or self.ask, variables, check, hosts, courier)

    def digest(self, **values: Any) -> str:
        """What check mode shows for a confirmation."""
        (row,) = self.run(check=True, **values).rows
        assert row["outcome"] == "would change", row["why"]
        return str(row["digest"])

    def states(self) -> dict[str, str]:
        """How far each agent is."""
        found = {}
        for name, agent in self.agents.items():
            for move in agent.ask("GET", "/v1/moves")["moves"]:
                found[name] = str(move["state"])
        return found

    def attest(self, host: str) -> None:
        """A person's word on what waits at a host."""
        (waiting,) = self.agents[host].ask("GET", "/v1/waiting")["waiting"]
        said = {"statement": "Seen in the window.", "outcome": "done"}
        self.agents[host].ask("POST", f"/v1/operations/{waiting['operation']}/attest", said)


def entry(**values: Any) -> dict[str, Any]:
    """One entry of license_server_moves."""
    licenses = [{"number": NUMBER, "profiles": ["ProLicense"], "code": CODE}]
    ends = {"source": OLD, "target": NEW, "target_host": "new-aimms.planning.example"}
    return {"name": "planning", **ends, "licenses": licenses, **values}


@contextmanager
def machines(folder: Path, seeds: dict[str, Any]) -> Iterator[Fleet]:
    """The machines, and that nothing of them keeps a code, whatever became of the test."""
    with products(seeds) as (lab, agents):
        yield Fleet(lab, agents, folder)
        kept = [path for host in lab for path in host.state_folder.rglob("*") if path.is_file()]
        kept += [path for path in folder.rglob("*") if path.is_file()]
        assert [path for path in kept if CODE.encode() in path.read_bytes()] == []


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Both machines."""
    with machines(tmp_path, MACHINES) as made:
        yield made


def test_a_plan_changes_nothing_a_run_moves_and_the_next_one_asks_once(fleet: Fleet) -> None:
    planned = fleet.run(check=True)
    (row,) = planned.rows
    assert (row["what"], row["hosts"], row["outcome"]) == (WHAT, f"{OLD} to {NEW}", "would change")
    assert fleet.states() == {}
    assert not (fleet.folder / "backups").exists()
    shown = "\n".join(lines_of(planned.rows))
    assert row["digest"] in shown
    assert "deactivating license 15.90.10.1" in shown
    assert "The rules for server move planning:" in shown
    assert "restart" in shown, "what ends at the old server is said before it is confirmed"
    done = fleet.run(plan_digest=row["digest"])
    assert done.outcomes == {WHAT: "waits"}, done.whys
    assert fleet.holding() == [NEW]
    shown = "\n".join(lines_of(done.rows))
    assert "--step repoint" in shown, "who has to do what"
    fleet.attest(OLD)
    assert fleet.states() == {OLD: "finished", NEW: "arrived"}
    again = fleet.run(plan_digest=row["digest"])
    assert again.outcomes == {WHAT: "same"}
    assert [host for host, _body in again.requests] == [OLD, NEW]
    assert fleet.run(check=True).outcomes == {WHAT: "same"}


def test_codes_go_to_the_one_that_activates_and_nothing_keeps_them(fleet: Fleet) -> None:
    made = fleet.run(plan_digest=fleet.digest())
    assert {host for host, body in made.requests if CODE in json.dumps(body)} == {NEW}
    assert CODE not in json.dumps(made.rows)
    (backup,) = (fleet.folder / "backups").iterdir()
    assert (backup.name, stat.S_IMODE(backup.stat().st_mode)) == ("planning.json", 0o600)
    assert stat.S_IMODE(backup.parent.stat().st_mode) == 0o700
    assert json.loads(backup.read_text())["licenses"][0]["number"] == NUMBER


def test_no_plan_travels_in_a_run(fleet: Fleet) -> None:
    made = fleet.run(plan_digest=fleet.digest())
    brought = [
        (host, document["kind"], document["envelope"] is None)
        for host, body in made.requests
        if not body["dry_run"]
        for document in body["documents"]
    ]
    assert (NEW, "backup", True) in brought
    assert {(host, kind) for host, kind, is_unsigned in brought if is_unsigned} == {(NEW, "backup")}


def test_what_nothing_confirms_leaves_the_licenses_where_they_are(fleet: Fleet) -> None:
    digest = fleet.digest()
    refused = fleet.run()
    (row,) = refused.rows
    assert (row["outcome"], row["digest"]) == ("failed", digest)
    assert digest in row["why"]
    assert fleet.states() == {OLD: "backed_up", NEW: "prepared"}
    assert fleet.holding() == [OLD]
    wrong = fleet.run(plan_digest="0" * 64)
    assert wrong.outcomes == {WHAT: "failed"}
    assert fleet.holding() == [OLD]
    # Both have made ready by now, and what is to be confirmed is the same.
    assert fleet.digest() == digest
    assert fleet.run(plan_digest=digest).outcomes == {WHAT: "waits"}
    assert fleet.holding() == [NEW]


def test_a_code_that_is_missing_is_said_before_anything_leaves(fleet: Fleet) -> None:
    licenses = [{"number": NUMBER, "profiles": ["ProLicense"]}]
    made = fleet.run(check=True, licenses=licenses)
    assert made.outcomes == {WHAT: "failed"}
    assert NUMBER in made.whys


def test_licenses_that_changed_after_the_target_made_ready_are_prepared_anew(fleet: Fleet) -> None:
    fleet.run()
    people.add_profile(fleet.lab[OLD].aimms.address, "Another", NUMBER)
    licenses = [{"number": NUMBER, "profiles": ["Another", "ProLicense"], "code": CODE}]
    digest = fleet.digest(licenses=licenses)
    made = fleet.run(licenses=licenses, plan_digest=digest)
    assert made.outcomes == {WHAT: "waits"}, made.whys
    assert fleet.holding() == [NEW]
    assert "Another" in control.describe(fleet.lab[NEW].aimms.address)["profiles"]


@pytest.mark.parametrize("host", BOTH)
def test_a_partner_that_does_not_answer_is_told_and_nothing_is_begun(
    fleet: Fleet, host: str
) -> None:
    def half(asked: str, body: dict[str, Any]) -> dict[str, Any]:
        if asked == host:
            raise ConnectionError(asked)
        return fleet.ask(asked, body)

    made = fleet.declaring([entry(plan_digest="0" * 64)], ask=half)
    assert made.outcomes == {"host": "not looked at", WHAT: "not looked at"}
    assert fleet.states() == {}
    (row,) = fleet.declaring([entry()], hosts=tuple(each for each in BOTH if each != host)).rows
    assert (row["outcome"], row["who"]) == ("waits", f"{host}, not in this play")
    assert fleet.states() == {}


@pytest.mark.parametrize("requests", range(3, 9))
def test_a_run_that_is_killed_in_the_middle_is_carried_on(fleet: Fleet, requests: int) -> None:
    digest = fleet.digest()
    left = [requests]

    def until_killed(host: str, body: dict[str, Any]) -> dict[str, Any]:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return fleet.ask(host, body)

    with pytest.raises(KeyboardInterrupt):
        fleet.declaring([entry(plan_digest=digest)], ask=until_killed)
    done = fleet.run(plan_digest=digest)
    assert done.outcomes == {WHAT: "waits"}, done.whys
    assert fleet.holding() == [NEW]
    assert fleet.states() == {OLD: "finishing", NEW: "arrived"}


def test_licenses_come_back_when_the_target_refuses(fleet: Fleet) -> None:
    digest = fleet.digest()
    control.set_fault(fleet.lab.aimms_vendor.address, "activate.before", "refuse", 503, times=9)
    failed = fleet.run(plan_digest=digest)
    assert failed.outcomes == {WHAT: "failed"}
    assert fleet.holding() == []
    shown = lines_of(failed.rows)
    assert "Licenses that are active nowhere, or may be:" in shown
    control.clear_faults(fleet.lab.aimms_vendor.address)
    assert fleet.run(check=True, state="restored").outcomes == {WHAT: "would change"}
    back = fleet.run(state="restored")
    assert back.outcomes == {WHAT: "changed"}, back.whys
    assert {host for host, body in back.requests if CODE in json.dumps(body)} == {OLD}
    assert fleet.holding() == [OLD]
    assert fleet.states() == {OLD: "restored", NEW: "refused"}
    again = fleet.run(state="restored")
    assert (again.outcomes, len(again.requests)) == ({WHAT: "same"}, 2)


def test_what_has_not_begun_to_leave_is_given_up(fleet: Fleet) -> None:
    fleet.run()
    assert fleet.run(check=True, state="restored").outcomes == {WHAT: "would change"}
    assert fleet.run(state="restored").outcomes == {WHAT: "changed"}
    assert fleet.states() == {OLD: "void", NEW: "refused"}
    assert fleet.run(state="restored").outcomes == {WHAT: "same"}
    assert fleet.holding() == [OLD]


def replaced(**values: Any) -> dict[str, Any]:
    """The same machine, lost, and its move under a new name."""
    return entry(name="replaced", source_lost=True, **values)


@pytest.mark.parametrize("is_backed_up", [True, False])
def test_a_lost_machine_is_replaced_from_its_backup_or_from_what_is_declared(
    fleet: Fleet, is_backed_up: bool
) -> None:
    fleet.run()
    backups = fleet.folder / "backups"
    if is_backed_up:
        shutil.copy(backups / "planning.json", backups / "replaced.json")
    (planned,) = fleet.declaring([replaced()], check=True, hosts=(NEW,)).rows
    assert (planned["outcome"], planned["what"]) == ("would change", "server move replaced")
    assert "never comes back to the lost machine" in "\n".join(lines_of([planned]))
    unconfirmed = fleet.declaring([replaced()], hosts=(NEW,))
    assert unconfirmed.outcomes == {"server move replaced": "failed"}
    assert all(body["dry_run"] for _host, body in unconfirmed.requests)
    confirmed = replaced(plan_digest=planned["digest"])
    (waits,) = fleet.declaring([confirmed], hosts=(NEW,)).rows
    assert waits["outcome"] == "waits", waits
    has_backup = "backup" in fleet.agents[NEW].ask("GET", "/v1/moves")["moves"][0]
    assert has_backup
    people.release(fleet.lab.aimms_vendor.address, NUMBER)
    fleet.attest(NEW)
    fleet.declaring([confirmed], hosts=(NEW,))
    assert (
        people.holders(fleet.lab.aimms_vendor.address)[NUMBER]
        == control.describe(fleet.lab[NEW].aimms.address)["machine"]
    )
    fleet.attest(NEW)
    again = fleet.declaring([confirmed], hosts=(NEW,))
    assert (again.outcomes, len(again.requests)) == ({"server move replaced": "same"}, 1)


def test_a_machine_that_is_declared_as_lost_and_answers_is_left_alone(fleet: Fleet) -> None:
    made = fleet.declaring([replaced(plan_digest="0" * 64)])
    assert made.outcomes == {"server move replaced": "failed"}
    assert f"is declared as lost, and {OLD} answers" in made.whys
    assert all(body["dry_run"] for _host, body in made.requests)
    assert fleet.states() == {}


def test_hosts_that_are_never_in_one_play_pass_files(fleet: Fleet) -> None:
    passed = fleet.folder / "passed"
    passed.mkdir()

    def alone(host: str, **values: Any) -> Any:
        (row,) = fleet.declaring([entry(**values)], hosts=(host,), documents=passed).rows
        return row

    assert ".prepared.json" in alone(OLD)["who"]
    assert ".released.json" in alone(NEW)["who"]
    unconfirmed = alone(OLD)
    assert unconfirmed["outcome"] == "failed"
    assert ".arrived.json" in alone(OLD, plan_digest=unconfirmed["digest"])["who"]
    assert alone(NEW)["outcome"] == "changed"
    assert alone(OLD)["outcome"] == "waits"
    assert fleet.states() == {OLD: "finishing", NEW: "arrived"}
    assert {path.name.split(".")[1] for path in passed.iterdir()} == {
        "backup", "prepared", "released", "arrived",
    }  # fmt: skip


def test_an_open_move_that_nobody_declares_waits_for_whoever_declares_it(fleet: Fleet) -> None:
    digest = fleet.digest()
    control.set_fault(fleet.lab.aimms_vendor.address, "activate.before", "refuse", 503, times=9)
    fleet.run(plan_digest=digest)
    control.clear_faults(fleet.lab.aimms_vendor.address)
    made = fleet.declaring([])
    (row,) = made.rows
    assert (row["what"], row["outcome"], row["hosts"]) == (WHAT, "waits", f"{OLD} to {NEW}")
    assert "license_server_moves" in row["who"]
    assert NUMBER in "\n".join(lines_of(made.rows))
    assert [len(body["declarations"]) for _host, body in made.requests] == [0, 0]
    assert fleet.holding() == []


def test_a_host_that_claims_another_backup_has_nobody_asked_for_it(fleet: Fleet) -> None:
    def hostile(host: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = fleet.ask(host, body)
        for document in answer["documents"]:
            if document["kind"] == "backup":
                document["facts"]["licenses"][0]["number"] = "15.90.10.9"
        return answer

    for check in (True, False):
        made = fleet.declaring([entry()], check, ask=hostile)
        assert made.outcomes == {WHAT: "failed"}
        assert "claims a backup of move planning with the licenses 15.90.10.9" in made.whys
        assert not [body for host, body in made.requests if host == NEW and body["documents"]]
    assert not (fleet.folder / "backups").exists()
    assert move_id("planning") not in json.dumps(fleet.agents[NEW].ask("GET", "/v1/moves"))
