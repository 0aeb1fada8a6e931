# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy as data: a document of rules, what each kind takes, and what an order is told by them.

{"rules": [{"id": "same_owner", "kind": "same_owner", "required": "…", "advice": "…",
            "source": "…", and the parameters of its kind}]}

``required`` says what must be, ``advice`` what to do where it is not; ``source``, which may be
left out, says who demands it. A vendor's rules and an operator's have the same form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from seatkeeper_agent.domain.field_patterns import parse_pattern
from seatkeeper_agent.domain.orders import FIELD_NAME, QUANTITY_MAX, TEXT_LENGTH_MAX, Order
from seatkeeper_agent.domain.policy_checks import CHECKS, Finding
from seatkeeper_agent.domain.rules import OnUnknown, RuleRow, verdict_of

RULES_MAX = 200
NAMES_MAX = 200
ADVICE_LENGTH_MAX = 500

_TEXTS = {"id", "kind", "required", "advice", "source"}


class RuleKind(StrEnum):
    """The closed set of what a rule can look at; every value has its check and its parameters."""

    ASSURANCE_ACTIVE = "assurance_active"
    REGISTERED = "registered"
    SAME_OWNER = "same_owner"
    WHOLE_KEYS = "whole_keys"
    CHASSIS_LIMIT = "chassis_limit"
    DIFFERENT_SYSTEMS = "different_systems"
    KEYS_UNIQUE = "keys_unique"
    DOCUMENTS = "documents"
    FIELD_REQUIRED = "field_required"
    FIELD_IN = "field_in"
    FIELD_MATCHES = "field_matches"


ON_UNKNOWN: dict[RuleKind, OnUnknown] = {
    RuleKind.ASSURANCE_ACTIVE: OnUnknown.BLOCKS,
    RuleKind.REGISTERED: OnUnknown.BLOCKS,
    RuleKind.SAME_OWNER: OnUnknown.BLOCKS,
    RuleKind.WHOLE_KEYS: OnUnknown.BLOCKS,
    RuleKind.CHASSIS_LIMIT: OnUnknown.BLOCKS,
    RuleKind.DIFFERENT_SYSTEMS: OnUnknown.BLOCKS,
    RuleKind.KEYS_UNIQUE: OnUnknown.BLOCKS,
    RuleKind.DOCUMENTS: OnUnknown.BLOCKS,
    RuleKind.FIELD_REQUIRED: OnUnknown.BLOCKS,
    RuleKind.FIELD_IN: OnUnknown.BLOCKS,
    RuleKind.FIELD_MATCHES: OnUnknown.BLOCKS,
}
"""An order costs money and cannot be undone; the operator can state all that it is judged by."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy; ``parameters`` are those of its kind, checked."""

    id: str
    kind: RuleKind
    required: str
    advice: str
    source: str | None
    parameters: dict[str, Any]

    def row(self, finding: Finding) -> RuleRow:
        """What is shown of one thing that the rule looked at."""
        required = f"{self.required} ({self.source})" if self.source else self.required
        verdict = verdict_of(finding.holds)
        on_unknown = ON_UNKNOWN[self.kind]
        return RuleRow(self.id, required, finding.observed, verdict, self.advice, on_unknown)


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in the order in which they are shown."""

    rules: tuple[Rule, ...]

    def with_more(self, other: Policy) -> Policy:
        """These rules and another's; ValueError where both have one of the same id."""
        taken = {rule.id for rule in self.rules}
        for rule in other.rules:
            if rule.id in taken:
                raise ValueError(f"rule {rule.id!r} exists already, give the added one another id")
        return Policy((*self.rules, *other.rules))


def evaluate(policy: Policy, order: Order) -> tuple[RuleRow, ...]:
    """A row for each thing that a rule looks at; none for a rule that the order does not touch.

    The verdict is unknown where a value is not declared. Never raises for a parsed policy.
    """
    return tuple(
        rule.row(finding)
        for rule in policy.rules
        for finding in CHECKS[rule.kind.value](order, **rule.parameters)
    )


