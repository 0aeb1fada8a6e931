# SPDX-License-Identifier: GPL-3.0-or-later
"""An AIMMS license server moves: by its modules leg by leg, by playbook where it goes wrong.

How it goes well, from check mode to the last run that changes nothing, is shown by ``make demo``.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from crash.share import chosen, seed, share

from seatkeeper_agent.client import through
from seatkeeper_twins.aimms import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

from .runs import AGENT_COMMAND, ROOT, Run, journals, killed_at, module, play
from .traces import files_with, holds

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(1800)

INVENTORY = ROOT / "playbooks" / "inventories" / "aimms"
MIGRATE = ROOT / "playbooks" / "migrate_licenses.yml"
REPORT = ROOT / "playbooks" / "license_report.yml"
OLD, NEW = "old-aimms", "new-aimms"
PROFILES = {"15.90.10.1": ["ProLicense"], "15.90.10.2": ["Server"], "15.90.10.3": ["Client"]}
CODES = {number: f"TWIN{n}-AAAAA-BBBBB-CCCCC-DDDDD" for n, number in enumerate(PROFILES, start=1)}
ATTEST_SECONDS_MAX = 300
KILLED_DURING = ("Make true what differs", "Go on while there is something to tell")
# Another one with each commit; SEATKEEPER_CRASH_SHARE=1 takes all.
ONE_OF_THEM = 0.25
RUNS_MAX, STEPS_MAX = 10, 20
LOST: dict[str, Any] = {"source_lost": True, "name": "replaced"}
CONFIRMED = re.compile(r"This confirms server move \w+:\s+plan_digest: ([0-9a-f]{64})")


def seeds(mapped: bool) -> dict[str, Any]:
    """The old machine with its three licenses, the new one with their files only."""
    old = {"licenses": PROFILES, "license_files": list(PROFILES), "jobs_running": 2}
    new = {"license_files": list(PROFILES)}
    return {
        OLD: {"aimms": {"mapped": mapped, "machine": old}},
        NEW: {"aimms": {"mapped": mapped, "machine": new}},
    }


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Agents whose operators have named all commands."""
    with Lab.create(seeds(mapped=True)) as started:
        yield started


@pytest.fixture
def by_hand() -> Iterator[Lab]:
    """Agents that only know the two documented commands."""
    with Lab.create(seeds(mapped=False)) as started:
        yield started


def entry(**values: Any) -> dict[str, Any]:
    """The move of the example inventory."""
    licenses = [
        {"number": number, "profiles": names, "code": CODES[number]}
        for number, names in PROFILES.items()
    ]
    ends = {"source": OLD, "target": NEW, "target_host": "new-aimms.planning.example"}
    return {"name": "planning", **ends, "licenses": licenses, **values}


def run(lab: Lab, folder: Path, *arguments: str, **values: Any) -> Run:
    """One run of the playbook with the move as it is declared now."""
    variables = declared(folder, entry(**values))
    return play(lab, folder, MIGRATE, *arguments, variables=variables, inventory=INVENTORY)


def declared(folder: Path, *moves: dict[str, Any]) -> dict[str, Any]:
    """The moves as variables, with a folder of the test for their backups."""
    return {
        "license_server_moves": list(moves),
        "license_server_move_backup_dir": str(folder / "backups"),
    }


def confirmation(shown: Run) -> str:
    """The digest that a run in check mode shows."""
    (found,) = set(CONFIRMED.findall(shown.output))
    return str(found)


def places(lab: Lab) -> set[str]:
    """The hosts on whose machines the vendor has licenses active; an empty name for nowhere."""
    machines = {control.describe(host.aimms.address)["machine"]: host.name for host in lab}
    holders = people.holders(lab.aimms_vendor.address)
    assert set(holders) == set(PROFILES)
    return {"" if machine is None else machines[machine] for machine in holders.values()}


def machine(lab: Lab, host: str) -> str:
    """The vendor's name of a host's machine."""
    return str(control.describe(lab[host].aimms.address)["machine"])


