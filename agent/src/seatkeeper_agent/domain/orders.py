# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders: license keys that a vendor's staff moves from some phone systems to others.

Nothing of a phone system can be observed, so everything here is what the operator declares;
None and the empty text stand for what was not declared.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

TEXT_LENGTH_MAX = 200
QUANTITY_MAX = 1_000_000
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

_STATIONS = re.compile(r"(?:ALTI|SSW)-STATION-0*([1-9]\d{0,5})", re.IGNORECASE)
_AGENT_SEATS = re.compile(r"(?:[A-Z]+-)?AC[CM]-?AGENT-0*([1-9]\d{0,5})", re.IGNORECASE)
_SOFTWARE_ONLY = "softwareonly"
_HARDWARE = ("max", "office")


class DocumentName(StrEnum):
    """What the vendor wants to have with an order (knowledge base article 799, grade D)."""

    TRANSFER_FORM = "license_transfer_form"
    CARD_AUTHORIZATION = "credit_card_authorization"
    WORKSHEET = "software_only_worksheet"
    PURCHASE_ORDER = "no_charge_purchase_order"


SENT_DOCUMENTS = frozenset({DocumentName.PURCHASE_ORDER})
"""Those that the buyer alone can write, and sends in a step of its own."""

MADE_DOCUMENTS = frozenset(DocumentName) - SENT_DOCUMENTS
"""Those that are printed here."""


@dataclass(frozen=True, slots=True)
class PhoneSystem:
    """One phone system as declared.

    ``chassis`` is the vendor's name, such as ``Max1000``, or ``software_only``.
    ``assurance_until`` is the last day of its Software Assurance. ``stations`` is how many
    station licenses it had on the day ``stations_as_of``. ValueError names what cannot be.
    """

    name: str
    system_key: str
    owner: str
    chassis: str
    registered: bool | None = None
    assurance_until: date | None = None
    stations: int | None = None
    stations_as_of: date | None = None

    def __post_init__(self) -> None:
        _require_text(self.name, "a system's name")
        _require_text(self.system_key, f"the system key of {self.name}")
        _require_text(self.owner, f"the owner of {self.name}", empty_allowed=True)
        _require_text(self.chassis, f"the chassis of {self.name}", empty_allowed=True)
        if self.stations is not None and not 0 <= self.stations <= QUANTITY_MAX:
            raise ValueError(f"the stations of {self.name} must be from 0 to {QUANTITY_MAX}")
        if self.stations is None and self.stations_as_of is not None:
            raise ValueError(f"stations_as_of of {self.name} is a day, but stations is missing")

    @property
    def is_software_only(self) -> bool:
        """Whether it is declared to run without a chassis."""
        return canonical_chassis(self.chassis) == _SOFTWARE_ONLY


