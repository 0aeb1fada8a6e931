# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation of a Chaos license server by password and by two files, and giving it up."""

from __future__ import annotations

import base64
from typing import Any

from costs.lab import products

from answers.script import Lines, Script
from answers.scripts.chaos import (
    CLOUD,
    HOST,
    OTHER_PASSWORD,
    OTHER_USER,
    PASSWORD,
    SEED,
    USER,
)
from answers.wanted import DECLARE, LOOK, RESUME, WITHDRAW, Answer, Wanted
from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

ACTIVATED_HOST = "activated-server"
ACTIVATED: dict[str, Any] = {"chaos": {"server": {"activated_as": USER}}}
SEATS = {"product": "V-Ray", "seats": {"2": 1}}


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    seeds = {HOST: SEED, ACTIVATED_HOST: ACTIVATED}
    with products(seeds, cloud_seed=CLOUD) as (lab, agents):
        script = Script(lines, agents)
        invalid(script)
        online(script, lab)
        offline(script, lab)
        in_use(script, lab)
        by_others(script)
        doubtful(script, lab)


def account(user: str = USER, password: str = PASSWORD, **values: Any) -> Wanted:
    """An online activation."""
    declared = {"vendor": "chaos", "account": user, **values}
    return Wanted("activation", DECLARE, declared, {"password": password})


def activation(action: str, vendor: str = "chaos", **beside: Any) -> Wanted:
    """Anything else of it."""
    return Wanted("activation", action, {"vendor": vendor}, beside)


def answered(requested: Answer, lab: Lab, number: int = 0) -> Wanted:
    """The answer file that a person fetches for a request file."""
    assert requested.request is not None
    request = base64.b64decode(requested.request)
    answer = people.answer_request(lab.cloud.address, USER, PASSWORD, request, f"station-{number}")
    coded = base64.b64encode(answer).decode()
    return activation("response", answer=coded, request_digest=requested.digest)


def invalid(script: Script) -> None:
    """What is no request."""
    script.twice("activation with an empty account", HOST, account(""))
    script.twice("activation with a line end in the account", HOST, account("a\nb"))
    script.twice("activation with an empty password", HOST, account(password=""))
    for title, beside in (
        ("an empty answer", {"answer": ""}),
        ("an answer that is no base64", {"answer": "no base64 !"}),
        ("a short digest", {"answer": "eA==", "request_digest": "short"}),
    ):
        script.twice(f"activation with {title}", HOST, activation("response", **beside))
    stray = activation("response", answer="eA==")
    script.twice("activation with an answer to no request", HOST, stray)
    for vendor in ("codemeter", "nobody"):
        script.ask(f"activation of {vendor}, looked at", HOST, activation(LOOK, vendor))
        script.twice(f"activation of {vendor}, given up", HOST, activation(WITHDRAW, vendor))


def online(script: Script, lab: Lab) -> None:
    """By password."""
    script.whole("deactivation of what is not activated", HOST, activation(WITHDRAW))
    script.twice("activation by a wrong password", HOST, account(USER, "wrong"))
    script.twice("activation by an unknown account", HOST, account("nobody@studio-a.example"))
    script.whole("activation by password", HOST, account())
    script.twice("activation by another account", HOST, account(OTHER_USER, OTHER_PASSWORD))
    script.whole("request file while it is activated", HOST, activation("request"))
    script.ask("activation by password, looked at", HOST, activation(LOOK))
    script.whole("deactivation", HOST, activation(WITHDRAW))
    control.set_fault(lab[HOST].chaos.address, "deactivate.before", "refuse", 500)
    script.ask("activation once more", HOST, account())
    script.twice("deactivation that is refused", HOST, activation(WITHDRAW))
    script.twice("deactivation after a refusal", HOST, activation(WITHDRAW))


def offline(script: Script, lab: Lab) -> None:
    """By two files."""
    requested = script.whole("request file", HOST, activation("request"))
    right = answered(requested, lab)
    foreign = activation("response", **{**right.beside, "request_digest": "0" * 64})
    script.twice("answer file to another request", HOST, foreign)
    itself = activation("response", answer=requested.request)
    script.twice("answer file that is the request", HOST, itself)
    script.whole("answer file", HOST, right)
    script.twice("password where a file has activated", HOST, account())
    script.twice("another answer file where one has activated", HOST, foreign)
    script.whole("deactivation of what a file activated", HOST, activation(WITHDRAW))
    script.twice("answer file once more", HOST, right)
    again = script.whole("request file once more", HOST, activation("request"))
    script.twice("used answer file to a new request", HOST, right)
    script.whole("answer file to the new request", HOST, answered(again, lab, 1))


def in_use(script: Script, lab: Lab) -> None:
    """Somebody works with seats of the server."""
    control.set_values(lab[HOST].chaos.address, sessions=[SEATS])
    planned = script.planned("deactivation while seats are in use", HOST, activation(WITHDRAW))
    script.ask("deactivation while seats are in use, run", HOST, activation(WITHDRAW))
    wrong = activation(WITHDRAW, plan_digest="0" * 64)
    script.twice("deactivation with a wrong confirmation", HOST, wrong)
    right = activation(WITHDRAW, plan_digest=planned.digest)
    script.whole("deactivation with its confirmation", HOST, right)
    control.set_values(lab[HOST].chaos.address, sessions=[])


def by_others(script: Script) -> None:
    """A server that somebody activated before; nobody knows for whom."""
    script.ask("activation by others, looked at", ACTIVATED_HOST, activation(LOOK))
    script.twice("activation by others, by password", ACTIVATED_HOST, account())
    script.whole("activation by others, request file", ACTIVATED_HOST, activation("request"))
    stated = account(already_active=True)
    script.whole("activation by others, stated", ACTIVATED_HOST, stated)
    script.whole("activation by others, by password again", ACTIVATED_HOST, account())
    other = account(OTHER_USER, OTHER_PASSWORD, already_active=True)
    script.twice("activation by others, stated for another", ACTIVATED_HOST, other)


def doubtful(script: Script, lab: Lab) -> None:
    """The server dies while it is activated, and comes back."""
    server = lab[HOST].chaos
    control.set_fault(server.address, "activate.after", "die")
    script.ask("activation as the server dies", HOST, account())
    script.twice("activation while the server is dead", HOST, account())
    script.ask("everything resumed while it is dead", HOST, Wanted("operation", RESUME, {}))
    server.process.wait()
    server.process.start()
    script.planned("activation when the server is back", HOST, account())
    script.ask("activation when the server is back, run", HOST, account())
    script.ask("everything resumed", HOST, Wanted("operation", RESUME, {}))
