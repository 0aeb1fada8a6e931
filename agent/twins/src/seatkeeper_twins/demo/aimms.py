# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's part with AIMMS: a license server with three licenses moves to another machine."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from seatkeeper_twins.aimms import people
from seatkeeper_twins.demo.playbook import Playbook, PlaybookRun
from seatkeeper_twins.demo.screen import DemoError, Screen
from seatkeeper_twins.demo.waits import Waits
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

PLAYBOOK = "playbooks/migrate_licenses.yml"
INVENTORY = "playbooks/inventories/aimms"
OLD, NEW, MOVE = "old-aimms", "new-aimms", "planning"
PROFILES = {"15.90.10.1": "ProLicense", "15.90.10.2": "Server", "15.90.10.3": "Client"}
JOBS = 2
ORPHANED = "nowhere"
REFUSALS = 20
TARGET_HOST = "new-aimms.planning.example"
CAUTIONS = ("running jobs end in error", "active nowhere, until the target")
BACKUP_MODE = 0o600
CODE_PART = "BBBBB-CCCCC"

COLUMNS = {
    "host": "Machine", "installed": "Installed", "license": "License", "profile": "Profile",
    "maintenance": "Maintenance", "jobs": "Jobs",
}  # fmt: skip


def show(screen: Screen, folder: Path | None) -> Lab:
    """Show it on a lab of its own, which is given back stopped; DemoError.

    ``folder`` None: a temporary one.
    """
    screen.stage(f"Start {OLD} and {NEW}, each an agent beside an AIMMS twin, and the activations")
    lab = Lab.create(_seeds(), folder)
    screen.line(f"  sockets, journals and logs are in {lab.folder}")
    with lab:
        demo = Demo(lab, screen)
        demo.show_machines("What both machines have")
        digest = demo.check()
        demo.refuse_unconfirmed()
        demo.strand(digest)
        demo.carry_on(digest)
        demo.repoint(digest)
        demo.show_machines("What both machines have now")
        screen.stage("Stop everything")
    return lab


def _seeds() -> dict[str, Any]:
    """The old machine at work, the new one with the license files and the installer only."""
    files = list(PROFILES)
    licenses = {number: [profile] for number, profile in PROFILES.items()}
    old = {"licenses": licenses, "license_files": files, "jobs_running": JOBS}
    new = {"installed": False, "license_files": files}
    return {OLD: {"aimms": {"machine": old}}, NEW: {"aimms": {"machine": new}}}


