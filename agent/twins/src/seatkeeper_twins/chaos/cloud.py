# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's cloud: companies, users, accounts, workstations, dongles, migrations, borrows.

What a license server asks is one durable change here, so an effect is there whole or not at all,
whatever dies meanwhile; the server reads the outcome back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from seatkeeper_twins.chaos import exchange, rules, seed
from seatkeeper_twins.chaos.models import (
    BORROW_SECONDS,
    Borrow,
    CloudState,
    Migration,
    Product,
    Seats,
    Workstation,
)
from seatkeeper_twins.parts.process import Process, check, new_id
from seatkeeper_twins.parts.seed import SeedError, flag, seconds, table

BAD_CREDENTIALS = "Invalid username or password"
"""The body by which bad credentials are known (grade T)."""

_DONGLE_VALUES = {"company", "licenses", "vendor_refuses"}


class Cloud(Process[CloudState]):
    """Answers the servers and the account page."""

    changes = (
        "workstation", "migrate", "interrupt", "migrate_end", "arrive", "borrow", "renew",
        "auto_renew", "release",
    )  # fmt: skip
    readings = ("login", "sync", "judge", "answer", "page")

    def settle(self) -> None:
        """Migrations end and their licenses arrive."""
        with self.lock:
            for number, migration in enumerate(self.state["migrations"]):
                self._settle_migration(number, migration)

    def _settle_migration(self, number: int, migration: Migration) -> None:
        ends_at = migration["began_at"] + self.state["migration_seconds"]
        if migration["state"] == "running" and self.now() >= ends_at:
            with self.due("migrate_end") as draft:
                moved = draft["migrations"][number]
                dongle = draft["dongles"][moved["serial"]]
                moved.update({"state": "done", "ended_at": ends_at, "licenses": dongle["licenses"]})
                dongle.update({"licenses": [], "dead": True})
        migration = self.state["migrations"][number]
        if migration["state"] != "done" or migration["arrived"]:
            return
        if self.now() >= (migration["ended_at"] or 0) + self.state["arrival_seconds"]:
            with self.due("arrive") as draft:
                draft["migrations"][number]["arrived"] = True
                draft["licenses"][migration["company"]] += migration["licenses"]

    def describe(self) -> dict[str, Any]:
        """Everything but passwords and answers; seats that left a dongle are in_transit."""
        state = self.state
        return {
            **{key: value for key, value in state.items() if key not in ("users", "workstations")},
            "users": {name: user["company"] for name, user in state["users"].items()},
            "workstations": [
                {key: station[key] for key in ("id", "name", "company")}
                for station in state["workstations"]
            ],
            "free": {company: self.free(company) for company in state["licenses"]},
            "in_transit": [
                migration["serial"]
                for migration in state["migrations"]
                if migration["state"] == "done" and not migration["arrived"]
            ],
        }

    def set_values(self, values: dict[str, Any]) -> None:
        """Times, interrupt_on_unplug, and by serial what the vendor knows of dongles."""
        known: dict[str, Callable[[object, str], object]] = {
            "migration_seconds": seconds, "arrival_seconds": seconds,
            "workstation_seconds": seconds, "interrupt_on_unplug": flag,
        }  # fmt: skip
        table(values, "the values", {*known, "dongles"})
        plain = {key: known[key](values[key], key) for key in known if key in values}
        with self.store.change() as draft:
            draft.update(cast("CloudState", plain))
            for serial, entry in table(values.get("dongles", {}), "dongles", None).items():
                _set_dongle(draft, serial, entry)

    def login(self, user: str, password: str) -> None:
        """Refusal with the documented words when user or password is wrong."""
        with self.passing("login"):
            found = self.state["users"].get(user)
            check(found is not None and seed.is_password(found, password), 401, BAD_CREDENTIALS)

    def company_of(self, user: str) -> str:
        """The company of a user; Refusal when there is no such user."""
        found = self.state["users"].get(user)
        check(found is not None, 403, "There is no such user")
        return self.state["users"][user]["company"]

    def free(self, company: str) -> list[Product]:
        """What a company's account has, less what is borrowed; a kind without seats is left out."""
        totals: dict[str, Seats] = {}
        for held in self.state["licenses"][company]:
            seats = totals.setdefault(held["product"], {})
            for key, count in held["seats"].items():
                seats[key] = seats.get(key, 0) + count
        for borrow in self.state["borrows"]:
            if borrow["company"] == company:
                totals[borrow["product"]][borrow["key"]] -= borrow["seats"]
        return [
            Product(product=product, seats={key: seats[key] for key in sorted(seats) if seats[key]})
            for product, seats in sorted(totals.items())
        ]

    def add_workstation(self, user: str, request: bytes, name: str) -> Workstation:
        """Activate a workstation by its request file; each request can be used once."""
        try:
            nonce = exchange.read_request(request)["nonce"]
        except ValueError as error:
            check(False, 400, f"The request cannot be used: {error}")
        with self.changing("workstation") as draft:
            company = self.company_of(user)
            used = [station["nonce"] for station in draft["workstations"]]
            check(nonce not in used, 409, "This request was used already")
            check(bool(name.strip()), 400, "A workstation needs a name")
            answer = exchange.make_answer(nonce, self.free(company)).decode()
            station = Workstation(
                id=new_id(), name=name.strip()[:100], company=company, nonce=nonce,
                visible_at=self.now() + draft["workstation_seconds"], answer=answer,
            )  # fmt: skip
            draft["workstations"].append(station)
        return station

    def workstations(self, user: str) -> tuple[list[Workstation], bool]:
        """Those of the user's company that have appeared, and whether more are to come."""
        company = self.company_of(user)
        all_of_them = [each for each in self.state["workstations"] if each["company"] == company]
        visible = [each for each in all_of_them if each["visible_at"] <= self.now()]
        return visible, len(visible) < len(all_of_them)

    def answer_of(self, user: str, identity: str) -> bytes:
        """The answer file of a workstation; Refusal while it has not appeared."""
        with self.passing("answer"):
            visible, _ = self.workstations(user)
            answers = [each["answer"] for each in visible if each["id"] == identity]
            check(bool(answers), 404, "There is no such workstation")
        return answers[0].encode()

    def sync(self, machine: str, user: str, disturbed: bool) -> dict[str, Any]:
        """What a server shows: free seats, its borrows and its last migration."""
        if disturbed and self.state["interrupt_on_unplug"]:
            self._interrupt(machine)
        with self.passing("sync"):
            ours = [each for each in self.state["migrations"] if each["machine"] == machine]
            return {
                "licenses": self.free(self.company_of(user)),
                "borrows": [each for each in self.state["borrows"] if each["machine"] == machine],
                "migration": ours[-1] if ours else None,
            }

    def _interrupt(self, machine: str) -> None:
        """A dongle was removed or added while one migrates: its licenses stay where they are."""
        with self.changing("interrupt") as draft:
            for migration in draft["migrations"]:
                if migration["machine"] == machine and migration["state"] == "running":
                    migration.update({"state": "interrupted", "ended_at": self.now()})

    def judge(self, serial: str | None, user: str | None, target: str | None) -> dict[str, Any]:
        """The cloud's rules by name, and whether a target user would be taken."""
        with self.passing("judge"):
            return {
                "rules": rules.met_by_cloud(self.state, serial, user),
                "target": target is not None and rules.is_target(self.state, serial, target),
            }

    def migrate(self, machine: str, facts: rules.ServerFacts, target: str) -> None:
        """Begin a migration; Refusal without a reason unless every rule is met."""
        with self.changing("migrate") as draft:
            serial = facts["dongles"][0] if facts["dongles"] else ""
            met = rules.met_by_server(facts) | rules.met_by_cloud(draft, serial, facts["user"])
            busy = any(
                each["serial"] == serial and each["state"] == "running"
                for each in draft["migrations"]
            )
            allowed = all(met.values()) and rules.is_target(draft, serial, target) and not busy
            check(allowed, 409, "The transfer is not possible")
            begun = Migration(
                id=new_id(), machine=machine, serial=serial, target=target,
                company=draft["dongles"][serial]["company"], began_at=self.now(), ended_at=None,
                state="running", arrived=False, licenses=[],
            )  # fmt: skip
            draft["migrations"].append(begun)

    def borrow(self, machine: str, user: str, counts: dict[str, int], until: float) -> None:
        """Take seats out of the account, all or none; more of a product join what is borrowed."""
        with self.changing("borrow") as draft:
            company = self.company_of(user)
            check(until <= self.now() + BORROW_SECONDS + 60, 409, "At most two weeks")
            free = {each["product"]: each["seats"] for each in self.free(company)}
            for product, count in counts.items():
                key, there = next(iter(free.get(product, {}).items()), ("", 0))
                check(0 < count <= there, 409, f"There are not so many seats of {product}")
                new = Borrow(
                    id=new_id(), machine=machine, company=company, product=product, key=key,
                    seats=count, until=until, auto_renew=False,
                )  # fmt: skip
                _add_borrow(draft["borrows"], new)

    def renew(self, borrow: str, until: float) -> None:
        """Borrow again until a later time."""
        with self.changing("renew") as draft:
            _borrow_in(draft, borrow)["until"] = until

    def set_auto_renew(self, borrow: str, enabled: bool) -> None:
        """Whether the server is to renew by itself."""
        with self.changing("auto_renew") as draft:
            _borrow_in(draft, borrow)["auto_renew"] = enabled

    def release(self, borrow: str) -> None:
        """Give the seats back to the account."""
        with self.changing("release") as draft:
            draft["borrows"].remove(_borrow_in(draft, borrow))


