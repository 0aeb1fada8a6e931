# SPDX-License-Identifier: GPL-3.0-or-later
"""The support desk: cases, what arrives for them, moving licenses in the vendor's books.

The second half of the work is done at the phone systems: registering the old one removes the
licenses there, registering the new one takes the moved keys in (article 799, grade D).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from seatkeeper_twins.altigen import letters, rules, seed
from seatkeeper_twins.altigen.models import DOCUMENTS, Answer, Case, Mail, State, System
from seatkeeper_twins.parts.process import Process, check
from seatkeeper_twins.parts.seed import SeedError, flag, table, text

FIRST_CASE = 100_001
MAILS_MAX = 1_000
_SYSTEM_VALUES = {"registered", "assurance_until"}


class Desk(Process[State]):
    """Everything behind the mailbox."""

    changes = ("mail", "case", "fax", "purchase_order", "note", "register", "answer")
    readings = ("greeting", "recipient")

    def settle(self) -> None:
        """The desk answers what has been due."""
        with self.lock:
            for number in list(self.state["cases"]):
                due = self._due_at(self.state["cases"][number])
                if due is not None and self.now() >= due:
                    with self.due("answer") as draft:
                        _answer(draft, draft["cases"][number], due)

    def _due_at(self, case: Case) -> float | None:
        if case["state"] != "received" or self.state["conduct"] == "never":
            return None
        late = self.state["conduct"] == "late" and not case["complaints"]
        wait = self.state["late_seconds" if late else "answer_seconds"]
        since = case["complete_at"]
        if since is None:
            return None if case["told_missing"] else (case["received_at"] or 0) + wait
        return since + wait

    def describe(self) -> dict[str, Any]:
        """Everything but the mails' contents and the mailbox's password."""
        state = self.state
        return {
            **state,
            "now": self.now(),
            "mails": [{**mail, "raw": len(mail["raw"])} for mail in state["mails"]],
            "mailbox": {**state["mailbox"], "password": None},
            "missing": {
                number: rules.missing(state, case)
                for number, case in state["cases"].items()
                if case["state"] == "received"
            },
        }

    def set_values(self, values: dict[str, Any]) -> None:
        """How the desk works, and by system key what the vendor knows of systems."""
        known = {
            "conduct": seed.conduct, "answer_seconds": seed.seconds,
            "late_seconds": seed.seconds, "card_required": flag,
        }  # fmt: skip
        table(values, "the values", {*known, "systems"})
        plain = {name: read(values[name], name) for name, read in known.items() if name in values}
        with self.store.change() as draft:
            draft.update(cast("State", plain))
            for system_key, entry in table(values.get("systems", {}), "systems", None).items():
                _set_system(draft, system_key, entry)
        with self.lock:
            self.settle()

    def receive(self, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        """A mail has arrived; it is filed with the case that its subject names."""
        letter = letters.read(raw)
        with self.changing("mail") as draft:
            check(len(draft["mails"]) < MAILS_MAX, 452, "The mailbox is full")
            number = next((each for each in draft["cases"] if each in letter.subject), None)
            draft["mails"].append(
                Mail(
                    at=self.now(), sender=sender, recipients=list(recipients),
                    subject=letter.subject, message_id=letter.message_id, case=number,
                    documents=list(letter.documents), raw=base64.b64encode(raw).decode(),
                )
            )  # fmt: skip
            if number is not None:
                case = draft["cases"][number]
                case["says_upgrade"] |= letter.says_upgrade
                self._file(draft, case, letter.documents, letter.mentions(draft["keys"]))

    def mail(self, number: int) -> bytes:
        """What arrived as the mail of this number, counted from 0."""
        check(0 <= number < len(self.state["mails"]), 404, "There is no such mail")
        return base64.b64decode(self.state["mails"][number]["raw"])

    def open_case(self, system_key: str, says_upgrade: bool) -> str:
        """Open a case under a system's key; its number."""
        with self.changing("case") as draft:
            check(system_key in draft["systems"], 404, f"There is no system {system_key}")
            number = f"CAS-{FIRST_CASE + len(draft['cases'])}"
            draft["cases"][number] = Case(
                system=system_key, opened_at=self.now(), says_upgrade=says_upgrade, state="open",
                received_at=None, complete_at=None, told_missing=False, documents=[], keys=[],
                complaints=[], answers=[], moved={},
            )  # fmt: skip
        return number

    def fax(self, number: str, documents: Sequence[str], keys: Sequence[str]) -> None:
        """Documents arrive by fax; the case's number stands on them."""
        with self.changing("fax") as draft:
            for name in documents:
                check(name in DOCUMENTS, 400, f"{name} is none of {', '.join(DOCUMENTS)}")
            for key in keys:
                check(key in draft["keys"], 400, f"No license key {key} is known here")
            self._file(draft, _case(draft, number), documents, keys)

    def order_at_no_charge(self, system_key: str) -> None:
        """Sales gets the purchase order for a software-only system."""
        with self.changing("purchase_order") as draft:
            check(system_key in draft["systems"], 404, f"There is no system {system_key}")
            draft["purchase_orders"].append(system_key)
            for case in draft["cases"].values():
                if case["system"] == system_key and case["state"] == "received":
                    self._file(draft, case, (), ())

    def note(self, number: str, words: str) -> None:
        """Somebody writes into a case; what was done wrongly or refused is looked at again."""
        with self.changing("note") as draft:
            case = _case(draft, number)
            case["complaints"].append(Answer(at=self.now(), text=text(words, "the note")))
            if case["state"] in ("moved", "refused"):
                case["state"] = "received"
            if case["state"] == "received":
                case.update({"complete_at": None, "told_missing": False})
                self._file(draft, case, (), ())

    def _file(
        self, draft: State, case: Case, documents: Sequence[str], keys: Sequence[str]
    ) -> None:
        """Put what arrived to the case; the 24 hours begin when nothing is missing any more."""
        case["documents"] += [name for name in documents if name not in case["documents"]]
        case["keys"] += [key for key in keys if key not in case["keys"]]
        if case["state"] == "open" and (documents or keys):
            case.update({"state": "received", "received_at": self.now()})
        whole = case["state"] == "received" and not rules.missing(draft, case)
        if whole and case["complete_at"] is None:
            case["complete_at"] = self.now()

    def register(self, system_key: str, keys: Sequence[str]) -> list[str]:
        """Register a phone system and enter license keys; the keys that it has from then on."""
        with self.changing("register") as draft:
            check(system_key in draft["systems"], 404, f"There is no system {system_key}")
            system = draft["systems"][system_key]
            for key in keys:
                _check_enterable(draft, system_key, key)
            entered = [key for key in keys if key not in system["licenses"]]
            system["registered"] = True
            system["licenses"] = [
                key
                for key in (*system["licenses"], *entered)
                if key in draft["keys"] and draft["keys"][key]["system"] == system_key
            ]
            return system["licenses"]


