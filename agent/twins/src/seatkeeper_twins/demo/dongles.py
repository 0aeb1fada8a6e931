# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's stages about dongles: what speaks against a migration, and migrations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from seatkeeper_twins.chaos import people
from seatkeeper_twins.demo import studio
from seatkeeper_twins.demo.person import StandIn
from seatkeeper_twins.demo.playbook import PlaybookRun
from seatkeeper_twins.demo.report import Confirmation, Step
from seatkeeper_twins.demo.screen import DemoError
from seatkeeper_twins.demo.stage import ARTIST, EVERYTHING, MIGRATE, ONLINE, STUDIO, Stage
from seatkeeper_twins.parts import control

DONGLE, DONGLE_PORT = "90000001", "1-1.1"
SECOND_PORT = "1-1.2"
SHELF = {"1-1.3": "90000003", "1-1.4": "90000004"}
NEW_DRIVER = "6.50"
STUCK = {"product": "V-Ray", "version": "2.4", "seats": {"interface": 1, "render": 5}}
REPLACED = {**STUCK, "version": "3.6"}
NOT_HIDDEN, OLD_LICENSE = ("-e", "demo_isolate=false"), ("-e", "demo_dongle_version=2.4")
PNG = b"\x89PNG\r\n"
PERSON_SECONDS = 600