class Demo:
    """The stages, in the order in which they are shown."""

    def __init__(self, lab: Lab, screen: Screen) -> None:
        self._lab = lab
        self._screen = screen
        self._vendor = lab.aimms_vendor.address
        self._playbook = Playbook(lab, screen, INVENTORY, {})

    def show_machines(self, title: str) -> None:
        """What the twins are, and where the vendor has the licenses active."""
        self._screen.stage(title)
        self._screen.table([row for host in (OLD, NEW) for row in self._rows(host)], COLUMNS)

    def check(self) -> str:
        """Rules of the target, plan and warning; the digest that confirms exactly these."""
        self._screen.stage("What the move would do (--check)")
        before = self._state()
        run = self._run("--check")
        report = run.report()
        shown = "\n".join(report.lines)
        confirmations = report.confirmations()
        self._screen.require(
            all(words in shown for words in CAUTIONS),
            "the plan warns that licenses are active nowhere meanwhile, and of jobs that end",
            "The plan does not warn of what the move costs.",
        )
        if set(confirmations) != {f"server move {MOVE}"}:
            raise DemoError("The run with --check showed no digest to confirm; see above.")
        self._screen.require(
            self._state() == before,
            "machines, activations and journals are as they were",
            "The run with --check changed something.",
        )
        return confirmations[f"server move {MOVE}"].digest

    def refuse_unconfirmed(self) -> None:
        """The target is made ready; at the source nothing happens without the confirmation."""
        self._screen.stage("Run it without that confirmation")
        run = self._playbook.run(PLAYBOOK)
        if not run.exit_code or run.recap[OLD]["failed"] != 1:
            raise DemoError("The move was not refused without a confirmation; see above.")
        self._require_places({OLD})
        reported = control.describe(self._lab[NEW].aimms.address)["installed"]
        self._screen.require(
            reported and not self._machine(OLD)["maintenance"],
            f"{NEW} has the product installed, and {OLD} serves as before",
            f"{NEW} is not installed, or {OLD} is in maintenance mode.",
        )
        self._require_backup()

    def _require_backup(self) -> None:
        """What a lost machine is replaced from: for its owner only, and without codes."""
        (path,) = (self._lab.folder / "backups").iterdir()
        text = path.read_text(encoding="utf-8")
        held = {entry["number"] for entry in json.loads(text)["licenses"]}
        self._screen.require(
            held == set(PROFILES)
            and stat.S_IMODE(path.stat().st_mode) == BACKUP_MODE
            and CODE_PART not in text,
            f"a backup of {OLD} is in {path}, for its owner only and without activation codes",
            f"The backup {path} is not whole, or others may read it, or it has codes.",
        )

    def strand(self, digest: str) -> None:
        """The worst moment: the licenses have left, and the vendor's service does not take them."""
        self._screen.stage("Confirm it, while the vendor's activation service refuses")
        control.set_fault(self._vendor, "activate.before", "refuse", 503, times=REFUSALS)
        run = self._playbook.run(PLAYBOOK, "-e", f"demo_plan_digest={digest}")
        control.clear_faults(self._vendor)
        self._require_places({ORPHANED})
        reported = [line for line in run.report().lines if "emergency activation" in line]
        self._screen.require(
            run.recap[NEW]["failed"] == 1 and bool(reported),
            "the run says which licenses are active nowhere, and what bridges the time",
            "The run did not tell of the licenses that are active nowhere.",
        )

    def carry_on(self, digest: str) -> None:
        """The same run once more."""
        self._screen.stage("Run the playbook again: it carries on where it stood")
        run = self._run("-e", f"demo_plan_digest={digest}")
        self._require_places({NEW})
        # The server also gives each license a profile of its own, which nobody asks for.
        found = self._machine(NEW)["profiles"]
        expected = {profile: number for number, profile in PROFILES.items()}
        self._screen.require(
            expected.items() <= found.items(),
            f"the licenses have their profiles: {', '.join(sorted(expected))}",
            f"{NEW} has the profiles {found}.",
        )
        self._screen.require(
            self._machine(OLD)["jobs_killed"] == 0,
            f"the {JOBS} jobs of {OLD} run still: maintenance mode was not left yet",
            "Jobs were killed before the applications were pointed at the new server.",
        )
        reported = " ".join(run.report().lines).replace("\\", "")
        self._screen.require(
            f'set "PRO server license" to {TARGET_HOST}' in reported and "agent attest" in reported,
            "the run lists as an open step what to set in AIMMS PRO, and how to say that it is so",
            "The run does not list what is to be set in AIMMS PRO.",
        )

    def repoint(self, digest: str) -> None:
        """People point the applications at the new server, and nothing is left to do."""
        self._screen.stage("Point AIMMS PRO at the new server, and say so")
        Waits(self._screen, self._lab[OLD]).attest("repoint", "AIMMS PRO ran a job over it.")
        machine = self._machine(OLD)
        self._screen.require(
            not machine["maintenance"] and machine["jobs_killed"] == JOBS,
            f"{OLD} has left maintenance mode, which ended its {JOBS} jobs, as was confirmed",
            f"{OLD} is in maintenance mode still, or did not restart.",
        )
        self._screen.stage("Run the playbook again")
        before = self._state()
        run = self._run("-e", f"demo_plan_digest={digest}")
        self._screen.require(
            run.counted("changed") == 0 and self._state() == before,
            "changed=0 on both hosts; machines, activations and journals are as they were",
            "The last run changed something.",
        )
        moves = {host: self._lab[host].client.get("/v1/moves")["moves"] for host in (OLD, NEW)}
        states = [move["state"] for known in moves.values() for move in known]
        self._screen.require(
            states == ["finished", "arrived"],
            f"the move is {states[0]} on {OLD}, and has {states[1]} on {NEW}",
            f"The move has come to {', '.join(states)}.",
        )
        self._require_places({NEW})

    def _run(self, *arguments: str) -> PlaybookRun:
        return self._playbook.run_well(PLAYBOOK, *arguments)

    def _require_places(self, expected: set[str]) -> None:
        places = self._places()
        found = set(places.values())
        self._screen.require(
            found == expected,
            f"the vendor has all {len(places)} licenses active on {', '.join(sorted(found))}"
            if expected != {ORPHANED}
            else f"the vendor has all {len(places)} licenses active nowhere",
            f"The vendor has licenses active on {', '.join(sorted(found))}, and not on"
            f" {', '.join(sorted(expected))}.",
        )

    def _places(self) -> dict[str, str]:
        """The machine on which the vendor has each license active."""
        machines = {self._machine(host)["machine"]: host for host in (OLD, NEW)}
        holders = people.holders(self._vendor).items()
        return {n: ORPHANED if machine is None else machines[machine] for n, machine in holders}

    def _machine(self, host: str) -> dict[str, Any]:
        return dict(control.describe(self._lab[host].aimms.address))

    def _rows(self, host: str) -> list[dict[str, Any]]:
        machine = self._machine(host)
        names = {
            number: profile
            for profile, number in machine["profiles"].items()
            if profile in PROFILES.values()
        }
        shown = {
            "host": host,
            "installed": "yes" if machine["installed"] else "no",
            "maintenance": "on" if machine["maintenance"] else "off",
            "jobs": machine["jobs_running"],
        }
        here = [n for n, place in self._places().items() if place == host]
        first, *others = [{"license": n, "profile": names.get(n)} for n in here] or [{}]
        return [{**shown, **first}, *others]

    def _state(self) -> dict[str, Any]:
        """Everything that a run may change."""
        journals = {
            host.name: host.client.get("/v1/agent")["journal"]["audit_head"] for host in self._lab
        }
        machines = {host: self._machine(host) for host in (OLD, NEW)}
        return {"journals": journals, "machines": machines, "vendor": people.holders(self._vendor)}
