# SPDX-License-Identifier: GPL-3.0-or-later
"""What was restored from a snapshot is noticed, frozen and reported, and moves nothing more.

Seats are counted outside of the agents, in the twins' own files.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import DocumentKind, Envelope
from seatkeeper_agent.domain.transfers import Declaration, Leg
from seatkeeper_agent.operations.documents import unseal
from seatkeeper_agent.operations.evidence import peer_view
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.observer import Observer

from .hosts import ACTOR, Host, Pair

SEATS = 25


def ten(pair: Pair, name: str = "ten") -> Declaration:
    """The main job."""
    return pair.declare(name, "201", "licenses", quantity=10)


def usable(host: Host) -> int:
    """Usable seats, counted in the twin's file."""
    rows = host.twin.rows(
        "SELECT license_quantity AS n FROM item WHERE product_code = 201 AND status = 1"
    )
    return sum(row["n"] or 0 for row in rows)


def keep_journal(host: Host, folder: Path) -> Path:
    """A copy of the state folder as a backup tool makes it, of a stopped agent."""
    host.journal.close()
    copy = folder / f"{host.name}-journal"
    shutil.copytree(host.folder, copy)
    return copy


def restore_journal(host: Host, copy: Path) -> None:
    """Put the copy in the place of the newer state."""
    host.close_journals()
    shutil.rmtree(host.folder)
    shutil.copytree(copy, host.folder)
    host._dropped.clear()
    host.open()


def keep_container(host: Host) -> None:
    """A snapshot of the container's file alone."""
    host.twin.ask("_twin.snapshot", name="before")


def restore_container(host: Host) -> None:
    """Put it back."""
    host.twin.ask("_twin.rollback", name="before")
    host.driver._options.clear()


def observer(host: Host) -> Observer:
    """What the agent's thread does at its start."""
    return Observer(host.journal, host.driver, host.clock)


def evidence_about(host: Host, other: Host) -> Envelope | None:
    """What a run hands to a host: its own newest document that the other host keeps."""
    with other.journal.reading() as unit:
        if host.name not in unit.peers.names():
            return None
        found = peer_view(unit, host.name)["evidence"]
    assert found is None or isinstance(found, dict)
    return found


def run(pair: Pair, declared: Declaration) -> Problem | None:
    """All legs as a playbook runs them, each with the other host's evidence; the first refusal."""
    document = None
    for leg in Leg:
        host = pair.host_of(declared, leg.side)
        other = pair.new if host is pair.old else pair.old
        shown = evidence_about(host, other)
        try:
            document = pair.leg(declared, leg, document=document, evidence=shown)["document"]
        except Problem as problem:
            return problem
    return None


def frozen(host: Host) -> list[str]:
    """What is kept from all work."""
    with host.journal.reading() as unit:
        return [entry.holds for entry in unit.operations.in_doubt()]


def restore_both(host: Host, copy: Path) -> None:
    """The whole machine from its snapshot."""
    restore_container(host)
    restore_journal(host, copy)


@pytest.mark.parametrize("which", ["old", "new"])
@pytest.mark.parametrize("what", ["machine", "journal"])
def test_a_restored_journal_is_contradicted_by_its_own_signature(
    pair: Pair, tmp_path: Path, which: str, what: str
) -> None:
    """Neither the transfer that the other host holds receipted nor a new one moves anything."""
    pair.carry(pair.declare("first", "201", "licenses", quantity=1))
    host = pair[which]
    copy = keep_journal(host, tmp_path)
    keep_container(host)
    pair.carry(ten(pair))
    restore_both(host, copy) if what == "machine" else restore_journal(host, copy)
    before = usable(pair.old), usable(pair.new)
    for name in ("ten", "another"):
        problem = run(pair, ten(pair, name))
        assert problem is not None
        assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK, problem
    assert (usable(pair.old), usable(pair.new)) == before
    assert frozen(host) == [host.serial]


def test_a_dry_run_refuses_as_the_run_does_and_freezes_nothing(pair: Pair, tmp_path: Path) -> None:
    copy = keep_journal(pair.old, tmp_path)
    declared = ten(pair)
    pair.carry(declared)
    restore_journal(pair.old, copy)
    shown = evidence_about(pair.old, pair.new)
    with pytest.raises(Problem) as caught:
        pair.old.transfers.plan(LegRequest(Leg.ISSUE, declared, ACTOR, evidence=shown))
    assert caught.value.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert "attest" not in caught.value.next_action, "there is nothing to attest yet"
    assert frozen(pair.old) == []


def raise_counter(host: Host) -> None:
    """The licensor's updates, until the restored container's counter is beyond the old one."""
    host.twin.write("UPDATE firm_item SET update_counter = update_counter + 100")


@pytest.mark.parametrize("meanwhile", [None, raise_counter])
@pytest.mark.parametrize("which", ["old", "new"])
def test_a_restored_container_is_noticed_by_looking(
    pair: Pair, which: str, meanwhile: Callable[[Host], None] | None
) -> None:
    """Also where its counter has risen again: then its history lacks what the journal has seen."""
    host = pair[which]
    pair.carry(pair.declare("first", "201", "licenses", quantity=1))
    keep_container(host)
    pair.carry(ten(pair))
    (sound,) = observer(host).compare(ACTOR)
    assert sound.consistent is True
    restore_container(host)
    if meanwhile is not None:
        meanwhile(host)
    (found,) = observer(host).compare(ACTOR)
    assert found.consistent is False
    assert frozen(host) == [host.serial]
    problem = run(pair, ten(pair, "another"))
    assert problem is not None
    assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK


