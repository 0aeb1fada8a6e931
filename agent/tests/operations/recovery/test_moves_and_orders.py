# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves of license servers and orders: what each problem advises brings them to their end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crash.world import work_folder

from operations.orders.bench import NAME
from operations.orders.bench import Bench as OrderBench
from operations.orders.bench import declared as ordered
from operations.orders.test_orders import target
from operations.server_moves.bench import NEW, OLD, Bench, declaration
from operations.server_moves.machines import NUMBERS
from seatkeeper_agent.domain.problems import ProblemCode
from seatkeeper_agent.domain.server_move_legs import move_id
from seatkeeper_agent.domain.server_moves import ServerBackup
from seatkeeper_agent.operations.server_moves.ports import CommandReport
from seatkeeper_agent.operations.server_moves.service import MoveService

from .table import recovers, refused

FIRST, SECOND, THIRD = NUMBERS


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Machines of which everything can be seen."""
    with TemporaryDirectory(prefix="seatkeeper-recovery-", dir=work_folder()) as folder:
        made = Bench(Path(folder) / "both")
        yield made
        made.close()


@pytest.fixture
def bare() -> Iterator[Bench]:
    """Machines of which nothing can be seen."""
    with TemporaryDirectory(prefix="seatkeeper-recovery-", dir=work_folder()) as folder:
        made = Bench(Path(folder) / "bare", bare=True)
        yield made
        made.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[OrderBench]:
    """An agent that places orders, whose papers a person sends."""
    made = OrderBench(tmp_path / "office")
    yield made
    made.close()


def backed_up(bench: Bench) -> ServerBackup:
    """What the source's backup says."""
    return ServerBackup.from_document(bench.leg("backup")["backup"])


def moved(bench: Bench) -> None:
    """The whole move, from wherever it stands."""
    assert bench.move()["after"] == {"state": "finished"}
    assert set(bench.vendor.holders.values()) == {NEW}


@recovers(ProblemCode.TARGET_NOT_READY)
def test_the_target_is_made_ready(bench: Bench) -> None:
    backup = backed_up(bench)
    bench.new.machine.version = "1.3.0"
    code = ProblemCode.TARGET_NOT_READY
    refused(code, "", bench.run, "prepare", backup=backup, required={"free_bytes_min": 1})
    bench.new.machine.version = "1.4.0"
    moved(bench)


@recovers(ProblemCode.BACKUP_CONTRADICTED)
def test_a_server_that_changed_is_backed_up_and_asked_anew(bench: Bench) -> None:
    prepared = bench.move("prepare")["document"]
    plan = bench.run("release", dry_run=True)["plan"]
    bench.old.machine.profiles["Another"] = FIRST
    said = {"document": prepared, "confirmation": plan["digest"]}
    code, advice = ProblemCode.BACKUP_CONTRADICTED, "Correct the declaration, or look at the server"
    refused(code, advice, bench.run, "release", **said)
    del bench.old.machine.profiles["Another"]
    moved(bench)


@recovers(ProblemCode.CODES_MISSING)
def test_the_codes_are_given_with_the_next_run(bench: Bench) -> None:
    document = bench.move("release")["document"]
    code, advice = ProblemCode.CODES_MISSING, "Run the playbook again with the codes"
    refused(code, advice, bench.run, "install", document=document, codes={})
    moved(bench)


@recovers(ProblemCode.LICENSE_NOT_RELEASED)
def test_what_a_word_said_and_nobody_sees_is_deactivated_by_the_next_run(bench: Bench) -> None:
    document = bench.move("prepare")["document"]
    machine, deactivate = bench.old.machine, bench.old.machine.deactivate

    def unseen(number: str) -> CommandReport:
        machine.hidden = True
        return deactivate(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "deactivate", unseen)
        machine.refuse = {"deactivate"}
        advice = "run the playbook again"
        refused(ProblemCode.IN_DOUBT, advice, bench.confirmed, "release", document=document)
    machine.hidden, machine.refuse = False, set()
    code, advice = ProblemCode.LICENSE_NOT_RELEASED, "run the playbook again: it deactivates"
    refused(code, advice, bench.old.attest, True, "I believe that it went through.")
    moved(bench)


@recovers(ProblemCode.LICENSE_NOT_ACTIVE)
def test_what_became_inactive_meanwhile_is_activated_by_the_next_run(bench: Bench) -> None:
    document = bench.move("release")["document"]
    machine, add_profile = bench.new.machine, bench.new.machine.add_profile

    def lost(name: str, number: str) -> CommandReport:
        report = add_profile(name, number)
        if number == THIRD:
            bench.vendor.holders[SECOND] = None
        return report

    code, advice = ProblemCode.LICENSE_NOT_ACTIVE, "Look at the license server, then run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "add_profile", lost)
        refused(code, advice, bench.leg, "install", document=document)
    moved(bench)


@recovers(ProblemCode.ACTIVE_TWICE)
def test_the_activation_that_does_not_count_is_taken_back(bench: Bench) -> None:
    arrived = bench.move("install")["document"]
    bench.vendor.holders[SECOND] = OLD
    code, advice = ProblemCode.ACTIVE_TWICE, "then deactivate the other one and run the playbook"
    refused(code, advice, bench.run, "finish", document=arrived)
    bench.vendor.holders[SECOND] = NEW
    moved(bench)


@recovers(ProblemCode.CONTAINER_BUSY)
def test_one_move_of_a_server_ends_before_another_begins(bench: Bench) -> None:
    bench.move("release")
    other = declaration(name="to a third", target_host="third.studio.example")
    code, advice = ProblemCode.CONTAINER_BUSY, "Bring that move to its end"
    refused(code, advice, bench.run, "backup", move=other)
    moved(bench)
    assert bench.run("backup", move=other, licenses=())["changed"] is True


@recovers(ProblemCode.STEP_OVER)
def test_a_word_is_given_on_the_step_that_waits(bare: Bench) -> None:
    prepared = bare.move("prepare")["document"]
    bare.confirmed("release", document=prepared)
    bare.act(bare.old)
    shown = bare.old.operation()
    bare.vendor.deactivate(OLD, FIRST)
    said = (shown, True, "Seen in the window.", "me")
    bare.old.moves.attest(*said)
    advice = "Look at what waits, and give your word on that step"
    refused(ProblemCode.STEP_OVER, advice, bare.old.moves.attest, *said)
    assert bare.old.waiting()[0]["step"] == f"deactivate {SECOND}"
    moved(bare)


@recovers(ProblemCode.MOVE_UNKNOWN)
def test_a_move_is_named_as_the_host_lists_it(bench: Bench) -> None:
    bench.move("prepare")
    moves: MoveService = bench.old.moves
    code = ProblemCode.MOVE_UNKNOWN
    refused(code, "Look at the list of moves", moves.give_up, move_id("other"), "me", False)
    (listed,) = moves.page("", 10)
    assert moves.give_up(move_id(listed["name"]), "me", False)["after"] == {"state": "void"}


@recovers(ProblemCode.ORDER_NOT_ALLOWED)
def test_what_a_rule_asks_for_is_declared(office: OrderBench) -> None:
    advice = "egister"
    refused(ProblemCode.ORDER_NOT_ALLOWED, advice, office.put, target=target(registered=False))
    assert office.go(target=target(registered=True))["order"]["state"] == "waiting"
    assert ordered()["name"] == NAME
