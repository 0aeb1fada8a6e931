# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with a license server: what licman and people do to it.

Which license it has is the vendor's knowledge, read back by `settle`: so an activation is there
whole or not at all, whichever of the two dies meanwhile.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, cast

from seatkeeper_twins.aimms import folders, seed
from seatkeeper_twins.aimms.models import License, ServerState
from seatkeeper_twins.aimms.programs import remove_programs, write_programs
from seatkeeper_twins.aimms.vendor import REQUEST_FORM, RESPONSE_FORM
from seatkeeper_twins.parts.listening import address as address_in
from seatkeeper_twins.parts.process import Process, check, new_id
from seatkeeper_twins.parts.seed import flag, seconds, table, text
from seatkeeper_twins.parts.vendor_client import VendorUnreachable, ask
from seatkeeper_twins.parts.web import Refusal

VENDOR_SILENT = "The activation service cannot be reached"
PENDING = "Error, Pending Activation"
"""What a license shows between the two files of an offline activation (grade D)."""


class Server(Process[ServerState]):
    """One machine; its product's folders lie beside the folder of the process."""

    changes = (
        "profile_add",
        "profile_remove",
        "maintenance",
        "install",
        "remove",
        "request",
        "response",
    )
    readings = ("activate", "deactivate", "list", "version", "maintenance_state")

    def __init__(self, folder: Path, vendor: Path) -> None:
        super().__init__(folder)
        self.root = folder.parent
        self._vendor = vendor

    def settle(self) -> None:
        """Read back what the vendor says, and let the folders show it."""
        with self.lock:
            if not self.state["installed"]:
                return
            write_programs(self.root)
            gone = folders.cancelled(self.root, self.state)
            try:
                reported = self._ask("sync")["licenses"]
            except (VendorUnreachable, Refusal):
                reported = None  # shown is what was known last
            with self.store.change() as draft:
                _forget(draft, gone)
                if reported is not None:
                    _read_back(draft, reported)
            folders.show(self.root, self.state)
            with self.store.change() as draft:
                for entry in draft["licenses"].values():
                    entry["in_files"] = True

    def describe(self) -> dict[str, Any]:
        """Everything; ``serving`` is whether the product's ports are to be open."""
        return {**self.state, "serving": self.serving()}

    def serving(self) -> bool:
        """Whether the product runs, which it does not for a moment while it restarts."""
        return self.state["installed"] and self.now() >= self.state["closed_until"]

    def set_values(self, values: dict[str, Any]) -> None:
        """Jobs, times, version, profile of licman, exit codes."""
        known = {
            "jobs_running": seed.count, "jobs_queued": seed.count, "licman": seed.licman_profile,
            "exit_codes": flag, "version": text,
            "restart_seconds": seconds,
        }  # fmt: skip
        table(values, "the values", set(known))
        with self.store.change() as draft:
            draft.update(cast("ServerState", {key: known[key](values[key], key) for key in values}))

    def activate(self, number: str, kind: str, code: str) -> None:
        """Activate and add a license; Refusal says why not."""
        with self.passing("activate"):
            self._check_changeable()
            check(kind == "machine", 400, "Only the nodelock type machine is offered")
            check(
                folders.has_license_file(self.root, number),
                404, f"No file in Licenses holds license {number}",
            )  # fmt: skip
            self._request_of_vendor("activate", number=number, code=code)

    def deactivate(self, number: str) -> None:
        """Give a license back to the vendor; its profiles go with it."""
        with self.passing("deactivate"):
            self._check_changeable()
            check(self.state["maintenance"], 409, "Maintenance mode is off")
            check(number in self.state["licenses"], 404, "There is no such license here")
            self._request_of_vendor("deactivate", number=number)

    def _request_of_vendor(self, question: str, **values: Any) -> None:
        try:
            self._ask(question, **values)
        except VendorUnreachable as error:
            raise Refusal(503, VENDOR_SILENT) from error
        self.settle()

    def _ask(self, question: str, **values: Any) -> dict[str, Any]:
        address = address_in(self._vendor)
        if address is None:
            raise VendorUnreachable("The service has never run")
        return ask(address, question, machine=self.state["machine"], **values)

    def add_profile(self, name: str, number: str) -> None:
        """Link a profile to a license; one that another license has is refused."""
        with self.changing("profile_add") as draft:
            self._check_changeable()
            check(number in draft["licenses"], 404, "There is no such license here")
            check(
                draft["profiles"].get(name, number) == number,
                409, f"Profile {name} is linked to another license",
            )  # fmt: skip
            draft["profiles"][name] = number
        self._show()

    def remove_profile(self, name: str) -> None:
        """Unlink a profile; with ``add_profile`` what a person does to rename one."""
        with self.changing("profile_remove") as draft:
            check(name in draft["profiles"], 404, "There is no such profile")
            del draft["profiles"][name]
        self._show()

    def set_maintenance(self, enabled: bool) -> None:
        """Switch maintenance mode; leaving it restarts the server, which kills jobs (grade D)."""
        with self.changing("maintenance") as draft:
            self._check_changeable()
            if draft["maintenance"] and not enabled:
                draft["jobs_killed"] += draft["jobs_running"] + draft["jobs_queued"]
                draft["jobs_running"] = draft["jobs_queued"] = 0
                draft["restarts"] += 1
                draft["closed_until"] = self.now() + draft["restart_seconds"]
            draft["maintenance"] = enabled

    def install(self) -> None:
        """Install the product; refused while its ports are taken, as on Windows (grade D)."""
        with self.changing("install") as draft:
            for port in () if draft["installed"] else draft["ports"]:
                check(is_free(port), 409, f"Port {port} is taken")
            draft["installed"] = True
        with self.lock:
            self.settle()

    def remove(self) -> None:
        """Remove the product; refused while licenses are here."""
        with self.changing("remove") as draft:
            check(not draft["licenses"], 409, "Licenses are active here")
            draft.update({"installed": False, "maintenance": False, "profiles": {}})
        with self.lock:
            remove_programs(self.root)

    def request(self, number: str, code: str) -> dict[str, str]:
        """Begin an offline activation: the request file; the license is pending then."""
        with self.changing("request") as draft:
            self._check_changeable()
            check(number not in draft["licenses"], 409, "The license is here already")
            nonce = new_id()
            draft["licenses"][number] = License(
                state="pending", until=None, request=nonce, in_files=False
            )
        self._show()
        reported = {
            "machine": self.state["machine"],
            "number": number,
            "code": code,
            "nonce": nonce,
        }
        return {"request": f"{REQUEST_FORM}\n{json.dumps(reported)}\n"}

    def response(self, response: str) -> None:
        """End an offline activation with the vendor's response file."""
        form, _, body = response.partition("\n")
        check(form == RESPONSE_FORM, 400, "This is no response file of a twin")
        nonce = json.loads(body)["nonce"]
        with self.changing("response") as draft:
            waiting = [each for each in draft["licenses"].values() if each["request"] == nonce]
            check(bool(waiting), 409, "No license waits for this response")
            waiting[0].update({"state": "active", "request": None})
        self._show()

    def listed(self) -> dict[str, Any]:
        """Licenses with the words that are shown of them, and their profiles."""
        with self.passing("list"):
            state = self.state
            return {
                "licenses": [
                    {
                        "number": number,
                        "state": _word(entry),
                        "profiles": sorted(p for p, n in state["profiles"].items() if n == number),
                    }
                    for number, entry in sorted(state["licenses"].items())
                ]
            }

    def version(self) -> dict[str, Any]:
        """The installed version."""
        with self.passing("version"):
            check(self.state["installed"], 404, "Nothing is installed")
            return {"version": self.state["version"]}

    def maintenance_state(self) -> dict[str, Any]:
        """Whether maintenance mode is on."""
        with self.passing("maintenance_state"):
            return {"maintenance": self.state["maintenance"]}

    def _check_changeable(self) -> None:
        check(self.state["installed"], 404, "Nothing is installed")
        check(self.serving(), 503, "The license server restarts")
        check(not folders.locked(self.root), 423, "A read-only .lock blocks updates")

    def _show(self) -> None:
        with self.lock:
            self.settle()

    def reset(self) -> None:
        """Go back to the seed; the folders follow."""
        super().reset()
        with self.lock:
            if not self.state["installed"]:
                remove_programs(self.root)
        self._show()


def is_free(port: int) -> bool:
    """Whether nothing listens on a port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _word(entry: License) -> str:
    if entry["state"] == "pending":
        return PENDING
    return "Active" if entry["until"] is None else "Active for an emergency"


def _forget(draft: ServerState, numbers: list[str]) -> None:
    for number in numbers:
        del draft["licenses"][number]
        for name in [name for name, owner in draft["profiles"].items() if owner == number]:
            del draft["profiles"][name]


def _read_back(draft: ServerState, reported: dict[str, float | None]) -> None:
    """Be active where the vendor says so; what waits for its response file goes on waiting."""
    _forget(
        draft,
        [
            n
            for n, each in draft["licenses"].items()
            if each["state"] == "active" and n not in reported
        ],
    )
    for number, until in reported.items():
        known = draft["licenses"].get(number)
        if known is not None and known["state"] == "pending":
            continue
        in_files = known is not None and known["in_files"]
        draft["licenses"][number] = License(
            state="active", until=until, request=None, in_files=in_files
        )
        if number not in draft["profiles"].values():
            draft["profiles"][f"twin-{number}"] = number
