# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an agent's answer is of the form that a run of all hosts may go on with.

What one agent sends must neither make the tasks of other hosts fail nor reach them unread.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_UNKNOWN,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import Entry

Shape = t.Any
"""A type or several, a pattern, a list of one shape, or a dict of members that have to be there."""

_TEXT_OR_NONE: t.Final = (str, type(None))
_DOCUMENT: t.Final = (dict, type(None))
_NAME: t.Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_END: t.Final = {"agent": str, "container": _TEXT_OR_NONE}
_TRANSFER: t.Final = {
    "id": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "name": str,
    "item": str,
    "type": str,
    "mode": str,
    "quantity": (int, type(None)),
    "until": _TEXT_OR_NONE,
    "parent": _TEXT_OR_NONE,
    "source": _END,
    "target": _END,
}
_RECORD: t.Final = {
    **_TRANSFER,
    "side": re.compile("source|target"),
    "state": str,
    "status": str,
    "amounts": dict,
}
_RESULT: t.Final = {
    "id": str,
    "kind": str,
    "outcome": re.compile("same|changed|would_change|waits|failed|unknown"),
    "changed": bool,
    "present": _DOCUMENT,
    "before": dict,
    "after": dict,
    "steps": [{"name": str, "title": str, "reversible": bool, "performer": str}],
    "digest": _TEXT_OR_NONE,
    "confirmation_required": bool,
    "waits_for": _DOCUMENT,
    "next": _DOCUMENT,
    "details": dict,
    "problem": _DOCUMENT,
}
_GIVEN: t.Final = {
    "declaration": str,
    "to": str,
    "kind": _NAME,
    "envelope": _DOCUMENT,
    "facts": dict,
    "planned": bool,
    "signed": bool,
}
_PROBLEM: t.Final = {"code": str, "detail": str, "next_action": str}
_ITEM: t.Final = {
    "item": str,
    "status": str,
    "seats": int,
    "units": int,
    "borrowed_until": _TEXT_OR_NONE,
}
_CONTAINER: t.Final = {"serial": str, "more": bool, "items": [_ITEM]}
_ORDER: t.Final = {
    "name": str,
    "state": str,
    "source": str,
    "target": str,
    "source_key": str,
    "target_key": str,
    "keys": [{"key": str}],
    "ended_on": _TEXT_OR_NONE,
}
_REQUEST: t.Final = {"content": str, "digest": re.compile("[0-9a-f]{64}")}
_PAPER: t.Final = {"name": str, "content": str}
_RULE: t.Final = {
    "rule": str,
    "verdict": str,
    "required": str,
    "observed": str,
    "advice": _TEXT_OR_NONE,
}
_PRICE: t.Final = {"text": str, "amount": _TEXT_OR_NONE, "to_be_asked": bool}
_DETAILS: t.Final = {
    "request": _REQUEST,
    "papers": [_PAPER],
    "report": {"rules": [_RULE]},
    "quote": {"lines": [_PRICE], "total": _TEXT_OR_NONE, "currency": str, "documents": [str]},
    "acknowledgement": str,
    "warnings": [str],
    "notes": [str],
}
"""What one kind says besides, where it does."""
_WAIT: t.Final = {
    "who": str,
    "title": str,
    "subject": str,
    "instructions": [str],
    "verified_by": _TEXT_OR_NONE,
    "operation": str,
    "step": str,
    "since": _TEXT_OR_NONE,
    "until": _TEXT_OR_NONE,
    "overdue": bool,
    "attestable": bool,
}
"""A step that waits for somebody."""
_AWAITED: t.Final = {"agent": str, "operation": str}
"""What waits for another agent, or for work of its own."""
_MOVE: t.Final = {
    "id": str,
    "name": str,
    "source": str,
    "target": str,
    "side": re.compile("source|target"),
    "state": str,
    "adrift": [{"license": str, "place": str, "since": _TEXT_OR_NONE, "advice": [str]}],
    "steps": [{"title": str, "state": str}],
}
_LOOK: t.Final = {
    "agent": {
        "agent": {"name": str, "version": str},
        "vendors": [{"vendor": str}],
        "invariants": [{"holds": bool, "detail": str}],
        "frozen": [{"code": str, "message": str}],
    },
    "products": dict,
    "waiting": [_WAIT],
    "ports_limited": bool,
    "peers": [{"agent": str, "evidence": _DOCUMENT}],
}


