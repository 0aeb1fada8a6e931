# SPDX-License-Identifier: GPL-3.0-or-later
"""What an order will cost, as far as the vendor's article and the operator's prices tell it.

All rules are of knowledge base article 799 (grade D). An amount that nobody gave is None, "to
be asked", and then there is no total either: nothing unknown is ever taken for zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from typing import Any

from seatkeeper_agent.domain.orders import DocumentName, LicenseKey, OrderLine, OtherOrder, merged

ARTICLE_CURRENCY = "USD"
ARTICLE_MOVE_FEE = Decimal(300)
"""For each pair of source and target, in US dollars, however many licenses move (grade D)."""

PRICE_MAX = Decimal(1_000_000_000)
DAYS_PER_YEAR = 365
_NO_CHARGE = Decimal("0.00")


class LineKind(StrEnum):
    """What a line of a quote is about."""

    MOVE_FEE = "move_fee"
    SOFTWARE_ASSURANCE = "software_assurance"
    CONVERSION = "conversion"
    PURCHASE_ORDER = "purchase_order"


@dataclass(frozen=True, slots=True)
class Prices:
    """What the operator knows of prices; None or a missing product is asked for.

    ``assurance_per_year`` is the price of one year of Software Assurance for one whole key of a
    product. ``days_per_year`` is what a day's part of it is counted by. ValueError names what
    cannot be.
    """

    move_fee: Decimal | None = ARTICLE_MOVE_FEE
    assurance_per_year: dict[str, Decimal] = field(default_factory=dict)
    days_per_year: int = DAYS_PER_YEAR
    currency: str = ARTICLE_CURRENCY

    def __post_init__(self) -> None:
        named = {f"the price of {name}": it for name, it in self.assurance_per_year.items()}
        for what, price in {"move_fee": self.move_fee, **named}.items():
            if price is not None and not (price.is_finite() and 0 <= price <= PRICE_MAX):
                raise ValueError(f"{what} must be from 0 to {PRICE_MAX}")
        if self.days_per_year not in (360, 365, 366):
            raise ValueError("days_per_year must be 360, 365 or 366")
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise ValueError("currency must be three capital letters such as USD")


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One line; ``amount`` None is to be asked, or for a conversion that it has none of its own.

    ``since`` and ``until`` are the expiry of the source's Software Assurance and that of the
    target's, ``days`` what lies between them. ``source`` and ``target`` are system keys.
    """

    kind: LineKind
    text: str
    amount: Decimal | None
    source: str | None
    target: str
    key: str | None = None
    since: date | None = None
    until: date | None = None
    days: int | None = None

    @property
    def is_priced(self) -> bool:
        """Whether the line belongs to the total; what a conversion costs is another line's."""
        return self.kind is not LineKind.CONVERSION

    @property
    def to_be_asked(self) -> bool:
        """Whether an amount is missing."""
        return self.is_priced and self.amount is None

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values; amounts are texts with two decimals."""
        return {
            "kind": self.kind.value,
            "text": self.text,
            "amount": _text(self.amount),
            "to_be_asked": self.to_be_asked,
            "source": self.source,
            "target": self.target,
            "key": self.key,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "days": self.days,
        }


@dataclass(frozen=True, slots=True)
class Quote:
    """All lines; ``total`` is None as long as one of them is to be asked."""

    lines: tuple[QuoteLine, ...]
    total: Decimal | None
    currency: str
    documents: tuple[DocumentName, ...]

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "lines": [line.as_document() for line in self.lines],
            "total": _text(self.total),
            "currency": self.currency,
            "documents": [document.value for document in self.documents],
        }


def quote(
    order_lines: Iterable[OrderLine], prices: Prices, on: date, beside: tuple[OtherOrder, ...] = ()
) -> Quote:
    """What moving all this costs if it is ordered on a day, ``beside`` other orders."""
    pairs = merged(order_lines)
    lines = (
        *(_move_fee(order_line, prices, sharing_fee(order_line, beside)) for order_line in pairs),
        *(
            _assurance(order_line, key, prices, on)
            for order_line in pairs
            for key in order_line.keys
        ),
        *(line for order_line in pairs for line in _conversions(order_line)),
        *_purchase_orders(pairs),
    )
    amounts = [line.amount for line in lines if line.is_priced and line.amount is not None]
    requested = any(line.to_be_asked for line in lines)
    return Quote(
        lines, None if requested else _in_cents(sum(map(Fraction, amounts))), prices.currency,
        _documents(pairs),
    )  # fmt: skip


def parse_prices(document: object) -> Prices:
    """Prices from JSON, all optional, amounts as numbers or texts; ValueError names what is wrong.

    The article's fee is in US dollars, so with another currency it has to be given as well.
    """
    if not isinstance(document, dict):
        raise ValueError("prices must be an object")
    known = ("move_fee", "assurance_per_year", "days_per_year", "currency")
    unknown = [str(key) for key in document if key not in known]
    if unknown:
        raise ValueError(f"prices has the unknown key {unknown[0]!r}; known are {', '.join(known)}")
    currency = document.get("currency", ARTICLE_CURRENCY)
    years = document.get("assurance_per_year", {})
    days = document.get("days_per_year", DAYS_PER_YEAR)
    if not isinstance(currency, str) or not isinstance(years, dict) or type(days) is not int:
        raise ValueError(
            "currency must be a text, assurance_per_year an object of products, days_per_year"
            " a whole number"
        )
    article = ARTICLE_MOVE_FEE if currency == ARTICLE_CURRENCY else None
    fee = document.get("move_fee")
    return Prices(
        article if fee is None else _price(fee, "move_fee"),
        {
            str(product): _price(price, f"the price of {product}")
            for product, price in years.items()
        },
        days,
        currency,
    )


def _price(given: object, what: str) -> Decimal:
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        try:
            # By its text, so that 120.1 is what was written and not the nearest binary number.
            return Decimal(str(given))
        except InvalidOperation:
            pass
    raise ValueError(f"{what} must be an amount such as 120.50")


def sharing_fee(order_line: OrderLine, beside: tuple[OtherOrder, ...]) -> OtherOrder | None:
    """The order of the same pair whose fee covers this move too, when they go out together."""
    return next((o for o in beside if o.shares_fee and o.order_line.pair == order_line.pair), None)


def _move_fee(order_line: OrderLine, prices: Prices, sharing: OtherOrder | None) -> QuoteLine:
    count = len(order_line.keys)
    text = f"Move of {count} license key{'' if count == 1 else 's'}, {order_line.title}"
    if sharing is not None:
        text += f": in the one fee of the order {sharing.name!r}, in one support case with it"
        return QuoteLine(LineKind.MOVE_FEE, text, _NO_CHARGE, *order_line.pair)
    fee = None if prices.move_fee is None else _in_cents(Fraction(prices.move_fee))
    return QuoteLine(LineKind.MOVE_FEE, f"{text}: one fee", fee, *order_line.pair)


def _assurance(order_line: OrderLine, key: LicenseKey, prices: Prices, on: date) -> QuoteLine:
    title = f"Software Assurance for {key.product} on {order_line.target.name}"
    since, until = order_line.source.assurance_until, order_line.target.assurance_until
    reason = _reason_to_ask(order_line, on)
    if reason is not None or since is None or until is None:
        text = f"{title}, may be charged pro rata: dates and amount to be asked, {reason}"
        return QuoteLine(LineKind.SOFTWARE_ASSURANCE, text, None, *order_line.pair, key.key)
    days = (until - since).days
    price = prices.assurance_per_year.get(key.product)
    amount, basis_text = None, "the price to be asked"
    if price is not None:
        amount = _in_cents(Fraction(price) * days / prices.days_per_year)
        basis_text = f"at {price:f} {prices.currency} for {prices.days_per_year} days"
    text = f"{title}, may be charged pro rata: {since} to {until}, {days} days, {basis_text}"
    return QuoteLine(
        LineKind.SOFTWARE_ASSURANCE, text, amount, *order_line.pair, key.key, since, until, days
    )


def _reason_to_ask(order_line: OrderLine, on: date) -> str | None:
    """Why no dates can be told; None where the article tells them."""
    since, until = order_line.source.assurance_until, order_line.target.assurance_until
    if since is None or until is None:
        missing = order_line.source if since is None else order_line.target
        return f"for the end of it on {missing.name} is not declared"
    if since >= on:
        still = f"for it is still active on {order_line.source.name}"
        return f"{still}, and the vendor does not say from when"
    if until < on:
        return f"for it has expired on {order_line.target.name} and must be renewed first"
    return None


def _conversions(order_line: OrderLine) -> list[QuoteLine]:
    if not order_line.target.is_software_only:
        return []
    lines = []
    for key in order_line.keys:
        if key.product.upper().startswith("SSW-"):
            continue
        becomes = key.converted_product or "a new license, which one is to be asked"
        text = f"{key.product} becomes {becomes} on {order_line.target.name}"
        lines.append(QuoteLine(LineKind.CONVERSION, text, None, *order_line.pair, key.key))
    return lines


def _purchase_orders(pairs: tuple[OrderLine, ...]) -> list[QuoteLine]:
    targets = {order_line.target.system_key: order_line.target for order_line in pairs}.values()
    return [
        QuoteLine(
            LineKind.PURCHASE_ORDER,
            f"No-charge purchase order to the vendor's sales for all licenses of {target.name}",
            _NO_CHARGE,
            None,
            target.system_key,
        )
        for target in targets
        if target.is_software_only
    ]


def _documents(pairs: tuple[OrderLine, ...]) -> tuple[DocumentName, ...]:
    always = (DocumentName.TRANSFER_FORM, DocumentName.CARD_AUTHORIZATION)
    if any(order_line.target.is_software_only for order_line in pairs):
        return (*always, DocumentName.WORKSHEET, DocumentName.PURCHASE_ORDER)
    return always


def _in_cents(amount: Fraction | int) -> Decimal:
    """Rounded half up; exact before, so that nothing is rounded twice."""
    cents = (amount * 200 + 1) // 2
    return Decimal(int(cents)).scaleb(-2)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
