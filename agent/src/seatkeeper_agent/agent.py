# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: one agent made of its journal and of the products of this host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, OperationState
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.clock import HostClock
from seatkeeper_agent.operations.declared.kinds import Kind
from seatkeeper_agent.operations.dependencies import update_view
from seatkeeper_agent.operations.dongles.migration import MigrationService
from seatkeeper_agent.operations.dongles.report import DongleReports
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.orders.service import OrderService
from seatkeeper_agent.operations.ports import Description
from seatkeeper_agent.operations.readiness import Readiness
from seatkeeper_agent.operations.servers.settings import holder_of
from seatkeeper_agent.operations.vendors import (
    ContainerServices,
    Host,
    MovableServices,
    Product,
    ServerServices,
)
from seatkeeper_agent.settings import Settings, SettingsError
from seatkeeper_agent.state import State, open_state
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.vendors.registry import vendors


@dataclass
class Agent:
    """Everything that answers requests on one host; ``products`` by vendor."""

    settings: Settings
    identity: Identity
    journal: Journal
    products: dict[str, Product]
    usb: UsbInventory
    state: State
    clock: HostClock
    readiness: Readiness

    @property
    def containers(self) -> ContainerServices:
        """Of the product with containers."""
        return next(entry.containers for entry in self._all() if entry.containers is not None)

    @property
    def servers(self) -> dict[str, ServerServices]:
        """Of the products with a license server, by vendor."""
        found = ((name, product.server) for name, product in self.products.items())
        return {name: server for name, server in found if server is not None}

    @property
    def movable(self) -> MovableServices | None:
        """Of the product whose server moves."""
        return next((entry.movable for entry in self._all() if entry.movable is not None), None)

    @property
    def orders(self) -> OrderService | None:
        """Of the product whose vendor moves licenses by orders."""
        return next((entry.orders for entry in self._all() if entry.orders is not None), None)

    @property
    def migrations(self) -> MigrationService | None:
        """Of the product whose dongles are migrated."""
        found = (entry.dongles.migrations for entry in self._all() if entry.dongles is not None)
        return next(found, None)

    @property
    def dongles(self) -> DongleReports:
        """All dongles of this host, with what a product says of those that are its own."""
        found = (entry.dongles.reports for entry in self._all() if entry.dongles is not None)
        return next(found, DongleReports(self.journal, self.usb, None))

    def _all(self) -> Iterable[Product]:
        return self.products.values()

    def kinds(self) -> dict[str, dict[str, Kind]]:
        """What can be declared here, by vendor and by the name of the kind."""
        return {
            product.vendor: {kind.name: kind for kind in product.kinds} for product in self._all()
        }

    def describe(self) -> list[Description]:
        """All vendors whose product this host has; never raises."""
        found = (entry.describe() for entry in self._all())
        return [entry for entry in found if entry is not None]

    def dependencies(self) -> list[dict[str, Any]]:
        """What depends on each license server of this host, for whoever replaces one."""
        here = (self.products[entry.vendor] for entry in self.describe())
        return [
            update_view(product.vendor, product.dependencies())
            for product in here
            if product.dependencies is not None
        ]

    def resume_all(self, actor: str) -> tuple[list[str], list[Problem]]:
        """Take up everything interrupted; what cannot go on does not stop the others."""
        self.clock.check()
        resumed, problems = self.containers.recovery.resume_all(actor)
        more, others = self.resume_servers(actor)
        return resumed + more, problems + others

    def resume_servers(self, actor: str) -> tuple[list[str], list[Problem]]:
        """Take up what was interrupted, or waits, at license servers and dongles."""
        resumed: list[str] = []
        problems: list[Problem] = []
        for resume in (resume for product in self._all() for resume in product.resumes):
            try:
                resumed += resume(actor)
            except Problem as problem:
                problems.append(problem)
        return resumed, problems

    def look_again(self, vendor: str, actor: str) -> None:
        """End what is in doubt at a vendor's server, where it shows by now what became of it.

        Asked before anything else is declared of that server, which a doubt keeps from all work.
        What still cannot be told stays in doubt, and says what to do.
        """
        with self.journal.reading() as unit:
            held = unit.operations.holding(holder_of(vendor))
        if held is not None and held.state is OperationState.IN_DOUBT:
            self.resume_servers(actor)

    def attest(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> None:
        """A person's word on a step that cannot be observed, to whom it concerns."""
        found = [p.attests[operation.kind] for p in self._all() if operation.kind in p.attests]
        if not found:
            raise Problem(
                ProblemCode.OPERATION_UNKNOWN,
                f"The operation {operation.id} goes on by what can be observed, not by anybody's"
                " word.",
                "Run the playbook again.",
            )
        found[0](operation, happened, statement, actor)

    def end_waiting(self) -> None:
        """Let go of what looks on while somebody else works."""
        for product in self._all():
            product.stop()

    def close_products(self) -> None:
        """Let go of the products, which can be used again afterwards."""
        for product in self._all():
            product.close()

    def close(self) -> None:
        """Let go of the products and of the files."""
        self.end_waiting()
        self.close_products()
        self.state.close()


def build(settings: Settings, opened: State | None = None) -> Agent:
    """Put the parts together on a state folder, opening it if that was not done before.

    SettingsError if it cannot be had; JournalError and JournalTooNew as Journal.
    """
    state = open_state(settings) if opened is None else opened
    journal, usb = state.journal, UsbInventory(settings.usb)
    host = Host(
        name=settings.name,
        state_folder=settings.state_folder,
        usb_folder=Path(settings.usb.sysfs),
        policy=settings.policy,
        journal=journal,
        identity=state.identity,
        clock=HostClock(journal),
        usb=usb,
        engine=partial(_engine, journal, settings.settle_seconds),
    )
    return Agent(
        settings=settings,
        identity=state.identity,
        journal=journal,
        products={
            name: _product(host, name, reported) for name, reported in settings.vendors.items()
        },
        usb=usb,
        state=state,
        clock=host.clock,
        readiness=Readiness(journal),
    )


def _engine(journal: Journal, settle_seconds: float | None, call_seconds_max: float) -> Engine:
    return Engine(journal, call_seconds_max if settle_seconds is None else settle_seconds)


def _product(host: Host, name: str, settings: Any) -> Product:
    """SettingsError for what only shows when the parts are put together, such as a policy's."""
    try:
        return vendors()[name].product(host, settings)
    except ValueError as error:
        raise SettingsError(f"The settings [{name}] cannot be used: {error}.") from error