_OF_PROBLEMS: t.Final = {
    "rules": [_RULE],
    "quote": _DETAILS["quote"],
    "digest": _TEXT_OR_NONE,
    "operation": _TEXT_OR_NONE,
    "screenshot": _TEXT_OR_NONE,
}
"""What a problem says besides, where it does."""
_PRESENT: t.Final = {
    "transfer": _RECORD,
    "server_move": _MOVE,
    "dongle_migration": {"state": str},
    "order": {"state": str},
}
_SEEN: t.Final = {
    "containers": _CONTAINER,
    "order": _ORDER,
    "transfer": _RECORD,
    "server_move": _MOVE,
}


class UnreadableError(LicenseProblem):
    """What an agent sent cannot be gone by."""

    def __init__(self, detail: str, next_action: str) -> None:
        problem = LicenseProblem.of(AGENT_UNKNOWN, detail, next_action)
        super().__init__(problem.document)


def check_answer(answer: t.Any, host: str) -> None:
    """UnreadableError where an answer to a request for a host's state is of another form."""
    shape = {"results": [_RESULT], "documents": [_GIVEN]}
    check(answer, shape, "the answer", host)
    check(answer.get("records") or [], [_RECORD], "records", host)
    for number, result in enumerate(answer["results"]):
        place = f"results[{number}]"
        if result["problem"] is not None:
            check(result["problem"], _PROBLEM, f"{place}.problem", host)
            _check_members(result["problem"], _OF_PROBLEMS, f"{place}.problem", host)
        _check_members(result["details"], _DETAILS, f"{place}.details", host)
        _check_wait(result["waits_for"] or {}, f"{place}.waits_for", host)
        if result["kind"] == "borrow":
            check(result["details"].get("transfers", []), [_TRANSFER], f"{place}.details", host)
            check((result["present"] or {}).get("lent", []), [_RECORD], f"{place}.present", host)
        if result["kind"] in _PRESENT and result["present"] is not None:
            check(result["present"], _PRESENT[result["kind"]], f"{place}.present", host)
    if answer.get("look") is not None:
        check(answer["look"], _LOOK, "the look", host)
        for name, product in answer["look"]["products"].items():
            _check_product(product, f"products.{name}", host)


def _check_product(product: t.Any, place: str, host: str) -> None:
    check(product, dict, place, host)
    for name, inner in _SEEN.items():
        looked = product.get(name, {})
        check(looked, dict, f"{place}.{name}", host)
        if looked.get("problem") is not None:
            check(looked["problem"], _PROBLEM, f"{place}.{name}.problem", host)
        if looked.get("seen") is not None:
            check(looked["seen"], [inner], f"{place}.{name}.seen", host)
            for entry in looked["seen"]:
                for measure, amount in entry["amounts"].items() if name == "transfer" else ():
                    check(amount, int, f"{place}.{name}.amounts.{measure}", host)


def _check_wait(wait: Entry, place: str, host: str) -> None:
    if "who" in wait:
        check(wait, _WAIT, place, host)
    else:
        _check_members(wait, _AWAITED, place, host)


def _check_members(found: Entry, shapes: Entry, place: str, host: str) -> None:
    """Those that are there; another release may say more, and less."""
    for name in shapes.keys() & found.keys():
        check(found[name], shapes[name], f"{place}.{name}", host)


def check(value: t.Any, shape: Shape, place: str, host: str) -> None:
    """UnreadableError where a value, found at ``place`` of an answer, is of another form."""
    if isinstance(shape, dict):
        _require(isinstance(value, t.Mapping), place, host)
        for name, inner in shape.items():
            _require(name in value, f"{place}.{name}", host)
            check(value[name], inner, f"{place}.{name}", host)
    elif isinstance(shape, list):
        _require(isinstance(value, (list, tuple)), place, host)
        for number, each in enumerate(value):
            check(each, shape[0], f"{place}[{number}]", host)
    elif isinstance(shape, re.Pattern):
        _require(isinstance(value, str) and shape.fullmatch(value) is not None, place, host)
    else:
        is_flag = isinstance(value, bool) and shape is not bool
        _require(isinstance(value, shape) and not is_flag, place, host)


def _require(holds: bool, place: str, host: str) -> None:
    if not holds:
        raise UnreadableError(
            f"The agent of {host} sent something that cannot be read, at {place}. Nothing was asked"
            " of another host for it.",
            "Update agent and collection to the same release, or find out who answers there.",
        )
