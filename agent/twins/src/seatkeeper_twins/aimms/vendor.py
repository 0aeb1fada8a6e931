# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's activation service: which machine has which license, one at a time.

Everything of it is made up, because nothing of it is public but its effects. What a server asks
is one durable change here; the server reads the outcome back.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from seatkeeper_twins.aimms.models import EMERGENCY_SECONDS, Emergency, VendorLicense, VendorState
from seatkeeper_twins.parts.process import Process, check
from seatkeeper_twins.parts.seed import table
from seatkeeper_twins.parts.web import Routes, answering

REQUEST_FORM = "SEATKEEPER TWIN REQUEST FILE, NOT A LICENSE"
RESPONSE_FORM = "SEATKEEPER TWIN RESPONSE FILE, NOT A LICENSE"


class Vendor(Process[VendorState]):
    """Answers the license servers, the support and the page for offline activation."""

    changes = ("activate", "deactivate", "release", "emergency", "answer")
    readings = ("sync",)

    def settle(self) -> None:
        """Nothing happens by itself: an emergency activation that is over is only not told."""

    def describe(self) -> dict[str, Any]:
        """Who has which license; no codes."""
        return {
            "clock_offset": self.state["clock_offset"],
            "licenses": {
                number: {key: value for key, value in entry.items() if key != "code"}
                for number, entry in self.state["licenses"].items()
            },
        }

    def set_values(self, values: dict[str, Any]) -> None:
        """Whose a license is: ``machines`` by number."""
        table(values, "the values", {"machines"})
        with self.store.change() as draft:
            for number, machine in table(values["machines"], "machines", None).items():
                _license_in(draft, number)["machine"] = machine

    def activate(self, machine: str, number: str, code: str) -> None:
        """A machine gets a license; Refusal for a wrong code or while another machine has it."""
        with self.changing("activate") as draft:
            entry = _license_in(draft, number)
            check(hmac.compare_digest(entry["code"], code), 403, "The activation code is wrong")
            check(
                entry["machine"] in (None, machine), 409, "The license is active on another machine"
            )
            entry["machine"], entry["emergency"] = machine, None

    def deactivate(self, machine: str, number: str) -> None:
        """A machine gives a license back; Refusal when it does not have it."""
        with self.changing("deactivate") as draft:
            entry = _license_in(draft, number)
            check(entry["machine"] == machine, 409, "The license is not active on this machine")
            entry["machine"] = None

    def release(self, number: str) -> None:
        """The support deactivates a license whose machine is lost (grade D)."""
        with self.changing("release") as draft:
            _license_in(draft, number)["machine"] = None

    def grant_emergency(self, number: str, machine: str) -> None:
        """A machine may use a license for seven days (grade D), whoever else has it."""
        with self.changing("emergency") as draft:
            until = self.now() + EMERGENCY_SECONDS
            _license_in(draft, number)["emergency"] = Emergency(machine=machine, until=until)

    def answer(self, request: str) -> dict[str, str]:
        """The response file for a request file; each request works once."""
        try:
            form, _, body = request.partition("\n")
            reported = json.loads(body)
            machine, number, code, nonce = (
                str(reported[key]) for key in ("machine", "number", "code", "nonce")
            )
        except (ValueError, KeyError, TypeError):
            form, machine, number, code, nonce = "", "", "", "", ""
        check(form == REQUEST_FORM, 400, "This is no request file of a twin")
        with self.changing("answer") as draft:
            entry = _license_in(draft, number)
            check(hmac.compare_digest(entry["code"], code), 403, "The activation code is wrong")
            check(nonce not in draft["used_requests"], 409, "This request was answered already")
            check(
                entry["machine"] in (None, machine), 409, "The license is active on another machine"
            )
            draft["used_requests"].append(nonce)
            entry["machine"] = machine
        return {"response": f"{RESPONSE_FORM}\n{json.dumps({'nonce': nonce})}\n"}

    def sync(self, machine: str) -> dict[str, Any]:
        """What a machine has: numbers, each with the end of an emergency activation or null."""
        with self.passing("sync"):
            return {
                "licenses": {
                    number: until
                    for number, entry in self.state["licenses"].items()
                    for has, until in [self._had(entry, machine)]
                    if has
                }
            }

    def _had(self, entry: VendorLicense, machine: str) -> tuple[bool, float | None]:
        if entry["machine"] == machine:
            return True, None
        emergency = entry["emergency"]
        if emergency is None or emergency["machine"] != machine:
            return False, None
        return emergency["until"] > self.now(), emergency["until"]


def vendor_routes(vendor: Vendor) -> Routes:
    """Everything that the service answers; all of it is made up."""
    questions: dict[str, Callable[..., Any]] = {
        "server/activate": vendor.activate, "server/deactivate": vendor.deactivate,
        "server/sync": vendor.sync, "support/release": vendor.release,
        "support/emergency": vendor.grant_emergency, "page/answer": vendor.answer,
    }  # fmt: skip
    return {
        **{("POST", f"/_twin/{name}"): answering(question) for name, question in questions.items()},
        **vendor.control_routes(),
    }


def _license_in(state: VendorState, number: str) -> VendorLicense:
    check(number in state["licenses"], 404, "There is no such license")
    return state["licenses"][number]
