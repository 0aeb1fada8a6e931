# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender's side: CmLtCreateContext gives a request, CmLtDoTransfer debits and gives an update.

The debit is durable before the update exists; the same request with the same parameters yields the
same update (the rule set for twins, as the product's behaviour at a crash is not public).
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from seatkeeper_twins.codemeter import artefacts, history, lots, rules, view
from seatkeeper_twins.codemeter.constants import (
    BORROW_TYPES,
    TRANSIT_OF_FLOW,
    Error,
    Flow,
    Refusal,
    TransferType,
)
from seatkeeper_twins.codemeter.records import Transfer
from seatkeeper_twins.codemeter.runtime import Runtime, Session

_PURPOSES = {
    Flow.PUSH: Flow.PUSH,
    Flow.RETURN: Flow.RETURN,
    Flow.RENEWBORROW: Flow.RENEWBORROW,
    Flow.INITPULL: Flow.PULL,
    Flow.INITPULL | Flow.PULL: Flow.PULL,
}
_REQUESTS_FOR = {
    Flow.PUSH: {Flow.PUSH},
    Flow.RETURN: {Flow.RETURN},
    Flow.PULL: {Flow.PULL},
    Flow.RENEWBORROW: {Flow.RENEWBORROW, Flow.PUSH},
}


@dataclass(frozen=True)
class Plan:
    """A transfer that passed every rule and has had no effect yet."""

    item: sqlite3.Row
    flow: Flow
    type: TransferType
    amount: rules.Amount
    borrow_end: int | None
    request: dict[str, Any]
    parent: bytes | None
    lot: sqlite3.Row | None


def create_request(
    runtime: Runtime, session: Session, flags: int, firm_code: int, measure_only: bool
) -> bytes:
    """CmLtCreateContext: the receiver's request, remembered durably before it is given out."""
    purpose = _PURPOSES.get(flags)
    if purpose is None:
        raise Refusal(Error.INVALID_PARAMETER, f"no request is made for flags {flags:#x}")
    rules.check_firm_code(firm_code)
    container = runtime.container(session)
    rules.check_container(runtime.profile, container, receives_borrow=True)
    now = runtime.box_time()
    nonce = os.urandom(16).hex()
    known = runtime.update_counter(container["id"], firm_code) > 0
    holds = None if session.item is None else runtime.item(session)["arrival_id"]
    request = artefacts.seal(
        "request",
        {
            "nonce": nonce, "purpose": int(purpose), "firm_code": firm_code,
            "mask": container["mask"], "serial": container["serial"], "time": now,
            "firmware": [container["firmware_major"], container["firmware_minor"]],
            "has_firm_item": known, "holds": holds.hex() if holds else None,
        },
    )  # fmt: skip
    if measure_only:
        return request
    with runtime.store.change("context"):
        runtime.store.write("INSERT INTO request VALUES (?, ?, ?)", nonce, container["id"], now)
        runtime.keep_box_time()
    return request


def do_transfer(
    runtime: Runtime, session: Session, flags: int, transfer: Transfer,
    artefact: bytes | None, capacity: int | None,
) -> bytes | int:  # fmt: skip
    """CmLtDoTransfer: the update, or with `capacity` None the bytes it needs, without effect."""
    request = artefacts.unseal("request", artefact)
    item = runtime.item(session)
    parameters = json.dumps({"flags": flags, "item": item["id"], **asdict(transfer)})
    issued = runtime.store.row(
        "SELECT * FROM issued WHERE nonce = ? AND container = ?",
        request["nonce"], item["container"],
    )  # fmt: skip
    if issued is not None and issued["parameters"] != parameters:
        raise Refusal(Error.UPDATE_FAILED, "the request was used for another transfer")
    if capacity is None:
        if issued is None:
            _plan(runtime, item, flags, transfer, request)
        return artefacts.SIZES["update"]
    if capacity < artefacts.SIZES["update"]:
        raise Refusal(Error.INVALID_PARAMETER, "the buffer is too small for the update")
    if issued is not None:
        return bytes(issued["artefact"])
    return _debit(runtime, _plan(runtime, item, flags, transfer, request), parameters)


def _plan(
    runtime: Runtime, item: sqlite3.Row, flags: int, transfer: Transfer, request: dict[str, Any]
) -> Plan:
    if flags not in _REQUESTS_FOR or request["purpose"] not in _REQUESTS_FOR[Flow(flags)]:
        raise Refusal(Error.INVALID_PARAMETER, f"the request is not for a transfer of {flags:#x}")
    flow, kind = Flow(flags), rules.check_profile(runtime.profile, transfer.type)
    container = runtime.container_by_id(item["container"])
    target = {
        "mask": request["mask"], "serial": request["serial"],
        "firmware_major": request["firmware"][0], "firmware_minor": request["firmware"][1],
    }  # fmt: skip
    if (container["mask"], container["serial"]) == (request["mask"], request["serial"]):
        raise Refusal(Error.INVALID_PARAMETER, "source and target are the same container")
    rules.check_firm_code(item["firm_code"])
    if request["firm_code"] != item["firm_code"]:
        raise Refusal(Error.INVALID_PARAMETER, "the request is for another firm code")
    borrow = kind in BORROW_TYPES
    rules.check_container(runtime.profile, container, receives_borrow=flow is Flow.RETURN)
    rules.check_container(runtime.profile, target, receives_borrow=borrow)
    if flow is Flow.RENEWBORROW:
        return _plan_renewal(runtime, item, kind, transfer, request)
    rules.check_enabled(item)
    if flow is Flow.RETURN:
        rules.check_return(item, kind, (request["mask"], request["serial"]))
        amount = rules.check_amount(runtime, item, kind, transfer)
        return Plan(item, flow, kind, amount, None, request, item["arrival_id"], None)
    option = rules.check_forward(runtime, item, flow, kind, request)
    amount = rules.check_amount(runtime, item, kind, transfer)
    end = rules.check_borrow_end(runtime, option, kind, transfer.borrow_end)
    rules.check_clocks(runtime, kind, request["time"])
    return Plan(item, flow, kind, amount, end, request, None, None)


def _plan_renewal(
    runtime: Runtime, item: sqlite3.Row, kind: TransferType, transfer: Transfer,
    request: dict[str, Any],
) -> Plan:  # fmt: skip
    """A borrow of the same lot with a later end; named by the request or by its history row."""
    lent = [
        row
        for row in runtime.store.rows(
            "SELECT * FROM history WHERE item = ? AND lot = 'lent' AND type = ?"
            " AND peer_mask = ? AND peer_serial = ?",
            item["id"], kind, request["mask"], request["serial"],
        )
        if request["holds"] in (None, row["transfer_id"].hex())
        and transfer.history_option_id in (0, row["number"])
    ]  # fmt: skip
    if len(lent) != 1:
        raise Refusal(Error.BORROW_FAILED, f"{len(lent)} lots fit the request, one must")
    option = rules.option_of(item, kind)
    end = rules.check_borrow_end(runtime, option, kind, transfer.borrow_end)
    if end is None or end <= lent[0]["borrow_end"]:
        raise Refusal(Error.BORROW_FAILED, "a renewal must end later than the borrow")
    rules.check_clocks(runtime, kind, request["time"])
    nothing = rules.Amount(None, None)
    parent = bytes(lent[0]["transfer_id"])
    return Plan(item, Flow.RENEWBORROW, kind, nothing, end, request, parent, lent[0])


def _debit(runtime: Runtime, plan: Plan, parameters: str) -> bytes:
    """Take the amount out, write the history and keep the update, all in one change."""
    transfer_id, now, item = os.urandom(10), runtime.box_time(), plan.item
    counter = runtime.update_counter(item["container"], item["firm_code"])
    update = artefacts.seal("update", _update(runtime, plan, transfer_id, now, counter))
    licenses, units = plan.amount.licenses or 0, plan.amount.units or 0
    lends = plan.type in BORROW_TYPES and plan.flow in (Flow.PUSH, Flow.PULL)
    with runtime.store.change("debit"):
        if plan.lot is None:
            returns = plan.flow is Flow.RETURN
            lots.take(runtime, item, plan.type, licenses, units, returns)
        else:
            runtime.store.write(
                "UPDATE history SET borrow_end = ? WHERE id = ?", plan.borrow_end, plan.lot["id"]
            )
        history.append(
            runtime,
            history.Row(
                item=item["id"], container=item["container"],
                status=TRANSIT_OF_FLOW[plan.flow], type=plan.type, sent=True,
                units=units if plan.type is TransferType.UNITS else 0,
                licenses=licenses if plan.type is TransferType.LICENSES else 0,
                time=now, borrow_end=plan.borrow_end or item["borrow_end"],
                transfer_id=transfer_id,
                peer=(plan.request["mask"], plan.request["serial"]), update_counter=counter,
                parent=plan.parent, held_licenses=plan.amount.licenses,
                held_units=plan.amount.units, lot=lots.LENT if lends else None,
            ),
        )  # fmt: skip
        runtime.store.write(
            "INSERT INTO issued VALUES (?, ?, ?, ?)",
            plan.request["nonce"], item["container"], parameters, update,
        )  # fmt: skip
        runtime.count_update(item["container"], item["firm_code"])
        runtime.keep_box_time()
    return update


def _update(
    runtime: Runtime, plan: Plan, transfer_id: bytes, now: int, counter: int
) -> dict[str, Any]:
    item, container = plan.item, runtime.container_by_id(plan.item["container"])
    firm = runtime.store.row(
        "SELECT text FROM firm_item WHERE container = ? AND firm_code = ?",
        item["container"], item["firm_code"],
    )  # fmt: skip
    options = [
        {**option, "transfer_depth": max(0, option["transfer_depth"] - 1)}
        for option in view.options_of(item)
    ]
    return {
        "transfer_id": transfer_id.hex(), "nonce": plan.request["nonce"],
        "flow": int(plan.flow), "type": int(plan.type), "time": now,
        "update_counter": counter, "borrow_end": plan.borrow_end,
        "parent": plan.parent.hex() if plan.parent else None,
        "source": [container["mask"], container["serial"]],
        "target": [plan.request["mask"], plan.request["serial"]],
        "licenses": plan.amount.licenses, "units": plan.amount.units,
        "item": {
            "firm_code": item["firm_code"], "text": firm["text"] if firm else "",
            "product_code": item["product_code"], "feature_map": item["feature_map"],
            "name": item["name"], "expires_at": item["expires_at"],
            "receipt_required": item["receipt_required"], "options": options,
        },
    }  # fmt: skip
