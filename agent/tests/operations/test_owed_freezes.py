# SPDX-License-Identifier: GPL-3.0-or-later
"""A contradiction that is noticed while a container is at work freezes it when that has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationState
from seatkeeper_agent.domain.transfers import Leg, Side, State
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.transfer_operations import freeze_owed

from .hosts import ACTOR, Pair
from .test_rolled_back import (
    evidence_about,
    frozen,
    keep_journal,
    observer,
    restore_journal,
    ten,
    usable,
)


def contradicted(pair: Pair, tmp_path: Path) -> None:
    """The journal at old is older than what it has signed, and nobody has told it yet."""
    copy = keep_journal(pair.old, tmp_path)
    pair.old.open()
    pair.carry(pair.declare("later", "201", "licenses", quantity=1))
    restore_journal(pair.old, copy)


def reported(pair: Pair) -> ProblemCode:
    """The refusal of a leg that comes with the evidence."""
    shown = evidence_about(pair.old, pair.new)
    request = LegRequest(Leg.ISSUE, ten(pair, "another"), ACTOR, evidence=shown)
    with pytest.raises(Problem) as caught:
        pair.old.transfers.run(request)
    return caught.value.code


def untold(pair: Pair) -> Problem:
    """The refusal of a leg that comes without any."""
    with pytest.raises(Problem) as caught:
        pair.old.transfers.run(LegRequest(Leg.ISSUE, ten(pair, "third"), ACTOR))
    return caught.value


def test_it_is_frozen_as_soon_as_the_work_ends(pair: Pair, tmp_path: Path) -> None:
    """What was under way comes to its end; nothing begins after it."""
    pair.carry(ten(pair))
    back = pair.declare("back", "201", "licenses", source="new", quantity=2)
    document = pair.leg(back, Leg.REQUEST)["document"]
    sent = pair.leg(back, Leg.ISSUE, document=document)["document"]
    contradicted(pair, tmp_path)
    seen: list[ProblemCode] = []

    def at_point(point: str) -> None:
        if point == "import_update.before":
            pair.old.at_point = None
            seen.append(reported(pair))
            assert frozen(pair.old) == []
            problem = untold(pair)
            seen.append(problem.code)
            assert "as soon as the work under way there has ended" in problem.next_action

    pair.old.at_point = at_point
    done = pair.leg(back, Leg.INSTALL, document=sent)
    assert done["record"].state is State.TRANSFERRED
    assert seen == [ProblemCode.SNAPSHOT_ROLLED_BACK] * 2
    assert frozen(pair.old) == [pair.old.serial]
    assert untold(pair).code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert usable(pair.old) == 25 - 10 - 1 + 2


@pytest.mark.parametrize("who", ["the observer", "the start"])
def test_it_is_frozen_by_whoever_looks_after_a_crash(pair: Pair, tmp_path: Path, who: str) -> None:
    """The refusal is durable, also where the process ends and the work is closed elsewhere."""
    contradicted(pair, tmp_path)
    with pair.old.journal.transaction() as unit:
        unit.operations.open("x", "settings", "work", Side.SOURCE, pair.old.serial, ACTOR, [])
    for _again in range(2):
        assert reported(pair) is ProblemCode.SNAPSHOT_ROLLED_BACK
    pair.old.crash()
    assert untold(pair).code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert frozen(pair.old) == []
    observer(pair.old).look(ACTOR)
    assert frozen(pair.old) == []
    with pair.old.journal.transaction() as unit:
        unit.operations.set_state("x", OperationState.DONE)
    if who == "the observer":
        observer(pair.old).look(ACTOR)
    else:
        pair.old.recovery.resume_all(ACTOR)
    assert frozen(pair.old) == [pair.old.serial]
    with pair.old.journal.reading() as unit:
        (doubt,) = unit.operations.in_doubt()
    pair.old.recovery.attest(doubt.id, "The licensor said so.", ACTOR)
    freeze_owed(pair.old.journal)
    assert frozen(pair.old) == []
