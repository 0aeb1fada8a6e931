# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers that arrive: every type, every mode, all legs."""

from __future__ import annotations

from typing import Any

from costs.lab import products

from answers.script import Lines, Script
from answers.scripts.codemeter import (
    NEW,
    OLD,
    SEEDS,
    back,
    carried,
    declared,
    in_days,
    leg,
    prepared,
)
from answers.wanted import LOOK, RESUME, WITHDRAW, Wanted
from seatkeeper_agent.domain.transfers import transfer_id


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    with products(SEEDS) as (_lab, agents):
        script = Script(lines, agents)
        moved(script)
        lent(script)
        irreversible(script)
        given_up(script)
        refused_by_the_target(script)


def moved(script: Script) -> None:
    """Seats, units and whole items; pushed, pulled and returned."""
    carried(script, declared("ten seats", 201, "licenses", quantity=10))
    carried(script, back("ten seats back", 201, "licenses", quantity=10))
    carried(script, declared("three seats pulled", 201, "licenses", mode="pull", quantity=3))
    carried(script, declared("forty units", 203, "units", quantity=40))
    carried(script, declared("whole item", 202, "complete"))
    carried(script, back("whole item back", 202, "complete"))
    for host in (OLD, NEW):
        known = Wanted("transfer", LOOK, declared("ten seats", 201, "licenses"))
        script.ask(f"ten seats, looked at on {host}", host, known)


def lent(script: Script) -> None:
    """A seat and a whole item are borrowed, one for longer, and given back."""
    seat = declared("one seat lent", 204, "borrow_local", until=in_days(7))
    carried(script, seat)
    lot: dict[str, Any] = {"parent": transfer_id(seat["name"])}
    longer = {"mode": "extend", "until": in_days(14), **lot}
    carried(script, declared("one seat lent for longer", 204, "borrow_local", **longer))
    carried(script, back("one seat given back", 204, "borrow_local", **lot))
    whole = declared("whole item lent", 205, "borrow_complete", until=in_days(7))
    carried(script, whole)
    lot = {"parent": transfer_id(whole["name"])}
    carried(script, back("whole item given back", 205, "borrow_complete", **lot))


def irreversible(script: Script) -> None:
    """What the licensor does not let return needs its very plan confirmed."""
    wanted = declared("no way back", 206, "licenses", quantity=2)
    document = script.whole("no way back, request", NEW, leg(wanted, "request")).document
    plan = script.twice("no way back, issue, not confirmed", OLD, leg(wanted, "issue", document))
    wrong = leg(wanted, "issue", document, plan_digest="0" * 64)
    script.twice("no way back, issue, another plan confirmed", OLD, wrong)
    right = leg(wanted, "issue", document, plan_digest=plan.digest)
    sent = script.whole("no way back, issue, confirmed", OLD, right).document
    script.twice("no way back, install", NEW, leg(wanted, "install", sent))


def given_up(script: Script) -> None:
    """What only asked is given up, asked again, corrected; what has left is not given up."""
    wanted = declared("given up", 213, "licenses", quantity=1)
    withdrawn = Wanted("transfer", WITHDRAW, wanted)
    script.twice("given up before anybody knows it", NEW, withdrawn)
    script.twice("given up, request", NEW, leg(wanted, "request"))
    script.whole("given up, withdrawn", NEW, withdrawn)
    script.twice("given up, request after it was withdrawn", NEW, leg(wanted, "request"))
    corrected = {**wanted, "quantity": 2}
    document = script.whole("given up, corrected", NEW, leg(corrected, "request")).document
    sent = script.twice("given up, issue", OLD, leg(corrected, "issue", document)).document
    script.twice("given up, withdrawn where it has left", OLD, withdrawn)
    script.ask("given up, resumed where nothing is open", OLD, Wanted("transfer", RESUME, wanted))
    script.twice("given up, request for fewer than have left", NEW, leg(wanted, "request"))
    script.twice("given up, install all the same", NEW, leg(corrected, "install", sent))


def refused_by_the_target(script: Script) -> None:
    """The target says no to what has left; only the licensor gives it back."""
    wanted = declared("refused", 213, "licenses", quantity=1)
    request = prepared(script, wanted, "request")
    sent = script.prepare(OLD, leg(wanted, "issue", request)).document
    no = leg(wanted, "install", sent, decision="refuse")
    said = script.whole("refused, install says no", NEW, no).document
    script.twice("refused, install after a no", NEW, leg(wanted, "install", sent))
    script.twice("refused, confirm", OLD, leg(wanted, "confirm", said))
    script.ask("refused, resumed", OLD, Wanted("transfer", RESUME, wanted))
    script.twice("refused, withdrawn", OLD, Wanted("transfer", WITHDRAW, wanted))