def states(lab: Lab) -> dict[str, list[str]]:
    """How far each agent has come with its moves."""
    return {
        host.name: [move["state"] for move in host.client.get("/v1/moves")["moves"]] for host in lab
    }


def profiles(lab: Lab, host: str) -> dict[str, str]:
    """The profiles of a machine with their licenses, but those that an activation makes itself."""
    found = control.describe(lab[host].aimms.address)["profiles"]
    return {name: number for name, number in found.items() if not name.startswith("twin-")}


def waits(lab: Lab, host: str) -> list[dict[str, Any]]:
    """What a host waits for."""
    return list(lab[host].client.get("/v1/waiting")["waiting"])


def attest(lab: Lab, host: str) -> None:
    """A person's word on the one step that waits on a host."""
    (wait,) = waits(lab, host)
    assert wait["attestable"], wait
    transport = through(lab[host].socket_path)
    said = {"statement": "Seen in the window.", "outcome": "done"}
    path = f"/v1/operations/{wait['operation']}/attest"
    with httpx.Client(transport=transport, timeout=ATTEST_SECONDS_MAX) as client:
        client.post(f"http://localhost{path}", json=said).raise_for_status()


def leg(
    lab: Lab, folder: Path, name: str, /, check: bool = False, **options: Any
) -> dict[str, Any]:
    """One leg by its module."""
    host = NEW if name in ("prepare", "install") else OLD
    said = {"leg": name, **entry(), **options}
    return module(lab, folder, "license_server_move", host, check=check, **said)


@pytest.mark.slow
def test_each_leg_is_checked_done_and_unchanged_when_done_again(lab: Lab, tmp_path: Path) -> None:
    backup = leg(lab, tmp_path, "backup", check=True)["backup"]
    document = None
    for name in ("backup", "prepare", "release", "install", "finish"):
        options: dict[str, Any] = {} if name == "backup" else {"backup": backup}
        if document is not None:
            options["document"] = document
        before = journals(lab)
        checked = leg(lab, tmp_path, name, check=True, **options)
        assert checked["changed"] is True, checked
        assert journals(lab) == before
        if checked["digest"] is not None:
            options["plan_digest"] = checked["digest"]
        done = leg(lab, tmp_path, name, **options)
        assert done["changed"] is True, done
        assert done["diff"]["before"] == checked["diff"]["before"]
        if name == "backup":
            backup = done["backup"]
        if name == "finish":
            attest(lab, OLD)
        else:
            assert done["after"] == checked["after"]
        for check in (True, False):
            again = leg(lab, tmp_path, name, check=check, **options)
            assert again["changed"] is False, again
            assert again["diff"]["before"] == again["diff"]["after"]
            assert again["document"] == done["document"]
        document = done["document"]
    assert places(lab) == {NEW}


def digest(lab: Lab, folder: Path) -> str:
    """What confirms the release, as check mode shows it after the legs before it."""
    backup = leg(lab, folder, "backup")["backup"]
    prepared = leg(lab, folder, "prepare", backup=backup)["document"]
    checked = leg(lab, folder, "release", check=True, backup=backup, document=prepared)
    return str(checked["digest"])


def test_what_does_not_end_in_a_move(lab: Lab, tmp_path: Path) -> None:
    _a_move_is_given_up_before_anything_has_left(lab, tmp_path)
    _a_backup_is_written_once(lab, tmp_path)
    _a_profile_is_linked_and_not_taken_away(lab, tmp_path)


def _a_move_is_given_up_before_anything_has_left(lab: Lab, folder: Path) -> None:
    leg(lab, folder, "backup")
    options = {"name": "planning", "state": "absent"}
    for check, changed in ((True, True), (False, True), (True, False), (False, False)):
        reported = module(lab, folder, "license_server_move", OLD, check=check, **options)
        assert reported["changed"] is changed, reported
    assert places(lab) == {OLD}