def _answer(draft: State, case: Case, at: float) -> None:
    """What the representative does when the time has come."""
    absent = rules.missing(draft, case)
    if absent:
        case["told_missing"] = True
        case["answers"].append(Answer(at=at, text=f"Missing: {', '.join(absent)}."))
        return
    reason = rules.refusal(draft, case, datetime.fromtimestamp(at, UTC).date().isoformat())
    if reason is not None:
        case["state"] = "refused"
        case["answers"].append(Answer(at=at, text=f"Not moved: {reason}."))
        return
    wrongly = draft["conduct"] == "wrongly" and not case["complaints"]
    for key in case["keys"][: -1 if wrongly else None]:
        case["moved"][key] = _move(draft, key, case["system"])
    # From here on they are spoken of by the names that they have now.
    case["keys"] = [case["moved"].get(key, key) for key in case["keys"]]
    case["state"] = "moved"
    # A wrong answer claims all of them; nothing in it shows what was forgotten.
    case["answers"].append(Answer(at=at, text=f"Moved: {', '.join(case['keys'])}."))


def _move(draft: State, key: str, target: str) -> str:
    """Change the books; the key by which the license is known afterwards."""
    entry = draft["keys"][key]
    to_software = draft["systems"][target]["chassis"] == rules.SOFTWARE_ONLY
    if entry["system"] == target or not to_software:
        entry["system"] = target
        return key
    product = rules.converted(entry["product"])
    issued = f"NEW-{key}"
    del draft["keys"][key]
    draft["keys"][issued] = {"product": product, "system": target, "instead_of": key}
    return issued


def _check_enterable(draft: State, system_key: str, key: str) -> None:
    entry = draft["keys"].get(key)
    if entry is None or entry["system"] != system_key:
        check(False, 409, f"License key {key} is not associated with system {system_key}")
        return
    for other_key, other in draft["systems"].items():
        held = {key, entry["instead_of"]} & set(other["licenses"])
        elsewhere = other_key != system_key and bool(held)
        check(not elsewhere, 409, f"{other['name']} still has {key}: register it first")


def _case(draft: State, number: str) -> Case:
    check(number in draft["cases"], 404, f"There is no case {number}")
    return draft["cases"][number]


def _set_system(draft: State, system_key: str, entry: object) -> None:
    where = f"systems[{system_key!r}]"
    values = table(entry, where, _SYSTEM_VALUES)
    system: System | None = draft["systems"].get(system_key)
    if system is None:
        raise SeedError(f"{where}: there is no such system")
    if "registered" in values:
        system["registered"] = flag(values["registered"], f"{where}.registered")
    if "assurance_until" in values:
        system["assurance_until"] = seed.day(values["assurance_until"], f"{where}.assurance_until")
