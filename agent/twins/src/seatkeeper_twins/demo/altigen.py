# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's part with AltiGen: one order judged, priced, mailed once and carried to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seatkeeper_twins.altigen import people
from seatkeeper_twins.demo.playbook import Playbook, PlaybookRun
from seatkeeper_twins.demo.screen import DemoError, Screen
from seatkeeper_twins.demo.waits import Waits
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

PLAYBOOK = "playbooks/order_licenses.yml"
INVENTORY = "playbooks/inventories/altigen"
HOST, ORDER = "office-server", "front-desk"
OLD, NEW = "0012-3456-7890", "0012-9999-0001"
KEYS = ("LK10-AAAA-0001", "LK10-AAAA-0002")
FEE = "300.00 USD"
ANSWER_SECONDS = 5 * 3600


def show(screen: Screen, folder: Path | None) -> Lab:
    """Show it on a lab of its own, which is given back stopped; DemoError.

    ``folder`` None: a temporary one.
    """
    screen.stage(f"Start {HOST}, an agent beside the mailbox and the desk of a vendor's twin")
    lab = Lab.create({HOST: {"altigen": {}}}, folder)
    screen.line(f"  sockets, journals and logs are in {lab.folder}")
    screen.line("  the demo stands in for the vendor's staff and for the people at both systems")
    with lab:
        demo = Demo(lab, screen)
        digest = demo.check()
        demo.refuse_unconfirmed()
        demo.begin(digest)
        demo.mail(digest)
        demo.carry_to_the_end()
        demo.run_again(digest)
        screen.stage("Stop everything")
    return lab


class Demo:
    """The stages, in the order in which they are shown."""

    def __init__(self, lab: Lab, screen: Screen) -> None:
        self._host = lab[HOST]
        self._desk = lab[HOST].altigen.address
        self._screen = screen
        self._waits = Waits(screen, self._host)
        self._case = ""
        self._playbook = Playbook(lab, screen, INVENTORY, {})
        self._keys_before = sorted(self._held(OLD) + self._held(NEW))

    def check(self) -> str:
        """Rules, quote and plan; the digest that confirms exactly these."""
        self._screen.stage("What the order would come to (--check)")
        journal = self._journal()
        run = self._run("--check")
        report = run.report()
        confirmations = report.confirmations()
        if set(confirmations) != {f"order {ORDER}"}:
            raise DemoError("The run with --check showed no digest to confirm; see above.")
        self._screen.require(
            any(line.strip().startswith(FEE) for line in report.lines)
            and run.counted("changed") == 1,
            f"the quote has the vendor's fee of {FEE}, and the run would place one order",
            f"The quote lacks the fee of {FEE}, or the run would not place one order.",
        )
        self._require_nothing_placed("the run with --check")
        self._screen.require(
            self._journal() == journal,
            "the journal is as it was",
            "The run with --check wrote to the journal.",
        )
        return confirmations[f"order {ORDER}"].digest

    def refuse_unconfirmed(self) -> None:
        """Without the confirmation of exactly this plan nothing is sent."""
        self._screen.stage("Run it without that confirmation")
        run = self._playbook.run(PLAYBOOK)
        if not run.exit_code or run.counted("failed") != 1:
            raise DemoError("An order without a confirmation was not refused; see above.")
        self._require_nothing_placed("the refused run")

    def begin(self, digest: str) -> None:
        """Confirmed: the papers are made, and a person is waited for."""
        self._screen.stage("Confirm it: the papers are made, and the case is a person's to open")
        self._run("-e", f"demo_plan_digest={digest}")
        self._waits.show()
        self._waits.require("case")
        folder = Path(self._order()["folder"])
        self._screen.require(
            (folder / "license-transfer-form.html").is_file(),
            f"the license transfer form is in {folder}",
            f"No license transfer form is in {folder}.",
        )

    def mail(self, digest: str) -> None:
        """The case's number goes into the inventory; the mail goes out, once."""
        self._screen.stage("Open the case, put its number into the inventory, and run again")
        self._case = people.open_case(self._desk, NEW)
        self._screen.line(f"  (a person's part: a case is opened under {NEW}: {self._case})")
        self._run("-e", f"demo_plan_digest={digest}", "-e", f"demo_case_number={self._case}")
        self._require_mailed_once()

    def carry_to_the_end(self) -> None:
        """Everybody does their part and says so; then both systems are as ordered."""
        self._screen.stage("The vendor moves the licenses; both systems are registered again")
        people.fax(self._desk, self._case, ["credit_card_authorization"])
        self._waits.attest("authorize", "The signed forms and the card authorization were faxed.")
        control.advance(ANSWER_SECONDS, self._desk)
        self._waits.attest("move", "The desk wrote into the case that both keys were moved.")
        people.register(self._desk, OLD)
        self._waits.attest("register_old", "The old system shows neither of the keys.")
        people.register(self._desk, NEW, KEYS)
        self._waits.attest("register_new", "The new system shows both keys.")
        old, new = self._held(OLD), self._held(NEW)
        self._screen.require(
            not set(KEYS) & set(old) and set(KEYS) <= set(new),
            f"the vendor's books and systems have {' and '.join(KEYS)} at {NEW} only",
            f"{OLD} has {', '.join(old)} and {NEW} has {', '.join(new)}.",
        )
        self._screen.require(
            sorted(old + new) == self._keys_before,
            f"both systems together have the {len(self._keys_before)} keys that they had before",
            "A key was lost or doubled.",
        )

    def run_again(self, digest: str) -> None:
        """Nothing is left to do, and nothing is sent again."""
        self._screen.stage("Run the playbook again")
        run = self._run("-e", f"demo_plan_digest={digest}", "-e", f"demo_case_number={self._case}")
        state = self._order()["state"]
        self._screen.require(
            run.counted("changed") == 0 and state == "done",
            f"changed=0, and the order is {state}",
            f"The run changed something, or the order, which is {state}, is not done.",
        )
        self._require_mailed_once()

    def _run(self, *arguments: str) -> PlaybookRun:
        return self._playbook.run_well(PLAYBOOK, *arguments)

    def _require_nothing_placed(self, which: str) -> None:
        mails = control.describe(self._desk)["mails"]
        orders = self._host.client.get("/v1/orders")["orders"]
        self._screen.require(
            not mails and not orders,
            "no order is in the journal and no mail has reached the vendor",
            f"After {which} there are {len(orders)} orders and {len(mails)} mails.",
        )

    def _require_mailed_once(self) -> None:
        cases = [mail["case"] for mail in control.describe(self._desk)["mails"]]
        self._screen.require(
            cases == [self._case],
            f"one mail has reached the vendor, for the case {self._case}",
            f"{len(cases)} mails have reached the vendor, for the cases {cases}.",
        )

    def _journal(self) -> Any:
        return self._host.client.get("/v1/agent")["journal"]["audit_head"]

    def _order(self) -> Any:
        return self._host.client.get("/v1/orders")["orders"][0]

    def _held(self, system_key: str) -> list[str]:
        """The keys that a phone system has, as the twin keeps them."""
        return list(control.describe(self._desk)["systems"][system_key]["licenses"])
