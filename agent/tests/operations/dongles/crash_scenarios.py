# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook and its people do at one host, and what must be true whenever somebody died."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from crash.client import RefusedError
from vendors.chaos.twins import ADMIN, ARTIST, PASSWORDS

from seatkeeper_agent.domain.transfers import NAMESPACE
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.journal.declarations import ISOLATION
from seatkeeper_twins.chaos import people
from seatkeeper_twins.parts import control

from .crash_world import DONGLE, OTHER_PORT, World

MIGRATION = f"/v1/migrations/{uuid.uuid5(NAMESPACE, f'migration/chaos/{DONGLE}')}"
BORROW = f"/v1/servers/chaos/borrows/{uuid.uuid5(NAMESPACE, 'borrow/desk')}"
ACTIVATION = "/v1/servers/chaos/activation"
WAIT_SECONDS_MAX = 300.0
ASK_AGAIN_SECONDS = 0.05
HELD = {"interface": 1, "render": 5}
"""What the twin's cloud knows on the dongle."""


class Violation(Exception):
    """A promise that was broken."""


class Scenario:
    """A thing that is declared; a run makes it so or stops at what is in the way."""

    name: str
    performer = "person"
    activated = True

    def __init__(self, world: World) -> None:
        self.world = world

    def run(self) -> bool:
        """A playbook's run; whether it changed anything. NoAnswerError or RefusedError."""
        self.world.ask("POST", "/v1/resume", {})
        return self.declare()

    def declare(self) -> bool:
        """Until it is so; whether that changed anything."""
        raise NotImplementedError

    def inspect(self) -> None:
        """Violation unless everything holds at this moment; no process is touched."""
        journal = self.world.disk()
        if journal is None:
            return
        try:
            with journal.reading() as unit:
                if unit.audit.first_broken_link() is not None:
                    raise Violation("the audit's chain is broken")
            self.check(journal)
        finally:
            journal.close()

    def check(self, journal: Journal) -> None:
        """What this scenario promises besides."""

    def check_end(self) -> None:
        """What is so when it got through."""
        raise NotImplementedError

    def until(self, is_true: Callable[[], bool], what: str) -> None:
        """Wait, bounded."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not is_true():
            if time.monotonic() > deadline:
                raise Violation(f"{what}, waited for {WAIT_SECONDS_MAX:g} seconds")
            time.sleep(ASK_AGAIN_SECONDS)


class Migrate(Scenario):
    """One of two dongles, the other one hidden, its licenses waited for."""

    name = "migrate by a browser"
    performer = "browser"
    request = {  # noqa: RUF012 - only read
        "dongle": DONGLE,
        "target_user": ARTIST,
        "isolate": True,
        "licenses": [
            {"product": "V-Ray", "version": "3.6", "perpetual": True, "seats": HELD},
        ],
    }

    def declare(self) -> bool:
        """Confirmed when asked for it; a doubt is decided by what the vendor's page shows."""
        try:
            answer = self.world.ask("PUT", MIGRATION, self.request)
        except RefusedError as error:
            if error.code == "in-doubt":
                return self._decide()
            if error.code != "confirmation-required":
                raise
            plan = self.world.ask("PUT", f"{MIGRATION}?dry_run=true", self.request)["plan"]
            said = {"plan_digest": plan["digest"], "acknowledgement": plan["acknowledgement"]}
            answer = self.world.ask("PUT", MIGRATION, self.request | said)
        changed = bool(answer["changed"])
        if answer["waiting"] and answer["waiting"][0]["who"] == "person":
            self._act()
        self.until(self._is_done, "the migration is not done")
        return changed

    def check(self, journal: Journal) -> None:
        """At most one, nothing claimed, nothing hidden that nobody owes."""
        begun = self._begun()
        if len(begun) > 1 or self.world.clicks > 1:
            raise Violation(f"{len(begun)} migrations of one dongle, {self.world.clicks} clicks")
        with journal.reading() as unit:
            owed = unit.declarations.page(ISOLATION, "", 10)
            (declared,) = unit.declarations.page("migration", "", 10) or (None,)
        paths = {path for record in owed for path in record.document["paths"]}
        if not self.world.hidden() <= paths:
            raise Violation(f"{self.world.hidden()} are hidden and {paths} are owed")
        claimed = declared is not None and declared.document["outcome"] is not None
        if claimed and (not begun or begun[0]["state"] != "done"):
            raise Violation("a migration is claimed that the vendor has not done")

    def check_end(self) -> None:
        """The vendor has done it once, the licenses are there, the other dongle is back."""
        self.check_sums()
        if self.world.hidden():
            raise Violation(f"{OTHER_PORT} is hidden still")
        if self.world.clicks != (self.performer == "browser"):
            raise Violation(f"it was clicked {self.world.clicks} times")
        view = self.world.ask("GET", MIGRATION)
        if (view["state"], view["comparison"]) != ("done", "matches"):
            raise Violation(f"it is told as {view['state']}, {view['comparison']}")

    def check_sums(self) -> None:
        """What the account had and what the dongle held."""
        reported = control.describe(self.world.twins.cloud)
        seats = {entry["product"]: entry["seats"] for entry in reported["free"]["Studio A"]}
        if seats["V-Ray"] != {"1": 5, "2": 15} or len(self._begun()) != 1:
            raise Violation(f"the account has {seats}")

    def _begun(self) -> list[dict[str, Any]]:
        reported = control.describe(self.world.twins.cloud)
        return [entry for entry in reported["migrations"] if entry["serial"] == DONGLE]

    def _is_done(self) -> bool:
        return bool(self.world.ask("GET", MIGRATION)["state"] == "done")

    def _decide(self) -> bool:
        """A person looks at the vendor's page; what was not begun there is said so."""
        if self._begun():
            self.world.let_vendor_end()
            self.until(lambda: self._begun()[0]["arrived"], "the vendor does not end")
            return bool(self.world.ask("PUT", MIGRATION, self.request)["changed"])
        operation = self.world.ask("GET", MIGRATION)["operation"]["id"]
        word = {"statement": "The page shows nothing of it.", "outcome": "not_done"}
        self.world.ask("POST", f"/v1/operations/{operation}/attest", word)
        return self.declare()

    def _act(self) -> None:
        if not self._begun():
            people.transfer(self.world.twins.server, ARTIST)


