# SPDX-License-Identifier: GPL-3.0-or-later
"""A license server's move by real agents, and what must be true whenever one of them died."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from crash.client import RefusedError
from twins.aimms.world import CODES, PROFILES, until

from operations.dongles.crash_scenarios import Scenario, Violation
from seatkeeper_agent.domain.server_move_legs import move_id
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.server_moves import records
from seatkeeper_twins.aimms import people
from seatkeeper_twins.parts import control

from .crash_world import NEW, OLD, World

NAME = "the server of 2026"
LEGS = {"backup": OLD, "prepare": NEW, "release": OLD, "install": NEW, "finish": OLD}
CLAIMS = ("observed", "attested")
TURNS_MAX = 40
LICENSES = [{"number": n, "profiles": names, "has_code": True} for n, names in PROFILES.items()]
MOVE = {
    "name": NAME,
    "vendor": "aimms",
    "source": OLD,
    "target": NEW,
    "target_host": "new-server.studio.example",
}
PATH = f"/v1/moves/{move_id(NAME)}"


class Move(Scenario):
    """Three licenses, the target without the product at first; all is seen."""

    name = "move"
    performer = "fuller"
    activated = False
    world: World

    def declare(self) -> bool:
        """The legs with the documents between them; people do what waits."""
        changed, answer = False, {"document": None, "backup": None}
        for leg, host in LEGS.items():
            body: dict[str, Any] = {"move": MOVE, "document": answer["document"]}
            if leg == "backup":
                body = {"move": MOVE, "licenses": LICENSES}
            elif leg == "prepare":
                body = {"move": MOVE, "backup": answer["backup"]}
            elif leg == "install":
                body["codes"] = [{"license": n, "code": code} for n, code in CODES.items()]
            before = answer["backup"]
            answer, has_changed = self._leg(host, leg, body)
            answer["backup"] = answer["backup"] or before
            changed = changed or has_changed
        return changed

    def inspect(self) -> None:
        """Violation unless everything holds at this moment; no process is touched."""
        holders = self.world.holders()
        for name in (OLD, NEW):
            with self.world.disk(name) as journal:
                if journal is not None:
                    self._check_disk(name, journal, holders)
        if self.world.is_whole:
            self._check_named(holders)

    def check_end(self) -> None:
        """All at the target, with their profiles; the source out of maintenance mode."""
        if set(self.world.holders().values()) != {NEW}:
            raise Violation(f"the licenses are at {self.world.holders()}")
        reported = control.describe(self.world.address(NEW))
        names = {name: number for number, names in PROFILES.items() for name in names}
        if not names.items() <= reported["profiles"].items():
            raise Violation(f"the profiles are {reported['profiles']}")
        if control.describe(self.world.address(OLD))["maintenance"]:
            raise Violation("the source is in maintenance mode still")
        view = self.world.ask_one(OLD, "GET", PATH)
        if (view["state"], view["adrift"]) != ("finished", []):
            raise Violation(f"it is told as {view['state']}, adrift {view['adrift']}")

    def _leg(self, host: str, leg: str, body: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        path, changed = f"{PATH}/legs/{leg}", False
        for _turn in range(TURNS_MAX):
            try:
                answer = self.world.ask_one(host, "POST", path, body)
            except RefusedError as error:
                if error.code == "confirmation-required":
                    plan = self.world.ask_one(host, "POST", f"{path}?dry_run=true", body)["plan"]
                    body = {**body, "plan_digest": plan["digest"]}
                elif error.code == "in-doubt":
                    self._decide(host)
                elif error.code != "runtime-refused":
                    raise
                continue
            changed = changed or bool(answer["changed"])
            if not answer["waiting"]:
                return answer, changed
            self._act(host, answer["waiting"][0])
        raise Violation(f"the leg {leg} does not end")

    def _act(self, host: str, waiting: dict[str, Any]) -> None:
        """What a person does only if it is not so already, and says where nothing shows."""
        verb, _, about = waiting["step"].partition(" ")
        # Whoever sees no answer looks again.
        with suppress(ConnectionError):
            self._do(host, verb, about)
        if waiting["attestable"]:
            self._attest(host, waiting["operation"], self._is_so(host, verb, about))

    def _do(self, host: str, verb: str, about: str) -> None:
        address = self.world.address(host)
        if verb.startswith("maintenance"):
            wanted = verb == "maintenance_on"
            if control.describe(address)["maintenance"] != wanted:
                people.maintenance(address, wanted)
                until(lambda: bool(control.describe(address)["serving"]))
        elif verb == "deactivate" and self.world.holders()[about] == host:
            people.deactivate(address, about)

    def _is_so(self, host: str, verb: str, about: str) -> bool:
        if verb.startswith("maintenance"):
            reported = control.describe(self.world.address(host))["maintenance"]
            return bool(reported) == (verb == "maintenance_on")
        if verb == "deactivate":
            return self.world.holders()[about] != host
        return verb != "verify" or self._works(host, about)

    def _decide(self, host: str) -> None:
        """A person looks into the vendor's window."""
        view = self.world.ask_one(host, "GET", PATH)
        step = next(step for step in view["steps"] if step["state"] == "intended")
        verb, _, about = step["name"].partition(" ")
        is_so = {
            "activate": lambda: self.world.holders()[about] == host,
            "add_profile": lambda: about in control.describe(self.world.address(host))["profiles"],
        }[verb]()
        self._attest(host, view["operation"]["id"], is_so)

    def _attest(self, host: str, operation: str, happened: bool) -> None:
        said = {
            "statement": "Seen in the window.",
            "outcome": "done" if happened else "not_done",
        }
        with suppress(RefusedError):
            self.world.ask_one(host, "POST", f"/v1/operations/{operation}/attest", said)

    def _works(self, host: str, number: str) -> bool:
        profiles = control.describe(self.world.address(host))["profiles"]
        linked = all(profiles.get(name) == number for name in PROFILES[number])
        return self.world.holders()[number] == host and linked

    def _check_disk(self, name: str, journal: Journal, holders: dict[str, str | None]) -> None:
        with journal.reading() as unit:
            if unit.audit.first_broken_link() is not None:
                raise Violation("the audit's chain is broken")
            record = records.find(unit, move_id(NAME))
        content = journal.path.read_bytes()
        if any(code.encode() in content for code in CODES.values()):
            raise Violation("an activation code is in the journal")
        for number in record.numbers if record else ():
            known = record.progress(number) if record else records.Progress()
            if known.activated in CLAIMS and holders[number] != name:
                raise Violation(f"{name} claims to have activated {number}")
            if known.released in CLAIMS and not known.activated and holders[number] == OLD:
                raise Violation(f"{name} claims that {number} was released")

    def _check_named(self, holders: dict[str, str | None]) -> None:
        named = set()
        for name in (OLD, NEW):
            for move in self.world.ask_one(name, "GET", "/v1/moves")["moves"]:
                named |= {entry["license"] for entry in move["adrift"]}
        silent = {number for number, holder in holders.items() if holder is None} - named
        if silent:
            raise Violation(f"{sorted(silent)} are active nowhere and nobody says so")


class MoveBare(Move):
    """Nothing is seen: people deactivate, and say what works."""

    name = "move with a bare licman"
    performer = "bare"


class MoveDisturbed(Move):
    """Answers are lost after their effect."""

    name = "move with lost answers"
    activated = True


class MoveBareDisturbed(MoveBare):
    """The same where nothing is seen."""

    name = "move with a bare licman and lost answers"
    activated = True


SCENARIOS = {kind.name: kind for kind in (Move, MoveBare, MoveDisturbed, MoveBareDisturbed)}
