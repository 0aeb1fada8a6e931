# SPDX-License-Identifier: GPL-3.0-or-later
"""One agent that places orders: the real journal, engine, papers and mail, and a person."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from operations.hosts import ACTOR, Clock, CrashingJournal
from operations.products import Points
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import DeclarationRecord, OperationRecord
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.orders.requests import OrderRequest, order_id
from seatkeeper_agent.operations.orders.service import OrderService
from seatkeeper_agent.operations.people import awaited_view
from seatkeeper_agent.vendors.altigen.desk import AltiGenDesk
from seatkeeper_agent.vendors.altigen.settings import AltiGenSettings

from .support import KEYS, NEW, OLD, Support

NAME = "front-desk"
SENDER, VENDOR = "licenses@studio-a.example", "support@vendor.example"
BY_PERSON = ["papers", "case", "papers_with_case", "send", "move", "register_old", "register_new"]
BY_MAIL = [*BY_PERSON[:4], "authorize", *BY_PERSON[4:]]


class NamedPoints(Points):
    """The agent may also end at a point by its name."""

    end_at_name: str | None = None

    def __call__(self, name: str) -> None:
        """Pass a point."""
        if name == self.end_at_name:
            self.end_at = 0
        super().__call__(name)

    def revive(self) -> None:
        """A new process."""
        super().revive()
        self.end_at_name = None


class PassedDesk(AltiGenDesk):
    """The real one, in whose sending the agent may end."""

    point: Points

    def send(self, content: bytes) -> None:
        """By the twin's mailbox."""
        self.point("mail.before")
        super().send(content)
        self.point("mail.after")


class Bench:
    """The agent's part of one host; ``restart`` drops it as a kill does."""

    def __init__(self, folder: Path, support: Support | None = None, **settings: Any) -> None:
        self.folder = folder
        self.point = NamedPoints()
        self.clock = Clock()
        self.support = support
        self.settings = settings
        self._dropped: list[CrashingJournal] = []
        folder.mkdir(parents=True)
        self.open()

    def open(self) -> None:
        """Put the agent together, as its start does."""
        mail: dict[str, Any] = {}
        if self.support is not None:
            mail = {
                "smtp_host": "127.0.0.1",
                "smtp_port": self.support.port,
                "smtp_starttls": False,
                "mail_seconds_max": 5.0,
            }
        usual = {"sender": SENDER, "recipient": VENDOR}
        desk = PassedDesk(AltiGenSettings(**{**usual, **mail, **self.settings}))
        desk.point = self.point
        self.journal = CrashingJournal(self.folder / "journal.db", clock=self.clock)
        self.journal.at_point = self.point
        engine = Engine(self.journal, 0.0, self.clock)
        folder = self.folder / "orders"
        self.orders = OrderService(self.journal, engine, desk, folder, self.clock)

    def restart(self, support: Support | None = None) -> None:
        """The process has ended without closing anything; another one begins."""
        self._dropped.append(self.journal)
        self.point.revive()
        self.support = support or self.support
        self.open()

    def without_mail(self) -> None:
        """The settings of the mail server are taken away, and the agent starts again."""
        self.support = None
        self.restart()

    def close(self) -> None:
        """Let go of the files."""
        self.point.revive()
        for journal in [self.journal, *self._dropped]:
            journal.close()

    def put(self, dry_run: bool = False, **values: Any) -> dict[str, Any]:
        """Declare it; ``case_number`` and ``confirmation`` beside what is declared."""
        said = {name: values.pop(name, None) for name in ("case_number", "confirmation")}
        said |= {name: tuple(values.pop(name, ())) for name in ("others", "new_keys")}
        return self.orders.put(OrderRequest(declared(**values), **said), ACTOR, dry_run)

    def confirmed(self, **values: Any) -> dict[str, Any]:
        """The values with what confirms the present plan."""
        return {**values, "confirmation": self.put(dry_run=True, **values)["plan"]["digest"]}

    def go(self, **values: Any) -> dict[str, Any]:
        """Look at the plan, confirm it, run it."""
        return self.put(**self.confirmed(**values))

    def refused_alike(self, **values: Any) -> Problem:
        """The problem of a declaration, of which its dry run has the same words."""
        problem = self.refused(**values)
        with pytest.raises(Problem) as planned:
            self.put(dry_run=True, **values)
        assert planned.value.as_document() == problem.as_document()
        return problem

    def refused(self, **values: Any) -> Problem:
        """The problem of a declaration."""
        with pytest.raises(Problem) as caught:
            self.put(**values)
        return caught.value

    def view(self, name: str = NAME) -> dict[str, Any]:
        """The order as the API shows it."""
        found = self.orders.view(order_id(name))
        assert found is not None
        return found

    def steps(self, name: str = NAME) -> dict[str, str]:
        """How far each step is."""
        return {step["name"]: step["state"] for step in self.view(name)["steps"]}

    def operation(self, name: str = NAME) -> OperationRecord:
        """Its operation."""
        with self.journal.reading() as unit:
            found = unit.operations.get(self.view(name)["operation"]["id"])
        assert found is not None
        return found

    def attest(self, happened: bool = True, name: str = NAME, statement: str = "Seen.") -> None:
        """A person's word."""
        self.orders.attest(self.operation(name), happened, statement, "migrator")

    def awaited(self) -> list[dict[str, Any]]:
        """What is shown of all that waits."""
        with self.journal.reading() as unit:
            return [awaited_view(entry) for entry in unit.operations.waiting()]

    def awaits(self) -> list[tuple[str, str]]:
        """Who is waited for, and for which step."""
        return [(entry["who"], entry["step"]) for entry in self.awaited()]

    def head(self) -> tuple[int, str]:
        """The newest entry of the audit."""
        with self.journal.reading() as unit:
            return unit.audit.head()

    def content(self) -> bytes:
        """What the journal's files hold, byte for byte."""
        paths = sorted(self.folder.glob("journal.db*"))
        return b"".join(path.read_bytes() for path in paths if not path.name.endswith("-shm"))

    def actions(self) -> list[str]:
        """What the audit says."""
        with self.journal.reading() as unit:
            return [entry.action for entry in unit.audit.page(0, 1_000)]


def declared(name: str = NAME, **values: Any) -> dict[str, Any]:
    """Two keys of the front desk's old system go to its new one."""
    return {
        "name": name,
        "source": {
            "name": "Front desk old",
            "system_key": OLD,
            "owner": "Studio A",
            "chassis": "Max1000",
            "assurance_until": "2026-06-30",
        },
        "target": {
            "name": "Front desk new",
            "system_key": NEW,
            "owner": "Studio A",
            "chassis": "Max2000",
            "registered": True,
            "assurance_until": "2030-06-30",
            "stations": 25,
        },
        "keys": keys_of(name),
        "on": None,
        "fields": {},
        "prices": {},
        "rules": [],
        **values,
    }


def keys_of(name: str) -> list[dict[str, Any]]:
    """Those of the twin's seed, or others for another order."""
    if name == NAME:
        return [{"key": key, "product": "ALTI-STATION-10"} for key in KEYS]
    return [{"key": f"LK-{name}", "product": "ALTI-STATION-10"}]


def known_of(bench: Bench, name: str = NAME) -> DeclarationRecord:
    """The order as the journal has it."""
    with bench.journal.reading() as unit:
        found = unit.declarations.get("order", order_id(name))
    assert found is not None
    return found


def wait_for(is_true: Any, seconds_max: float = 120.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds_max
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)
