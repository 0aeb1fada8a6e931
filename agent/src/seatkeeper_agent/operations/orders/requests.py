# SPDX-License-Identifier: GPL-3.0-or-later
"""What an order is asked for, how it is remembered, and what its confirmation is bound to."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from seatkeeper_agent.domain.orders import LicenseKey, Order, OrderLine, OtherOrder, PhoneSystem
from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.policies import Policy, evaluate, parse
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.quotes import Quote, parse_prices, quote, sharing_fee
from seatkeeper_agent.domain.rules import RuleRow, is_refused
from seatkeeper_agent.domain.transfers import NAMESPACE
from seatkeeper_agent.operations.people import planned_view
from seatkeeper_agent.operations.steps import Step

KIND = ORDER = "order"


@dataclass(frozen=True)
class OrderRequest:
    """What was declared, as JSON, and how far the operator goes with it.

    ``declaration`` has name, source, target, keys, on, fields, prices and rules, so that the
    order can be built again from the journal; ``on`` None is the day on which it is placed.
    ``others`` are other orders that rules and prices look at, ``new_keys`` those that the vendor
    issued.
    """

    declaration: dict[str, Any]
    case_number: str | None = None
    confirmation: str | None = None
    others: tuple[dict[str, Any], ...] = ()
    new_keys: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Judged:
    """An order with all that was found out about it before anything is done."""

    order: Order
    rows: tuple[RuleRow, ...]
    quote: Quote

    @property
    def refused(self) -> bool:
        """Whether a rule is seen not to be met, or unknown where that blocks."""
        return is_refused(self.rows)

    @property
    def fee_of(self) -> str | None:
        """The order whose fee covers this one, None where it pays its own."""
        sharing = sharing_fee(self.order.order_lines[0], self.order.beside)
        return None if sharing is None else sharing.name

    def report(self) -> dict[str, Any]:
        """The rows and what they come to."""
        return {
            "verdict": "refused" if self.refused else "open",
            "rules": [row.as_document() for row in self.rows],
        }


def judge(
    declaration: dict[str, Any],
    vendor_policy: Policy,
    today: date,
    beside: tuple[OtherOrder, ...] = (),
) -> Judged:
    """Build the order and check it against all rules and prices; Problem for what cannot be."""
    try:
        order = order_from(declaration, today, beside)
        policy = vendor_policy.with_more(parse({"rules": declaration["rules"]}))
        prices = parse_prices(declaration["prices"])
    except ValueError as error:
        raise unusable(declaration["name"], error) from error
    priced = quote(order.order_lines, prices, order.on, order.beside)
    return Judged(order, evaluate(policy, order), priced)


def unusable(name: str, error: ValueError) -> Problem:
    """What is declared cannot be."""
    return Problem(
        ProblemCode.REQUEST_INVALID,
        f"The order {name!r} cannot be used: {error}.",
        "Correct the declaration; nothing was done.",
    )


def require_days(order: Order) -> None:
    """Problem for days that cannot be: an order of the past, a count of the future."""
    reasons = []
    if order.on < order.today:
        reasons.append(f"its date {order.on} lies in the past, today is {order.today}")
    for system in (order.order_lines[0].source, order.order_lines[0].target):
        counted = system.stations_as_of
        if counted is not None and counted > order.today:
            reasons.append(
                f"stations_as_of of {system.name} is {counted}, and today is {order.today}"
            )
    if reasons:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The order {order.name!r} cannot be placed: {'; '.join(reasons)}.",
            "Leave the date out for today, or give a later one; a count is of today or earlier.",
        )


def order_from(
    declaration: dict[str, Any], today: date, beside: tuple[OtherOrder, ...] = ()
) -> Order:
    """The order that a declaration means; ValueError names what cannot be."""
    on = declaration.get("on")
    return Order(
        declaration["name"],
        (order_line_from(declaration),),
        today if on is None else date.fromisoformat(on),
        today,
        dict(declaration["fields"]),
        beside,
    )


def order_as_placed(document: dict[str, Any]) -> Order:
    """An order as it was on the day on which it was placed, from what is remembered of it."""
    made = datetime.fromisoformat(document["made_at"])
    day = document.get("judged_on")
    today = day_of(made.timestamp()) if day is None else date.fromisoformat(day)
    beside = tuple(other_from(entry) for entry in document.get("beside", []))
    return order_from(document["declaration"], today, beside)


def judged_as_placed(document: dict[str, Any]) -> dict[str, Any]:
    """The report and the quote by which an order was confirmed.

    Journals of version 3 have neither; what was placed was open by the rules of that day.
    """
    if "report" in document:
        return {key: document[key] for key in ("report", "quote")}
    order = order_as_placed(document)
    prices = parse_prices(document["declaration"]["prices"])
    priced = quote(order.order_lines, prices, order.on, order.beside)
    return {"report": {"verdict": "open", "rules": []}, "quote": priced.as_document()}


def order_line_from(document: dict[str, Any]) -> OrderLine:
    """Keys that go from a source to a target."""
    return OrderLine(
        system_from(document["source"]),
        system_from(document["target"]),
        tuple(LicenseKey(**entry) for entry in document["keys"]),
    )


def system_from(document: dict[str, Any]) -> PhoneSystem:
    """A system as declared."""
    given = dict(document)
    for name in ("assurance_until", "stations_as_of"):
        day = given.get(name)
        given[name] = None if day is None else date.fromisoformat(day)
    return PhoneSystem(**given)


def other_from(document: dict[str, Any]) -> OtherOrder:
    """Another order; ValueError names what cannot be."""
    ended = document.get("ended_on")
    return OtherOrder(
        document["name"],
        order_line_from(document),
        None if ended is None else date.fromisoformat(ended),
        bool(document.get("shares_fee")),
    )


def other_document(other: OtherOrder) -> dict[str, Any]:
    """What ``other_from`` reads."""
    return {
        "name": other.name,
        "source": _system_document(other.order_line.source),
        "target": _system_document(other.order_line.target),
        "keys": [asdict(key) for key in other.order_line.keys],
        "ended_on": None if other.ended_on is None else other.ended_on.isoformat(),
        "shares_fee": other.shares_fee,
    }


def _system_document(system: PhoneSystem) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in asdict(system).items()
    }


def definition_of(declaration: dict[str, Any]) -> dict[str, str]:
    """What an order stands for: license keys that go from one system to another."""
    return {
        "source": declaration["source"]["system_key"],
        "target": declaration["target"]["system_key"],
        "license keys": ", ".join(sorted(entry["key"] for entry in declaration["keys"])),
    }


def day_of(seconds: float) -> date:
    """The day on this host's calendar."""
    return datetime.fromtimestamp(seconds).astimezone().date()


def order_id(name: str) -> str:
    """The id of the order with this name."""
    return str(uuid.uuid5(NAMESPACE, f"order/{name}"))


def operation_id(order: str, attempt: int) -> str:
    """The id of one attempt at it."""
    return str(uuid.uuid5(NAMESPACE, f"{KIND}/{order}/{attempt}"))


def plan_view(
    declaration: dict[str, Any], judged: Judged, steps: tuple[Step, ...], mails_before: int
) -> dict[str, Any]:
    """The steps, and the digest of declaration, rules and quote that a confirmation is for.

    Another mail to the vendor, after an order that was given up, needs another confirmation.
    """
    shown = [planned_view(step) for step in steps]
    bound = {
        "declaration": declaration,
        "steps": shown,
        "report": judged.report(),
        "quote": judged.quote.as_document(),
        "mails_before": mails_before,
    }
    return {"digest": digest(bound), "confirmation_required": True, "steps": shown}
