# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers that are refused: unknown things, wrong amounts, rules, order, documents, doubts."""

from __future__ import annotations

import copy
from typing import Any

from costs.in_process import InProcess
from costs.lab import products

from answers import v1
from answers.script import Lines, Script
from answers.scripts.codemeter import (
    DONGLES,
    LEGS,
    NEW,
    OF_OLD_FIRMWARE,
    OLD,
    OLD_FIRM_CODE,
    OTHER_FIRM_CODE,
    SECOND,
    SEEDS,
    SERIALS,
    back,
    declared,
    host_of,
    in_days,
    leg,
    prepared,
)
from answers.wanted import LOOK, RESUME, WITHDRAW, Values, Wanted, attest
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab

NOBODY = declared("nobody knows this", 201, "licenses", quantity=1)


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    with products(SEEDS) as (lab, agents):
        script = Script(lines, agents)
        unknown(script)
        at_the_target(script)
        at_the_source(script)
        periods(script)
        after_arrival(script)
        lent(script)
        last(script)
        order(script)
        documents(script)
        stale(script)
        in_doubt(script, lab, agents)
        rolled_back(script, lab, agents)
        clocks(script, lab)
    with products(SEEDS, profile="6.10") as (_lab, agents):
        old_runtime(Script(lines, agents))
    with products(OF_OLD_FIRMWARE) as (_lab, agents):
        old_firmware(Script(lines, agents))


def unknown(script: Script) -> None:
    """Names of nothing."""
    for action in (LOOK, RESUME):
        script.ask(f"{action} of an unknown transfer", OLD, Wanted("transfer", action, NOBODY))
    script.twice("withdrawal of an unknown transfer", OLD, Wanted("transfer", WITHDRAW, NOBODY))
    somewhere = {"target": {"agent": NEW, "container": "130-9999999999"}}
    wanted = declared("unknown container", 201, "licenses", quantity=1, **somewhere)
    script.twice("unknown container, request", NEW, leg(wanted, "request"))
    wanted = declared("unnamed container", 201, "licenses", quantity=1, target={"agent": NEW})
    script.twice("unnamed container of two, request", NEW, leg(wanted, "request"))
    unnamed = declared("unnamed source", 201, "licenses", quantity=1, source={"agent": OLD})
    script.twice("unnamed container of the other host, request", NEW, leg(unnamed, "request"))
    at_source(script, declared("unknown item", 999, "licenses", quantity=1))
    at_source(script, declared("two items of these codes", 209, "licenses", quantity=1))


def at_source(script: Script, wanted: Values, **beside: Any) -> None:
    """Asked for by the target, and issued: as dry run and run."""
    document = prepared(script, wanted, "request")
    issue = leg(wanted, "issue", document, **beside)
    script.twice(f"{wanted['name']}, issue", host_of(wanted, "issue"), issue)


def at_the_target(script: Script) -> None:
    """What the receiving host says before the source is asked."""
    for name, values in (
        ("old firm code", {"item": f"{OLD_FIRM_CODE}:201", "quantity": 1}),
        ("seats of a whole item", {"type": "complete", "quantity": 1}),
        ("end of what is not borrowed", {"quantity": 1, "until": in_days(7)}),
        ("extension of nothing", {"type": "borrow_local", "mode": "extend", "until": in_days(7)}),
        ("no seat", {"quantity": 0}),
        ("half a seat", {"quantity": 1.5}),
        ("unknown type", {"type": "steal"}),
        ("unknown key", {"force": True}),
    ):
        wanted = {**declared(name, 201, "licenses"), **values}
        script.twice(f"{name}, request", NEW, leg(wanted, "request"))


def at_the_source(script: Script) -> None:
    """The licensor's rules, and amounts."""
    at_source(script, declared("26 of 25", 201, "licenses", quantity=26))
    at_source(script, declared("101 units of 100", 203, "units", quantity=101))
    at_source(script, declared("no amount", 201, "licenses"))
    at_source(script, declared("units of seats", 201, "units", quantity=1))
    at_source(script, declared("item that moves in no way", 210, "licenses", quantity=1))
    pulled = {"mode": "pull", "quantity": 1}
    at_source(script, declared("pulled though not allowed", 207, "licenses", **pulled))
    pulled = {"mode": "pull", "until": in_days(7)}
    at_source(script, declared("borrow that is pulled", 204, "borrow_local", **pulled))
    other = {"item": f"{OTHER_FIRM_CODE}:211", "quantity": 1}
    at_source(script, {**declared("firm item missing", 211, "licenses"), **other})
    never = declared("return of what never came", 201, "licenses", mode="return", quantity=1)
    at_source(script, never)


