# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one agent that work on the Chaos License Server."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from seatkeeper_agent.domain.dependencies import Dependencies
from seatkeeper_agent.operations.declared.dongles import MigrationKind
from seatkeeper_agent.operations.declared.servers import (
    ActivationKind,
    DeactivationKind,
    OfflineActivationKind,
    ServerBorrowKind,
    ServerKind,
)
from seatkeeper_agent.operations.dependencies import of_account_server
from seatkeeper_agent.operations.dongles.context import MigrationContext
from seatkeeper_agent.operations.dongles.migration import MigrationService
from seatkeeper_agent.operations.dongles.report import DongleReports
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.operations.server_ports import PageDriver
from seatkeeper_agent.operations.servers.activation import ActivationService
from seatkeeper_agent.operations.servers.borrows import ServerBorrowService
from seatkeeper_agent.operations.servers.settings import ServerService
from seatkeeper_agent.operations.servers.steps import OBSERVE_SECONDS_MAX
from seatkeeper_agent.operations.vendors import DongleServices, Host, Product, ServerServices
from seatkeeper_agent.usb.isolation import Isolation
from seatkeeper_agent.usb.watch import Watch
from seatkeeper_agent.vendors.chaos.driver import ChaosDriver
from seatkeeper_agent.vendors.chaos.instructions import ChaosInstructions
from seatkeeper_agent.vendors.chaos.server_settings import ChaosServerSettings
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings


def product(host: Host, settings: ChaosSettings) -> Product:
    """Everything that can be declared of the license server and of its dongles."""
    journal, driver, page = host.journal, ChaosDriver(settings), _page(settings)
    engine = host.engine(driver.call_seconds_max)
    reports = DongleReports(journal, host.usb, driver)
    migrations = MigrationService(journal, engine, reports, _means(host, settings, driver, page))
    instructions = ChaosInstructions.of(settings)
    file = ChaosServerSettings(settings)
    server = ServerService(journal, file, engine, driver, migrations.reason_to_stay_off)
    activation = ActivationService(journal, driver, engine)
    borrows = ServerBorrowService(journal, engine, driver, page, instructions, host.clock.now)

    def dependencies() -> Dependencies:
        # One that is broken or not there yet may be replaced: what is remembered is asked then.
        try:
            status = driver.status()
        except DriverError:
            status = None
        with journal.reading() as unit:
            return of_account_server(unit, driver, status)

    return Product(
        vendor=driver.vendor,
        describe=driver.describe,
        dependencies=dependencies,
        resumes=(server.resume, activation.resume, borrows.resume, migrations.resume),
        attests={"dongle_migration": migrations.attest, "server_borrow": borrows.attest},
        kinds=(
            ServerKind(server),
            ActivationKind(activation),
            OfflineActivationKind(activation),
            DeactivationKind(activation),
            ServerBorrowKind(borrows),
            MigrationKind(migrations),
        ),
        stop=migrations.close,
        server=ServerServices(server, activation, borrows),
        dongles=DongleServices(reports, migrations),
    )


def _page(settings: ChaosSettings) -> PageDriver | None:
    """The browser that performs on the page; None where a person does."""
    if settings.performer != "browser":
        return None
    from seatkeeper_agent.vendors.chaos.page.browser import BrowserPage

    return BrowserPage(settings)


def _means(
    host: Host, settings: ChaosSettings, driver: ChaosDriver, page: PageDriver | None
) -> MigrationContext:
    folder = settings.screenshot_folder
    return MigrationContext(
        driver=driver,
        page=page,
        isolation=Isolation(host.usb_folder),
        instructions=ChaosInstructions.of(settings).transfer_dongle,
        stop=ChaosInstructions.of(settings).stop_transfer,
        watch=partial(Watch, host.usb),
        screenshot_folder=host.state_folder / "screenshots" if folder is None else Path(folder),
        seconds_max=OBSERVE_SECONDS_MAX,
    )
