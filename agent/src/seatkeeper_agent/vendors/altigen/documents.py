# SPDX-License-Identifier: GPL-3.0-or-later
"""The papers of a license move: summaries for the vendor's forms, made to be printed.

The vendor's own forms are not public (?), so what is on these pages is a sensible guess (G), and
each page says that it is the operator's summary, to be copied. Card data is nobody's argument
here: the card page is the same for every order. The same input gives the same bytes.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from importlib import resources
from itertools import count
from string import Template

from seatkeeper_agent.domain.orders import (
    DocumentName,
    LicenseKey,
    Order,
    OrderLine,
    PhoneSystem,
    merged,
)

CASE_LENGTH_MAX = 64
HTML_TYPE = "text/html"


@dataclass(frozen=True, slots=True)
class Document:
    """One file; ``content_type`` is its media type, in UTF-8 where it is text."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who asks, as printed; None leaves room to write by hand."""

    dealer_id: str | None = None
    contact: str | None = None


def documents(order: Order, case_number: str | None, applicant: Applicant) -> tuple[Document, ...]:
    """What goes to the vendor for an order of one target: the form, and the worksheet if needed."""
    target = only_target(order)
    form = _named(DocumentName.TRANSFER_FORM, transfer_form(order, case_number, applicant))
    if not target.is_software_only:
        return (form,)
    return form, _named(DocumentName.WORKSHEET, worksheet(order, case_number, applicant))


def transfer_form(order: Order, case_number: str | None, applicant: Applicant) -> bytes:
    """The summary for the License Transfer Form; ValueError unless the order has one target."""
    target, order_lines = only_target(order), merged(order.order_lines)
    sources = {
        order_line.source.system_key: order_line.source for order_line in order_lines
    }.values()
    fields = ""
    if order.fields:
        rows = (_row(name.replace("_", " "), value) for name, value in order.fields.items())
        fields = f"<h2>The operator's own</h2>\n<table><tbody>\n{''.join(rows)}</tbody></table>\n"
    return _page(
        "transfer_form.html",
        f"License transfer to {target.name}",
        target_name=html.escape(target.name),
        request=_request(order, case_number, applicant),
        systems="".join([*(_system("From", source) for source in sources), _system("To", target)]),
        keys=_keys(order_lines, _form_cells),
        summary=html.escape(_fees(order_lines, target)),
        fields=fields,
    )


def worksheet(order: Order, case_number: str | None, applicant: Applicant) -> bytes:
    """The summary for the worksheet; ValueError unless its one target is software-only."""
    target, order_lines = only_target(order), merged(order.order_lines)
    if not target.is_software_only:
        raise ValueError(f"{target.name} is not software-only, so it needs no migration worksheet")
    number = order.field(DocumentName.PURCHASE_ORDER)
    return _page(
        "worksheet.html",
        f"Migration worksheet for {target.name}",
        target_name=html.escape(target.name),
        request=_request(order, case_number, applicant),
        keys=_keys(order_lines, _worksheet_cells),
        summary=html.escape(
            _conversions(key for order_line in order_lines for key in order_line.keys)
        ),
        purchase_order=_row("Purchase order number", number)
        + _row("Sent to the vendor's sales on", None),
    )


def card_authorization() -> bytes:
    """The page for the card's owner, with empty fields; it is the same for every order."""
    return _page("card_authorization.html", "Credit card authorization")


def only_target(order: Order) -> PhoneSystem:
    """The order's target; ValueError for several, since each has a support case of its own."""
    if len(order.targets) != 1:
        raise ValueError(
            f"the order {order.name} has {len(order.targets)} targets: the vendor opens a support"
            " case for each, so make the documents target by target"
        )
    return order.targets[0]


def require_case_number(case_number: str) -> str:
    """The number if it can stand in the subject of a mail; ValueError otherwise."""
    usable = case_number.isprintable() and case_number == case_number.strip()
    if not usable or not 0 < len(case_number) <= CASE_LENGTH_MAX:
        raise ValueError(
            f"a case number must be one line of 1 to {CASE_LENGTH_MAX} characters without spaces"
            " around it"
        )
    return case_number


def _named(name: DocumentName, content: bytes) -> Document:
    return Document(f"{name.value.replace('_', '-')}.html", HTML_TYPE, content)


