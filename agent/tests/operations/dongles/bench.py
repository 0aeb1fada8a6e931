# SPDX-License-Identifier: GPL-3.0-or-later
"""One host with dongles on a recorded bus, a small license server and a real journal."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from usb_dongles.recorded_bus import RecordedBus

from operations.hosts import ACTOR, CrashingJournal
from operations.products import PassedIsolation, Points, SmallPage, SmallServer
from seatkeeper_agent.domain.eligibility import HeldLicense
from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import OperationRecord
from seatkeeper_agent.domain.servers import UsbUnavailable
from seatkeeper_agent.operations.dongles.context import MigrationContext
from seatkeeper_agent.operations.dongles.migration import MigrationService
from seatkeeper_agent.operations.dongles.report import DongleReports
from seatkeeper_agent.operations.dongles.requests import MigrationRequest, migration_id
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.servers.settings import ServerRequest, ServerService
from seatkeeper_agent.usb.watch import Watch

TARGET = "artist@studio.example"
CHOSEN, PATH = "90000001", "1-1.1"
HELD = {"V-Ray": {"render": 5}}
REPORTED = Instructions(("Open the page.", "Click TRANSFER >>."), "The status shows it.")
LOOK_SECONDS = 0.05


class Bench:
    """The agent's part of one host; ``restart`` drops it as a kill does."""

    def __init__(self, folder: Path, performer: str = "browser") -> None:
        self.folder = folder
        self.point = Points()
        (folder / "usb").mkdir(parents=True)
        self.bus = RecordedBus(folder / "usb")
        self.usb = self.bus.inventory()
        self.server = SmallServer(self.point, self.visible_serials)
        self.page = SmallPage(self.server, self.point)
        self.performer = performer
        self.seconds_max = 0.6
        self._dropped: list[Any] = []
        self.open()

    def open(self) -> None:
        """Put the agent together, as its start does."""
        self.journal = CrashingJournal(self.folder / "journal.db")
        self.journal.at_point = self.point
        isolation = PassedIsolation(self.bus.folder)
        isolation.point = self.point
        means = MigrationContext(
            driver=self.server,
            page=self.page if self.performer == "browser" else None,
            isolation=isolation,
            instructions=lambda _target: REPORTED,
            stop=lambda what, _dongle, _operation: Instructions(
                (f"Stop: {what}.",), "A word.", True
            ),
            watch=partial(Watch, self.usb, look_seconds=LOOK_SECONDS),
            screenshot_folder=self.folder / "screenshots",
            seconds_max=self.seconds_max,
        )
        self.engine = Engine(self.journal, 0.0)
        self.reports = DongleReports(self.journal, self.usb, self.server)
        self.migrations = MigrationService(self.journal, self.engine, self.reports, means)
        self.settings = ServerService(
            self.journal, self.server, self.engine, self.server, self.migrations.reason_to_stay_off
        )

    def restart(self, performer: str | None = None) -> None:
        """The process has ended without closing anything; another one begins."""
        self._dropped.append(self.journal)
        self.migrations.close()
        self.point.revive()
        self.performer = performer or self.performer
        self.open()

    def close(self) -> None:
        """Let go of threads and files."""
        self.point.revive()
        self.migrations.close()
        for journal in [self.journal, *self._dropped]:
            journal.close()

    def visible_serials(self) -> list[str]:
        """The WibuKeys that a driver can have."""
        try:
            seen = [entry for entry in self.usb.dongles() if entry.family == "wibukey"]
        except UsbUnavailable:
            return []
        return [entry.id for entry in seen if entry.authorized is not False]

    def plug(self, serial: str | None = CHOSEN, path: str = PATH, **values: Any) -> None:
        """Plug a WibuKey that holds the usual licenses."""
        self.bus.plug(path, serial=serial, **values)
        self.server.holds[serial or path] = {name: dict(kinds) for name, kinds in HELD.items()}

    def request(self, dongle: str = CHOSEN, **values: Any) -> MigrationRequest:
        """What is declared."""
        return MigrationRequest(dongle, values.pop("target_user", TARGET), **values)

    def plan(self, dongle: str = CHOSEN, **values: Any) -> dict[str, Any]:
        """A dry run."""
        return self.migrations.put(self.request(dongle, **values), ACTOR, dry_run=True)

    def put(self, dongle: str = CHOSEN, **values: Any) -> dict[str, Any]:
        """Declare it as it is."""
        return self.migrations.put(self.request(dongle, **values), ACTOR, dry_run=False)

    def confirmed(self, dongle: str = CHOSEN, **values: Any) -> dict[str, Any]:
        """What has to be said to have the present plan run."""
        plan = self.plan(dongle, **values)["plan"]
        said = {"confirmation": plan["digest"], "acknowledgement": plan["acknowledgement"]}
        return values | said

    def go(self, dongle: str = CHOSEN, **values: Any) -> dict[str, Any]:
        """Look at the plan, confirm it, run it."""
        return self.put(dongle, **self.confirmed(dongle, **values))

    def refused(self, dongle: str = CHOSEN, **values: Any) -> Problem:
        """The problem of a declaration."""
        with pytest.raises(Problem) as caught:
            self.put(dongle, **values)
        return caught.value

    def refused_alike(self, dongle: str = CHOSEN, **values: Any) -> Problem:
        """The problem of a declaration, of which its dry run has the same words."""
        problem = self.refused(dongle, **values)
        with pytest.raises(Problem) as planned:
            self.plan(dongle, **values)
        assert planned.value.as_document() == problem.as_document()
        return problem

    def refused_run(self, dongle: str = CHOSEN, **values: Any) -> Problem:
        """The problem of a confirmed run."""
        with pytest.raises(Problem) as caught:
            self.go(dongle, **values)
        return caught.value

    def view(self, dongle: str = CHOSEN) -> dict[str, Any]:
        """The migration as the API shows it."""
        found = self.migrations.view(migration_id("chaos", dongle))
        assert found is not None
        return found

    def operation(self, dongle: str = CHOSEN) -> OperationRecord:
        """Its operation."""
        with self.journal.reading() as unit:
            found = unit.operations.get(self.view(dongle)["operation"]["id"])
        assert found is not None
        return found

    def switch(self, enabled: bool) -> dict[str, Any]:
        """Declare the dongle service."""
        return self.settings.put(ServerRequest({}, dongle_service=enabled), ACTOR, dry_run=False)

    def authorized(self) -> dict[str, bool | None]:
        """Who may be had by drivers, by path."""
        return {entry.path: entry.authorized for entry in self.usb.dongles()}

    def actions(self) -> list[str]:
        """What the audit says."""
        with self.journal.reading() as unit:
            return [entry.action for entry in unit.audit.page(0, 1_000)]

    def head(self) -> tuple[int, str]:
        """The newest entry of the audit."""
        with self.journal.reading() as unit:
            return unit.audit.head()


def perpetual(product: str = "V-Ray", version: str = "3.6") -> tuple[HeldLicense, ...]:
    """What the operator declares that the dongle holds."""
    return (HeldLicense(product, version, True, HELD.get(product, {"network": 2})),)
