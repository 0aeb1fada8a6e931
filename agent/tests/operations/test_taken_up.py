# SPDX-License-Identifier: GPL-3.0-or-later
"""The next process takes operations up by what the journal says of them in data alone.

An agent of every kind of work ends at each of its points. What the next one makes of that is the
same where all titles, names and subjects in the journal say something else, and the same where the
journal is one of version 3, which had nothing but these texts.
"""

from __future__ import annotations

import ast
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from crash.share import chosen, seed, share
from journal.rewritten import as_version_3, with_other_texts

import seatkeeper_agent
from operations.hosts import Crash, CrashingJournal, Twin
from operations.kinds import (
    KINDS,
    NOT_DECLARED_ANY_MORE,
    TWINS,
    Kind,
    Place,
    arguments_of,
    by_people,
)
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import OperationRecord, OperationState

SHARE = 0.1
"""Of the points, usually; ``make test-crash`` runs all of them."""
TURNS_MAX = 12


@pytest.fixture(autouse=True)
def shared_twins(twins: dict[str, Twin]) -> None:
    """Twins of CodeMeter that are started once."""
    TWINS.update(twins)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, since real syncs would only take their time."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def ends_of(kind: Kind, memory: Path) -> list[int]:
    """A share of the points that an undisturbed declaration passes, and the last of them."""
    bench, _places = kind.make(memory / "undisturbed")
    bench.point.revive()
    kind.declare(bench)
    points = range(1, len(bench.point.passed) + 1)
    bench.close()
    return sorted({*chosen(points, share(SHARE), seed()), points[-1]})


def ended(kind: Kind, folder: Path, end: int) -> tuple[Any, list[Place]]:
    """An agent that ended at one of its points."""
    bench, places = kind.make(folder)
    bench.point.revive()
    bench.point.end_at = end
    with pytest.raises(Crash):
        kind.declare(bench)
    bench.point.revive()
    return bench, places


def taken_up(bench: Any, places: list[Place], kind: Kind) -> Any:
    """What the next processes make of it, with people who say that it has happened."""
    opened = [place.records(True) for place in places]
    for place in places:
        place.bench.restart()
    found = [place.records(True) for place in places]
    for _turn in range(TURNS_MAX):
        for place in places:
            place.resume()
            place.waits()
    return opened, found, [place.shown() for place in places], kind.product(bench)


def compared(
    kind: Kind,
    folder: Path,
    end: int,
    left: Callable[[Path], None] | None = None,
    forbid: Callable[[Any], object] = lambda _bench: None,
) -> tuple[Any, Any]:
    """What was left, as it is and changed, each taken up by another process."""
    results = []
    for number, becomes in enumerate((None, left)):
        bench, places = ended(kind, folder / f"{end}-{number}", end)
        if number:
            forbid(bench)
        CrashingJournal.left = becomes  # type: ignore[method-assign,assignment]
        try:
            results.append(taken_up(bench, places, kind))
        finally:
            CrashingJournal.left = None
            bench.close()
    return results[0], results[1]


@pytest.mark.parametrize("name", KINDS)
def test_no_text_decides_how_it_goes_on(memory: Path, name: str) -> None:
    kind = KINDS[name]
    for end in ends_of(kind, memory):
        plain, other = compared(kind, memory, end, with_other_texts)
        assert other[2:] == plain[2:], f"the agent ended at point {end}"


@pytest.mark.parametrize("name", KINDS)
def test_what_version_3_left_goes_on_as_well(memory: Path, name: str) -> None:
    kind = KINDS[name]
    compared_to_the_end = 0
    for end in ends_of(kind, memory):
        plain, old = compared(kind, memory, end, as_version_3)
        opened = [record for place in plain[0] for record in place]
        if any(not is_begun(record) and record.kind == "settings" for record in opened):
            # Version 3 wrote down which settings with the first intent only.
            assert [record for place in old[1] for record in place] == []
            continue
        compared_to_the_end += 1
        # Of an activation it wrote the account as late: before that none is gone on with.
        if all(is_begun(record) or record.kind != "activation" for record in opened):
            assert essence(old[1]) == essence(plain[0]), f"the agent ended at point {end}"
        assert without_arguments(old[2]) == without_arguments(plain[2]), f"ended at point {end}"
        assert old[3] == plain[3], f"the agent ended at point {end}"
    assert compared_to_the_end


@pytest.mark.parametrize("name", NOT_DECLARED_ANY_MORE)
def test_what_was_accepted_goes_on_though_nobody_could_declare_it_any_more(
    memory: Path, name: str
) -> None:
    kind = KINDS[name]
    assert kind.forbid is not None
    bench, _places = kind.make(memory / "refused")
    kind.forbid(bench)
    with pytest.raises(Problem):
        kind.declare(bench)
    bench.close()
    for end in ends_of(kind, memory):
        plain, other = compared(kind, memory, end, forbid=kind.forbid)
        assert other[2:] == plain[2:], f"the agent ended at point {end}"


@pytest.mark.parametrize("bare", [False, True])
def test_who_performs_stays_as_it_was_accepted(memory: Path, bare: bool) -> None:
    """Also when the commands are taken out of the settings meanwhile."""
    kind = KINDS["move that nobody sees" if bare else "move"]
    for end in ends_of(kind, memory):
        plain, other = compared(
            kind, memory, end, forbid=lambda b: by_people(b.old.machine, b.new.machine)
        )
        assert other[2:] == plain[2:], f"the agent ended at point {end}"


def is_begun(record: OperationRecord) -> bool:
    """Whether anything of it was ever intended."""
    return any(step.intended_at is not None for step in record.steps)


def without_arguments(places: list[Any]) -> list[Any]:
    """What was over when version 3 was left has arguments as far as something tells them."""
    return [
        [(*shown[:-1], [(step[0], *step[2:]) for step in shown[-1]]) for shown in place]
        for place in places
    ]


def essence(places: list[list[OperationRecord]]) -> list[Any]:
    """What makes an operation what it is; some ids are made by chance."""
    return [
        (record.kind, record.declaration, record.holds, record.state is OperationState.WAITING,
         [(step.type, arguments_of(step), step.state) for step in record.steps])
        for place in places
        for record in place
    ]  # fmt: skip


PARSERS = {
    "startswith", "endswith", "split", "rsplit", "partition", "rpartition", "removeprefix",
    "removesuffix", "find", "index", "match", "fullmatch", "search", "strip",
}  # fmt: skip
TEXTS = {"name", "title", "subject"}


@pytest.mark.parametrize("place", ["operations", "api", "status.py", "agent.py"])
def test_no_text_of_the_journal_is_read(place: str) -> None:
    """Neither taken apart nor compared with a word."""
    folder = Path(seatkeeper_agent.__file__).parent / place
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]
    found = [f"{file.name}:{line}" for file in files for line in readings(file)]
    assert found == []


def readings(file: Path) -> Iterator[int]:
    """Lines on which a text of a step or an operation is read."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr=called, value=ast.Attribute(attr=text))) if (
                called in PARSERS and text in TEXTS
            ):
                yield node.lineno
            case ast.Compare(
                left=ast.Attribute(attr=text, value=ast.Name(id=of)), comparators=[ast.Constant()]
            ) if text in TEXTS and of in ("step", "record", "operation", "held", "s"):
                yield node.lineno
