# SPDX-License-Identifier: GPL-3.0-or-later
"""Which leg of which transfer a host does next, from what all hosts told.

Everything here is a function of two things: the transfers, and for each host what its agent
answered before the first leg (``before``) and what its legs returned in this run (``results``).
Check mode goes the same way with predicted results, so its plan is the plan of the run.
"""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._file_names import file_stem

Transfer = t.Dict[str, t.Any]
Reported = t.Dict[str, t.Any]

LEGS: t.Final = ("request", "issue", "install", "confirm", "acknowledge")
ASK: t.Final = "ask"
"""Before the first leg the source is asked whether its rules allow it: a dry run of ``issue``."""
SIDE_OF: t.Final = {
    ASK: "source",
    "request": "target",
    "issue": "source",
    "install": "target",
    "confirm": "source",
    "acknowledge": "target",
}
TAKES: t.Final = {
    "issue": "request",
    "install": "transfer",
    "confirm": "receipt",
    "acknowledge": "acknowledgement",
}
GIVES: t.Final = {
    "request": "request",
    "issue": "transfer",
    "install": "receipt",
    "confirm": "acknowledgement",
}
_BEFORE_DEBIT = ("none", "created", "debiting")
_BEFORE_CREDIT = ("none", "requested", "void", "accepted", "crediting")
_ON_ITS_WAY = ("debiting", "in_transit", "crediting_back")
_OVER = {"source": "void", "target": "refused"}
_NOT_BEGUN = {"source": ("none", "created"), "target": ("none", "requested", "void")}
"""Where no effect stands, so that another declaration may take the place of the known one."""


class Fleet:
    """What the hosts of the play told, by the names of their agents."""

    def __init__(self, reported: list[Reported]) -> None:
        self._reported = {entry["agent"]: entry for entry in reported}

    def __contains__(self, agent: str) -> bool:
        return agent in self._reported

    def is_read(self, agent: str) -> bool:
        """Whether the agent answered before the first leg."""
        return bool(self._reported.get(agent, {}).get("before"))

    def record(self, agent: str, identity: str) -> dict[str, t.Any] | None:
        """The agent's own record of a transfer, as it was before the first leg."""
        before = self._reported.get(agent, {}).get("before") or {}
        found = (record for record in before.get("transfers", ()) if record["id"] == identity)
        return next(found, None)

    def result(self, agent: str, leg: str, identity: str) -> dict[str, t.Any] | None:
        """What a leg of this run returned on the agent's host, None if it was not run."""
        results = self._reported.get(agent, {}).get("results", {})
        found: dict[str, t.Any] | None = results.get(leg, {}).get(identity)
        return found

    def document(self, leg: str, transfer: Transfer) -> dict[str, t.Any] | None:
        """The document that a leg takes, from this run or from the journal of either host."""
        kind = TAKES.get(leg)
        if kind is None:
            return None
        giver = next(name for name, given in GIVES.items() if given == kind)
        result = self.result(agent_of(transfer, giver), giver, transfer["id"])
        if result is not None and result["document"] is not None:
            return t.cast("dict[str, t.Any]", result["document"])
        for side in ("source", "target"):
            record = self.record(transfer[side]["agent"], transfer["id"])
            if record is not None and record["documents"].get(kind) is not None:
                return t.cast("dict[str, t.Any]", record["documents"][kind])
        return None

    def evidence(self, leg: str, transfer: Transfer) -> dict[str, t.Any] | None:
        """The newest document of the leg's agent that the other side keeps, if both compare."""
        doer = agent_of(transfer, leg)
        other = transfer["target" if SIDE_OF[leg] == "source" else "source"]["agent"]
        before = [self._reported.get(name, {}).get("before") or {} for name in (doer, other)]
        if any(each.get("peers") is None for each in before):
            return None
        found = (peer["evidence"] for peer in before[1]["peers"] if peer["agent"] == doer)
        return next(found, None)

    def facts(self, leg: str, transfer: Transfer) -> dict[str, t.Any]:
        """What the plan of the leg before told; only check mode has it."""
        if leg not in ("issue", "install"):
            return {}
        earlier = LEGS[LEGS.index(leg) - 1]
        result = self.result(agent_of(transfer, earlier), earlier, transfer["id"])
        return {} if result is None else dict(result["facts"])

    def state(self, transfer: Transfer, side: str) -> str:
        """Where the transfer stood on one side before the first leg.

        A transfer that nobody declares is only known because the other side has it open. Then
        an agent that lists no open record of it is past its part, and is asked again for the
        document it gave.
        """
        record = self.record(transfer[side]["agent"], transfer["id"])
        if record is not None:
            return str(record["state"])
        if transfer["declared"]:
            return "none"
        return "in_transit" if side == "source" else "requested"


def agent_of(transfer: Transfer, leg: str) -> str:
    """The agent on whose host the leg runs."""
    return str(transfer[SIDE_OF[leg]]["agent"])


def needed_legs(transfer: Transfer, fleet: Fleet, by_files: bool) -> list[str]:
    """The legs that are left to do, in their order.

    With ``by_files`` each host is on its own: a leg that gives a document is run again as long
    as the other side may still lack it, because the file may not have been written.
    """
    if over(transfer, fleet) is not None:
        return []
    source, target = (fleet.state(transfer, side) for side in ("source", "target"))
    if _differs(transfer, fleet):
        if source not in _NOT_BEGUN["source"]:
            # The agent refuses it and says what differs.
            return ["issue"]
        if target not in _NOT_BEGUN["target"]:
            return ["request"]
        source = target = "none"
    if by_files:
        return _legs_by_files(source, target)
    # A target that gave its request up still takes what the source had debited for it.
    uncredited = target in _BEFORE_CREDIT
    wanted = {
        "request": target == "none" or (target == "void" and source not in _ON_ITS_WAY),
        "issue": source in _BEFORE_DEBIT,
        "install": uncredited,
        "confirm": source in (*_BEFORE_DEBIT, *_ON_ITS_WAY),
        "acknowledge": uncredited or target == "transferred",
    }
    return [leg for leg in LEGS if wanted[leg]]