@dataclass(frozen=True, slots=True)
class LicenseKey:
    """One license key; ``quantity`` None moves it whole, which is all that the vendor does."""

    key: str
    product: str
    quantity: int | None = None

    def __post_init__(self) -> None:
        _require_text(self.key, "a license key")
        _require_text(self.product, f"the product of license key {self.key}")
        if self.quantity is not None and not 1 <= self.quantity <= QUANTITY_MAX:
            raise ValueError(
                f"the quantity of license key {self.key} must be from 1 to {QUANTITY_MAX}"
            )

    @property
    def size(self) -> int | None:
        """How much the key holds, by its product's name (ALTI-STATION-10: ten, grade D)."""
        found = _STATIONS.fullmatch(self.product) or _AGENT_SEATS.fullmatch(self.product)
        return int(found.group(1)) if found else None

    @property
    def stations(self) -> int | None:
        """How many station licenses it brings; None where its product's name does not tell."""
        if "STATION" not in self.product.upper():
            return 0
        return self.quantity if self.size is None else self.size

    @property
    def converted_product(self) -> str | None:
        """What a software-only system gets instead (grade D); None where no document says it."""
        if self.size is None or self.product.upper().startswith("SSW-"):
            return None
        kind = "STATION" if _STATIONS.fullmatch(self.product) else "ACMAGENT"
        return f"SSW-{kind}-{self.product.rpartition('-')[2]}"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """License keys that go from one system to another."""

    source: PhoneSystem
    target: PhoneSystem
    keys: tuple[LicenseKey, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError(f"the move {self.title} names no license key")

    @property
    def pair(self) -> tuple[str, str]:
        """The system keys of source and target."""
        return self.source.system_key, self.target.system_key

    @property
    def title(self) -> str:
        """What people read."""
        return f"{self.source.name} to {self.target.name}"


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """Another order that is declared, open or done, as far as rules and prices look at it.

    ``ended_on`` is the day on which it was done; None while it is not. ``shares_fee`` where it
    pays a fee and nothing of it has gone to the vendor yet, so that both can go as one move.
    """

    name: str
    order_line: OrderLine
    ended_on: date | None = None
    shares_fee: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What is ordered: judged on the day ``today``, requested for the day ``on``.

    ``fields`` are the operator's own. ``beside`` are all other orders, those that are done in
    the order in which they were.
    """

    name: str
    order_lines: tuple[OrderLine, ...]
    on: date
    today: date
    fields: dict[str, str] = dataclasses.field(default_factory=dict)
    beside: tuple[OtherOrder, ...] = ()

    def __post_init__(self) -> None:
        _require_text(self.name, "an order's name")
        if not self.order_lines:
            raise ValueError(f"the order {self.name} moves nothing")
        _require_one_declaration_each(self.order_lines)
        for name, value in self.fields.items():
            if not FIELD_NAME.fullmatch(name):
                raise ValueError(
                    f"the field {name!r} must be lower-case letters, digits and _ (64 at most)"
                )
            _require_text(value, f"the field {name}", empty_allowed=True)

    @property
    def targets(self) -> tuple[PhoneSystem, ...]:
        """The systems that get something, each once."""
        return tuple(
            {
                order_line.target.system_key: order_line.target for order_line in self.order_lines
            }.values()
        )

    @property
    def is_upgrade(self) -> bool:
        """Whether an Office or Max server becomes software-only, which the vendor must be told."""
        return any(
            order_line.target.is_software_only
            and canonical_chassis(order_line.source.chassis).startswith(_HARDWARE)
            for order_line in self.order_lines
        )

    def field(self, name: str) -> str | None:
        """One of the operator's fields; None where it is left out or empty."""
        return self.fields.get(name) or None

    def by_target(self) -> tuple[Order, ...]:
        """One order for each target: the vendor opens a case under the target's system key."""
        return tuple(
            replace(
                self,
                order_lines=tuple(
                    order_line for order_line in self.order_lines if order_line.target == target
                ),
            )
            for target in self.targets
        )


def merged(order_lines: Iterable[OrderLine]) -> tuple[OrderLine, ...]:
    """One move for each pair of source and target, each with every key once."""
    pairs: dict[tuple[str, str], OrderLine] = {}
    for order_line in order_lines:
        before = pairs.get(order_line.pair)
        once: dict[str, LicenseKey] = {}
        for key in (*(before.keys if before else ()), *order_line.keys):
            once.setdefault(key.key, key)
        pairs[order_line.pair] = replace(order_line, keys=tuple(once.values()))
    return tuple(pairs.values())


def seat_sums(keys: Iterable[LicenseKey]) -> dict[str, int]:
    """How many stations and agent seats keys hold by their products' names."""
    sums = {"station": 0, "agent": 0}
    for key in keys:
        kind = "station" if _STATIONS.fullmatch(key.product) else "agent"
        sums[kind] += key.size or 0
    return sums


def canonical_chassis(chassis: str) -> str:
    """The name without what people write differently: case, spaces, dashes, underscores."""
    return re.sub(r"[\W_]", "", chassis).casefold()


def _require_one_declaration_each(order_lines: tuple[OrderLine, ...]) -> None:
    systems = [
        system for order_line in order_lines for system in (order_line.source, order_line.target)
    ]
    by_key: dict[str, PhoneSystem] = {}
    by_name: dict[str, PhoneSystem] = {}
    for system in systems:
        if by_key.setdefault(system.system_key, system) != system:
            raise ValueError(f"the system key {system.system_key} is declared in two ways")
        if by_name.setdefault(system.name, system) != system:
            raise ValueError(f"two systems have the name {system.name}")


def _require_text(text: str, what: str, empty_allowed: bool = False) -> None:
    usable = text.isprintable() and len(text) <= TEXT_LENGTH_MAX and text == text.strip()
    if not usable or not (text or empty_allowed):
        raise ValueError(
            f"{what} must be one line of {0 if empty_allowed else 1} to {TEXT_LENGTH_MAX}"
            " characters without spaces around it"
        )
