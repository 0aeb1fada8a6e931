# SPDX-License-Identifier: GPL-3.0-or-later
"""An AIMMS license server moves by playbook: asked before, carried on after deaths, not doubled."""

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

from seatkeeper_twins.aimms import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

from .runs import ROOT, Run, journals, killed_at, module, play
from .traces import files_with, holds

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

INVENTORY = ROOT / "playbooks" / "inventories" / "aimms"
MIGRATE = ROOT / "playbooks" / "migrate_licenses.yml"
REPORT = ROOT / "playbooks" / "license_report.yml"
OLD, NEW = "old-aimms", "new-aimms"
PROFILES = {"15.90.10.1": ["ProLicense"], "15.90.10.2": ["Server"], "15.90.10.3": ["Client"]}
CODES = {number: f"TWIN{n}-AAAAA-BBBBB-CCCCC-DDDDD" for n, number in enumerate(PROFILES, start=1)}
ATTEST_SECONDS_MAX = 300
CONFIRMED = re.compile(r'"planning +(\w+) +([0-9a-f]{64})"')


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
    variables = {
        "license_server_moves": [entry(**values)],
        "license_server_move_backup_dir": str(folder / "backups"),
    }
    return play(lab, folder, MIGRATE, *arguments, variables=variables, inventory=INVENTORY)


def confirmation(shown: Run) -> str:
    """The digest that a run in check mode shows."""
    (found,) = set(CONFIRMED.findall(shown.output))
    return str(found[1])


def places(lab: Lab) -> set[str]:
    """The hosts on whose machines the vendor has licenses active; an empty name for nowhere."""
    machines = {control.describe(host.aimms.address)["machine"]: host.name for host in lab}
    holders = people.holders(lab.aimms_vendor.address)
    assert set(holders) == set(PROFILES)
    return {"" if machine is None else machines[machine] for machine in holders.values()}


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
    transport = httpx.HTTPTransport(uds=str(lab[host].socket_path))
    with httpx.Client(
        transport=transport, base_url="http://localhost", timeout=ATTEST_SECONDS_MAX
    ) as client:
        said = {"statement": "Seen in the window.", "outcome": "done"}
        path = f"/v1/operations/{wait['operation']}/attest"
        client.post(path, json=said).raise_for_status()


def test_a_server_moves_once_it_is_confirmed(lab: Lab, tmp_path: Path) -> None:
    before = journals(lab)
    planned = run(lab, tmp_path, "--check", "--diff")
    assert planned.code == 0, planned.output
    assert journals(lab) == before
    assert places(lab) == {OLD}
    assert "running jobs end in error" in planned.output
    assert "active nowhere, until the target" in planned.output
    assert "met      version" in planned.output or "met" in planned.output
    assert not (tmp_path / "backups").exists()

    unconfirmed = run(lab, tmp_path)
    assert unconfirmed.recap[OLD]["failed"] == 1
    assert unconfirmed.recap[NEW]["failed"] == 0
    assert "the confirmation given is missing" in unconfirmed.output
    assert places(lab) == {OLD}
    (backup,) = (tmp_path / "backups").iterdir()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert {each["number"] for each in json.loads(backup.read_text())["licenses"]} == set(PROFILES)
    assert "TWIN1" not in backup.read_text()

    confirm = confirmation(run(lab, tmp_path, "--check"))
    assert confirm == confirmation(planned)
    moved = run(lab, tmp_path, confirm=confirm)
    assert moved.code == 0, moved.output
    assert places(lab) == {NEW}
    assert profiles(lab, NEW) == {names[0]: number for number, names in PROFILES.items()}
    assert "OPEN STEPS" in moved.output
    assert 'set "PRO server license" to new-aimms.planning.example' in moved.output.replace(
        "\\", ""
    )
    assert control.describe(lab[OLD].aimms.address)["maintenance"]

    again = run(lab, tmp_path, confirm=confirm)
    assert (again.code, again.changed) == (0, 0), again.output
    report = play(lab, tmp_path, REPORT, inventory=INVENTORY)
    assert re.search(r"planning +old-aimms to new-aimms +source +finishing", report.output)
    attest(lab, OLD)
    done = run(lab, tmp_path, confirm=confirm).ended_well()
    assert done.changed == 0
    assert "nothing differs" in done.output
    assert not control.describe(lab[OLD].aimms.address)["maintenance"]
    assert control.describe(lab[OLD].aimms.address)["jobs_killed"] == 2
    last = run(lab, tmp_path, "--check", confirm=confirm).ended_well()
    assert last.changed == 0
    assert places(lab) == {NEW}


