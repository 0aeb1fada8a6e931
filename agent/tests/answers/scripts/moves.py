# SPDX-License-Identifier: GPL-3.0-or-later
"""AIMMS license servers that move to another machine; their backups and profiles."""

from __future__ import annotations

import copy
from typing import Any

from costs.in_process import InProcess
from costs.lab import products

from answers import v1
from answers.script import Lines, Script
from answers.wanted import DECLARE, LOOK, RESUME, WITHDRAW, Values, Wanted, attest

OLD, NEW, OTHER_HOST = "old-server", "new-server", "plain-server"
NUMBER = "15.90.10.1"
CODE = "TWIN1-AAAAA-BBBBB-CCCCC-DDDDD"
LICENSES = [{"number": NUMBER, "profiles": ["ProLicense"], "has_code": True}]
CODES = [{"license": NUMBER, "code": CODE}]
SEEDS: dict[str, Any] = {
    OLD: {"aimms": {"machine": {"licenses": {NUMBER: ["ProLicense"]}}}},
    NEW: {"aimms": {"machine": {"installed": False, "license_files": [NUMBER]}}},
}
LEGS = ("backup", "prepare", "release", "install", "finish", "restore")


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    with products({**SEEDS, OTHER_HOST: {}}) as (_lab, agents):
        script = Script(lines, agents)
        backups(script)
        profiles(script)
        unknown(script)
        given_up(script)


def run_whole(lines: Lines) -> None:
    """A move from its backup to its end."""
    with products(SEEDS) as (_lab, agents):
        script = Script(lines, agents)
        script.prepare(OLD, profile("Another"))
        moved(script, agents)


def run_back(lines: Lines) -> None:
    """A move that the target refuses."""
    with products(SEEDS) as (_lab, agents):
        script = Script(lines, agents)
        taken_back(script, agents)


def move(leg: str, name: str = "studio", changes: Values | None = None, **beside: Any) -> Wanted:
    """One leg, or what else is done with a move."""
    usual = {"vendor": "aimms", "source": OLD, "target": NEW, "target_host": "new.studio.example"}
    return Wanted("server_move", leg, {"name": name, **usual, **(changes or {})}, beside)


def backup(licenses: list[Values], vendor: str = "aimms") -> Wanted:
    """A backup of a server as it is declared."""
    return Wanted("backup", DECLARE, {"vendor": vendor, "licenses": licenses})


def profile(name: str, vendor: str = "aimms", **values: Any) -> Wanted:
    """A profile that is linked to a license, or is not."""
    return Wanted("profile", DECLARE, {"vendor": vendor, "name": name, "license": NUMBER, **values})


def backups(script: Script) -> None:
    """A backup is what was declared, where the server does not contradict it."""
    script.ask("backup before the first", OLD, Wanted("backup", LOOK, {"vendor": "aimms"}))
    script.whole("backup", OLD, backup(LICENSES))
    for title, wanted in (
        ("another profile", backup([{**LICENSES[0], "profiles": ["Client"]}])),
        (
            "a license that is not there",
            backup([*LICENSES, {**LICENSES[0], "number": "15.90.10.9"}]),
        ),
        ("a number that is none", backup([{**LICENSES[0], "number": "fifteen"}])),
        ("another vendor", backup(LICENSES, "chaos")),
    ):
        script.twice(f"backup with {title}", OLD, wanted)
    script.twice("backup of a product that is not installed", NEW, backup(LICENSES))


def profiles(script: Script) -> None:
    """Only linking is documented."""
    script.whole("profile", OLD, profile("Another"))
    script.whole(
        "profile that is not there and shall not be", OLD, profile("Nobody", state="absent")
    )
    for title, wanted in (
        ("that is there and shall not be", profile("Another", state="absent")),
        ("of another license", profile("ProLicense", license="15.90.10.2")),
        ("of an unknown license", profile("Third", license="15.90.10.9")),
        ("of no license's number", profile("Third", license="fifteen")),
        ("of another vendor", profile("Third", "chaos")),
    ):
        script.twice(f"profile {title}", OLD, wanted)


def unknown(script: Script) -> None:
    """Moves of nothing, on the wrong host, too early."""
    for action in (LOOK, WITHDRAW):
        script.ask(f"move that nobody knows, {action}", OLD, move(action, "nobody"))
    script.twice("move on a host without the vendor", OTHER_HOST, move("backup"))
    for leg in LEGS:
        host = OLD if leg in ("prepare", "install") else NEW
        script.twice(f"move, {leg} on the wrong host", host, move(leg))
    for leg in LEGS:
        host = NEW if leg in ("prepare", "install") else OLD
        script.twice(f"move, {leg} before anything else", host, move(leg))
    for title, changes in (
        ("another vendor", {"vendor": "chaos"}),
        ("one agent at both ends", {"target": OLD}),
        ("unknown key", {"force": True}),
        ("target without a name", {"target_host": ""}),
        ("lost source that is to be backed up", {"source_lost": True}),
    ):
        requested = move("backup", f"move with {title}", changes, licenses=LICENSES)
        script.twice(f"move, {title}", OLD, requested)