def _a_backup_is_written_once(lab: Lab, folder: Path) -> None:
    path = folder / "aimms.json"
    licenses = [
        {"number": number, "profiles": names, "has_code": True}
        for number, names in PROFILES.items()
    ]
    options: dict[str, Any] = {"licenses": licenses, "dest": str(path)}
    assert (
        module(lab, folder, "license_server_backup", OLD, check=True, **options)["changed"] is True
    )
    done = module(lab, folder, "license_server_backup", OLD, **options)
    assert done["changed"] is True
    assert json.loads(path.read_text()) == done["backup"]
    for check in (True, False):
        again = module(lab, folder, "license_server_backup", OLD, check=check, **options)
        assert (again["changed"], again["backup"]) == (False, done["backup"])
    wrong = [{"number": "15.90.10.1", "profiles": ["Other"], "has_code": True}]
    reported = module(lab, folder, "license_server_backup", OLD, licenses=wrong)
    assert reported["problem"]["code"] == "backup-contradicted"


def _a_profile_is_linked_and_not_taken_away(lab: Lab, folder: Path) -> None:
    profile: dict[str, Any] = {"name": "Planning", "license": "15.90.10.3"}
    checked = module(lab, folder, "license_profile", OLD, check=True, **profile)
    assert checked["changed"] is True
    linked = module(lab, folder, "license_profile", OLD, **profile)
    assert linked["changed"] is True, linked
    assert linked["diff"] == checked["diff"]
    assert profiles(lab, OLD)["Planning"] == "15.90.10.3"
    for check in (True, False):
        again = module(lab, folder, "license_profile", OLD, check=check, **profile)
        assert again["changed"] is False
    gone = module(lab, folder, "license_profile", OLD, state="absent", **profile)
    assert gone["problem"]["code"] == "capability-refused"


@pytest.mark.slow
@pytest.mark.parametrize("during", chosen(KILLED_DURING, share(ONE_OF_THEM), seed()))
def test_a_killed_playbook_is_carried_on(lab: Lab, tmp_path: Path, during: str) -> None:
    plan_digest = digest(lab, tmp_path)
    variables = declared(tmp_path, entry(plan_digest=plan_digest))
    killed_at(lab, tmp_path, MIGRATE, during, variables, INVENTORY)
    done = run(lab, tmp_path, plan_digest=plan_digest)
    assert done.code == 0, done.output
    assert places(lab) == {NEW}
    report = play(lab, tmp_path, REPORT, inventory=INVENTORY)
    assert re.search(r"planning +old-aimms to new-aimms +source +finishing", report.output)
    attest(lab, OLD)
    assert states(lab) == {OLD: ["finished"], NEW: ["arrived"]}


@pytest.mark.slow
def test_licenses_come_back_when_the_target_refuses(lab: Lab, tmp_path: Path) -> None:
    plan_digest = digest(lab, tmp_path)
    control.set_fault(lab.aimms_vendor.address, "activate.before", "refuse", 503, times=9)
    failed = run(lab, tmp_path, plan_digest=plan_digest)
    assert places(lab) == {""}, failed.output
    assert "active nowhere" in failed.output
    control.clear_faults(lab.aimms_vendor.address)
    back = run(lab, tmp_path, state="restored")
    assert (back.code, waits(lab, NEW)) == (0, []), back.output
    assert places(lab) == {OLD}
    assert profiles(lab, OLD) == {names[0]: number for number, names in PROFILES.items()}
    assert states(lab) == {OLD: ["restored"], NEW: ["refused"]}


@pytest.mark.slow
def test_a_lost_machine_is_replaced_from_its_backup(lab: Lab, tmp_path: Path) -> None:
    _neither_a_target_that_does_not_fit_nor_a_machine_that_answers(lab, tmp_path)
    lab[OLD].agent.stop()
    lab[OLD].aimms.process.stop()
    backups = tmp_path / "backups"
    shutil.copy(backups / "planning.json", backups / "replaced.json")
    planned = run(lab, tmp_path, "--limit", NEW, "--check", **LOST)
    plan_digest = confirmation(planned)
    assert "never comes back to the lost machine" in planned.output
    begun = run(lab, tmp_path, "--limit", NEW, plan_digest=plan_digest, **LOST)
    assert begun.code == 0, begun.output
    assert "Waiting for the vendor" in begun.output
    assert "emergency activation" in begun.output
    for number in PROFILES:
        people.release(lab.aimms_vendor.address, number)
    attest(lab, NEW)
    installed = run(lab, tmp_path, "--limit", NEW, plan_digest=plan_digest, **LOST)
    assert installed.code == 0, installed.output
    assert set(people.holders(lab.aimms_vendor.address).values()) == {machine(lab, NEW)}
    attest(lab, NEW)
    done = run(lab, tmp_path, "--limit", NEW, plan_digest=plan_digest, **LOST)
    assert (done.code, done.changed) == (0, 0), done.output