def _legs_by_files(source: str, target: str) -> list[str]:
    closed = "transferred_receipted"
    wanted = {
        "request": target in _NOT_BEGUN["target"],
        "issue": source != closed,
        "install": target != closed,
        "confirm": target != closed,
        "acknowledge": target != closed,
    }
    return [leg for leg in LEGS if wanted[leg]]


def is_requested(transfer: Transfer, fleet: Fleet, by_files: bool) -> bool:
    """Whether the source's rules are to be asked before the target is touched.

    Where documents go in files the hosts are on their own, and where the target cannot be read
    nothing follows.
    """
    if by_files or agent_of(transfer, ASK) not in fleet:
        return False
    if not fleet.is_read(transfer["target"]["agent"]):
        return False
    needed = needed_legs(transfer, fleet, by_files)
    return "request" in needed and "issue" in needed


def over(transfer: Transfer, fleet: Fleet) -> str | None:
    """Why a declared transfer can no longer happen: it was refused, or given up at its source."""
    if not transfer["declared"]:
        return None
    for side in ("target", "source"):
        state = fleet.state(transfer, side)
        other = "source" if side == "target" else "target"
        # A refusal still has to be told to the source while the amount is in escrow there.
        if state == _OVER[side] and fleet.state(transfer, other) not in _ON_ITS_WAY:
            how = "refused" if state == "refused" else "given up"
            return (
                f"The transfer {transfer['name']} was {how} at {transfer[side]['agent']} and is"
                " over. Declare it under another name to try again, or remove it."
            )
    return None


def _differs(transfer: Transfer, fleet: Fleet) -> bool:
    """Whether a journal has a transfer of this name with another meaning."""
    if not transfer["declared"]:
        return False
    members = ("item", "type", "mode", "quantity", "until", "parent")
    for side in ("source", "target"):
        record = fleet.record(transfer[side]["agent"], transfer["id"])
        if record is None:
            continue
        if any(record[member] != transfer[member] for member in members):
            return True
        ends = ("source", "target")
        if any(record[end]["agent"] != transfer[end]["agent"] for end in ends):
            return True
        if any(transfer[end]["container"] not in (None, record[end]["container"]) for end in ends):
            return True
    return False


def leg_calls(
    transfers: list[Transfer], leg: str, agent: str, fleet: Fleet, documents_dir: str | None
) -> list[dict[str, t.Any]]:
    """What the host of ``agent`` asks its agent in this leg, one call for each transfer."""
    by_files = bool(documents_dir)
    calls = []
    for transfer in transfers:
        needed = run_order(transfer, fleet, by_files)
        if leg not in needed or agent_of(transfer, leg) != agent:
            continue
        if fleet.result(agent, leg, transfer["id"]) is not None:
            continue
        if _is_held_up(transfer, leg, needed, agent, fleet, by_files):
            continue
        calls.append(_call(transfer, leg, fleet, documents_dir))
    return calls


def run_order(transfer: Transfer, fleet: Fleet, by_files: bool) -> list[str]:
    """The legs that are left to do, in their order, with what is asked before them."""
    requested = [ASK] if is_requested(transfer, fleet, by_files) else []
    return requested + needed_legs(transfer, fleet, by_files)


def _is_held_up(
    transfer: Transfer, leg: str, needed: list[str], agent: str, fleet: Fleet, by_files: bool
) -> bool:
    """Whether an earlier leg of this run did not get through."""
    for earlier in needed[: needed.index(leg)]:
        doer = agent_of(transfer, earlier)
        if by_files and doer != agent:
            continue
        result = fleet.result(doer, earlier, transfer["id"])
        if result is None or result["failed"] or result["waiting"]:
            return True
    return False


def _call(
    transfer: Transfer, leg: str, fleet: Fleet, documents_dir: str | None
) -> dict[str, t.Any]:
    call = {
        member: transfer[member]
        for member in ("id", "name", "item", "type", "mode", "quantity", "until", "parent")
    }
    for side in ("source", "target"):
        call[side] = transfer[side]["agent"]
        call[f"{side}_container"] = transfer[side]["container"]
    call["leg"] = "issue" if leg == ASK else leg
    call["plan_digest"] = transfer["plan_digest"] if leg == "issue" else None
    call["document"] = fleet.document(leg, transfer)
    call["facts"] = fleet.facts(leg, transfer)
    call["evidence"] = fleet.evidence(leg, transfer)
    taken, given = TAKES.get(leg), GIVES.get(leg)
    from_file = documents_dir and taken and call["document"] is None
    call["document_file"] = _path(documents_dir, transfer, taken) if from_file else None
    to_file = documents_dir and given
    call["document_dest"] = _path(documents_dir, transfer, given) if to_file else None
    return call


def _path(documents_dir: str | None, transfer: Transfer, kind: str | None) -> str:
    """A file name that people recognise and that two transfers never share."""
    return f"{documents_dir}/{file_stem(str(transfer['name']))}-{transfer['id'][:8]}.{kind}.json"
