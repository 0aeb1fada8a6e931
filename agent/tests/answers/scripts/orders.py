# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders that AltiGen's staff performs: judged, placed, mailed and followed to their end."""

from __future__ import annotations

from typing import Any

from costs.in_process import InProcess
from costs.lab import products

from answers import v1
from answers.script import Lines, Script
from answers.wanted import DECLARE, LOOK, RESUME, Values, Wanted, attest
from seatkeeper_twins.altigen import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

HOST, OTHER_HOST = "office-server", "plain-server"
OLD, NEW = "0012-3456-7890", "0012-9999-0001"
KEYS = ("LK10-AAAA-0001", "LK10-AAAA-0002")
FOR_EVER, LONG_AGO = "2099-12-31", "2020-01-01"
SEEDS: dict[str, Any] = {HOST: {"altigen": {}}, OTHER_HOST: {}}
OFTEN = 100
"""More often than the agent tries anything."""


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    with products(SEEDS) as (lab, agents):
        script = Script(lines, agents)
        invalid(script)
        judged(script)
        followed(script, lab, agents[HOST])
        without_mail(script, lab, agents[HOST])
        given_up(script, agents[HOST])


def order(name: str, **values: Any) -> Wanted:
    """Keys that go from an old system to a new one."""
    source = {"name": "old", "system_key": OLD, "owner": "Studio A", "chassis": "Max1000"}
    target = {"name": "new", "system_key": NEW, "owner": "Studio A", "chassis": "Max2000"}
    known = {"registered": True, "assurance_until": FOR_EVER, "stations": 25}
    keys = [{"key": key, "product": "ALTI-STATION-10"} for key in KEYS]
    usual: Values = {"source": source, "target": target | known, "keys": keys}
    return Wanted("order", DECLARE, {"name": name, **usual, **values})


def with_more(wanted: Wanted, **beside: Any) -> Wanted:
    """The same order with what was said, or given, since."""
    return Wanted(wanted.kind, wanted.action, wanted.declared, {**wanted.beside, **beside})


def target(**values: Any) -> Values:
    """The new system otherwise."""
    found: Values = order("any").declared["target"]
    return {**found, **values}


def invalid(script: Script) -> None:
    """What is no request, and what is not there."""
    script.ask("order that nobody placed, looked at", HOST, Wanted("order", LOOK, {"name": "no"}))
    script.twice("order on a host without the vendor", OTHER_HOST, order("elsewhere"))
    for title, values in (
        ("control character in its name", {"name": "\x00"}),
        ("day by a word", {"on": "today"}),
        ("day that is none", {"on": "2026-02-30"}),
        ("day in the past", {"on": LONG_AGO}),
        ("no keys", {"keys": []}),
        ("key without its product", {"keys": [{"key": "K"}]}),
        ("key named twice", {"keys": [{"key": "K", "product": "ALTI-STATION-10"}] * 2}),
        ("source without its key", {"source": {"name": "old"}}),
        ("price below nothing", {"prices": {"move_fee": -1}}),
        ("unknown price", {"prices": {"per_hour": 1}}),
        ("rule that is none", {"rules": [{"id": "x"}]}),
        ("card number", {"card_number": "1"}),
        ("count of stations from the future", {"target": target(stations_as_of=FOR_EVER)}),
    ):
        script.twice(f"order, {title}", HOST, order(**{"name": "bad", **values}))
    for title, beside in (
        ("case number with a space", {"case_number": " 1"}),
        ("new keys for a hardware system", {"new_keys": order("any").declared["keys"]}),
    ):
        script.twice(f"order, {title}", HOST, with_more(order("bad"), **beside))


def judged(script: Script) -> None:
    """Rules of the vendor that an order breaks, or of which too little is known."""
    for title, values in (
        ("unregistered target", {"target": target(registered=False)}),
        (
            "target of which nobody knows whether it is registered",
            {"target": target(registered=None)},
        ),
        ("target whose assurance is over", {"target": target(assurance_until=LONG_AGO)}),
        ("target of another owner", {"target": target(owner="Studio B")}),
        ("more stations than the target may have", {"target": target(stations=10_000)}),
    ):
        script.twice(f"order, {title}", HOST, order("judged", **values))