def _borrow_in(state: CloudState, identity: str) -> Borrow:
    found = [each for each in state["borrows"] if each["id"] == identity]
    check(bool(found), 404, "Nothing of this kind is borrowed")
    return found[0]


def _add_borrow(borrows: list[Borrow], new: Borrow) -> None:
    for borrow in borrows:
        if all(borrow[key] == new[key] for key in ("machine", "company", "product", "key")):
            borrow["seats"] += new["seats"]
            borrow["until"] = new["until"]
            return
    borrows.append(new)


def _set_dongle(state: CloudState, serial: str, entry: object) -> None:
    where = f"dongles[{serial!r}]"
    values = table(entry, where, _DONGLE_VALUES)
    dongle = state["dongles"].get(serial)
    if dongle is None:
        raise SeedError(f"{where}: the cloud knows no such dongle")
    if "company" in values:
        if values["company"] not in state["licenses"]:
            raise SeedError(f"{where}.company is no company of the cloud")
        dongle["company"] = values["company"]
    if "licenses" in values:
        dongle["licenses"] = seed.licenses(values["licenses"], f"{where}.licenses")
        dongle["dead"] = False
    if "vendor_refuses" in values:
        dongle["vendor_refuses"] = flag(values["vendor_refuses"], f"{where}.vendor_refuses")
