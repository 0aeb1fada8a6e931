# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an agent's answer is of the form that every host may go on with.

Looked at in the task of the host that answered: what one agent sends must not make the tasks of
other hosts fail.
"""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError

Shape = t.Any
"""A type or several, a pattern, a list of one shape, or a dict of members that have to be there."""

TEXT_OR_NONE: t.Final = (str, type(None))
AMOUNT_OR_NONE: t.Final = (int, type(None))
DOCUMENT: t.Final = (dict, type(None))
END: t.Final = {"agent": str, "container": TEXT_OR_NONE}
ID: t.Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""It becomes a part of a file's name."""
TRANSFER: t.Final = {
    "id": ID,
    "name": str,
    "item": str,
    "type": str,
    "mode": str,
    "quantity": AMOUNT_OR_NONE,
    "until": TEXT_OR_NONE,
    "parent": TEXT_OR_NONE,
    "source": END,
    "target": END,
}
_SIDES: t.Final = ("source", "target")
_ITEM: t.Final = {
    "container": str,
    "item": str,
    "seats": int,
    "units": int,
    "status": str,
    "borrowed_until": TEXT_OR_NONE,
}
_STEPS: t.Final = [{"name": str, "title": str, "reversible": bool, "performer": str}]
_LICENSES: t.Final = [{"number": str, "profiles": [str]}]


def check(value: t.Any, shape: Shape, place: str, host: str) -> None:
    """AnsibleFilterError where a value, found at ``place`` of an answer, is of another form."""
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
        numbers = isinstance(value, bool) and shape is not bool
        _require(isinstance(value, shape) and not numbers, place, host)


def check_view(read: t.Any, host: str) -> None:
    """Containers, items, transfers and peers as the leg planner reads them."""
    shape = {"containers": [{"serial": str}], "license_items": [_ITEM]}
    check(read, shape, "the answer", host)
    check_records(read.get("transfers"), host)
    if read.get("peers") is not None:
        check(read["peers"], [{"agent": str, "evidence": DOCUMENT}], "peers", host)


def check_records(records: t.Any, host: str) -> None:
    """Transfers as a journal lists them."""
    shape = {**TRANSFER, "side": str, "state": str, "status": str, "documents": dict}
    check(records, [{**shape, "amounts": dict}], "transfers", host)
    for number, record in enumerate(records):
        _require(record["side"] in _SIDES, f"transfers[{number}].side", host)
        for measure, amount in record["amounts"].items():
            check(amount, int, f"transfers[{number}].amounts.{measure}", host)
        for kind, document in record["documents"].items():
            check(document, DOCUMENT, f"transfers[{number}].documents.{kind}", host)


def check_lots(lots: t.Any, host: str) -> None:
    """The transfers that a borrow brings about."""
    check(lots, [TRANSFER], "transfers", host)


def check_leg(result: t.Any, host: str) -> None:
    """What a leg of a transfer returned."""
    check(result.get("document"), DOCUMENT, "document", host)
    check(result.get("facts"), DOCUMENT, "facts", host)
    if result.get("plan") is not None:
        check(result["plan"], {"digest": TEXT_OR_NONE, "steps": _STEPS}, "plan", host)


def check_moves(records: t.Any, host: str) -> None:
    """Moves of license servers as a journal lists them."""
    shape = {
        "name": str,
        "state": str,
        "documents": dict,
        "backup": {"licenses": _LICENSES},
    }
    check(records, [shape], "moves", host)
    for number, record in enumerate(records):
        for kind, document in record["documents"].items():
            check(document, DOCUMENT, f"moves[{number}].documents.{kind}", host)


def check_backup(backup: t.Any, host: str) -> None:
    """The backup of a license server."""
    check(backup, {"licenses": _LICENSES}, "backup", host)


def _require(holds: bool, place: str, host: str) -> None:
    if not holds:
        raise AnsibleFilterError(
            f"The agent of {host} sent something that cannot be read, at {place}. Nothing was asked"
            " of another host for it. Update agent and collection to the same release, or find out"
            " who answers there."
        )
