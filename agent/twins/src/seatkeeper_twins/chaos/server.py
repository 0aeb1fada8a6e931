# SPDX-License-Identifier: GPL-3.0-or-later
"""The license server: what its routes and its page do.

Whatever it does together with the cloud is one change of the cloud's, read back by `settle`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from seatkeeper_twins.chaos import exchange, rules, seed, usb_folder
from seatkeeper_twins.chaos.models import BORROW_SECONDS, Borrow, ServerState, Transfer
from seatkeeper_twins.chaos.status import shown_product, shown_status
from seatkeeper_twins.parts.process import Process, check, new_id
from seatkeeper_twins.parts.seed import SeedError, flag, seconds, table, text
from seatkeeper_twins.parts.vendor_client import VendorUnreachable, ask
from seatkeeper_twins.parts.web import Refusal

RENEW_BEFORE_SECONDS = 86_400
CLOUD_SILENT = "The cloud cannot be reached"


class Server(Process[ServerState]):
    """One machine's license server with the dongles of its USB folder."""

    changes = (
        "activate", "upload", "deactivate", "request", "write_config", "dongle", "transfer_end",
        "close",
    )  # fmt: skip
    readings = (
        "status", "sessions", "read_config", "logs", "page", "transfer", "borrow", "release",
        "auto_renew",
    )  # fmt: skip

    def __init__(self, folder: Path, cloud_address: str, usb: Path) -> None:
        super().__init__(folder)
        self.cloud_address = cloud_address
        self.usb = usb

    def settle(self) -> None:
        """Read the account's state back, and renew what is to be renewed."""
        with self.lock:
            self._sync()
            for borrow in self.state["borrows"]:
                due = borrow["until"] - RENEW_BEFORE_SECONDS <= self.now() < borrow["until"]
                if borrow["auto_renew"] and due and self.state["activation_method"] == "online":
                    self._renew(borrow)

    def _sync(self) -> None:
        state = self.state
        if state["activation_method"] != "online":
            return
        try:
            reported = self._ask(
                "sync", machine=state["machine"], user=state["user"], disturbed=self._disturbed()
            )
        except (VendorUnreachable, Refusal):
            return  # shown is what was known last
        with self.store.change() as draft:
            draft["licenses"], draft["borrows"] = reported["licenses"], reported["borrows"]
        self._follow(reported["migration"])

    def _follow(self, migration: dict[str, Any] | None) -> None:
        """Show how a migration stands; its end leaves the dongle service off (grade D)."""
        known = self.state["transfer"]
        if migration is None or migration["id"] == self.state["closed_transfer"]:
            return
        transfer = Transfer(
            id=migration["id"], serial=migration["serial"], target=migration["target"],
            state=migration["state"],
        )  # fmt: skip
        if transfer == known:
            return
        if transfer["state"] == "running":
            with self.store.change() as draft:
                draft["transfer"] = transfer
            return
        with self.due("transfer_end") as draft:
            draft["transfer"], draft["dongle_enabled_at"] = transfer, None
            if transfer["state"] == "done":
                draft["dead_dongles"].append(transfer["serial"])

    def _renew(self, borrow: Borrow) -> None:
        try:
            self._ask("renew", borrow=borrow["id"], until=self.now() + BORROW_SECONDS)
        except (VendorUnreachable, Refusal):
            return  # tried again at the next occasion, until it has expired
        self._sync()

    def watch(self) -> None:
        """Notice what happens at the sockets while licenses are on their way."""
        transfer = self.state["transfer"]
        if transfer is not None and transfer["state"] == "running":
            self.settle()

    def _ask(self, question: str, **values: Any) -> dict[str, Any]:
        return ask(self.cloud_address, question, **values)

    def _request_of_vendor(self, question: str, **values: Any) -> None:
        """Something for the cloud to do; Refusal also when it does not answer."""
        try:
            self._ask(question, **values)
        except VendorUnreachable as error:
            raise Refusal(503, CLOUD_SILENT) from error
        self._sync()

    def transferring(self) -> bool:
        """Whether licenses are on their way, so that none is available (grade D)."""
        transfer = self.state["transfer"]
        return transfer is not None and transfer["state"] == "running"

    def _disturbed(self) -> bool:
        """Whether anything but the one dongle is plugged while its licenses are on their way."""
        transfer = self.state["transfer"]
        if transfer is None or transfer["state"] != "running":
            return False
        return self._plugged_serials() != [transfer["serial"]]

    def plugged(self) -> list[usb_folder.Plugged]:
        """The WibuKey dongles of this machine that its driver may use."""
        return usb_folder.wibukeys(self.usb)

    def _plugged_serials(self) -> list[str]:
        return [dongle.serial or "" for dongle in self.plugged()]

    def visible(self) -> list[usb_folder.Plugged]:
        """Those that the dongle service shows, about a second after it was enabled (grade T).

        None where they are in another machine than the server.
        """
        enabled_at = self.state["dongle_enabled_at"]
        seen = enabled_at is not None and self.now() >= enabled_at + self.state["visible_seconds"]
        return self.plugged() if seen and self.state["dongle_local"] else []

    def usable_borrows(self) -> list[Borrow]:
        """What is borrowed and has not expired."""
        return [each for each in self.state["borrows"] if each["until"] > self.now()]

    def status(self) -> dict[str, Any]:
        """The documented shape, see status.py."""
        with self.passing("status"):
            return shown_status(self)

    def sessions(self) -> list[dict[str, Any]]:
        """Seats in use, as a test set them."""
        with self.passing("sessions"):
            return [shown_product(each) for each in self.state["sessions"]]

    def activate(self, user: str, password: str) -> None:
        """Enable online licensing; Refusal 409 when it is, 401 with the documented words."""
        with self.changing("activate") as draft:
            check(draft["activation_method"] is None, 409, "Already active")
            try:
                self._ask("login", user=user, password=password)
            except VendorUnreachable as error:
                raise Refusal(503, CLOUD_SILENT) from error
            draft.update(
                {"activation_method": "online", "user": user, "logged_in": True, "licenses": []}
            )
        with self.lock:
            self._sync()

    def deactivate(self) -> None:
        """Disable online licensing, however it was enabled; nothing to do is no error."""
        with self.changing("deactivate") as draft:
            check(not self.transferring(), 409, "Licenses are being transferred")
            draft.update(
                {"activation_method": None, "user": None, "logged_in": False, "licenses": []}
            )

    def request_file(self) -> bytes:
        """The request of an offline activation: the same until an answer to it was used."""
        if self.state["request_nonce"] is None:
            with self.changing("request") as draft:
                draft["request_nonce"] = draft["request_nonce"] or new_id()
        nonce = self.state["request_nonce"]
        return exchange.make_request(self.state["machine"], nonce or "")

    def upload(self, content: bytes) -> None:
        """Take an answer file; Refusal for a foreign, used or altered one, or when active."""
        with self.changing("upload") as draft:
            check(draft["activation_method"] is None, 409, "Already active")
            try:
                reported = exchange.read_answer(content)
            except ValueError as error:
                raise Refusal(400, f"The file cannot be used: {error}") from error
            ours = (
                draft["request_nonce"] is not None and reported["nonce"] == draft["request_nonce"]
            )
            check(ours, 400, "The file answers another request")
            draft.update({
                "activation_method": "offline", "user": None, "logged_in": False,
                "request_nonce": None, "licenses": reported["licenses"],
            })  # fmt: skip

    def read_config(self) -> dict[str, Any]:
        """The whole tree."""
        with self.passing("read_config"):
            return self.state["config"]

    def write_config(self, tree: dict[str, Any]) -> None:
        """Replace the whole tree: what is not sent is gone."""
        with self.changing("write_config") as draft:
            seed.check_config(tree)
            draft["config"] = tree

    def set_dongle_service(self, enabled: bool) -> None:
        """Enable or disable; doing it twice is no error."""
        with self.changing("dongle") as draft:
            check(not self.transferring(), 409, "Licenses are being transferred")
            before = draft["dongle_enabled_at"]
            if enabled != (before is not None):
                draft["dongle_enabled_at"] = self.now() if enabled else None

    def facts(self) -> rules.ServerFacts:
        """What the rules look at here."""
        state = self.state
        return rules.ServerFacts(
            version=state["version"], wibukey_version=state["wibukey_version"],
            dongles=self._plugged_serials(), dongle_local=state["dongle_local"],
            activation_method=state["activation_method"], user=state["user"],
            logged_in=state["logged_in"],
        )  # fmt: skip

    def judge(self, serial: str | None, target: str | None) -> dict[str, Any]:
        """Every rule by name for a dongle, by default the first; VendorUnreachable."""
        facts = self.facts()
        chosen = serial or next(iter(facts["dongles"]), None)
        reported = self._ask("judge", serial=chosen, user=facts["user"], target=target)
        met = rules.met_by_server(facts) | reported["rules"]
        return {"rules": met, "eligible": all(met.values()), "target": reported["target"]}

    def can_transfer(self) -> bool:
        """Whether the page shows TRANSFER; it does not say why not."""
        if (
            not self.visible()
            or self.transferring()
            or not all(rules.met_by_server(self.facts()).values())
        ):
            return False
        try:
            return bool(self.judge(None, None)["eligible"])
        except VendorUnreachable:
            return False

    def is_target(self, name: str) -> bool:
        """Whether the page ticks a user name."""
        try:
            return bool(self.judge(None, name)["target"])
        except VendorUnreachable:
            return False

    def transfer(self, target: str) -> None:
        """Begin a migration; Refusal without a reason when it is not possible."""
        with self.passing("transfer"):
            check(
                bool(self.visible()) and not self.transferring(),
                409,
                "The transfer is not possible",
            )
            self._request_of_vendor(
                "migrate", machine=self.state["machine"], facts=self.facts(), target=target
            )

    def close_transfer(self) -> None:
        """Take the confirmation off the page."""
        with self.changing("close") as draft:
            check(not self.transferring(), 409, "Licenses are being transferred")
            if draft["transfer"] is not None:
                draft["closed_transfer"], draft["transfer"] = draft["transfer"]["id"], None

    def borrow(self, counts: dict[str, int]) -> None:
        """Borrow seats of products for two weeks."""
        with self.passing("borrow"):
            self._check_online()
            self._request_of_vendor(
                "borrow", machine=self.state["machine"], user=self.state["user"], counts=counts,
                until=self.now() + BORROW_SECONDS,
            )  # fmt: skip

    def release(self, identity: str) -> None:
        """Return what was borrowed."""
        with self.passing("release"):
            self._check_online()
            self._request_of_vendor("release", borrow=identity)

    def set_auto_renew(self, identity: str, enabled: bool) -> None:
        """Borrow two weeks again near expiry, or not."""
        with self.passing("auto_renew"):
            self._check_online()
            self._request_of_vendor("auto_renew", borrow=identity, enabled=enabled)

    def _check_online(self) -> None:
        check(self.state["activation_method"] == "online", 409, "Online licensing is not active")

    def reset(self) -> None:
        """As every process, and as a machine that the cloud has not met."""
        super().reset()
        with self.lock, self.store.change() as draft:
            draft["machine"] = new_id()

    def describe(self) -> dict[str, Any]:
        """Everything; there are no passwords here."""
        return {
            **self.state,
            "plugged": [asdict(dongle) for dongle in self.plugged()],
            "visible": [dongle.path for dongle in self.visible()],
            "can_transfer": self.can_transfer(),
            "cloud": self.cloud_address,
            "usb": str(self.usb),
        }

    def set_values(self, values: dict[str, Any]) -> None:
        """What is true of this machine, each alone, also where a person could not do it."""
        known = {
            "version": text, "wibukey_version": text, "dongle_local": flag,
            "logged_in": flag, "user": text, "dongle_service": flag,
            "visible_seconds": seconds, "start_seconds": seconds,
            "activation_method": _method, "sessions": _sessions,
        }  # fmt: skip
        table(values, "the values", set(known))
        checked = {key: known[key](value, key) for key, value in values.items()}
        if "dongle_service" in checked:
            checked["dongle_enabled_at"] = 0 if checked.pop("dongle_service") else None
        with self.store.change() as draft:
            draft.update(cast("ServerState", checked))


def _method(value: object, where: str) -> str | None:
    if value is None or value in ("online", "offline"):
        return None if value is None else str(value)
    raise SeedError(f"{where} must be online, offline or null")


def _sessions(value: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise SeedError(f"{where} must be a list of products with seats")
    return [{"product": str(each["product"]), "seats": dict(each["seats"])} for each in value]