class MigrateByHand(Migrate):
    """The same with a person at the page."""

    name = "migrate by a person"
    performer = "person"


class LogIn(Scenario):
    """Online licensing by a password."""

    name = "log in"
    activated = False

    def declare(self) -> bool:
        """One request."""
        body = {"account": ADMIN, "password": PASSWORDS[ADMIN]}
        return bool(self.world.ask("PUT", ACTIVATION, body)["changed"])

    def check(self, journal: Journal) -> None:
        """The password is not in the file."""
        if PASSWORDS[ADMIN].encode() in journal.path.read_bytes():
            raise Violation("the password is in the journal")

    def check_end(self) -> None:
        """As declared."""
        shown = self.world.ask("GET", ACTIVATION)
        if (shown["activated"], shown["method"], shown["account"]) != (True, "online", ADMIN):
            raise Violation(f"the activation is {shown}")


class ByFiles(Scenario):
    """Online licensing by two files, carried by hand."""

    name = "activate by files"
    activated = False

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._answers: dict[str, str] = {}

    def declare(self) -> bool:
        """The request, its answer, and the answer again for as long as it is not taken."""
        changed = False
        requested = self.world.ask("POST", f"{ACTIVATION}/request", {})
        if requested["request"] is not None:
            changed = bool(requested["changed"])
            self._answers.setdefault(requested["digest"], self._answered(requested))
        ((digest, answer),) = self._answers.items()
        body = {"answer": answer, "request_digest": digest}
        return bool(self.world.ask("POST", f"{ACTIVATION}/response", body)["changed"]) or changed

    def check_end(self) -> None:
        """As declared."""
        shown = self.world.ask("GET", ACTIVATION)
        if (shown["activated"], shown["method"]) != (True, "offline"):
            raise Violation(f"the activation is {shown}")

    def _answered(self, requested: dict[str, Any]) -> str:
        if requested["digest"] in self._answers:
            return self._answers[requested["digest"]]
        if self._answers:
            raise Violation("the request is another one, although nothing was used")
        content = base64.b64decode(requested["request"])
        answer = people.answer_request(
            self.world.twins.cloud, ADMIN, PASSWORDS[ADMIN], content, "station"
        )
        return base64.b64encode(answer).decode()


class BorrowSeats(Scenario):
    """Two seats for offline use, by a person."""

    name = "borrow"

    def declare(self) -> bool:
        """The person borrows when asked."""
        until = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"name": "desk", "product": "V-Ray", "seats": 2, "until": until}
        answer = self.world.ask("PUT", BORROW, body)
        if answer["waiting"] and not self._seats():
            people.borrow(self.world.twins.server, **{"V-Ray": 2})
        self.until(lambda: self.world.ask("GET", BORROW)["borrowed"] is not None, "not borrowed")
        return bool(answer["changed"])

    def check(self, journal: Journal) -> None:
        """Nothing claimed."""
        with journal.reading() as unit:
            (declared,) = unit.declarations.page("server_borrow", "", 10) or (None,)
        claimed = declared is not None and declared.document["borrowed"] is not None
        if claimed and self._seats() != 2:
            raise Violation(f"a borrow is claimed, and {self._seats()} seats are borrowed")

    def check_end(self) -> None:
        """Two, and no more."""
        if self._seats() != 2:
            raise Violation(f"{self._seats()} seats are borrowed")

    def _seats(self) -> int:
        reported = control.describe(self.world.twins.cloud)
        return sum(entry["seats"] for entry in reported["borrows"])


SCENARIOS = {kind.name: kind for kind in (Migrate, MigrateByHand, LogIn, ByFiles, BorrowSeats)}