def test_people_do_what_no_document_tells(by_hand: Lab, tmp_path: Path) -> None:
    lab = by_hand
    confirm = confirmation(run(lab, tmp_path, "--check"))
    old = lab[OLD].aimms.address
    seen_adrift = False
    for _round in range(20):
        ran = run(lab, tmp_path, confirm=confirm)
        assert ran.code == 0, ran.output
        open_steps = [(host, wait) for host in (OLD, NEW) for wait in waits(lab, host)]
        seen_adrift |= "Licenses that are active nowhere, or may be:" in ran.output
        if not open_steps:
            break
        for host, wait in open_steps:
            assert wait["operation"] in ran.output
            _work(old, wait)
            attest(lab, host)
    assert places(lab) == {NEW}
    assert profiles(lab, NEW) == {names[0]: number for number, names in PROFILES.items()}
    assert seen_adrift
    assert run(lab, tmp_path, confirm=confirm).ended_well().changed == 0


def _work(old: str, wait: dict[str, Any]) -> None:
    """What a step tells to do, where it is something at the old server."""
    verb, _, number = wait["step"].partition(" ")
    if verb == "deactivate":
        people.deactivate(old, number)
    elif verb in ("maintenance_on", "maintenance_off"):
        people.maintenance(old, verb == "maintenance_on")


def test_a_target_that_does_not_fit_stops_everything_before(lab: Lab, tmp_path: Path) -> None:
    for name in lab[NEW].aimms.folder.joinpath("Licenses").iterdir():
        name.unlink()
    for arguments in (("--check",), ()):
        refused = run(lab, tmp_path, *arguments)
        assert refused.recap[NEW]["failed"] == 1, refused.output
        assert "Move planning, leg prepare:" in refused.output
        assert "not met" in refused.output
        assert places(lab) == {OLD}
    assert not control.describe(lab[OLD].aimms.address)["maintenance"]


def test_a_lost_machine_is_replaced_from_its_backup(lab: Lab, tmp_path: Path) -> None:
    run(lab, tmp_path)
    lost: dict[str, Any] = {"source_lost": True, "name": "replaced"}
    there = run(lab, tmp_path, **lost)
    assert f"is declared as lost, and {OLD} answers" in there.output
    assert (there.recap[NEW]["failed"], there.changed) == (1, 0), there.output
    lab[OLD].agent.stop()
    lab[OLD].aimms.process.stop()
    without = run(lab, tmp_path, "--limit", NEW, "--check", **lost)
    assert "there is no backup of it in" in without.output
    backups = tmp_path / "backups"
    shutil.copy(backups / "planning.json", backups / "replaced.json")
    planned = run(lab, tmp_path, "--limit", NEW, "--check", **lost)
    digest = re.findall(r'"replaced +install +([0-9a-f]{64})"', planned.output)[0]
    assert "never comes back to the lost machine" in planned.output
    begun = run(lab, tmp_path, "--limit", NEW, confirm=digest, **lost)
    assert begun.code == 0, begun.output
    assert "Waiting for the vendor" in begun.output
    assert "emergency activation" in begun.output
    for number in PROFILES:
        people.release(lab.aimms_vendor.address, number)
    attest(lab, NEW)
    installed = run(lab, tmp_path, "--limit", NEW, confirm=digest, **lost)
    assert installed.code == 0, installed.output
    assert places_on(lab, NEW)
    attest(lab, NEW)
    done = run(lab, tmp_path, "--limit", NEW, confirm=digest, **lost)
    assert (done.code, done.changed) == (0, 0), done.output


