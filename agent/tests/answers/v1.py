# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what is wanted into requests of version 1 of the API: the only file that knows it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from costs.in_process import InProcess

from answers.wanted import DECLARE, LOOK, RESUME, WITHDRAW, Answer, Values, Wanted
from seatkeeper_agent.domain.transfers import NAMESPACE, transfer_id
from seatkeeper_agent.host import Peer

Sent = tuple[str, str, Any]
"""Method, path and body."""

_METHODS = {DECLARE: "PUT", LOOK: "GET", WITHDRAW: "DELETE"}
_WITHOUT_DRY_RUN = {LOOK, RESUME, "attest"}


def ask(agent: InProcess, wanted: Wanted, dry_run: bool, peer: Peer | None) -> Answer:
    """What an agent answers, refused or not; asked by a peer, or by the agent's own user."""
    method, path, body = _KINDS[wanted.kind](wanted)
    assert not (dry_run and wanted.action in _WITHOUT_DRY_RUN), wanted
    if dry_run:
        path += f"{'&' if '?' in path else '?'}dry_run=true"
    answer = agent.answer(method, path, body, peer)
    reported = json.loads(answer.content)
    if answer.is_error:
        code, detail = reported["code"], reported["detail"]
        return Answer(answer.status_code, code, detail, digest=reported.get("digest"))
    return _read(answer.status_code, reported)


def journal(agent: InProcess) -> dict[str, str]:
    """Every operation by its id: kind, state, and the states of its steps."""
    listed = agent.ask("GET", "/v1/operations?limit=1000")
    assert listed["next"] is None, "more operations than one page has"
    return {
        entry["id"]: f"{entry['kind']} {entry['state']} ({', '.join(map(_step, entry['steps']))})"
        for entry in listed["operations"]
    }


def waiting(agent: InProcess) -> list[tuple[str, str]]:
    """Operation and step of everything that waits for a person or a vendor."""
    entries = agent.ask("GET", "/v1/waiting")["waiting"]
    return [(entry["operation"], entry["step"]) for entry in entries]


def in_doubt(agent: InProcess) -> str:
    """The operation that is in doubt."""
    opened = agent.ask("GET", "/v1/operations?state=open")["operations"]
    (found,) = [entry["id"] for entry in opened if entry["state"] == "in_doubt"]
    return str(found)


def _read(status: int, reported: Values) -> Answer:
    plan = reported.get("plan") or {}
    return Answer(
        status=status,
        changed=reported.get("changed"),
        plan=tuple(map(_step, plan.get("steps", ()))),
        must_be_confirmed=plan.get("confirmation_required", _names_digest(reported)),
        digest=plan.get("digest") or reported.get("digest"),
        acknowledgement=plan.get("acknowledgement"),
        document=reported.get("document"),
        backup=reported.get("backup"),
        request=reported.get("request"),
        transfers=tuple(reported.get("transfers", ())),
    )


def _names_digest(reported: Values) -> bool:
    """An activation's plan has what confirms it beside it, and only where it has to be."""
    return "plan" in reported and reported.get("digest") is not None


def _step(step: Values) -> str:
    performer = step.get("performer", "agent")
    by = "" if performer == "agent" else f" by {performer}"
    return f"{step['name']} {step['state']}{by}"


def _transfer(wanted: Wanted) -> Sent:
    path = f"/v1/transfers/{transfer_id(wanted.declared['name'])}"
    if wanted.action in (LOOK, WITHDRAW):
        return _METHODS[wanted.action], path, None
    if wanted.action == RESUME:
        return "POST", f"{path}/resume", None
    body = {"transfer": wanted.declared, **wanted.beside}
    return "POST", f"{path}/{wanted.action}", body


def _borrow(wanted: Wanted) -> Sent:
    path = f"/v1/borrows/{_id('borrow', wanted.declared['name'])}"
    return _METHODS[wanted.action], path, _body(wanted)


def _server(wanted: Wanted) -> Sent:
    body = _without(wanted.declared, "vendor")
    return _METHODS[wanted.action], _server_path(wanted), _given(wanted, body)


def _activation(wanted: Wanted) -> Sent:
    path = f"{_server_path(wanted)}/activation"
    body = {**_without(wanted.declared, "vendor"), **wanted.beside}
    if wanted.action == WITHDRAW:
        query = "".join(f"?{name}={value}" for name, value in wanted.beside.items())
        return "DELETE", path + query, None
    if wanted.action in _METHODS:
        return _METHODS[wanted.action], path, _given(wanted, body)
    return "POST", f"{path}/{wanted.action}", body


def _seat_borrow(wanted: Wanted) -> Sent:
    path = f"{_server_path(wanted)}/borrows/{_id('borrow', wanted.declared['name'])}"
    return _METHODS[wanted.action], path, _given(wanted, _without(wanted.declared, "vendor"))


def _dongle(wanted: Wanted) -> Sent:
    dongle, *values = wanted.declared.values()
    query = "".join(f"?target_user={value}" for value in values)
    return "GET", f"/v1/dongles/{dongle}/eligibility{query}", None


def _migration(wanted: Wanted) -> Sent:
    path = f"/v1/migrations/{_id('migration/chaos', wanted.declared['dongle'])}"
    return _METHODS[wanted.action], path, _body(wanted)


def _order(wanted: Wanted) -> Sent:
    path = f"/v1/orders/{_id('order', wanted.declared['name'])}"
    return _METHODS[wanted.action], path, _body(wanted)


def _move(wanted: Wanted) -> Sent:
    path = f"/v1/moves/{_id('move', wanted.declared['name'])}"
    if wanted.action in _METHODS:
        return _METHODS[wanted.action], path, None
    return "POST", f"{path}/legs/{wanted.action}", {"move": wanted.declared, **wanted.beside}


def _backup(wanted: Wanted) -> Sent:
    path = f"{_server_path(wanted)}/backup"
    return _METHODS[wanted.action], path, _given(wanted, _without(wanted.declared, "vendor"))


def _profile(wanted: Wanted) -> Sent:
    path = f"{_server_path(wanted)}/profiles/{wanted.declared['name']}"
    body = _without(wanted.declared, "vendor", "name")
    return _METHODS[wanted.action], path, _given(wanted, body)


def _server_path(wanted: Wanted) -> str:
    return f"/v1/servers/{wanted.declared['vendor']}"


def _without(values: Values, *names: str) -> Values:
    return {name: value for name, value in values.items() if name not in names}


def _given(wanted: Wanted, body: Values) -> Values | None:
    return body if wanted.action == DECLARE else None


def _id(kind: str, name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{name}"))


def _body(wanted: Wanted) -> Any:
    return {**wanted.declared, **wanted.beside} if wanted.action == DECLARE else None


def _operation(wanted: Wanted) -> Sent:
    if wanted.action == RESUME:
        return "POST", "/v1/resume", None
    path = f"/v1/operations/{wanted.declared['operation']}"
    if wanted.action == LOOK:
        return "GET", path, None
    return "POST", f"{path}/{wanted.action}", wanted.beside


_KINDS: dict[str, Callable[[Wanted], Sent]] = {
    "transfer": _transfer,
    "borrow": _borrow,
    "server": _server,
    "activation": _activation,
    "seat_borrow": _seat_borrow,
    "dongle": _dongle,
    "migration": _migration,
    "order": _order,
    "server_move": _move,
    "backup": _backup,
    "profile": _profile,
    "operation": _operation,
}