def moved(script: Script, agents: dict[str, InProcess]) -> None:
    """Leg by leg to where the new machine has everything."""
    licenses = [{**LICENSES[0], "profiles": ["Another", "ProLicense"]}]
    made = script.whole("move, backup", OLD, move("backup", licenses=licenses)).backup
    script.twice("move, backup by a contradiction", OLD, move("backup", licenses=LICENSES))
    script.ask("move, looked at", OLD, move(LOOK))
    prepare(script, made)
    document = script.prepare(NEW, move("prepare", backup=made)).document
    plan = script.planned("move, release", OLD, move("release", document=document))
    script.ask("move, release, not confirmed", OLD, move("release", document=document))
    wrong = move("release", document=document, plan_digest="0" * 64)
    script.ask("move, release, another plan confirmed", OLD, wrong)
    for what, other in spoiled(document):
        said = move("release", document=other, plan_digest=plan.digest)
        script.ask(f"move, release with {what}", OLD, said)
    right = move("release", document=document, plan_digest=plan.digest)
    released = script.whole("move, release, confirmed", OLD, right).document
    after_release(script, released)
    install(script, released)
    arrived = script.prepare(NEW, move("install", document=released, codes=CODES)).document
    finish(script, agents, arrived, released)


def prepare(script: Script, made: Any) -> None:
    """The target is made ready."""
    hungry = move("prepare", backup=made, require={"free_bytes_min": 10**15})
    script.twice("move, prepare on too little space", NEW, hungry)
    altered = {**made, "licenses": [{**made["licenses"][0], "number": "15.90.10.2"}]}
    script.planned("move, prepare with another backup", NEW, move("prepare", backup=altered))
    script.twice("move, prepare with no backup", NEW, move("prepare", backup={}))
    script.whole("move, prepare", NEW, move("prepare", backup=made))
    other = move("prepare", changes={"target_host": "other.example"}, backup=made)
    script.twice("move, prepare for another name", NEW, other)


def spoiled(right: Any) -> list[tuple[str, Any]]:
    """What may come instead of the right document."""
    altered = copy.deepcopy(right)
    altered["signatures"][0]["sig"] = right["signatures"][0]["sig"][::-1]
    return [("an altered document", altered), ("no document", None)]


def after_release(script: Script, released: Any) -> None:
    """What has left is not given up, and no other move begins."""
    script.twice("move, given up when it has left", OLD, move(WITHDRAW))
    other = move("backup", "another", licenses=LICENSES)
    script.twice("another move of a server that is moving", OLD, other)
    script.twice("backup of a server that is moving", OLD, backup(LICENSES))
    script.twice("profile of a server that is moving", OLD, profile("Fourth"))
    script.ask("move, everything resumed", OLD, Wanted("operation", RESUME, {}))
    script.twice("move, finish without the target's word", OLD, move("finish"))
    script.twice("move, finish with the own document", OLD, move("finish", document=released))
    script.twice("move, restore without the target's word", OLD, move("restore"))


def install(script: Script, released: Any) -> None:
    """Codes come with the run that uses them."""
    script.twice("move, install without codes", NEW, move("install", document=released))
    strange = [*CODES, {"license": "15.90.10.9", "code": CODE}]
    requested = move("install", document=released, codes=strange)
    script.twice("move, install with a strange code", NEW, requested)
    listed = [{"license": NUMBER, "code": [CODE]}]
    script.twice(
        "move, install with a list of codes", NEW, move("install", document=released, codes=listed)
    )
    for what, other in spoiled(released):
        script.twice(
            f"move, install with {what}", NEW, move("install", document=other, codes=CODES)
        )
    script.whole("move, install", NEW, move("install", document=released, codes=CODES))
    no = move("install", document=released, decision="refuse")
    script.twice("move, install says no too late", NEW, no)


def finish(script: Script, agents: dict[str, InProcess], arrived: Any, released: Any) -> None:
    """Applications are pointed to the new machine by a person."""
    for what, other in spoiled(arrived):
        script.twice(f"move, finish with {what}", OLD, move("finish", document=other))
    script.whole("move, finish", OLD, move("finish", document=arrived))
    ((operation, step),) = v1.waiting(agents[OLD])
    for title, named in (("another step", "verify"), ("the step", step), ("the step again", step)):
        done = attest(operation, outcome="done", step=named)
        script.ask(f"move, {title} attested", OLD, done)
    script.whole("move that is finished", OLD, move("finish", document=arrived))
    script.twice("move that is finished, released again", OLD, move("release", document=released))
    script.twice("move that is finished, given up", OLD, move(WITHDRAW))


def given_up(script: Script) -> None:
    """Nothing has left yet."""
    licenses = [{**LICENSES[0], "profiles": ["Another", "ProLicense"]}]
    script.prepare(OLD, move("backup", "given up", licenses=licenses))
    script.whole("move given up", OLD, move(WITHDRAW, "given up"))
    again = move("backup", "given up", licenses=licenses)
    script.whole("move given up, backed up again", OLD, again)


def taken_back(script: Script, agents: dict[str, InProcess]) -> None:
    """The target says no; the source takes its licenses back."""
    made = script.prepare(OLD, move("backup", licenses=LICENSES)).backup
    document = script.prepare(NEW, move("prepare", backup=made)).document
    plan = script.planned("move to be refused, release", OLD, move("release", document=document))
    right = move("release", document=document, plan_digest=plan.digest)
    released = script.prepare(OLD, right).document
    no = move("install", document=released, decision="refuse")
    refused = script.whole("move, install says no", NEW, no).document
    script.twice(
        "move that was refused, install", NEW, move("install", document=released, codes=CODES)
    )
    back = move("restore", document=refused)
    script.twice("move, restore without codes", OLD, back)
    script.whole("move, restore", OLD, move("restore", document=refused, codes=CODES))
    for operation, step in v1.waiting(agents[OLD]):
        done = attest(operation, outcome="done", step=step)
        script.ask(f"move, {step} attested after it came back", OLD, done)
    script.twice("move that came back, released again", OLD, right)
    script.ask("move that came back, looked at", OLD, move(LOOK))