def test_the_same_before_an_effect_when_nobody_looked(pair: Pair) -> None:
    pair.carry(pair.declare("first", "201", "licenses", quantity=1))
    keep_container(pair.old)
    pair.carry(ten(pair))
    restore_container(pair.old)
    raise_counter(pair.old)
    declared = ten(pair, "another")
    request = pair.leg(declared, Leg.REQUEST)["document"]
    with pytest.raises(Problem) as planned:
        pair.old.transfers.plan(LegRequest(Leg.ISSUE, declared, ACTOR, document=request))
    assert "attest" not in planned.value.next_action, "there is nothing to attest yet"
    assert frozen(pair.old) == []
    problem = run(pair, declared)
    assert problem is not None
    assert problem.code is planned.value.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert problem.detail == planned.value.detail
    assert usable(pair.old) == SEATS - 1
    assert frozen(pair.old) == [pair.old.serial]


def test_two_hosts_with_one_key_are_a_fork(pair: Pair, tmp_path: Path) -> None:
    """A copied state folder that lives on beside the first: one sequence with two heads."""
    copy = keep_journal(pair.new, tmp_path)
    pair.new.open()
    first = {name: pair.leg(ten(pair, name), Leg.REQUEST)["document"] for name in ("a", "b")}
    restore_journal(pair.new, copy)
    second = {name: pair.leg(ten(pair, name), Leg.REQUEST)["document"] for name in ("c", "d")}
    pair.leg(ten(pair, "b"), Leg.ISSUE, document=first["b"])
    with pytest.raises(Problem) as caught:
        pair.leg(ten(pair, "d"), Leg.ISSUE, document=second["d"])
    assert caught.value.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert "two different entries" in caught.value.detail
    assert frozen(pair.old) == ["agent new"]
    assert usable(pair.old) == SEATS - 10


def test_a_word_of_a_peer_freezes_the_exchange_with_it_alone(pair: Pair, tmp_path: Path) -> None:
    """What a peer quotes is no signature of this agent: it must not stop this host's containers."""
    copy = keep_journal(pair.old, tmp_path)
    pair.old.open()
    pair.carry(ten(pair))
    restore_journal(pair.old, copy)
    declared = ten(pair, "another")
    document = pair.leg(declared, Leg.REQUEST)["document"]
    with pytest.raises(Problem) as caught:
        pair.leg(declared, Leg.ISSUE, document=document)
    assert caught.value.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert frozen(pair.old) == ["agent new"]


def test_an_operator_settles_it_on_both_hosts_and_work_goes_on(pair: Pair, tmp_path: Path) -> None:
    copy = keep_journal(pair.new, tmp_path)
    pair.new.open()
    pair.carry(pair.declare("one", "201", "licenses", quantity=1))
    restore_journal(pair.new, copy)
    declared = ten(pair)
    for _round in range(6):
        if run(pair, declared) is None:
            break
        for host in pair:
            with host.journal.reading() as unit:
                doubts = unit.operations.in_doubt()
            for entry in doubts:
                host.recovery.attest(entry.id, "The licensor said so.", ACTOR)
    assert run(pair, declared) is None
    assert usable(pair.old) == SEATS - 11
    assert [frozen(host) for host in pair] == [[], []]
    assert run(pair, pair.declare("later", "201", "licenses", quantity=1)) is None


# Looking before a word is given --------------------------------------------------------


def imported_by_hand(pair: Pair, declared: Declaration) -> Envelope:
    """An update that a person imported with the vendor's own tool; the transfer document."""
    requested = pair.leg(declared, Leg.REQUEST)["document"]
    sent: Envelope = pair.leg(declared, Leg.ISSUE, document=requested)["document"]
    update = unseal(pair.new.identity, DocumentKind.TRANSFER, declared, sent).artefact
    pair.new.driver.import_update(pair.new.serial, update)
    return sent


def test_what_was_imported_by_hand_is_found_and_not_imported_again(pair: Pair) -> None:
    declared = ten(pair)
    sent = imported_by_hand(pair, declared)
    document = sent
    for leg in (Leg.INSTALL, Leg.CONFIRM, Leg.ACKNOWLEDGE):
        document = pair.leg(declared, leg, document=document)["document"]
    assert (usable(pair.old), usable(pair.new)) == (15, 10)
    for host in pair:
        with host.journal.reading() as unit:
            balances = {
                (row.account.value, row.measure.value): row.amount
                for row in unit.ledger.balances()
                if row.reference == host.serial
            }
        assert balances["container", "seats"] == usable(host)


@pytest.mark.parametrize("with_document", [True, False])
def test_what_is_installed_is_never_refused(pair: Pair, with_document: bool) -> None:
    declared = ten(pair)
    sent = imported_by_hand(pair, declared)
    given: dict[str, Any] = {"document": sent} if with_document else {}
    with pytest.raises(Problem) as caught:
        pair.leg(declared, Leg.INSTALL, decision="refuse", **given)
    assert caught.value.code is ProblemCode.LEG_OUT_OF_ORDER
    assert "cannot be refused" in caught.value.detail
    assert pair.leg(declared, Leg.INSTALL, document=sent)["changed"]
    assert (usable(pair.old), usable(pair.new)) == (15, 10)