@pytest.mark.slow
def test_a_refused_command_is_tried_and_its_words_stand_in_the_run(
    by_hand: Lab, tmp_path: Path
) -> None:
    """The vendor still has the licenses at the lost machine, whatever somebody said of it."""
    lab = by_hand
    lab[OLD].agent.stop()
    old = machine(lab, OLD)
    lab[OLD].aimms.process.stop()
    planned = run(lab, tmp_path, "--limit", NEW, "--check", **LOST)
    plan_digest = confirmation(planned)
    run(lab, tmp_path, "--limit", NEW, plan_digest=plan_digest, **LOST)
    attest(lab, NEW)
    ran = run(lab, tmp_path, "--limit", NEW, plan_digest=plan_digest, **LOST)
    assert ran.code == 0, ran.output
    words = "ended with exit status 1 and said: licman: The license is active on another machine"
    for number in PROFILES:
        assert f"activating license {number} as machine nodelock: the command {words}" in ran.output
    (wait,) = waits(lab, NEW)
    assert words in wait["instructions"][0]
    assert words in ran.output
    reported = play(lab, tmp_path, REPORT, "--limit", NEW, inventory=INVENTORY)
    assert words in reported.output
    assert set(people.holders(lab.aimms_vendor.address).values()) == {old}


def _neither_a_target_that_does_not_fit_nor_a_machine_that_answers(lab: Lab, folder: Path) -> None:
    """One run with two moves: of one the target lacks the files, of the other the source lives."""
    there = lab[NEW].aimms.folder / "Licenses"
    elsewhere = folder / "elsewhere"
    shutil.move(there, elsewhere)
    there.mkdir()
    moves = [entry(), entry(**LOST)]
    refused = play(lab, folder, MIGRATE, variables=declared(folder, *moves), inventory=INVENTORY)
    assert refused.recap[NEW]["failed"] == 1, refused.output
    for reported in (
        "The rules for server move planning:",
        "not met",
        f"is declared as lost, and {OLD} answers",
    ):
        assert reported in refused.output
    assert places(lab) == {OLD}
    assert not control.describe(lab[OLD].aimms.address)["maintenance"]
    (backup,) = (folder / "backups").iterdir()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert {each["number"] for each in json.loads(backup.read_text())["licenses"]} == set(PROFILES)
    there.rmdir()
    shutil.move(elsewhere, there)


@pytest.mark.slow
def test_hosts_that_are_never_reachable_together(lab: Lab, tmp_path: Path) -> None:
    folders = {host: tmp_path / host for host in (OLD, NEW)}
    for folder in folders.values():
        folder.mkdir()
    plan_digest = ""

    def at(host: str, *arguments: str) -> Run:
        variables = {
            **declared(tmp_path, entry(plan_digest=plan_digest)),
            "license_state_documents_dir": str(folders[host]),
        }
        limit = ("--limit", host, *arguments)
        ran = play(lab, tmp_path, MIGRATE, *limit, variables=variables, inventory=INVENTORY)
        assert ran.code == 0, ran.output
        return ran

    def carry(source: str, target: str, kind: str) -> None:
        (document,) = folders[source].glob(f"planning-*.{kind}.json")
        shutil.copy2(document, folders[target])

    assert ".prepared.json" in at(OLD).output
    carry(OLD, NEW, "backup")
    at(NEW)
    carry(NEW, OLD, "prepared")
    plan_digest = confirmation(at(OLD, "--check"))
    at(OLD)
    assert places(lab) == {""}
    carry(OLD, NEW, "released")
    at(NEW)
    assert places(lab) == {NEW}
    carry(NEW, OLD, "arrived")
    at(OLD)
    attest(lab, OLD)
    assert states(lab) == {OLD: ["finished"], NEW: ["arrived"]}


