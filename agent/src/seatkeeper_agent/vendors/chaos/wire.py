# SPDX-License-Identifier: GPL-3.0-or-later
"""From the license server's JSON (grade T) to what operations understand.

Whatever is unknown is passed over, whatever is absent stays unknown. A known member of another
form is refused: read as absent it would hide licenses or dongles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seatkeeper_agent.domain.servers import ProductSeats, ServerStatus
from seatkeeper_agent.domain.strict_json import JsonFault, read
from seatkeeper_agent.operations.ports import DriverRefused

SEAT_KINDS = {"1": "interface", "2": "render", "4": "network"}
"""What the numbers in a product mean (grade T)."""

WITHOUT_LABEL = "product without a label"
_SEATS_MAX = 1_000_000_000
_TEXT_LENGTH_MAX = 500


def parse_object(content: bytes, path: str) -> dict[str, Any]:
    """The JSON object that the server gave for ``path``; DriverRefused if it is none."""
    document = _parsed(content, path)
    if not isinstance(document, dict):
        raise DriverRefused(
            f"GET {path} did not give a JSON object: this is not a Chaos License Server."
        )
    return document


def status_of(document: dict[str, Any]) -> ServerStatus:
    """The status; DriverRefused where a known member has a form that nobody has described."""
    online = _member(document, "online", dict, "")
    offline = _member(document, "offline", dict, "")
    dongle = _member(document, "dongle", dict, "")
    return ServerStatus(
        version=_text(document.get("version")),
        activated=_truth(online.get("available")),
        licenses=_licenses(online),
        offline_products=tuple(
            _label(entry) for entry in _entries(offline, "licenses", "offline.")
        ),
        dongle_service=_truth(dongle.get("enabled")),
        dongle_available=_truth(dongle.get("available")),
        dongle_keys=tuple(
            sorted(clean(key) for key in _member(dongle, "dongles", dict, "dongle."))
        ),
    )


def sessions_of(content: bytes) -> tuple[ProductSeats, ...]:
    """Seats in use by product; DriverRefused for another form than a list of products."""
    entries = _parsed(content, "/sessions/online")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DriverRefused("GET /sessions/online did not give a list of sessions.")
    return tuple(entry for entry in _licenses({"licenses": entries}) if any(entry.seats.values()))


def clean(text: str) -> str:
    """A text that can be stored and shown: of bearable length, without halves of characters."""
    return text[:_TEXT_LENGTH_MAX].encode("utf-8", "replace").decode("utf-8")


def _parsed(content: bytes, path: str) -> Any:
    """The JSON value; DriverRefused for what is none."""
    try:
        return read(content)
    except JsonFault as error:
        raise DriverRefused(
            f"What GET {path} gave {error}: this is not a Chaos License Server."
        ) from error


def _licenses(online: dict[str, Any]) -> tuple[ProductSeats, ...]:
    # A product may stand in several entries; only their sum can be compared later.
    seats: dict[str, dict[str, int]] = {}
    for entry in _entries(online, "licenses", "online."):
        product = _member(entry, "product", dict, "online.licenses[].")
        kinds = seats.setdefault(_label(product), {})
        for kind, number in _seats(product):
            kinds[kind] = kinds.get(kind, 0) + number
    return tuple(ProductSeats(product, kinds) for product, kinds in seats.items())


def _seats(product: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for key, value in product.items():
        if not (key.isascii() and key.isdigit()):
            continue
        if value is None:
            continue
        number = _number(value)
        if number is None or not 0 <= number <= _SEATS_MAX:
            raise DriverRefused(
                f"The status shows something else than a number of seats as kind {clean(key)} of"
                f" {_label(product)}."
            )
        yield SEAT_KINDS.get(key, clean(key)), number


def _number(value: object) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if value.isascii() and value.isdigit() and len(value) <= 10:
            return int(value)
        case _:
            return None


def _label(product: dict[str, Any]) -> str:
    identifier = product.get("productId")
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = f"{WITHOUT_LABEL}, id {identifier}" if abs(identifier) <= _SEATS_MAX else None
    return _text(product.get("productLabel")) or _text(identifier) or WITHOUT_LABEL


def _entries(parent: dict[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    entries: list[Any] = _member(parent, name, list, where)
    if not all(isinstance(entry, dict) for entry in entries):
        raise _odd(f"{where}{name}")
    return entries


def _member(parent: dict[str, Any], name: str, kind: type[Any], where: str) -> Any:
    """A member of the given kind; an absent, null or empty one is empty."""
    value = parent.get(name)
    if value is None or value in ({}, []):
        return kind()
    if not isinstance(value, kind):
        raise _odd(f"{where}{name}")
    return value


def _odd(name: str) -> DriverRefused:
    return DriverRefused(
        f"The license server's status has {name} in a form that is not known here."
    )


def _text(value: object) -> str | None:
    return (clean(value.strip()) or None) if isinstance(value, str) else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
