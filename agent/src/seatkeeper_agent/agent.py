# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: one agent made of its journal, its drivers and its services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.dependencies import Dependencies
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, OperationState
from seatkeeper_agent.drivers.aimms.driver import AimmsDriver
from seatkeeper_agent.drivers.altigen.desk import AltiGenDesk
from seatkeeper_agent.drivers.chaos.driver import ChaosDriver
from seatkeeper_agent.drivers.chaos.instructions import ChaosInstructions
from seatkeeper_agent.drivers.chaos.server_settings import ChaosServerSettings
from seatkeeper_agent.drivers.chaos.settings import ChaosSettings
from seatkeeper_agent.drivers.codemeter.driver import CodeMeterDriver
from seatkeeper_agent.drivers.codemeter.server_settings import CodeMeterServerSettings
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.borrows import BorrowService
from seatkeeper_agent.operations.checks import Checks
from seatkeeper_agent.operations.clock import HostClock
from seatkeeper_agent.operations.dependencies import (
    of_account_server,
    of_moving_server,
    of_runtime,
    update_view,
)
from seatkeeper_agent.operations.dongles.migration import MigrationMeans, MigrationService
from seatkeeper_agent.operations.dongles.report import DongleReports
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.evidence import Evidence
from seatkeeper_agent.operations.inventory import Inventory
from seatkeeper_agent.operations.moves.backups import BackupService
from seatkeeper_agent.operations.moves.profiles import ProfileService
from seatkeeper_agent.operations.moves.service import MoveService
from seatkeeper_agent.operations.observer import Observer
from seatkeeper_agent.operations.orders.service import OrderService
from seatkeeper_agent.operations.ports import Description, DriverError
from seatkeeper_agent.operations.readiness import Readiness
from seatkeeper_agent.operations.recovery import Recovery
from seatkeeper_agent.operations.server_ports import PageDriver
from seatkeeper_agent.operations.servers.activation import ActivationService
from seatkeeper_agent.operations.servers.borrows import ServerBorrowService
from seatkeeper_agent.operations.servers.settings import ServerService, holder_of
from seatkeeper_agent.operations.servers.steps import OBSERVE_SECONDS_MAX
from seatkeeper_agent.operations.transfers import TransferService
from seatkeeper_agent.operations.works import Works
from seatkeeper_agent.settings import Settings, SettingsError
from seatkeeper_agent.state import State, open_state
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.isolation import Isolation
from seatkeeper_agent.usb.watch import Watch


@dataclass
class ServerServices:
    """What can be declared of one vendor's license server."""

    settings: ServerService
    activation: ActivationService | None = None
    borrows: ServerBorrowService | None = None


@dataclass
class MovableServices:
    """What can be declared of a license server that moves to another machine."""

    moves: MoveService
    backups: BackupService
    profiles: ProfileService