def periods(script: Script) -> None:
    """Ends of borrows."""
    for name, values in (
        ("borrow that ended yesterday", {"until": in_days(-1)}),
        ("borrow for 31 days", {"until": in_days(31)}),
        ("borrow without an end", {}),
    ):
        at_source(script, declared(name, 204, "borrow_local", **values))


def after_arrival(script: Script) -> None:
    """What has moved once and may not move further, or back elsewhere."""
    prepared(script, declared("once", 208, "licenses", quantity=2))
    on = back("passed on", 208, "licenses", mode="push", quantity=1)
    at_source(script, on)
    elsewhere = back("back elsewhere", 208, "licenses", quantity=1)
    elsewhere["target"] = {"agent": NEW, "container": SECOND}
    at_source(script, elsewhere)
    at_source(script, back("more back than came", 208, "licenses", quantity=3))


def lent(script: Script) -> None:
    """What is borrowed, and what lends."""
    prepared(script, declared("lent", 212, "borrow_local", until=in_days(7)))
    at_source(script, declared("whole of what lends", 212, "complete"))
    at_source(
        script, back("borrowed passed on", 212, "borrow_local", mode="push", until=in_days(3))
    )
    lot = {"mode": "extend", "parent": transfer_id("lent")}
    shorter = declared("extension that ends sooner", 212, "borrow_local", until=in_days(3), **lot)
    at_source(script, shorter)
    lot["parent"] = transfer_id("never lent")
    at_source(script, declared("unknown lot", 212, "borrow_local", until=in_days(9), **lot))


def last(script: Script) -> None:
    """The last seats of an item of which others are still on their way."""
    prepared(script, declared("on the way", 207, "licenses", quantity=2), "issue")
    wanted = declared("last seats", 207, "licenses", quantity=7)
    request = prepared(script, wanted, "request")
    plan = script.planned(
        "last seats while others are on their way", OLD, leg(wanted, "issue", request)
    )
    script.ask("last seats, not confirmed", OLD, leg(wanted, "issue", request))
    wrong = leg(wanted, "issue", request, plan_digest="0" * 64)
    script.ask("last seats, another plan confirmed", OLD, wrong)
    right = leg(wanted, "issue", request, plan_digest=plan.digest)
    script.whole("last seats, confirmed", OLD, right)


def clocks(script: Script, lab: Lab) -> None:
    """The target's container is two hours ahead."""
    lab[NEW].twin("_twin.set", clock_offset_seconds=7_200)
    at_source(script, declared("clock of the target ahead", 204, "borrow_local", until=in_days(7)))


def old_runtime(script: Script) -> None:
    """A runtime that knows two types only."""
    for type_, product_code in (("units", 203), ("licenses", 201)):
        name = f"{type_} by an old runtime"
        wanted = declared(name, product_code, type_, quantity=1)
        script.twice(f"{name}, request", NEW, leg(wanted, "request"))


def old_firmware(script: Script) -> None:
    """A dongle that may receive a borrow only, and sends nothing."""
    dongles = {host: {"agent": host, "container": serial} for host, serial in DONGLES.items()}
    lent = {"type": "borrow_local", "until": in_days(7)}
    for name, values in (
        ("seats to a dongle", {"target": dongles[NEW], "quantity": 1}),
        ("borrow to a dongle", {"target": dongles[NEW], **lent}),
    ):
        wanted = {**declared(name, 201, "licenses"), **values}
        script.twice(f"{name} of old firmware, request", NEW, leg(wanted, "request"))
    for name, values in (("seats", {"quantity": 1}), ("borrow", lent)):
        wanted = {**declared(f"{name} from a dongle", 204, "licenses"), **values}
        at_source(script, {**wanted, "source": dongles[OLD]})


def order(script: Script) -> None:
    """Legs on the wrong host, too early, and a name that is taken."""
    for name in LEGS:
        wanted = leg(NOBODY, name)
        host = OLD if host_of(NOBODY, name) == NEW else NEW
        script.twice(f"{name} on the wrong host", host, wanted)
    for name in LEGS[1:]:
        script.twice(f"{name} before anything else", host_of(NOBODY, name), leg(NOBODY, name))
    wanted = declared("taken", 213, "licenses", quantity=1)
    prepared(script, wanted)
    for name in LEGS:
        other = leg({**wanted, "quantity": 2}, name)
        script.twice(f"taken name with another quantity, {name}", host_of(wanted, name), other)
    third = {"target": {"agent": "third-server", "container": SERIALS[NEW]}}
    script.twice("taken name with another target, issue", OLD, leg({**wanted, **third}, "issue"))


