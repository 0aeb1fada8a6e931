# SPDX-License-Identifier: GPL-3.0-or-later
"""Seats of a Chaos server for offline use: borrowed, renewed and given back on its page."""

from __future__ import annotations

from typing import Any

from costs.in_process import InProcess
from costs.lab import products

from answers import v1
from answers.script import Lines, Script
from answers.scripts.activations import account, activation
from answers.scripts.chaos import CLOUD, HOST, SEED
from answers.scripts.codemeter import in_days
from answers.scripts.servers import server
from answers.wanted import DECLARE, LOOK, RESUME, WITHDRAW, Values, Wanted, attest
from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    with products({HOST: SEED}, cloud_seed=CLOUD) as (lab, agents):
        script = Script(lines, agents)
        refused(script)
        script.prepare(HOST, account())
        performed(script, lab)
        depended_on(script)
        attested(script, lab, agents[HOST])


def seats(name: str, number: float, **values: Any) -> Wanted:
    """Seats for offline use."""
    usual: Values = {"vendor": "chaos", "product": "V-Ray", "until": in_days(7)}
    return Wanted("seat_borrow", DECLARE, {"name": name, **usual, "seats": number, **values})


def refused(script: Script) -> None:
    """What is not declared at all."""
    for vendor in ("chaos", "codemeter", "nobody"):
        nobody = Wanted("seat_borrow", LOOK, {"vendor": vendor, "name": "nobody"})
        script.ask(f"seats of {vendor}, looked at", HOST, nobody)
    for title, wanted in (
        ("no product", seats("product", 1, product="")),
        ("fewer than none", seats("none", -1)),
        ("half a seat", seats("half", 1.5)),
        ("end that is no day", seats("day", 1, until="2026-02-30T00:00:00Z")),
        ("end beyond two weeks", seats("long", 1, until=in_days(15))),
        ("end in the past", seats("past", 1, until=in_days(-1))),
        ("unknown key", seats("key", 1, force=True)),
        ("server of CodeMeter", seats("codemeter", 1, vendor="codemeter")),
    ):
        script.twice(f"seats, {title}", HOST, wanted)


def performed(script: Script, lab: Lab) -> None:
    """A person does what waits; the next run sees it."""
    address = lab[HOST].chaos.address
    script.whole("two seats", HOST, seats("cottage", 2))
    script.twice("two seats, other settings meanwhile", HOST, server("chaos", version_min="4.5.0"))
    proxy = {"proxy": {"host": "10.0.0.1"}}
    script.twice("two seats, a setting meanwhile", HOST, server("chaos", settings=proxy))
    script.twice("two seats, another borrow meanwhile", HOST, seats("villa", 1))
    script.ask("two seats, everything resumed", HOST, Wanted("operation", RESUME, {}))
    people.borrow(address, **{"V-Ray": 2})
    script.whole("two seats, taken by a person", HOST, seats("cottage", 2))
    script.ask(
        "two seats, looked at", HOST, Wanted("seat_borrow", LOOK, seats("cottage", 2).declared)
    )


def depended_on(script: Script) -> None:
    """What is borrowed keeps the server's activation, and its name."""
    script.twice("two seats, another borrow of the product", HOST, seats("villa", 1))
    other = seats("cottage", 2, product="Corona")
    script.twice("two seats, of another product by now", HOST, other)
    plan = script.planned("deactivation while seats are borrowed", HOST, activation(WITHDRAW))
    script.ask("deactivation while seats are borrowed, run", HOST, activation(WITHDRAW))
    right = activation(WITHDRAW, plan_digest=plan.digest)
    script.planned("deactivation while seats are borrowed, confirmed", HOST, right)


def attested(script: Script, lab: Lab, agent: InProcess) -> None:
    """Renewal shows nowhere but on the page, so somebody says that it is on; then all is over."""
    address = lab[HOST].chaos.address
    renewed = seats("cottage", 2, auto_renew=True)
    script.whole("two seats, renewed from now on", HOST, renewed)
    ((operation, step),) = v1.waiting(agent)
    for title, said in (
        ("of another step", {"outcome": "done", "step": "release"}),
        ("without an outcome", {}),
        ("in too few words", {"statement": "Yes.", "outcome": "done"}),
        ("as done", {"outcome": "done", "step": step}),
        ("as done, again", {"outcome": "done", "step": step}),
    ):
        script.ask(f"two seats, renewal attested {title}", HOST, attest(operation, **said))
    script.whole("two seats, renewed as attested", HOST, renewed)
    script.whole("three seats instead of two", HOST, seats("cottage", 3, auto_renew=True))
    ((operation, step),) = v1.waiting(agent)
    not_done = attest(operation, outcome="not_done", step=step)
    script.ask("three seats, attested as not done", HOST, not_done)
    script.whole("no seats any more", HOST, seats("cottage", 0))
    people.release(address, "V-Ray")
    script.whole("no seats any more, given back by a person", HOST, seats("cottage", 0))