@dataclass
class Agent:
    """Everything that answers requests on one host."""

    settings: Settings
    identity: Identity
    journal: Journal
    driver: CodeMeterDriver
    chaos: ChaosDriver | None
    inventory: Inventory
    transfers: TransferService
    observer: Observer
    borrows: BorrowService
    recovery: Recovery
    servers: dict[str, ServerServices]
    usb: UsbInventory
    dongles: DongleReports
    migrations: MigrationService | None
    orders: OrderService | None
    movable: MovableServices | None
    state: State
    clock: HostClock
    readiness: Readiness
    _resumed: list[Callable[[str], list[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for services in self.servers.values():
            found = (services.settings, services.activation, services.borrows)
            self._resumed += [service.resume for service in found if service is not None]
        if self.migrations is not None:
            self._resumed.append(self.migrations.resume)
        if self.orders is not None:
            self._resumed.append(self.orders.resume)
        if self.movable is not None:
            self._resumed += [self.movable.moves.resume, self.movable.profiles.resume]

    def describe(self) -> list[Description]:
        """All vendors whose product this host has; never raises."""
        moves = None if self.movable is None else self.movable.moves
        others = [entry for entry in (self.chaos, self.orders, moves) if entry is not None]
        codemeter = self.inventory.describe()
        here = [codemeter] if self.driver.is_here(codemeter) else []
        return [*here, *(entry.describe() for entry in others)]

    def dependencies(self) -> list[dict[str, Any]]:
        """What depends on each license server of this host, for whoever replaces one."""
        found = []
        for entry in self.describe():
            if entry.vendor == self.driver.vendor:
                with self.journal.reading() as unit:
                    found.append(update_view(entry.vendor, of_runtime(unit)))
            elif self.chaos is not None and entry.vendor == self.chaos.vendor:
                found.append(update_view(entry.vendor, self._of_account_server(self.chaos)))
            elif self.movable is not None and entry.vendor == self.movable.moves.vendor:
                found.append(update_view(entry.vendor, of_moving_server()))
        return found

    def _of_account_server(self, driver: ChaosDriver) -> Dependencies:
        # One that is broken or not there yet may be replaced: what is remembered is asked then.
        try:
            status = driver.status()
        except DriverError:
            status = None
        with self.journal.reading() as unit:
            return of_account_server(unit, driver, status)

    def resume_all(self, actor: str) -> tuple[list[str], list[Problem]]:
        """Take up everything interrupted; what cannot go on does not stop the others."""
        self.clock.check()
        resumed, problems = self.recovery.resume_all(actor)
        more, others = self.resume_servers(actor)
        return resumed + more, problems + others

    def resume_servers(self, actor: str) -> tuple[list[str], list[Problem]]:
        """Take up what was interrupted, or waits, at license servers and dongles."""
        resumed: list[str] = []
        problems: list[Problem] = []
        for resume in self._resumed:
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
        attests = {}
        if self.migrations is not None:
            attests["dongle_migration"] = self.migrations.attest
        if self.orders is not None:
            attests["order"] = self.orders.attest
        if self.movable is not None:
            attests["server_move"] = self.movable.moves.attest
            attests["server_profile"] = self.movable.profiles.attest
        for services in self.servers.values():
            if services.borrows is not None:
                attests["server_borrow"] = services.borrows.attest
        if operation.kind not in attests:
            raise Problem(
                ProblemCode.OPERATION_UNKNOWN,
                f"The operation {operation.id} goes on by what can be observed, not by anybody's"
                " word.",
                "Run the playbook again.",
            )
        attests[operation.kind](operation, happened, statement, actor)

    def end_waiting(self) -> None:
        """Let go of what looks on while somebody else works."""
        if self.migrations is not None:
            self.migrations.close()

    def close(self) -> None:
        """Let go of the products and of the files."""
        self.end_waiting()
        self.driver.close()
        self.state.close()


def build(settings: Settings, opened: State | None = None) -> Agent:
    """Put the parts together on a state folder, opening it if that was not done before.

    SettingsError if it cannot be had; JournalError and JournalTooNew as Journal.
    """
    state = open_state(settings) if opened is None else opened
    journal, identity = state.journal, state.identity
    driver = CodeMeterDriver(settings.codemeter)
    settle = settings.settle_seconds
    engine = Engine(journal, driver.call_seconds_max if settle is None else settle)
    works = Works(journal, driver, identity, engine)
    clock = HostClock(journal)
    checks = Checks(driver, settings.policy, sure_clock=clock.now)
    server = CodeMeterServerSettings(settings.codemeter, driver.is_running)
    servers = {driver.vendor: ServerServices(ServerService(journal, server, engine))}
    chaos = None if settings.chaos is None else ChaosDriver(settings.chaos)
    usb = UsbInventory(settings.usb)
    dongles = DongleReports(journal, usb, chaos)
    observer = Observer(journal, driver, plugged=usb.plugged)
    migrations = None
    if chaos is not None and settings.chaos is not None:
        page = _page(settings.chaos)
        means = _migration_means(settings, settings.chaos, chaos, page, usb)
        chaos_engine = Engine(journal, chaos.call_seconds_max if settle is None else settle)
        migrations = MigrationService(journal, chaos_engine, dongles, means)
        servers[chaos.vendor] = ServerServices(
            ServerService(
                journal,
                ChaosServerSettings(settings.chaos),
                chaos_engine,
                chaos,
                migrations.reason_to_stay_off,
            ),
            ActivationService(journal, chaos, chaos_engine),
            ServerBorrowService(
                journal,
                chaos_engine,
                chaos,
                page,
                ChaosInstructions.of(settings.chaos),
                clock.now,
            ),
        )
    return Agent(
        settings=settings,
        identity=identity,
        journal=journal,
        driver=driver,
        chaos=chaos,
        inventory=Inventory(driver, observer.saw),
        transfers=TransferService(
            journal, driver, identity, checks, works, Evidence(journal, driver, identity)
        ),
        observer=observer,
        borrows=BorrowService(journal, driver, identity, sure_clock=clock.now),
        recovery=Recovery(journal, driver, works, clock.now),
        servers=servers,
        usb=usb,
        dongles=dongles,
        migrations=migrations,
        orders=_orders(settings, journal, engine, clock),
        movable=_movable(settings, journal, identity),
        state=state,
        clock=clock,
        readiness=Readiness(journal),
    )


def _orders(
    settings: Settings, journal: Journal, engine: Engine, clock: HostClock
) -> OrderService | None:
    """SettingsError for a policy that cannot be used."""
    if settings.altigen is None:
        return None
    try:
        desk = AltiGenDesk(settings.altigen)
    except ValueError as error:
        raise SettingsError(f"The settings [altigen] cannot be used: {error}.") from error
    return OrderService(journal, engine, desk, settings.state_folder / "orders", clock.now)


def _movable(settings: Settings, journal: Journal, identity: Identity) -> MovableServices | None:
    """None where no such server is."""
    if settings.aimms is None:
        return None
    driver = AimmsDriver(settings.aimms)
    settle = settings.settle_seconds
    engine = Engine(journal, driver.call_seconds_max if settle is None else settle)
    backups = BackupService(journal, driver, settings.name)
    return MovableServices(
        MoveService(journal, engine, driver, identity, backups),
        backups,
        ProfileService(journal, engine, driver),
    )


def _page(settings: ChaosSettings) -> PageDriver | None:
    """The browser that performs on the page; None where a person does."""
    if settings.performer != "browser":
        return None
    from seatkeeper_agent.drivers.chaos.page.browser import BrowserPage

    return BrowserPage(settings)


def _migration_means(
    settings: Settings,
    chaos: ChaosSettings,
    driver: ChaosDriver,
    page: PageDriver | None,
    usb: UsbInventory,
) -> MigrationMeans:
    folder = chaos.screenshot_folder
    return MigrationMeans(
        driver=driver,
        page=page,
        isolation=Isolation(Path(settings.usb.sysfs)),
        instructions=ChaosInstructions.of(chaos).transfer_dongle,
        stop=ChaosInstructions.of(chaos).stop_transfer,
        watch=partial(Watch, usb),
        screenshot_folder=settings.state_folder / "screenshots" if folder is None else Path(folder),
        seconds_max=OBSERVE_SECONDS_MAX,
    )
