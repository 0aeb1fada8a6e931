# SPDX-License-Identifier: GPL-3.0-or-later
"""What a vendor brings to an agent: its settings, its checks, and what can be declared of it.

An agent knows vendors by these types alone. A vendor's own folder says ``VENDOR = Vendor(...)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from seatkeeper_agent.domain.dependencies import Dependencies
from seatkeeper_agent.operations.findings import Finding

if TYPE_CHECKING:
    from seatkeeper_agent.domain.preflight import Policy
    from seatkeeper_agent.domain.records import OperationRecord
    from seatkeeper_agent.identity import Identity
    from seatkeeper_agent.journal import Journal
    from seatkeeper_agent.operations.borrows import BorrowService
    from seatkeeper_agent.operations.clock import HostClock
    from seatkeeper_agent.operations.declared.kinds import Kind
    from seatkeeper_agent.operations.dongles.migration import MigrationService
    from seatkeeper_agent.operations.dongles.report import DongleReports
    from seatkeeper_agent.operations.engine import Engine
    from seatkeeper_agent.operations.inventory import Inventory
    from seatkeeper_agent.operations.observer import Observer
    from seatkeeper_agent.operations.orders.service import OrderService
    from seatkeeper_agent.operations.ports import Description
    from seatkeeper_agent.operations.recovery import Recovery
    from seatkeeper_agent.operations.server_moves.backups import BackupService
    from seatkeeper_agent.operations.server_moves.profiles import ProfileService
    from seatkeeper_agent.operations.server_moves.service import MoveService
    from seatkeeper_agent.operations.servers.activation import ActivationService
    from seatkeeper_agent.operations.servers.borrows import ServerBorrowService
    from seatkeeper_agent.operations.servers.settings import ServerService
    from seatkeeper_agent.operations.transfers import TransferService
    from seatkeeper_agent.usb.inventory import UsbInventory

Resume = Callable[[str], list[str]]
"""Takes up what was interrupted or waits, in an actor's name; gives the operations that ran."""


class Attest(Protocol):
    """A person's word on a step that cannot be observed."""

    def __call__(
        self, operation: OperationRecord, happened: bool, statement: str, actor: str
    ) -> Any:
        """Write it down with its consequence; Problem where it does not settle the step."""


@dataclass(frozen=True)
class Host:
    """What every product of one agent shares."""

    name: str
    state_folder: Path
    usb_folder: Path
    policy: Policy
    journal: Journal
    identity: Identity
    clock: HostClock
    usb: UsbInventory
    engine: Callable[[float], Engine]
    """An engine for steps whose calls take at most this many seconds."""


@dataclass
class ContainerServices:
    """What can be declared of licenses in containers."""

    inventory: Inventory
    transfers: TransferService
    borrows: BorrowService
    recovery: Recovery
    observer: Observer


@dataclass
class ServerServices:
    """What can be declared of a license server where it is."""

    settings: ServerService
    activation: ActivationService | None = None
    borrows: ServerBorrowService | None = None


@dataclass
class DongleServices:
    """What can be declared of dongles that are migrated to an account."""

    reports: DongleReports
    migrations: MigrationService


@dataclass
class MovableServices:
    """What can be declared of a license server that moves to another machine."""

    moves: MoveService
    backups: BackupService
    profiles: ProfileService


def nothing() -> None:
    """For a product that holds nothing which somebody has to let go."""


@dataclass
class Product:
    """One vendor's product at one agent; an ability that it lacks is None.

    ``describe`` never raises and gives None where this host does not have the product.
    ``dependencies`` says what depends on its license server, for whoever replaces that.
    ``attests`` is by the kind of operation; ``stop`` ends what looks on while others work.
    ``kinds`` are what can be declared of it, ``observes`` what can only be looked at.
    """

    vendor: str
    describe: Callable[[], Description | None]
    dependencies: Callable[[], Dependencies] | None = None
    resumes: tuple[Resume, ...] = ()
    attests: dict[str, Attest] = field(default_factory=dict)
    kinds: tuple[Kind, ...] = ()
    observes: dict[str, Callable[[], Any]] = field(default_factory=dict)
    stop: Callable[[], None] = nothing
    close: Callable[[], None] = nothing
    containers: ContainerServices | None = None
    server: ServerServices | None = None
    dongles: DongleServices | None = None
    orders: OrderService | None = None
    movable: MovableServices | None = None


def nowhere(_settings: Any) -> str | None:
    """For a vendor whose settings or files alone say whether its product is here."""
    return None


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as the registry knows it; ``name`` is also that of the table of its settings.

    ``settings`` is a dataclass whose fields all have defaults. ``is_assumed`` says whether an agent
    whose settings have no such table works with the defaults. ``check`` gives doctor's findings,
    none where the product is not here. ``looked_for`` says in a clause where that was looked for.
    ``abilities`` are members of Product that a product of this vendor has.
    """

    name: str
    settings: type[Any]
    is_assumed: Callable[[], bool]
    check: Callable[[Any], list[Finding]]
    product: Callable[[Host, Any], Product]
    looked_for: Callable[[Any], str | None] = nowhere
    abilities: frozenset[str] = frozenset()
