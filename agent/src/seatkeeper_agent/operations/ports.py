# SPDX-License-Identifier: GPL-3.0-or-later
"""What operations need from a vendor driver; drivers implement it and raise only these errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from seatkeeper_agent.domain.licenses import (
    Container,
    ContainerClock,
    HistoryRow,
    Item,
    ItemKey,
    TransferType,
)
from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.transfers import Mode


@dataclass(frozen=True, slots=True)
class CommandReport:
    """How a vendor's program ended and its last lines, for people: neither proves anything.

    ``text`` is one line of bounded length and holds no secret.
    """

    exit_code: int
    text: str

    def __str__(self) -> str:
        """A clause."""
        words = f" and said: {self.text}" if self.text else " and said nothing"
        return f"the command ended with exit status {self.exit_code}{words}"


class DriverError(Exception):
    """A vendor call that did not give what was asked; the text is one sentence.

    ``said`` is what a program of the vendor's said that was run for it, in one clause.
    """

    said: str | None = None


class DriverUnavailable(DriverError):
    """The product does not run or cannot be reached; the call had no effect."""


class DriverRefused(DriverError):
    """The product said no, with its own number; the call had no effect."""

    code = ProblemCode.RUNTIME_REFUSED
    advice = "Mend what it says, then run the playbook again."

    def __init__(self, text: str, number: int | None = None) -> None:
        super().__init__(text)
        self.number = number


class DriverPending(DriverError):
    """The product is busy with the command (the vendor says: retry); the effect is unknown."""


class DriverUnfinished(DriverError):
    """The answer was lost or did not come in time; the effect is unknown."""


class DriverInterrupted(DriverError):
    """An earlier call had no effect, and what it needs is kept nowhere, such as a password."""


class DriverUnsupported(DriverError):
    """No documented interface does this; the text says why and who can."""

    def __init__(self, text: str, code: ProblemCode = ProblemCode.CAPABILITY_REFUSED) -> None:
        super().__init__(text)
        self.code = code


class Grade(StrEnum):
    """How a capability is had."""

    DOCUMENTED = "documented"
    ASSISTED = "assisted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a driver can, cannot or can only do with a person, and why."""

    name: str
    grade: Grade
    reason: str


@dataclass(frozen=True, slots=True)
class Description:
    """What a driver found on this host.

    ``security_floor`` is None where the vendor names none; ``security_floor_met`` is None then, and
    where the version could not be read.
    """

    vendor: str
    product: str
    version: str | None
    running: bool
    security_floor: str | None
    security_floor_met: bool | None
    transfer_types: tuple[TransferType, ...]
    capabilities: tuple[Capability, ...]


@dataclass(frozen=True, slots=True)
class TransferCommand:
    """What the source asks the runtime to do with one item."""

    type: TransferType
    mode: Mode
    quantity: int | None
    until: int | None
    history_index: int | None = None


class LicenseDriver(Protocol):
    """License transfer of one vendor product on this host.

    Reads raise DriverUnavailable, DriverRefused, DriverPending or DriverUnfinished; effects
    the same. After Pending and Unfinished the caller probes before it does anything else.
    Every call is bounded by the driver's own time limit.
    """

    vendor: str
    call_seconds_max: float
    update_is_repeatable: bool
    """Whether the operator allows to ask again for the update of a request already served."""

    def describe(self) -> Description:
        """Version and capabilities; never raises, an absent product is described as such."""

    def containers(self) -> list[Container]:
        """All local containers, in the order of their serial numbers."""

    def items(self, serial: str, key: ItemKey | None = None) -> Sequence[Item]:
        """The items of a container, deleted ones included, in a stable order.

        With ``key`` only those that it names, as they are now. Without it a listing, which may
        read more of its items when they are looked at, and raise the errors of a read then.
        """

    def firm_items(self, serial: str) -> dict[int, int]:
        """The firm codes that a container holds and their update counters."""

    def history(self, serial: str, firm_code: int, product_code: int) -> list[HistoryRow]:
        """The transfer history of all items of these codes, oldest first."""

    def all_history(self, serial: str) -> list[HistoryRow]:
        """The transfer history of every item of a container, item by item."""

    def clock(self, serial: str) -> ContainerClock:
        """The container's times."""

    def require_transfer(self, serial: str, type_: TransferType, sends: bool) -> None:
        """DriverUnsupported where a container cannot send or receive a transfer of this type."""

    def create_request(self, serial: str, firm_code: int, mode: Mode) -> bytes:
        """The receiving side's request; no effect on seats."""

    def do_transfer(self, serial: str, item: Item, order: TransferCommand, request: bytes) -> bytes:
        """EFFECT at the sending side: debit the item and give the update."""

    def import_update(self, serial: str, update: bytes) -> None:
        """EFFECT at the receiving side: credit what the update brings."""

    def create_receipt(self, serial: str, firm_code: int) -> bytes:
        """The receiving side's receipt; no effect on seats."""

    def confirm_transfer(self, serial: str, receipt: bytes) -> None:
        """EFFECT at the sending side: close the history row."""


class SettingsDriver(Protocol):
    """Declared settings of a license server."""

    vendor: str
    restarts_to_apply: bool
    """Whether the settings must be written while the server is stopped."""

    def read_settings(self) -> dict[str, dict[str, str]]:
        """Sections of keys as the product's file has them."""

    def check_settings(self, settings: dict[str, dict[str, str]]) -> list[str]:
        """Refuse what ``write_settings`` would refuse; changes nothing.

        Gives a sentence for each thing that is probably meant otherwise.
        """

    def write_settings(self, settings: dict[str, dict[str, str]]) -> None:
        """Change the named keys only, keep all others and the comments, byte for byte."""

    def is_running(self) -> bool:
        """Whether the product answers; asked, never assumed. DriverError if it cannot be told."""

    def stop(self) -> None:
        """EFFECT: stop the service and return when it no longer answers."""

    def start(self) -> None:
        """EFFECT: start the service and return when it answers."""