def places_on(lab: Lab, host: str) -> bool:
    """Whether all licenses are on this one machine."""
    machine = control.describe(lab[host].aimms.address)["machine"]
    return set(people.holders(lab.aimms_vendor.address).values()) == {machine}


def test_licenses_come_back_when_the_target_refuses(lab: Lab, tmp_path: Path) -> None:
    confirm = confirmation(run(lab, tmp_path, "--check"))
    control.set_fault(lab.aimms_vendor.address, "activate.before", "refuse", 503, times=9)
    failed = run(lab, tmp_path, confirm=confirm)
    assert places(lab) == {""}, failed.output
    assert "active nowhere" in failed.output
    control.clear_faults(lab.aimms_vendor.address)
    back = run(lab, tmp_path, state="restored")
    if waits(lab, NEW) or back.code:
        pytest.fail(back.output)
    assert places(lab) == {OLD}
    assert profiles(lab, OLD) == {names[0]: number for number, names in PROFILES.items()}
    again = run(lab, tmp_path, state="restored").ended_well()
    assert again.changed == 0


@pytest.mark.parametrize("leg", ["prepare", "release", "install", "finish"])
def test_a_killed_playbook_is_carried_on(lab: Lab, tmp_path: Path, leg: str) -> None:
    confirm = confirmation(run(lab, tmp_path, "--check"))
    variables = {
        "license_server_moves": [entry(confirm=confirm)],
        "license_server_move_backup_dir": str(tmp_path / "backups"),
    }
    place = f"Run a leg of all moves, {leg}]"
    killed_at(lab, tmp_path, MIGRATE, place, variables, INVENTORY)
    done = run(lab, tmp_path, confirm=confirm)
    assert done.code == 0, done.output
    assert places(lab) == {NEW}
    attest(lab, OLD)
    assert run(lab, tmp_path, confirm=confirm).ended_well().changed == 0


def test_hosts_that_are_never_reachable_together(lab: Lab, tmp_path: Path) -> None:
    folders = {host: tmp_path / host for host in (OLD, NEW)}
    for folder in folders.values():
        folder.mkdir()
    confirm = ""

    def at(host: str, *arguments: str) -> Run:
        variables = {
            "license_server_moves": [entry(confirm=confirm)],
            "license_server_move_backup_dir": str(tmp_path / "backups"),
            "license_server_move_documents_dir": str(folders[host]),
        }
        limit = ("--limit", host, *arguments)
        return play(lab, tmp_path, MIGRATE, *limit, variables=variables, inventory=INVENTORY)

    def carry(source: str, target: str, kind: str) -> None:
        shutil.copy2(folders[source] / f"planning.{kind}.json", folders[target])

    waiting = at(OLD)
    assert waiting.code == 0, waiting.output
    assert "planning.prepared.json" in waiting.output
    carry(OLD, NEW, "backup")
    assert at(NEW).code == 0
    carry(NEW, OLD, "prepared")
    confirm = confirmation(at(OLD, "--check"))
    assert at(OLD).code == 0
    assert places(lab) == {""}
    carry(OLD, NEW, "released")
    assert at(NEW).code == 0
    assert places(lab) == {NEW}
    carry(NEW, OLD, "arrived")
    at(OLD)
    attest(lab, OLD)
    for host in (OLD, NEW):
        done = at(host)
        assert (done.code, done.changed) == (0, 0), done.output


def leg(
    lab: Lab, folder: Path, name: str, /, check: bool = False, **options: Any
) -> dict[str, Any]:
    """One leg by its module."""
    host = NEW if name in ("prepare", "install") else OLD
    declared = {"leg": name, **entry(), **options}
    return module(lab, folder, "license_server_move", host, check=check, **declared)


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
            options["confirmation"] = checked["digest"]
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


