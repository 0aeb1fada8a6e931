# SPDX-License-Identifier: GPL-3.0-or-later
"""Which vendor and product ids are license dongles: the shipped rows and the operator's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

ANY_PRODUCT = None
"""The product of a row for all products of a vendor that have no row of their own."""

_ROW = re.compile(
    r"(?P<vendor>[0-9a-f]{4}):(?P<product>[0-9a-f]{4}|\*) +"
    r"(?P<family>[a-z0-9][a-z0-9-]{0,31}) +(?P<model>\S.{0,79})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Model:
    """What a device is: its family, one word for programs, and its name for people."""

    family: str
    model: str


@dataclass(frozen=True, slots=True)
class Row:
    """One known device; ``product_id`` is ANY_PRODUCT for all others of the vendor."""

    vendor_id: int
    product_id: int | None
    model: Model


class KnownDongles:
    """The rows of known_dongles.json (facts of the public usb.ids list) and the operator's.

    An operator's row counts more than a shipped one, and a product's own row more than the
    vendor's: several vendors also make tokens, phones or serial chips.
    """

    def __init__(self, operator_rows: Iterable[str] = ()) -> None:
        self._models: dict[tuple[int, int | None], Model] = {}
        for row in (*_shipped(), *parse_rows(operator_rows)):
            self._models[row.vendor_id, row.product_id] = row.model

    def find(self, vendor_id: int, product_id: int) -> Model | None:
        """What the device is, None for one that is no license dongle."""
        exact = self._models.get((vendor_id, product_id))
        return exact or self._models.get((vendor_id, ANY_PRODUCT))


def parse_rows(texts: Iterable[str]) -> list[Row]:
    """The operator's rows; ValueError for one that cannot be read or stands twice."""
    rows: dict[tuple[int, int | None], Row] = {}
    for text in texts:
        row = _parse(text)
        if rows.setdefault((row.vendor_id, row.product_id), row) is not row:
            raise ValueError(f"usb: dongles has the id of {text!r} twice: keep one of the rows")
    return list(rows.values())


def _parse(text: str) -> Row:
    found = _ROW.fullmatch(text.strip())
    if found is None or not text.isprintable():
        raise ValueError(
            f"usb: the entry {text!r} of dongles is no row: write vendor:product family model, such"
            " as '1234:5678 acme Acme Key' or '1234:* acme Acme Key', ids in small hexadecimal"
            " digits"
        )
    product = found["product"]
    product_id = ANY_PRODUCT if product == "*" else int(product, 16)
    return Row(int(found["vendor"], 16), product_id, Model(found["family"], found["model"]))


def _shipped() -> list[Row]:
    document = files(__package__).joinpath("known_dongles.json").read_text(encoding="utf-8")
    return [
        _parse(f"{row['vendor']}:{row['product']} {row['family']} {row['model']}")
        for row in json.loads(document)
    ]