def _page(template: str, title: str, **parts: str) -> bytes:
    body = Template(read_template(template)).substitute(parts)
    page = Template(read_template("page.html"))
    # The footer stands in a string of the style sheet, so nothing of an order goes there.
    footer = "The operator's summary, not the vendor's form"
    return page.substitute(title=html.escape(title), footer=footer, body=body).encode()


def read_template(name: str) -> str:
    """One of the templates that come with the agent."""
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8")


def _request(order: Order, case_number: str | None, applicant: Applicant) -> str:
    number = None if case_number is None else require_case_number(case_number)
    target = only_target(order)
    upgrade = "Yes: this is an upgrade from an Office or Max server to software-only"
    return "".join(
        (
            _row("Support case number", number),
            _row("Opened under system key", target.system_key, "key"),
            _row("Requested for", order.on.isoformat()),
            _row("Order", order.name),
            _row("Upgrade to software-only", upgrade if order.is_upgrade else "No"),
            _row("Dealer id", applicant.dealer_id),
            _row("Contact", applicant.contact),
        )
    )


def _row(name: str, value: str | None, kind: str = "") -> str:
    if not value:
        return f'<tr><th>{html.escape(name)}</th><td class="blank"></td></tr>\n'
    shape = f' class="{kind}"' if kind else ""
    return f"<tr><th>{html.escape(name)}</th><td{shape}>{html.escape(value)}</td></tr>\n"


def _system(role: str, system: PhoneSystem) -> str:
    words = {True: "registered", False: "not registered", None: "registration not declared"}
    chassis = system.chassis.replace("_", " ") or "not declared"
    cells = (
        system.name,
        system.system_key,
        system.owner or "not declared",
        f"{chassis}, {words[system.registered]}",
        _day(system.assurance_until),
        "not declared" if system.stations is None else str(system.stations),
    )
    shapes = ("", ' class="key"', "", "", "", "")
    rendered = "".join(
        f"<td{shape}>{html.escape(cell)}</td>" for cell, shape in zip(cells, shapes, strict=True)
    )
    return f"<tr><td><strong>{role}</strong></td>{rendered}</tr>\n"


def _day(day: date | None) -> str:
    return "not declared" if day is None else day.isoformat()


def _form_cells(key: LicenseKey) -> tuple[str, ...]:
    return key.key, key.product, "whole" if key.size is None else f"whole: {key.size}"


def _worksheet_cells(key: LicenseKey) -> tuple[str, ...]:
    if key.product.upper().startswith("SSW-"):
        return key.key, key.product, "stays what it is"
    return key.key, key.product, key.converted_product or "to be asked"


def _keys(order_lines: Iterable[OrderLine], cells: Callable[[LicenseKey], tuple[str, ...]]) -> str:
    """The rows of all keys, numbered through, below a row for the system they come from."""
    numbers = count(1)
    return "".join(
        f'<tbody>\n<tr class="group"><th colspan="4">From {html.escape(order_line.source.name)},'
        f" system key {html.escape(order_line.source.system_key)}</th></tr>\n"
        + "".join(_numbered(next(numbers), *cells(key)) for key in order_line.keys)
        + "</tbody>\n"
        for order_line in order_lines
    )


def _numbered(number: int, key: str, *others: str) -> str:
    rendered = "".join(f"<td>{html.escape(cell)}</td>" for cell in others)
    return f'<tr><td>{number}</td><td class="key">{html.escape(key)}</td>{rendered}</tr>\n'


def _fees(order_lines: tuple[OrderLine, ...], target: PhoneSystem) -> str:
    keys, pairs = sum(len(order_line.keys) for order_line in order_lines), len(order_lines)
    return (
        f"{keys} license key{'' if keys == 1 else 's'} from {pairs} system"
        f"{'' if pairs == 1 else 's'} to {target.name}: {pairs} move fee"
        f"{'' if pairs == 1 else 's'}, one for each pair of source and target."
    )


def _conversions(keys: Iterable[LicenseKey]) -> str:
    sums = {"SSW-STATION": 0, "SSW-ACMAGENT": 0}
    others = 0
    for key in keys:
        becomes = key.converted_product or key.product.upper()
        kind = becomes.rpartition("-")[0]
        if kind in sums and key.size is not None:
            sums[kind] += key.size
        else:
            others += 1
    rendered = [f"{kind}: {count} in all" for kind, count in sums.items() if count]
    if others:
        rendered.append(f"{others} license key{'' if others == 1 else 's'} to be asked about")
    return "; ".join(rendered) + "."
