# SPDX-License-Identifier: GPL-3.0-or-later
"""Borrows that a host with CodeMeter declares: lots are lent, prolonged and given back."""

from __future__ import annotations

from typing import Any

from costs.lab import products

from answers.script import Lines, Script
from answers.scripts.codemeter import (
    FIRM_CODE,
    LEGS,
    NEW,
    OLD,
    SEEDS,
    SERIALS,
    host_of,
    in_days,
    leg,
)
from answers.wanted import DECLARE, LOOK, Answer, Values, Wanted


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    with products(SEEDS) as (_lab, agents):
        script = Script(lines, agents)
        refused(script)
        seats(script)
        whole(script)


def borrow(name: str, seats: int, **values: Any) -> Values:
    """What the borrower declares."""
    places = {
        side: {"agent": host, "container": SERIALS[host]}
        for side, host in (("source", OLD), ("target", NEW))
    }
    usual = {"item": f"{FIRM_CODE}:204", "type": "borrow_local", "until": in_days(7)}
    return {"name": name, **usual, **places, "seats": seats, **values}


def declared(values: Values) -> Wanted:
    """Have it so."""
    return Wanted("borrow", DECLARE, values)


def carry(script: Script, answer: Answer) -> None:
    """All legs of all transfers that it requests, which are recorded elsewhere."""
    for transfer in answer.transfers:
        wanted = {key: value for key, value in transfer.items() if key != "id"}
        document = None
        for name in LEGS:
            done = script.prepare(host_of(wanted, name), leg(wanted, name, document))
            document = done.document


def refused(script: Script) -> None:
    """What is not declared at all."""
    script.ask("look at an unknown borrow", NEW, Wanted("borrow", LOOK, borrow("nobody", 1)))
    for title, values in (
        ("no borrow's type", borrow("type", 1, type="licenses")),
        ("no name", borrow("", 1)),
        ("end in the past", borrow("past", 1, until=in_days(-1))),
        ("end that is no day", borrow("day", 1, until="2026-02-30T00:00:00Z")),
        ("more lots than there may be", borrow("lots", 10_001)),
        ("too many whole items", borrow("whole", 2, type="borrow_complete")),
        ("fewer than none", borrow("none", -1)),
        ("unnamed container that lends", borrow("unnamed", 1, source={"agent": OLD})),
        ("unknown container", borrow("where", 1, target={"agent": NEW, "container": "130-999"})),
        ("unknown key", borrow("key", 1, force=True)),
    ):
        script.twice(f"borrow with {title}", NEW, declared(values))
    script.twice("borrow on the host that lends", OLD, declared(borrow("elsewhere", 1)))


def seats(script: Script) -> None:
    """More, fewer, for longer, and none; more than there are is the lender's to refuse."""
    carry(script, script.whole("borrow of two seats", NEW, declared(borrow("cad", 2))))
    script.whole("borrow of two seats that are there", NEW, declared(borrow("cad", 2)))
    carry(script, script.whole("borrow of one seat more", NEW, declared(borrow("cad", 3))))
    longer = borrow("cad", 3, until=in_days(14))
    carry(script, script.whole("borrow for longer", NEW, declared(longer)))
    fewer = borrow("cad", 1, until=in_days(14))
    carry(script, script.whole("borrow of two seats fewer", NEW, declared(fewer)))
    other = borrow("cad", 1, item=f"{FIRM_CODE}:212")
    script.twice("borrow of another item under a taken name", NEW, declared(other))
    script.ask("look at a borrow", NEW, Wanted("borrow", LOOK, borrow("cad", 1)))
    none = borrow("cad", 0, until=in_days(14))
    carry(script, script.whole("borrow of no seat any more", NEW, declared(none)))
    script.whole("borrow that is over", NEW, declared(none))
    many = script.whole("borrow of 6 of 5", NEW, declared(borrow("many", 6)))
    carry(script, Answer(many.status, transfers=many.transfers[:5]))
    wanted = {key: value for key, value in many.transfers[5].items() if key != "id"}
    document = script.prepare(NEW, leg(wanted, "request")).document
    script.twice("borrow of 6 of 5, issue of the sixth", OLD, leg(wanted, "issue", document))
    script.whole("borrow of 6 of 5, reduced to 5", NEW, declared(borrow("many", 5)))


def whole(script: Script) -> None:
    """A whole item, and a declaration that is corrected before anything has begun."""
    item = {"item": f"{FIRM_CODE}:205", "type": "borrow_complete"}
    carry(script, script.whole("borrow of a whole item", NEW, declared(borrow("all", 1, **item))))
    back = borrow("all", 0, **item)
    carry(script, script.whole("borrow of a whole item no more", NEW, declared(back)))
    script.whole("borrow that nobody carries", NEW, declared(borrow("later", 1)))
    corrected = borrow("later", 2, item=f"{FIRM_CODE}:212")
    script.whole("borrow that nobody carried, corrected", NEW, declared(corrected))
    script.whole("borrow that nobody carried, given up", NEW, declared(borrow("later", 0)))