class Dongles:
    """The stages, in the order in which they are shown."""

    def __init__(self, stage: Stage, performer: str) -> None:
        self._stage = stage
        self._performer = performer
        self._online = stage.lab[ONLINE]
        self._confirmed: tuple[str, ...] = ()
        self._declared: tuple[str, ...] = ()

    def refuse(self) -> None:
        """A dongle with all that can be wrong."""
        number = len(self._causes())
        self._stage.screen.stage(
            f"Try to migrate dongle {DONGLE}, with {number} things wrong about it"
        )
        run = self._check(True, *NOT_HIDDEN, *OLD_LICENSE)
        self._require_report(run, {"one_dongle", "wibukey_driver", "licenses_movable"})

    def mend(self) -> None:
        """The causes that this host can see, two of them on the host itself."""
        self._stage.screen.stage(
            f"Unplug the second dongle, and install WibuKey driver {NEW_DRIVER}"
        )
        self._online.chaos.unplug(SECOND_PORT)
        control.set_values(self._online.chaos.address, wibukey_version=NEW_DRIVER)
        self._require_report(self._check(True, *OLD_LICENSE), {"licenses_movable"})

        self._stage.screen.stage(
            "Have the vendor replace the perpetual 2.4 license, and declare that"
        )
        licenses = [{**REPLACED, "expires": None}]
        people.set_dongle(self._stage.lab.cloud.address, DONGLE, licenses=licenses)
        run = self._check(False)
        self._require_report(run, set())
        confirmation = self._confirmations(run)[DONGLE]
        self._confirmed = (
            "-e",
            f"demo_plan_digest={confirmation.digest}",
            "-e",
            json.dumps({"demo_acknowledge_irreversible": confirmation.sentence}),
        )

    def meet_hidden_rule(self) -> None:
        """The one cause that no host can see."""
        self._stage.screen.stage(
            "Confirm exactly this plan, while one cause is left that no host can see"
        )
        before = self._stage.lab.cloud.describe()["dongles"][DONGLE]
        if self._performer == "browser":
            self._meet_with_browser()
        else:
            self._meet_with_person()
        self._stage.screen.require(
            self._stage.lab.cloud.describe()["dongles"][DONGLE] == before and not self._gained(),
            "the dongle still holds its licenses and the account has no seat more",
            "Something was migrated although the vendor does not allow it.",
        )

    def _meet_with_browser(self) -> None:
        run = self._stage.refused(MIGRATE, "--limit", ONLINE, *self._confirmed)
        report = "\n".join(line for _, body in run.blocks for line in body)
        pictures = sorted((self._online.state_folder / "screenshots").glob("*.png"))
        self._stage.screen.require(
            "no TRANSFER" in report
            and len(pictures) == 1
            and str(pictures[0]) in report
            and pictures[0].read_bytes().startswith(PNG),
            f"the page has no TRANSFER; what the browser saw is in {', '.join(map(str, pictures))}",
            "The run did not tell that the page lacks TRANSFER, with a screenshot.",
        )
        rules = run.report().rules()
        unknown = [rule for rule, verdict in rules.items() if verdict == "unknown"]
        left = self._online.client.get("/v1/operations", state="open")["operations"]
        self._stage.screen.require(
            "vendor_criteria" in unknown and not left,
            f"the run tells what no host can see ({', '.join(unknown)}), and leaves no work open",
            "The run hid what no host can see, or left work open.",
        )

    def _meet_with_person(self) -> None:
        self._stage.run(MIGRATE, "--limit", ONLINE, *self._confirmed)
        waiting = self._online.client.get("/v1/waiting")["waiting"]
        shown = people.eligibility(self._online.chaos.address)["shown"]
        self._stage.screen.require(
            [wait["step"] for wait in waiting] == ["transfer"] and not shown,
            "the run ended well, the migration waits for a person, and the page has no TRANSFER",
            "The migration does not wait for a person.",
        )

    def migrate(self) -> None:
        """It runs to its end."""
        self._stage.screen.stage(f"Have the vendor register the dongle to {STUDIO}, and run again")
        held = studio.on_dongles(self._stage.lab, [DONGLE])
        people.set_dongle(self._stage.lab.cloud.address, DONGLE, company=STUDIO)
        with self._person():
            self._stage.run(MIGRATE, "--limit", ONLINE, *self._confirmed, *self._patience())
        self._require_migrated([DONGLE], held)

    def run_again(self) -> None:
        """Everything once more."""
        self._stage.screen.stage("Run the playbook that does all of this again")
        state = studio.state(self._stage.lab)
        changed = self._stage.run(EVERYTHING, *self._declared).counted("changed")
        self._stage.screen.require(
            changed == 0 and studio.state(self._stage.lab) == state,
            "changed=0 on both hosts; cloud, servers, dongles and journals are as they were",
            f"The second run changed something: changed={changed}.",
        )

    def migrate_shelf(self) -> None:
        """Two dongles one after the other, with nobody at the machine."""
        self._stage.screen.stage(f"Plug two more dongles into {ONLINE} and migrate both in one run")
        self._online.chaos.unplug(DONGLE_PORT)
        for port, serial in SHELF.items():
            self._online.chaos.plug(port, serial)
        held = studio.on_dongles(self._stage.lab, SHELF.values())
        self._declared = self._declare_shelf({})
        planned = self._check(False, *self._declared)
        self._declare_shelf(self._confirmations(planned))
        self._stage.screen.line(f"  (what confirms both is in {self._declared[1][1:]})")
        with self._person():
            self._stage.run(MIGRATE, "--limit", ONLINE, *self._declared, *self._patience())
        steps = planned.report().steps()
        self._stage.screen.require(
            bool(steps) and self._steps_done() == steps,
            f"the {sum(map(len, steps.values()))} steps that were planned are the ones that were"
            " done",
            "The run did other steps than --check had planned.",
        )
        self._require_migrated(list(SHELF.values()), held)
        given = {
            device["path"]: device["authorized"]
            for device in self._online.chaos.describe()["plugged"]
        }
        self._stage.screen.require(
            given == dict.fromkeys(SHELF, True) and self._hidden() == [True] * len(SHELF),
            "for each, the other one was hidden from the driver, read back, and given back",
            "A dongle was not hidden, or is hidden still.",
        )

    def _steps_of_shelf(self) -> dict[str, list[dict[str, Any]]]:
        """By the serial number of each of these dongles, the steps in its agent's journal."""
        records = self._online.client.all("/v1/migrations", "migrations")
        return {
            record["dongle"]["id"]: self._online.client.get(
                f"/v1/operations/{record['operation']['id']}"
            )["steps"]
            for record in records
            if record["dongle"]["id"] in SHELF.values()
        }

    def _steps_done(self) -> dict[str, list[Step]]:
        """The same in the form of a report, without what was not done."""
        return {
            f"dongle migration {serial}": [
                (step["title"], step["performer"], "yes" if step["reversible"] else "no")
                for step in steps
                if step["state"] == "done"
            ]
            for serial, steps in self._steps_of_shelf().items()
        }

    def _hidden(self) -> list[bool]:
        """For each of these dongles, whether its agent saw all others hidden."""
        steps = [
            {step["name"]: step["state"] for step in each}
            for each in self._steps_of_shelf().values()
        ]
        return [each.get("isolate") == each.get("give_back") == "done" for each in steps]

    def _confirmations(self, run: PlaybookRun) -> dict[str, Confirmation]:
        """By the serial number of each dongle, what a run in check mode showed to be confirmed."""
        found = run.report().confirmations().items()
        return {what.removeprefix("dongle migration "): each for what, each in found}

    def _declare_shelf(self, confirmed: dict[str, Confirmation]) -> tuple[str, str]:
        known = self._stage.lab.cloud.describe()["dongles"]
        # What is done stays declared.
        entries: list[dict[str, object]] = [
            {"host": ONLINE, "dongle": DONGLE, "target_user": ARTIST, "isolate": True}
        ]
        for serial in SHELF.values():
            confirmation = confirmed.get(serial, Confirmation(""))
            held = [
                {
                    "product": entry["product"],
                    "version": entry["version"],
                    "perpetual": entry["expires"] is None,
                    "seats": {studio.KINDS[key]: n for key, n in entry["seats"].items()},
                }
                for entry in known[serial]["licenses"]
            ]
            entries.append({
                "host": ONLINE, "dongle": serial, "target_user": ARTIST, "isolate": True,
                "licenses": held, "plan_digest": confirmation.digest,
                "acknowledge_irreversible": confirmation.sentence,
            })  # fmt: skip
        path = self._stage.lab.folder / "three-dongles.json"
        path.write_text(json.dumps({"license_dongle_migrations": entries}, indent=1) + "\n")
        return "-e", f"@{path}"

    def show_account(self) -> None:
        """The account before and after, by the vendor's own count."""
        self._stage.screen.stage(f"Count what the account of {STUDIO} holds, as the cloud keeps it")
        after = studio.account(self._stage.lab, STUDIO)
        gained = self._gained()
        rows = [
            {"product": product, "kind": kind, "before": self._stage.before[product, kind],
             "gained": gained[product, kind], "after": after[product, kind]}
            for product, kind in sorted(after)
        ]  # fmt: skip
        self._stage.screen.table(rows, studio.ACCOUNT_COLUMNS)
        self._stage.screen.require(
            after == self._stage.before + gained and studio.shown_seats(self._online) == after,
            f"{ONLINE} shows exactly that",
            f"{ONLINE} shows something else than the account.",
        )

    def _causes(self) -> set[str]:
        return studio.refusing_rules(self._online, DONGLE, ARTIST)

    def _require_report(self, run: PlaybookRun, unmet: set[str]) -> None:
        """The report of a run against what is expected, and against what the vendor goes by."""
        rules = run.report().rules()
        report = {rule for rule, verdict in rules.items() if verdict == "not met"}
        met = {rule for rule, verdict in rules.items() if verdict == "met"}
        self._stage.screen.require(
            report == unmet,
            f"not met: {', '.join(sorted(report)) or 'nothing that this host can see'}",
            f"Not met are {', '.join(sorted(report))}, and not {', '.join(sorted(unmet))}.",
        )
        causes = self._causes()
        self._stage.screen.require(
            not met & causes and report <= causes,
            f"the vendor would refuse for {', '.join(sorted(causes))}",
            f"The vendor would refuse for {', '.join(sorted(causes))}, the report says otherwise.",
        )

    def _require_migrated(self, serials: list[str], held: studio.Seats) -> None:
        records = {
            entry["dongle"]["id"]: entry
            for entry in self._online.client.all("/v1/migrations", "migrations")
        }
        ours = [records[serial] for serial in serials if serial in records]
        gained = studio.total(entry for record in ours for entry in record["gained"])
        self._stage.screen.require(
            [(r["state"], r["comparison"]) for r in ours] == [("done", "matches")] * len(serials),
            f"{', '.join(serials)}: done, and what arrived matches what is declared",
            f"Not all of {', '.join(serials)} were migrated.",
        )
        dead = [self._stage.lab.cloud.describe()["dongles"][serial]["dead"] for serial in serials]
        self._stage.screen.require(
            gained == held and all(dead) and not studio.on_dongles(self._stage.lab, serials),
            f"the account gained {_words(gained)}, which is what the cloud knew on them; they are"
            " dead",
            f"The account gained {_words(gained)}, and the dongles held {_words(held)}.",
        )

    def _gained(self) -> studio.Seats:
        return studio.account(self._stage.lab, STUDIO) - self._stage.before

    def _person(self) -> AbstractContextManager[object]:
        if self._performer == "browser":
            return nullcontext()
        return StandIn(self._stage.screen, self._online, ARTIST)

    def _patience(self) -> Iterable[str]:
        if self._performer == "browser":
            return ()
        return "-e", f"license_state_wait_timeout={PERSON_SECONDS}"

    def _check(self, refused: bool, *arguments: str) -> PlaybookRun:
        """A run with --check, which changes nothing."""
        state = studio.state(self._stage.lab)
        run = (self._stage.refused if refused else self._stage.run)(
            MIGRATE, "--limit", ONLINE, "--check", *arguments
        )
        if studio.state(self._stage.lab) != state:
            raise DemoError("The run with --check changed something.")
        return run


def _words(seats: studio.Seats) -> str:
    return ", ".join(f"{n} {product} {kind}" for (product, kind), n in sorted(seats.items()))