def documents(script: Script) -> None:
    """Documents that are altered, of another transfer, of another leg, of nobody."""
    wanted = declared("documents", 213, "licenses", quantity=1)
    elsewhere = declared("other documents", 213, "licenses", quantity=1)
    other = prepared(script, elsewhere, "request")
    request = prepared(script, wanted, "request")
    for what, document in wrong(request, other):
        script.twice(f"issue with {what}", OLD, leg(wanted, "issue", document))
    sent = script.prepare(OLD, leg(wanted, "issue", request)).document
    for what, document in wrong(sent, request):
        script.twice(f"install with {what}", NEW, leg(wanted, "install", document))
    received = script.prepare(NEW, leg(wanted, "install", sent)).document
    for what, document in wrong(received, sent):
        script.twice(f"confirm with {what}", OLD, leg(wanted, "confirm", document))
    end = script.prepare(OLD, leg(wanted, "confirm", received)).document
    for what, document in wrong(end, received):
        script.twice(f"acknowledge with {what}", NEW, leg(wanted, "acknowledge", document))
    script.twice("install again with another document", NEW, leg(wanted, "install", request))
    script.twice("issue again with another document", OLD, leg(wanted, "issue", received))
    script.twice(
        "acknowledge with the right document at last", NEW, leg(wanted, "acknowledge", end)
    )


def wrong(right: Any, other: Any) -> list[tuple[str, Any]]:
    """What may come instead of the right document."""
    altered = copy.deepcopy(right)
    altered["signatures"][0]["sig"] = right["signatures"][0]["sig"][::-1]
    foreign = copy.deepcopy(right)
    foreign["signatures"][0]["keyid"] = "0" * 64
    return [
        ("an altered document", altered),
        ("a document of an unknown key", foreign),
        ("a document that belongs elsewhere", other),
        ("an empty document", {"payload": "", "payloadType": "", "signatures": []}),
    ]


def stale(script: Script) -> None:
    """What was planned before something else changed the item."""
    wanted = declared("stale", 213, "licenses", quantity=1)
    request = prepared(script, wanted, "request")
    late = leg(wanted, "issue", request, update_counter=1)
    script.twice("stale, issue by an old counter", OLD, late)
    evidence = leg(wanted, "issue", request, evidence=request)
    script.twice("stale, issue with another's document as evidence", OLD, evidence)


def in_doubt(script: Script, lab: Lab, agents: dict[str, InProcess]) -> None:
    """The product dies after it debited: everything waits until it answers."""
    wanted = declared("doubtful", 213, "licenses", quantity=1)
    beside = declared("beside a doubt", 201, "licenses", quantity=1)
    request, other = prepared(script, wanted, "request"), prepared(script, beside, "request")
    lab[OLD].twin("_twin.fault", point="debit.after", action="die")
    script.ask("doubtful, issue, as the product dies", OLD, leg(wanted, "issue", request))
    script.twice("doubtful, issue while nothing answers", OLD, leg(wanted, "issue", request))
    script.twice("beside a doubt, issue while nothing answers", OLD, leg(beside, "issue", other))
    script.twice("doubtful, withdrawn", OLD, Wanted("transfer", WITHDRAW, wanted))
    script.ask("doubtful, resumed", OLD, Wanted("transfer", RESUME, wanted))
    script.ask("everything resumed while nothing answers", OLD, Wanted("operation", RESUME, {}))
    doubt = v1.in_doubt(agents[OLD])
    script.ask("doubtful, attested", OLD, attest(doubt, outcome="done"))
    script.ask("doubtful, attested as settled", OLD, attest(doubt))
    lab[OLD].engine.wait()
    lab[OLD].engine.start()
    script.ask("everything resumed", OLD, Wanted("operation", RESUME, {}))
    script.twice("doubtful, issue afterwards", OLD, leg(wanted, "issue", request))
    script.twice("beside a doubt, issue afterwards", OLD, leg(beside, "issue", other))


def rolled_back(script: Script, lab: Lab, agents: dict[str, InProcess]) -> None:
    """A source that was restored from a snapshot is frozen until a person settles it."""
    lab[OLD].twin("_twin.snapshot", name="before")
    prepared(script, declared("before the restore", 201, "licenses", quantity=1))
    lab[OLD].twin("_twin.rollback", name="before")
    wanted = declared("after the restore", 201, "licenses", quantity=1)
    request = prepared(script, wanted, "request")
    script.twice("after the restore, issue", OLD, leg(wanted, "issue", request))
    frozen = v1.in_doubt(agents[OLD])
    for title, said in (
        ("too short", {"statement": "Fine."}),
        ("as done", {"outcome": "done"}),
        ("of another step", {"outcome": "done", "step": "another"}),
        ("as settled", {}),
        ("as settled, again", {}),
    ):
        script.ask(f"after the restore, attested {title}", OLD, attest(frozen, **said))
    script.twice("after the restore, issue when it is settled", OLD, leg(wanted, "issue", request))
    nobody = transfer_id("nobody")
    script.ask(
        "look at an unknown operation", OLD, Wanted("operation", LOOK, {"operation": nobody})
    )
    script.ask("unknown operation attested", OLD, attest(nobody))
