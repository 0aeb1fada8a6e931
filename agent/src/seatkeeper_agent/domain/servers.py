# SPDX-License-Identifier: GPL-3.0-or-later
"""License servers, their accounts and the USB dongles of a host; secrets that stay secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn


class UsbUnavailable(Exception):
    """This host's USB cannot be looked at; the text is one sentence."""


class IsolationError(Exception):
    """A device could not be hidden or given back; the text is one sentence."""


class Secret:
    """A password: kept from texts, logs and pickles; only ``reveal`` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one place that hands it to the product."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


@dataclass(frozen=True, slots=True)
class ProductSeats:
    """The seats of one product in an account, by kind: interface, render, network."""

    product: str
    seats: dict[str, int]

    def as_document(self) -> dict[str, object]:
        """As plain JSON values."""
        return {"product": self.product, "seats": self.seats}


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What a license server tells of itself; None where it does not tell."""

    version: str | None
    activated: bool | None
    licenses: tuple[ProductSeats, ...]
    offline_products: tuple[str, ...]
    dongle_service: bool | None
    dongle_available: bool | None
    dongle_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dongle:
    """One license dongle on this host's USB, known by vendor and product id.

    ``path`` is the kernel's name of the port, such as ``1-1.4``. ``authorized`` is the
    kernel's attribute, None where it cannot be read. ``number`` is the kernel's for this time of
    being plugged in: another one after it was unplugged.
    """

    path: str
    vendor_id: int
    product_id: int
    family: str
    model: str
    serial: str | None
    authorized: bool | None
    number: int | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """The serial number; the port's path for a dongle that tells none."""
        return self.serial or self.path


@dataclass(frozen=True, slots=True)
class BorrowedRow:
    """One row of a server's own list of seats borrowed for offline use; ``until`` in seconds."""

    product: str
    seats: int
    until: int | None
    auto_renew: bool | None


def gained(
    before: tuple[ProductSeats, ...], after: tuple[ProductSeats, ...]
) -> tuple[ProductSeats, ...]:
    """What an account has more than before, product by product and kind by kind."""
    had = {(entry.product, kind): n for entry in before for kind, n in entry.seats.items()}
    found = []
    for entry in after:
        more = {
            kind: n - had.get((entry.product, kind), 0)
            for kind, n in entry.seats.items()
            if n > had.get((entry.product, kind), 0)
        }
        if more:
            found.append(ProductSeats(entry.product, more))
    return tuple(found)
