# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one agent that work on CodeMeter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from seatkeeper_agent.domain.abilities import abilities
from seatkeeper_agent.domain.dependencies import Dependencies
from seatkeeper_agent.domain.licenses import Container, Item
from seatkeeper_agent.domain.preflight import Policy
from seatkeeper_agent.operations.borrows import BorrowService
from seatkeeper_agent.operations.checks import Checks
from seatkeeper_agent.operations.declared.borrow import BorrowKind
from seatkeeper_agent.operations.declared.servers import ServerKind
from seatkeeper_agent.operations.declared.transfer import TransferKind
from seatkeeper_agent.operations.dependencies import of_runtime
from seatkeeper_agent.operations.evidence import Evidence
from seatkeeper_agent.operations.inventory import Inventory, ItemRules
from seatkeeper_agent.operations.observer import Observer
from seatkeeper_agent.operations.ports import Description
from seatkeeper_agent.operations.recovery import Recovery
from seatkeeper_agent.operations.servers.settings import ServerService
from seatkeeper_agent.operations.transfer_operations import TransferOperations
from seatkeeper_agent.operations.transfers import TransferService
from seatkeeper_agent.operations.vendors import ContainerServices, Host, Product, ServerServices
from seatkeeper_agent.operations.views import abilities_view
from seatkeeper_agent.vendors.codemeter.driver import UNMOVABLE, CodeMeterDriver
from seatkeeper_agent.vendors.codemeter.server_settings import CodeMeterServerSettings
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings


def product(host: Host, settings: CodeMeterSettings) -> Product:
    """Everything that can be declared of containers and of the license server."""
    driver = CodeMeterDriver(settings)
    engine = host.engine(driver.call_seconds_max)
    works = TransferOperations(host.journal, driver, host.identity, engine)
    observer = Observer(host.journal, driver, plugged=host.usb.plugged)
    server = ServerService(
        host.journal, CodeMeterServerSettings(settings, driver.is_running), engine
    )
    transfers = TransferService(
        host.journal,
        driver,
        host.identity,
        Checks(driver, host.policy, sure_clock=host.clock.now),
        works,
        Evidence(host.journal, driver, host.identity),
    )
    borrows = BorrowService(host.journal, driver, host.identity, sure_clock=host.clock.now)

    inventory = Inventory(driver, observer.saw)

    def describe() -> Description | None:
        found = driver.describe()
        return found if driver.is_here(found) else None

    def dependencies() -> Dependencies:
        with host.journal.reading() as unit:
            return of_runtime(unit)

    return Product(
        vendor=driver.vendor,
        describe=describe,
        dependencies=dependencies,
        resumes=(server.resume,),
        observes={"containers": partial(inventory.listing, partial(_rules, driver, host.policy))},
        kinds=(
            TransferKind(host.journal, host.identity, transfers),
            BorrowKind(borrows),
            ServerKind(server),
        ),
        close=driver.close,
        containers=ContainerServices(
            inventory=inventory,
            transfers=transfers,
            borrows=borrows,
            recovery=Recovery(host.journal, driver, works, host.clock.now),
            observer=observer,
        ),
        server=ServerServices(server),
    )


def _rules(driver: CodeMeterDriver, policy: Policy, containers: Sequence[Container]) -> ItemRules:
    """What the agent's rules let be done to the items of these containers."""
    movable = {} if policy.transfer_blocked else driver.movable_types(containers)

    def allowed(serial: str, item: Item) -> dict[str, Any]:
        types = movable.get(serial, UNMOVABLE)
        found = abilities(item, types.sent, types.received, policy.borrow_seconds_max)
        return abilities_view(found)

    return allowed