def test_a_backup_and_a_profile_without_a_move(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "aimms.json"
    licenses = [
        {"number": number, "profiles": names, "has_code": True}
        for number, names in PROFILES.items()
    ]
    options: dict[str, Any] = {"licenses": licenses, "dest": str(path)}
    assert module(lab, tmp_path, "license_backup", OLD, check=True, **options)["changed"] is True
    done = module(lab, tmp_path, "license_backup", OLD, **options)
    assert done["changed"] is True
    assert json.loads(path.read_text()) == done["backup"]
    for check in (True, False):
        again = module(lab, tmp_path, "license_backup", OLD, check=check, **options)
        assert (again["changed"], again["backup"]) == (False, done["backup"])
    wrong = [{"number": "15.90.10.1", "profiles": ["Other"], "has_code": True}]
    told = module(lab, tmp_path, "license_backup", OLD, licenses=wrong)
    assert told["problem"]["code"] == "backup-contradicted"

    profile: dict[str, Any] = {"name": "Planning", "license": "15.90.10.3"}
    checked = module(lab, tmp_path, "license_profile", OLD, check=True, **profile)
    assert checked["changed"] is True
    linked = module(lab, tmp_path, "license_profile", OLD, **profile)
    assert linked["changed"] is True, linked
    assert linked["diff"] == checked["diff"]
    assert profiles(lab, OLD)["Planning"] == "15.90.10.3"
    for check in (True, False):
        again = module(lab, tmp_path, "license_profile", OLD, check=check, **profile)
        assert again["changed"] is False
    gone = module(lab, tmp_path, "license_profile", OLD, state="absent", **profile)
    assert gone["problem"]["code"] == "capability-refused"


def test_a_move_is_given_up_before_anything_has_left(lab: Lab, tmp_path: Path) -> None:
    leg(lab, tmp_path, "backup")
    options = {"name": "planning", "state": "absent"}
    for check, changed in ((True, True), (False, True), (True, False), (False, False)):
        told = module(lab, tmp_path, "license_server_move", OLD, check=check, **options)
        assert told["changed"] is changed, told
    assert places(lab) == {OLD}


def test_codes_leave_no_trace(by_hand: Lab, tmp_path: Path) -> None:
    """At -vvv, in journals, files and what agents tell; the vendor's twin alone has its own."""
    lab = by_hand
    shown = run(lab, tmp_path, "-vvv", "--diff", "--check")
    outputs = [shown.output]
    confirm = confirmation(shown)
    old = lab[OLD].aimms.address
    for _round in range(20):
        ran = run(lab, tmp_path, "-vvv", "--diff", confirm=confirm)
        outputs.append(ran.output)
        open_steps = [(host, wait) for host in (OLD, NEW) for wait in waits(lab, host)]
        if not open_steps:
            break
        for host, wait in open_steps:
            _work(old, wait)
            attest(lab, host)
    assert places(lab) == {NEW}
    searched = ["BBBBB-CCCCC"]
    assert not any(holds(output, searched) for output in outputs)
    told = [
        json.dumps(host.client.get(f"/v1/{page}"))
        for host in lab
        for page in ("operations", "audit", "waiting", "moves", "agent")
    ]
    assert not any(holds(text, searched) for text in told)
    kept = [lab[host].state_folder for host in (OLD, NEW)]
    assert files_with([*kept, tmp_path], searched) == []
    assert files_with([lab.aimms_vendor.folder], searched) != []


def test_the_examples_run(lab: Lab, tmp_path: Path) -> None:
    for name in ("license_backup", "license_profile", "license_server_move"):
        text = (ROOT / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")
        examples = yaml.safe_load(text.split('EXAMPLES = r"""')[1].split('"""')[0])
        for task in examples:
            action = f"seatkeeper.licensing.{name}"
            socket = str(lab[task["delegate_to"]].socket_path)
            task[action] = {**task[action], "agent_socket": socket}
        playbook = tmp_path / "examples.yml"
        start = {"name": "Examples", "hosts": OLD, "gather_facts": False}
        playbook.write_text(yaml.safe_dump([{**start, "tasks": examples}]), encoding="utf-8")
        variables = {
            "folder_of_backups": str(tmp_path),
            "licenses_of_planning": entry()["licenses"],
        }
        for arguments in (["--check"], []):
            ran = play(
                lab, tmp_path, playbook, *arguments, variables=variables, inventory=INVENTORY
            )
            assert ran.recap[OLD]["ok"] == len(examples), ran.output
    assert places(lab) == {NEW}
