# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal of one side of a move that went back in time or was copied is contradicted.

What is only late, repeated or out of order freezes nothing.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crash.world import work_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.operations.evidence import exchange_with, peer_view
from seatkeeper_agent.operations.ports import DriverUnavailable
from seatkeeper_agent.operations.recovery import Recovery

from .bench import NEW, OLD, Bench, Host

EXAMPLES_MAX = 40
LEGS = ("backup", "prepare", "release", "install", "finish")
TAKEN = {"release": "prepared", "install": "released", "finish": "arrived"}


def frozen(host: Host) -> list[str]:
    """What is kept from all work."""
    with host.journal.reading() as unit:
        return [entry.holds for entry in unit.operations.in_doubt() if entry.kind == "freeze"]


def kept(host: Host, folder: Path) -> Path:
    """A copy of the state folder, as a backup tool makes it of a stopped agent."""
    host.close()
    host._dropped.clear()
    copy = folder / f"{host.machine.name}-copy"
    shutil.copytree(host.folder, copy)
    host.open()
    return copy


def restored(host: Host, copy: Path) -> None:
    """The copy takes the place of the newer state."""
    host.close()
    host._dropped.clear()
    shutil.rmtree(host.folder)
    shutil.copytree(copy, host.folder)
    host.open()


def documents(host: Host) -> dict[str, Any]:
    """Those that an agent keeps."""
    view = host.view()
    return {} if view is None else dict(view["documents"])


def test_a_source_that_was_restored_releases_nothing_again(bench: Bench, tmp_path: Path) -> None:
    """The target shows what the source has signed and its journal does not have."""
    prepared = bench.move("prepare")["document"]
    copy = kept(bench.old, tmp_path)
    released = bench.leg("release", document=prepared)["document"]
    bench.leg("install", document=released)
    restored(bench.old, copy)
    events = list(bench.vendor.events)
    shown = documents(bench.new)["released"]
    problem = bench.refused("release", document=prepared, evidence=shown)
    assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert frozen(bench.old) == [exchange_with(NEW)]
    again = bench.refused("release", document=prepared)
    assert (again.code, again.detail) == (problem.code, problem.detail), "frozen without it, too"
    assert bench.vendor.events == events


def test_a_document_that_quotes_what_the_source_has_lost_is_enough(
    bench: Bench, tmp_path: Path
) -> None:
    prepared = bench.move("prepare")["document"]
    copy = kept(bench.old, tmp_path)
    released = bench.leg("release", document=prepared)["document"]
    arrived = bench.leg("install", document=released)["document"]
    restored(bench.old, copy)
    problem = bench.refused("finish", document=arrived)
    assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert f"{NEW!r} quotes an entry" in problem.detail


def test_a_target_that_was_restored_installs_nothing_again(bench: Bench, tmp_path: Path) -> None:
    prepared = bench.move("prepare")["document"]
    copy = kept(bench.new, tmp_path)
    released = bench.leg("release", document=prepared)["document"]
    arrived = bench.leg("install", document=released)["document"]
    bench.leg("finish", document=arrived)
    restored(bench.new, copy)
    shown = documents(bench.old)["arrived"]
    problem = bench.refused("install", document=released, evidence=shown)
    assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert frozen(bench.new) == [exchange_with(OLD)]
    assert frozen(bench.old) == []


def test_two_outcomes_are_a_fork_even_for_a_leg_that_is_past(bench: Bench, tmp_path: Path) -> None:
    """A state folder that was copied: both agents have the key, and sign two pasts."""
    prepared = bench.move("prepare")["document"]
    copy = kept(bench.new, tmp_path)
    released = bench.leg("release", document=prepared)["document"]
    arrived = bench.leg("install", document=released)["document"]
    bench.leg("finish", document=arrived)
    restored(bench.new, copy)
    bench.new.clock.offset_seconds += 1_000
    other = bench.leg("install", document=released)["document"]
    assert other != arrived
    problem = bench.refused("finish", document=other)
    assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert "has signed two outcomes of its part" in problem.detail
    assert frozen(bench.old) == [exchange_with(NEW)]
    assert bench.refused("finish", document=arrived).code is ProblemCode.SNAPSHOT_ROLLED_BACK