@pytest.mark.slow
def test_codes_leave_no_trace_where_people_do_what_no_document_tells(
    by_hand: Lab, tmp_path: Path
) -> None:
    """At -vvv, in journals, files and what agents tell; the vendor's twin alone has its own."""
    lab = by_hand
    ran = run(lab, tmp_path, "-vvv", "--diff", "--check")
    outputs, plan_digest = [ran.output], confirmation(ran)
    for _run in range(RUNS_MAX):
        ran = run(lab, tmp_path, "-vvv", "--diff", plan_digest=plan_digest)
        assert ran.code == 0, ran.output
        outputs.append(ran.output)
        awaited = [host for host in (OLD, NEW) if waits(lab, host)]
        if not awaited:
            break
        for host in awaited:
            people_work(lab, host, ran)
    assert ran.changed == 0, ran.output
    assert places(lab) == {NEW}
    assert profiles(lab, NEW) == {names[0]: number for number, names in PROFILES.items()}
    assert states(lab) == {OLD: ["finished"], NEW: ["arrived"]}
    assert any("Licenses that are active nowhere, or may be:" in reported for reported in outputs)
    _no_code_is_anywhere(lab, tmp_path, outputs)


def _no_code_is_anywhere(lab: Lab, folder: Path, outputs: list[str]) -> None:
    searched = ["BBBBB-CCCCC"]
    assert not any(holds(output, searched) for output in outputs)
    reported = [
        json.dumps(host.client.get(f"/v1/{page}"))
        for host in lab
        for page in ("operations", "audit", "waiting", "moves", "agent")
    ]
    assert not any(holds(text, searched) for text in reported)
    kept = [lab[host].state_folder for host in (OLD, NEW)]
    assert files_with([*kept, folder], searched) == []
    assert files_with([lab.aimms_vendor.folder], searched) != []


def people_work(lab: Lab, host: str, ran: Run) -> None:
    """All that one host waits for, step after step, the first of which the run has shown."""
    assert waits(lab, host)[0]["operation"] in ran.output
    for _step in range(STEPS_MAX):
        if not (open_steps := waits(lab, host)):
            return
        _work(lab[OLD].aimms.address, open_steps[0])
        attest(lab, host)
    raise AssertionError(waits(lab, host))


def _work(old: str, wait: dict[str, Any]) -> None:
    """What a step tells to do, where it is something at the old server."""
    verb, _, number = wait["step"].partition(" ")
    if verb == "deactivate":
        people.deactivate(old, number)
    elif verb in ("maintenance_on", "maintenance_off"):
        people.maintenance(old, verb == "maintenance_on")


@pytest.mark.slow
def test_the_examples_run(lab: Lab, tmp_path: Path) -> None:
    tasks = [
        task
        for name in ("license_server_backup", "license_profile", "license_server_move")
        for task in examples(lab, name)
    ]
    playbook = tmp_path / "examples.yml"
    start = {"name": "Examples", "hosts": OLD, "gather_facts": False}
    playbook.write_text(yaml.safe_dump([{**start, "tasks": tasks}]), encoding="utf-8")
    variables = {"folder_of_backups": str(tmp_path), "licenses_of_planning": entry()["licenses"]}
    for arguments in (["--check"], []):
        ran = play(lab, tmp_path, playbook, *arguments, variables=variables, inventory=INVENTORY)
        assert ran.recap[OLD]["ok"] == len(tasks), ran.output
    assert places(lab) == {NEW}


def examples(lab: Lab, name: str) -> list[dict[str, Any]]:
    """The tasks that a module's documentation shows, each for the agent of its host."""
    text = (ROOT / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text.split('EXAMPLES = r"""')[1].split('"""')[0])
    for task in found:
        action = f"seatkeeper.licensing.{name}"
        socket = str(lab[task["delegate_to"]].socket_path)
        way = {"agent_socket": socket, "agent_command": str(AGENT_COMMAND)}
        task[action] = {**task[action], **way}
    return found