def confirmed(script: Script, wanted: Wanted) -> Wanted:
    """The same with the confirmation of its plan."""
    plan = script.planned(f"order {wanted.declared['name']!r}", HOST, wanted)
    return with_more(wanted, plan_digest=plan.digest)


def followed(script: Script, lab: Lab, agent: InProcess) -> None:
    """From the plan to the end, with a case, a mail and what people do."""
    desk = lab[HOST].altigen.address
    wanted = order("front-desk")
    script.twice("order, not confirmed", HOST, wanted)
    script.ask("order, another plan confirmed", HOST, with_more(wanted, plan_digest="0" * 64))
    said = confirmed(script, wanted)
    more = order("front-desk", keys=[{"key": KEYS[0], "product": "ALTI-STATION-10"}])
    other = with_more(more, **said.beside)
    script.ask("order, fewer keys than were confirmed", HOST, other)
    script.whole("order, confirmed", HOST, said)
    script.twice("order that waits, with fewer keys", HOST, other)
    script.ask("order that waits, looked at", HOST, Wanted("order", LOOK, wanted.declared))
    with_case = with_more(said, case_number=people.open_case(desk, NEW))
    script.whole("order with its case", HOST, with_case)
    script.twice("order with another case", HOST, with_more(said, case_number="CAS-1"))
    script.ask("order, everything resumed", HOST, Wanted("operation", RESUME, {}))
    to_the_end(script, agent, "order", wrong=True)
    script.whole("order that is done", HOST, with_case)
    script.twice("order that is done, with fewer keys", HOST, other)


def to_the_end(script: Script, agent: InProcess, title: str, wrong: bool = False) -> None:
    """Somebody gives their word on one step after the other."""
    while waiting := v1.waiting(agent):
        ((operation, step),) = waiting
        if wrong:
            elsewhere = attest(operation, outcome="done", step="papers")
            script.ask(f"{title}, another step attested than {step}", HOST, elsewhere)
        if step == "register_old":
            late = attest(operation, outcome="not_done", step=step)
            script.ask(f"{title}, {step} attested as not done", HOST, late)
        done = attest(operation, outcome="done", step=step)
        script.ask(f"{title}, {step} attested", HOST, done)


def without_mail(script: Script, lab: Lab, agent: InProcess) -> None:
    """A mailbox that refuses, and one that loses its answer: a mail goes out once."""
    desk = lab[HOST].altigen.address
    wanted = order("lobby", keys=[{"key": "LK-LOBBY", "product": "ALTI-STATION-10"}])
    case = people.open_case(desk, NEW)
    said = with_more(confirmed(script, wanted), case_number=case)
    control.set_fault(desk, "recipient.before", "refuse", 550, times=OFTEN)
    script.ask("order whose mail is refused", HOST, said)
    control.clear_faults(desk)
    control.set_fault(desk, "mail.after", "lose")
    script.ask("order whose mail's answer is lost", HOST, said)
    script.twice("order whose mail is in doubt", HOST, said)
    script.ask("order in doubt, everything resumed", HOST, Wanted("operation", RESUME, {}))
    sent = attest(v1.in_doubt(agent), outcome="done", step="send")
    script.ask("order in doubt, mail attested", HOST, sent)
    to_the_end(script, agent, "order in doubt")


def given_up(script: Script, agent: InProcess) -> None:
    """A step that was not done ends the order; it may be placed anew, which costs anew."""
    wanted = order("archive", keys=[{"key": "LK-ARCHIVE", "product": "ALTI-STATION-10"}])
    said = confirmed(script, wanted)
    script.ask("order to be given up, run", HOST, said)
    ((operation, step),) = v1.waiting(agent)
    no = attest(operation, outcome="not_done", step=step)
    script.ask("order given up, attested as not done", HOST, no)
    script.twice("order given up, placed anew", HOST, said)
    nobody = Wanted("order", LOOK, wanted.declared)
    script.ask("order given up, looked at", HOST, nobody)
