# SPDX-License-Identifier: GPL-3.0-or-later
"""Dongles: what speaks against migrating one, and migrations from their plan to their end."""

from __future__ import annotations

from typing import Any

from costs.in_process import InProcess
from costs.lab import products

from answers import v1
from answers.script import Lines, Script
from answers.scripts.activations import account, activation
from answers.scripts.chaos import CLOUD, DONGLE, HOST, SECOND_DONGLE, SEED, TARGET
from answers.scripts.servers import server
from answers.wanted import DECLARE, LOOK, RESUME, WITHDRAW, Answer, Wanted, attest
from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab

PRODUCTLESS_HOST = "plain-server"
HELD = {"product": "V-Ray", "version": "3.6", "perpetual": True}
NEVER = {"product": "Corona", "version": "3.6", "perpetual": True}
SAID = "The vendor wrote that there was no Corona."


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    seeds: dict[str, Any] = {HOST: SEED, PRODUCTLESS_HOST: {}}
    with products(seeds, cloud_seed=CLOUD) as (lab, agents):
        script = Script(lines, agents)
        looked_at(script)
        invalid(script)
        script.prepare(HOST, account())
        confirmed(script)
        under_way(script, agents[HOST])
        arrived(script, lab, agents[HOST])
        not_done(script, agents[HOST])


def migration(dongle: str = DONGLE, **values: Any) -> Wanted:
    """What is declared of a dongle."""
    usual = {"target_user": TARGET, "isolate": True, "licenses": [HELD]}
    return Wanted("migration", DECLARE, {"dongle": dongle, **usual, **values})


def said_to(planned: Answer, wanted: Wanted) -> Wanted:
    """The same, with what exactly this plan asks for."""
    beside = {"plan_digest": planned.digest, "acknowledgement": planned.acknowledgement}
    return Wanted(wanted.kind, wanted.action, wanted.declared, beside)


def looked_at(script: Script) -> None:
    """Reports, and what is not there."""
    for dongle in (DONGLE, "nobody"):
        requested = Wanted("dongle", LOOK, {"dongle": dongle, "target_user": TARGET})
        script.ask(f"report of dongle {dongle}", HOST, requested)
    for action in (LOOK, WITHDRAW):
        nothing = Wanted("migration", action, {"dongle": DONGLE})
        script.ask(f"migration that nobody declared, {action}", HOST, nothing)
    script.twice("migration on a host without the vendor", PRODUCTLESS_HOST, migration())
    script.twice("migration of an unknown dongle", HOST, migration("90000009"))
    script.twice("migration before the server is activated", HOST, migration())


def invalid(script: Script) -> None:
    """What is no request."""
    for title, values in (
        ("no dongle", {"dongle": ""}),
        ("control character in the user", {"target_user": "a\u0007"}),
        ("isolation by a word", {"isolate": "yes"}),
        ("version that is none", {"licenses": [HELD | {"version": "newest"}]}),
        ("license of which nobody knows how long", {"licenses": [HELD | {"perpetual": None}]}),
        ("too short a time", {"due_after": 1}),
        ("unknown key", {"force": True}),
    ):
        script.twice(f"migration, {title}", HOST, migration(**values))


def confirmed(script: Script) -> None:
    """It runs with exactly its confirmation and its sentence, which are for this very plan."""
    script.twice("migration with another dongle beside", HOST, migration(isolate=False))
    wanted = migration(licenses=[HELD, NEVER])
    plan = script.planned("migration", HOST, wanted)
    script.ask("migration, not confirmed", HOST, wanted)
    for title, beside in (
        ("another plan confirmed", {"plan_digest": "0" * 64}),
        ("no sentence", {"plan_digest": plan.digest}),
        ("another sentence", {"plan_digest": plan.digest, "acknowledgement": "Yes."}),
        ("a sentence alone", {"acknowledgement": plan.acknowledgement}),
    ):
        said = Wanted("migration", DECLARE, wanted.declared, beside)
        script.ask(f"migration, {title}", HOST, said)
    other = said_to(plan, migration(licenses=[HELD]))
    script.ask("migration, other licenses than were confirmed", HOST, other)
    script.whole("migration, confirmed", HOST, said_to(plan, wanted))


def under_way(script: Script, agent: InProcess) -> None:
    """While a person is to click."""
    wanted = migration(licenses=[HELD, NEVER])
    script.whole("migration under way", HOST, wanted)
    script.twice("migration under way, to another user", HOST, migration(target_user="b@c.example"))
    script.twice(
        "migration under way, given up", HOST, Wanted("migration", WITHDRAW, wanted.declared)
    )
    beside = migration(SECOND_DONGLE)
    plan = script.planned("migration under way, another one", HOST, beside)
    script.ask("migration under way, another one, confirmed", HOST, said_to(plan, beside))
    switched = server("chaos", dongle_service="disabled")
    script.twice("migration under way, dongle service off", HOST, switched)
    script.twice("migration under way, deactivation", HOST, activation(WITHDRAW))
    script.ask("migration under way, everything resumed", HOST, Wanted("operation", RESUME, {}))
    ((operation, _step),) = v1.waiting(agent)
    later = attest(operation, outcome="done", step="arrive")
    script.ask("migration under way, a later step attested", HOST, later)


def arrived(script: Script, lab: Lab, agent: InProcess) -> None:
    """The person has clicked, one product arrives, and of the other somebody gives their word."""
    wanted = migration(licenses=[HELD, NEVER])
    people.transfer(lab[HOST].chaos.address, TARGET)
    script.whole("migration, clicked", HOST, wanted)
    ((operation, step),) = v1.waiting(agent)
    done = attest(operation, SAID, outcome="done", step=step)
    script.ask("migration, arrival attested", HOST, done)
    script.ask("migration, arrival attested again", HOST, done)
    script.whole("migration that is done", HOST, wanted)
    script.twice(
        "migration that is done, to another user", HOST, migration(target_user="b@c.example")
    )
    script.twice(
        "migration that is done, given up", HOST, Wanted("migration", WITHDRAW, wanted.declared)
    )
    script.ask(
        "migration that is done, looked at", HOST, Wanted("migration", LOOK, wanted.declared)
    )
    on = server("chaos", dongle_service="enabled")
    script.twice("dongle service on beside a dongle that is not migrated", HOST, on)


def not_done(script: Script, agent: InProcess) -> None:
    """Nobody clicked; it is said so, and planned anew."""
    wanted = migration(SECOND_DONGLE, licenses=[HELD])
    plan = script.planned("second migration", HOST, wanted)
    script.ask("second migration, run", HOST, said_to(plan, wanted))
    for operation, step in v1.waiting(agent):
        nobody = attest(operation, "Nobody clicked.", outcome="not_done", step=step)
        script.ask("second migration, attested as not done", HOST, nobody)
    plan = script.planned("second migration anew", HOST, wanted)
    script.ask("second migration anew, run", HOST, said_to(plan, wanted))