def test_two_heads_of_one_sequence_are_a_fork(bench: Bench, tmp_path: Path) -> None:
    """What was prepared may be prepared anew, but no entry of an audit is written twice."""
    bench.leg("backup")
    copy = kept(bench.new, tmp_path)
    prepared = []
    for later in (0, 1_000):
        restored(bench.new, shutil.copytree(copy, tmp_path / f"again-{later}"))
        bench.new.clock.offset_seconds += later
        backup = bench.old.backups.read()
        prepared.append(bench.leg("prepare", backup=backup)["document"])
    plan = bench.run("release", dry_run=True, document=prepared[0])["plan"]
    bench.old.machine.errors = {"set_maintenance": [DriverUnavailable("it does not answer")]}
    first = bench.refused("release", document=prepared[0], confirmation=plan["digest"])
    assert first.code is ProblemCode.RUNTIME_UNAVAILABLE
    problem = bench.refused("release", document=prepared[1])
    assert "has signed two different entries" in problem.detail
    assert frozen(bench.old) == [exchange_with(NEW)]


def test_a_dry_run_refuses_as_the_run_does_and_freezes_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    prepared = bench.move("prepare")["document"]
    copy = kept(bench.old, tmp_path)
    bench.leg("release", document=prepared)
    shown = documents(bench.old)["released"]
    restored(bench.old, copy)
    problem = bench.refused("release", document=prepared, evidence=shown, dry_run=True)
    assert problem.code is ProblemCode.SNAPSHOT_ROLLED_BACK
    assert "attest" not in problem.next_action
    assert frozen(bench.old) == []


def test_what_a_person_has_settled_goes_on(bench: Bench, tmp_path: Path) -> None:
    prepared = bench.move("prepare")["document"]
    copy = kept(bench.old, tmp_path)
    released = bench.leg("release", document=prepared)["document"]
    arrived = bench.leg("install", document=released)["document"]
    restored(bench.old, copy)
    bench.refused("finish", document=arrived)
    with bench.old.journal.reading() as unit:
        (held,) = unit.operations.in_doubt()
    recovery = Recovery(bench.old.journal, None, None)  # type: ignore[arg-type]
    recovery.attest(held.id, "The vendor has said which licenses count.", "migrator")
    assert frozen(bench.old) == []
    assert bench.refused("finish", document=arrived).code is ProblemCode.LEG_OUT_OF_ORDER


def test_what_a_peer_has_signed_for_a_move_is_evidence_for_transfers_too(bench: Bench) -> None:
    bench.move()
    with bench.new.journal.reading() as unit:
        assert peer_view(unit, OLD)["evidence"] == documents(bench.new)["released"]
    with bench.old.journal.reading() as unit:
        assert peer_view(unit, NEW)["evidence"] == documents(bench.old)["arrived"]


@settings(max_examples=EXAMPLES_MAX)
@given(
    st.lists(
        st.tuples(st.sampled_from(LEGS), st.integers(0, 9), st.booleans(), st.booleans()),
        max_size=25,
    )
)
def test_late_repeated_and_reordered_documents_freeze_nothing(
    requested: list[tuple[str, int, bool, bool]],
) -> None:
    """Any leg, with any honest document of its kind that was ever given, and honest evidence."""
    with TemporaryDirectory(prefix="seatkeeper-moves-", dir=work_folder()) as folder:
        bench = Bench(Path(folder) / "both")
        given_so_far: dict[str, list[Any]] = {kind: [] for kind in TAKEN.values()}
        try:
            for leg, which, shows, gives_up in requested:
                mine, theirs = (bench.old, bench.new)[:: -1 if leg in ("prepare", "install") else 1]
                known, signed = documents(theirs), ("prepared", "arrived")
                names = ("released",) if mine is bench.old else signed
                values: dict[str, Any] = {}
                if shows:
                    values["evidence"] = next((known[n] for n in names if n in known), None)
                if leg == "prepare":
                    values["backup"] = bench.old.backups.read()
                found = given_so_far.get(TAKEN.get(leg, ""), [])
                if found:
                    values["document"] = found[which % len(found)]
                with suppress(Problem):
                    bench.confirmed(leg, **values)
                if gives_up:
                    with suppress(Problem):
                        mine.moves.give_up(_id(mine), "me", False)
                for kind, seen in given_so_far.items():
                    new = [documents(host).get(kind) for host in (bench.old, bench.new)]
                    seen += [each for each in new if each is not None and each not in seen]
                assert frozen(bench.old) == frozen(bench.new) == []
        finally:
            bench.close()


def _id(host: Host) -> str:
    view = host.view()
    return "" if view is None else str(view["id"])
