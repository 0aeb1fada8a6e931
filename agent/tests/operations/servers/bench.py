# SPDX-License-Identifier: GPL-3.0-or-later
"""One host with a small license server: settings, activation, seats for offline use."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.hosts import ACTOR, CrashingJournal
from operations.products import Points, SmallPage, SmallServer
from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import OperationRecord
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.servers.activation import (
    AccountRequest,
    ActivationService,
    AnswerRequest,
)
from seatkeeper_agent.operations.servers.borrows import ServerBorrowRequest, ServerBorrowService
from seatkeeper_agent.operations.servers.settings import ServerRequest, ServerService

ACCOUNT, PASSWORD = "admin@studio.example", "a password that is kept nowhere"
NOW = 1_800_000_000
DAY = 86_400


class Reported:
    """Instructions that name what they are for."""

    def borrow(self, product: str, seats: int, auto_renew: bool) -> Instructions:
        """Take seats."""
        return Instructions((f"BORROW {seats} of {product}.",), "The status lists it.")

    def release(self, product: str) -> Instructions:
        """Give them back."""
        return Instructions((f"RELEASE {product}.",), "The status lists it no more.")

    def set_auto_renew(self, product: str, enabled: bool) -> Instructions:
        """Have them renewed, or not."""
        switched = "on" if enabled else "off"
        return Instructions((f"AUTO-RENEW {switched}.",), "A person's word.", attestable=True)


class Bench:
    """The agent's part of one host."""

    def __init__(self, folder: Path, performer: str = "person") -> None:
        self.folder = folder
        folder.mkdir()
        self.point = Points()
        self.server = SmallServer(self.point, list, activated=False)
        self.server.accounts[ACCOUNT] = PASSWORD
        self.server.tree = {"proxy": {"host": "", "port": "1"}, "local": {"vrlPort": "30305"}}
        self.page = SmallPage(self.server, self.point)
        self.performer = performer
        self.now = NOW
        self.reason: str | None = None
        self._dropped: list[CrashingJournal] = []
        self.open()

    def open(self) -> None:
        """Put the agent together, as its start does."""
        self.journal = CrashingJournal(self.folder / "journal.db", clock=lambda: self.now)
        self.journal.at_point = self.point
        engine = Engine(self.journal, 0.0, sleep=lambda _seconds: None)
        page = self.page if self.performer == "browser" else None
        self.settings = ServerService(
            self.journal, self.server, engine, self.server, lambda: self.reason
        )
        self.activation = ActivationService(self.journal, self.server, engine)
        self.borrows = ServerBorrowService(
            self.journal, engine, self.server, page, Reported(), clock=lambda: self.now
        )

    def restart(self) -> None:
        """The process has ended without closing anything; another one begins."""
        self._dropped.append(self.journal)
        self.point.revive()
        self.open()

    def close(self) -> None:
        """Let go of the files."""
        self.point.revive()
        for journal in [self.journal, *self._dropped]:
            journal.close()

    def resume(self) -> list[str]:
        """What the agent takes up at its start; what cannot go on is told by its operation."""
        resumed: list[str] = []
        for service in (self.settings, self.activation, self.borrows):
            try:
                resumed += service.resume("agent")
            except Problem:
                continue
        return resumed

    def declare(self, dry_run: bool = False, **values: Any) -> dict[str, Any]:
        """Settings, dongle service, version."""
        wanted = ServerRequest(values.pop("settings", {}), **values)
        return self.settings.put(wanted, ACTOR, dry_run)

    def log_in(
        self,
        account: str = ACCOUNT,
        password: str = PASSWORD,
        dry_run: bool = False,
        is_active: bool = False,
    ) -> dict[str, Any]:
        """Activate online."""
        wanted = AccountRequest(account, Secret(password), is_active)
        return self.activation.activate(wanted, ACTOR, dry_run)

    def request(self, dry_run: bool = False) -> dict[str, Any]:
        """The request file."""
        return self.activation.request(ACTOR, dry_run)

    def answer(self) -> bytes:
        """What the vendor's page gives for the request that is open."""
        return self.server.answer_to(base64.b64decode(self.request()["request"]))

    def respond(
        self, answer: bytes, digest: str | None = None, dry_run: bool = False
    ) -> dict[str, Any]:
        """Hand an answer file over."""
        return self.activation.respond(AnswerRequest(answer, digest), ACTOR, dry_run)

    def borrow(self, seats: int, dry_run: bool = False, **values: Any) -> dict[str, Any]:
        """Declare seats for offline use."""
        usual: dict[str, Any] = {"id": "desk", "name": "desk", "product": "V-Ray"}
        until = values.pop("until", NOW + 7 * DAY)
        wanted = ServerBorrowRequest(**usual | values, seats=seats, until=until)
        return self.borrows.put(wanted, ACTOR, dry_run)

    def operations(self) -> list[OperationRecord]:
        """All of them."""
        with self.journal.reading() as unit:
            return unit.operations.page(False, "", 1_000)

    def opened(self) -> list[OperationRecord]:
        """What holds something."""
        with self.journal.reading() as unit:
            return unit.operations.page(True, "", 1_000)

    def actions(self) -> list[str]:
        """What the audit says."""
        with self.journal.reading() as unit:
            return [entry.action for entry in unit.audit.page(0, 1_000)]

    def head(self) -> tuple[int, str]:
        """The newest entry of the audit."""
        with self.journal.reading() as unit:
            return unit.audit.head()

    def content(self) -> bytes:
        """All that the journal's files hold."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob("journal.db*")))


def refused(call: Callable[..., Any], *arguments: Any, **values: Any) -> Problem:
    """The problem of a call."""
    with pytest.raises(Problem) as caught:
        call(*arguments, **values)
    return caught.value