def parse(document: object) -> Policy:
    """A policy from JSON; ValueError says in one sentence which rule is wrong and how."""
    if not isinstance(document, dict) or set(document) != {"rules"}:
        raise ValueError('a policy must be an object with the one member "rules"')
    entries = document["rules"]
    if not isinstance(entries, list) or len(entries) > RULES_MAX:
        raise ValueError(f"rules must be a list of at most {RULES_MAX} rules")
    rules: dict[str, Rule] = {}
    for number, entry in enumerate(entries, 1):
        rule = _rule(entry, f"rule {number}")
        if rule.id in rules:
            raise ValueError(f"rule {number}: the id {rule.id!r} is taken by an earlier rule")
        rules[rule.id] = rule
    return Policy(tuple(rules.values()))


def _rule(entry: object, where: str) -> Rule:
    if not isinstance(entry, dict):
        raise ValueError(f"{where} must be an object")
    identity = _name(entry.get("id"), f"{where}: id")
    where = f"{where} ({identity})"
    try:
        kind = RuleKind(str(entry.get("kind")))
    except ValueError:
        known = ", ".join(kind.value for kind in RuleKind)
        raise ValueError(f"{where}: kind must be one of {known}") from None
    wanted = _PARAMETERS[kind]
    for key in sorted(set(entry) - _TEXTS - set(wanted), key=str):
        raise ValueError(f"{where}: {key!r} is unknown for the kind {kind.value}")
    return Rule(
        identity,
        kind,
        _text(entry.get("required"), f"{where}: required", ADVICE_LENGTH_MAX),
        _text(entry.get("advice"), f"{where}: advice", ADVICE_LENGTH_MAX),
        _text(entry["source"], f"{where}: source") if "source" in entry else None,
        {key: check(entry.get(key), f"{where}: {key}") for key, check in wanted.items()},
    )


def _text(value: object, where: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    if isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= length_max:
        return value.strip()
    raise ValueError(f"{where} must be a text of one line with at most {length_max} characters")


def _name(value: object, where: str) -> str:
    if isinstance(value, str) and FIELD_NAME.fullmatch(value):
        return value
    raise ValueError(f"{where} must be lower-case letters, digits and _, 64 at most")


def _limit(value: object, where: str) -> int:
    if type(value) is int and 0 <= value <= QUANTITY_MAX:
        return value
    raise ValueError(f"{where} must be a whole number from 0 to {QUANTITY_MAX}")


def _several(check: Callable[[object, str], str]) -> Callable[[object, str], tuple[str, ...]]:
    def checked(value: object, where: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not 0 < len(value) <= NAMES_MAX:
            raise ValueError(f"{where} must be a list of 1 to {NAMES_MAX} texts")
        return tuple(check(entry, where) for entry in value)

    return checked


def _pattern(value: object, where: str) -> Any:
    text = _text(value, where)
    try:
        return parse_pattern(text)
    except ValueError as error:
        raise ValueError(f"{where} {error}") from None


_PARAMETERS: dict[RuleKind, dict[str, Callable[[object, str], Any]]] = {
    RuleKind.ASSURANCE_ACTIVE: {},
    RuleKind.REGISTERED: {},
    RuleKind.SAME_OWNER: {},
    RuleKind.WHOLE_KEYS: {},
    RuleKind.CHASSIS_LIMIT: {"chassis": _text, "stations_max": _limit},
    RuleKind.DIFFERENT_SYSTEMS: {},
    RuleKind.KEYS_UNIQUE: {},
    RuleKind.DOCUMENTS: {"chassis": _text, "names": _several(_name)},
    RuleKind.FIELD_REQUIRED: {"field": _name},
    RuleKind.FIELD_IN: {"field": _name, "values": _several(_text)},
    RuleKind.FIELD_MATCHES: {"field": _name, "pattern": _pattern},
}
