# SPDX-License-Identifier: GPL-3.0-or-later
"""An old journal becomes one of today, each version whole or not at all, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from seatkeeper_agent.domain.planned_steps import Instructions, Performer, canonical
from seatkeeper_agent.domain.records import (
    Account,
    Event,
    OperationState,
    StepRecord,
    StepState,
)
from seatkeeper_agent.domain.transfers import Side, State
from seatkeeper_agent.journal import Journal, JournalError
from seatkeeper_agent.journal.migrations import SCHEMA_VERSION, JournalTooNew
from seatkeeper_agent.operations.invariants import check

from .faulty_files import KINDS, NAME, FaultyFiles, faulty_files
from .units import DECLARATION, posting
from .version_1 import OPEN, OPERATIONS, make_version_1, tables

NEW_TABLES = {2: {"notes", "declarations"}, 3: {"notes", "declarations"}}
NEW_TABLES[4] = {*NEW_TABLES[3], "events"}
STEP_COLUMNS_1 = 9
ADDED_TO_STEPS = {2: ("agent", None, None, None), 3: ("agent", *[None] * 4)}
ADDED_TO_STEPS[4] = ADDED_TO_STEPS[3]
"""What each version has behind, as an agent of version 1 would have had it."""


@pytest.fixture
def files() -> Iterator[FaultyFiles]:
    """The file layer of one test."""
    with faulty_files() as layer:
        yield layer


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, since real syncs would only take their time."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of version 1 that is copied, never opened."""
    path = tmp_path_factory.mktemp("old") / "journal.db"
    make_version_1(path)
    return path


@pytest.fixture(scope="module")
def before(old: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the old file holds."""
    with closing(apsw.Connection(str(old), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        return tables(connection)


def copied(old: Path, folder: Path) -> Path:
    """The old file in a folder of its own."""
    folder.mkdir()
    return Path(shutil.copy(old, folder / "journal.db"))


def look(path: Path) -> tuple[int, dict[str, list[tuple[Any, ...]]]]:
    """A file's version and rows, as plain SQLite shows them; it has to be sound."""
    with closing(apsw.Connection(str(path))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return int(connection.pragma("user_version")), tables(connection)


def assert_kept(path: Path, before: dict[str, list[tuple[Any, ...]]]) -> int:
    """Nothing is lost, whichever version the file has; gives the version."""
    version, now = look(path)
    if version == 1:
        assert now == before
        return version
    assert version in ADDED_TO_STEPS
    assert set(now) == set(before) | NEW_TABLES[version]
    assert not any(now[name] for name in NEW_TABLES[version])
    operations, steps = now["operations"], now["steps"]
    if version == SCHEMA_VERSION:
        # None of them was made for the transfer that is there: their ids are no transfer's.
        assert {row[3:5] for row in operations} == {(None, None)}
        operations = [(*row[:3], *row[5:]) for row in operations]
        for row in steps:
            assert row[2:4] == _made_of(row[4:])
        steps = [(*row[:2], *row[4:]) for row in steps]
    assert operations == before["operations"]
    # No step of version 1 was anybody's but the agent's.
    assert [row[:STEP_COLUMNS_1] for row in steps] == before["steps"]
    assert {row[STEP_COLUMNS_1:] for row in steps} == {ADDED_TO_STEPS[version]}
    same = set(before) - {"steps", "operations"}
    assert {name: now[name] for name in same} == {name: before[name] for name in same}
    return version


def _made_of(row: tuple[Any, ...]) -> tuple[str, str]:
    """Type and arguments of a step, which version 4 has after the position, by its old columns."""
    name, _title, reversible = row[:3]
    debit = {"parent_vendor_id": None, "reversible": bool(reversible)}
    return name, canonical(debit if name == "debit" else {}).decode()


def test_everything_is_kept_and_read_as_it_was(
    tmp_path: Path, old: Path, before: dict[str, list[tuple[Any, ...]]]
) -> None:
    """Operations in every state, their steps, transfers under way, the ledger and the audit."""
    path = copied(old, tmp_path / "new")
    journal = Journal(path)
    with journal.reading() as unit:
        assert [one for one in check(unit) if not one.holds] == []
        assert unit.audit.first_broken_link() is None
        found = {record.id: record for record in unit.operations.page(False, "", 100)}
        opened = {record.id for record in unit.operations.page(True, "", 100)}
        records = unit.transfers.both(DECLARATION.id)
        assert unit.operations.waiting() == []
        assert unit.counters.highest("130-1", "6000010") == 7
        assert unit.transfers.superseded_requests(DECLARATION.id) == {"0" * 64}
    for name, container, state, problem, steps in OPERATIONS:
        record = found[name]
        assert (record.holds, record.state) == (container, OperationState(state))
        assert (record.problem is not None) == (problem is not None)
        assert [step.state for step in record.steps] == [StepState(step) for step in steps]
        assert {step.performer for step in record.steps} == {Performer.AGENT}
        assert record.awaited is None
    assert opened == set(OPEN)
    assert {record.side: record.state for record in records} == {
        Side.SOURCE: State.IN_TRANSIT,
        Side.TARGET: State.REQUESTED,
    }
    journal.close()
    assert assert_kept(path, before) == SCHEMA_VERSION


def test_what_version_1_forbade_is_forbidden_still(tmp_path: Path, old: Path) -> None:
    """References, one open operation per container, intents before entries, an audit that stays."""
    journal = Journal(copied(old, tmp_path / "new"))

    def refused(statement: str, match: str) -> None:
        with pytest.raises(apsw.ConstraintError, match=match), journal.transaction() as unit:
            unit.audit._connection.execute(statement)

    refused("INSERT INTO notes (operation_id, at, text) VALUES ('nobody', 1, 'x')", "FOREIGN KEY")
    refused("UPDATE steps SET operation_id = 'nobody' WHERE operation_id = 'begun'", "FOREIGN KEY")
    refused("DELETE FROM operations WHERE id = 'done'", "FOREIGN KEY")
    refused("UPDATE audit SET actor = 'nobody'", "never changed")
    refused("DELETE FROM postings", "never deleted")
    refused("UPDATE operations SET state = 'waiting', problem = NULL WHERE id = 'failed'", "UNIQUE")
    refused("UPDATE operations SET problem = NULL WHERE id = 'in-doubt'", "CHECK")
    rows = [posting(Account.CONTAINER, "130-1", 1), posting(Account.VENDOR, "codemeter", -1)]
    with pytest.raises(apsw.ConstraintError, match="intent"), journal.transaction() as unit:
        unit.ledger.post(Event.CREDIT, rows, DECLARATION.id, "begun")
    with journal.reading() as unit:
        connection = unit.audit._connection
        assert connection.pragma("foreign_keys") == 1
        for table in ("steps", "entries", "notes"):
            targets = connection.execute(f"PRAGMA foreign_key_list({table})").fetchall()
            assert [row[2] for row in targets] == ["operations"]
    journal.close()


def test_somebody_can_be_waited_for_in_an_upgraded_journal(tmp_path: Path, old: Path) -> None:
    """And the container is held meanwhile."""
    journal = Journal(copied(old, tmp_path / "new"))
    reported = Instructions(("Click it.",), "It shows.", attestable=True, seconds_max=60)
    step = StepRecord(0, "s", "s", "a step", reversible=False, state=StepState.PLANNED,
                      performer=Performer.PERSON, instructions=reported)  # fmt: skip
    with journal.transaction() as unit:
        unit.operations.open("new", "kind", "subject", None, "130-9", "tester", [step])
        unit.operations.intend("new", 0, {"before": 1}, 5.0, 65)
        unit.operations.set_state("new", OperationState.WAITING)
        unit.operations.note("new", "Something was seen.")
    with journal.reading() as unit:
        (waiting,) = unit.operations.waiting()
        held = unit.operations.holding("130-9")
    assert held == waiting
    assert [note.text for note in waiting.notes] == ["Something was seen."]
    assert waiting.awaited is not None
    assert (waiting.awaited.instructions, waiting.awaited.until) == (reported, 65)
    journal.close()


def test_what_waits_in_a_journal_of_version_2_waits_on(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instructions, words, notes and declarations are as they were; nothing was said yet."""
    path = copied(old, tmp_path / "second")
    with monkeypatch.context() as patch:
        patch.setattr("seatkeeper_agent.journal.migrations.SCHEMA_VERSION", 2)
        Journal(path).close()
    reported = '{"steps": ["Click it."], "verified_by": "It shows.", "attestable": true}'
    rows = {
        "INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)": (
            "asked",
            "kind",
            "subject",
            None,
            "130-9",
            "waiting",
            None,
            "me",
            1,
            1,
        ),
        "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)": (
            "asked",
            0,
            "s",
            "a step",
            0,
            "intended",
            1,
            "{}",
            5.0,
            "person",
            reported,
            65,
            "Mine",
        ),
        "INSERT INTO notes VALUES (?, ?, ?, ?)": (1, "asked", 1, "Something was seen."),
        "INSERT INTO declarations VALUES (?, ?, ?, ?, ?)": ("order", "an id", "{}", 1, 1),
    }
    with closing(apsw.Connection(str(path))) as connection:
        for statement, row in rows.items():
            connection.execute(statement, row)
        second = tables(connection)
    Journal(path).close()
    version, now = look(path)
    assert version == SCHEMA_VERSION
    steps = [(*row[:2], *_made_of(row[2:]), *row[2:], None) for row in second["steps"]]
    operations = [(*row[:3], None, None, *row[3:]) for row in second["operations"]]
    assert now == {**second, "steps": steps, "operations": operations, "events": []}


@pytest.mark.parametrize(
    ("kind", "lasting"), [*((kind, False) for kind in KINDS), ("disk is full", True)]
)
def test_a_fault_at_every_call_of_the_upgrade(
    memory: Path,
    files: FaultyFiles,
    old: Path,
    before: dict[str, list[tuple[Any, ...]]],
    kind: str,
    lasting: bool,
) -> None:
    """Killed at that moment it is of one version whole, and it is upgraded later."""
    path = copied(old, memory / "count")
    files.arm(None, kind, memory / "unused")
    Journal(path, vfs=NAME).close()
    calls = len(files.calls)
    assert calls > 10
    seen = set()
    for number in range(1, calls + 1):
        folder, image = memory / f"{number}", memory / f"image-{number}"
        path = copied(old, folder)
        files.arm(number, kind, image, lasting)
        opened = opens(path)
        assert files.failed
        if image.exists():
            seen.add(assert_kept(image / "journal.db", before))
        files.disarm()
        version = assert_kept(path, before)
        assert not opened or version == SCHEMA_VERSION
        Journal(path, vfs=NAME).close()
        assert assert_kept(path, before) == SCHEMA_VERSION
        shutil.rmtree(folder)
        shutil.rmtree(image, ignore_errors=True)
    assert seen == {1, *ADDED_TO_STEPS}


def opens(path: Path) -> bool:
    """Whether the journal opens; the only error that a fault may show itself as is JournalError."""
    try:
        Journal(path, vfs=NAME).close()
    except JournalError:
        return False
    return True


UPGRADE = """
import os, signal, sys
from pathlib import Path
import apsw
from seatkeeper_agent.journal import Journal
left = int(sys.argv[2])
def trace(cursor, statement, bindings):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return True
apsw.connection_hooks.append(lambda connection: setattr(connection, "exec_trace", trace))
Journal(Path(sys.argv[1])).close()
print(left)
"""


def test_a_process_that_is_killed_while_it_upgrades(
    tmp_path: Path, old: Path, before: dict[str, list[tuple[Any, ...]]]
) -> None:
    """A real SIGKILL between two statements; a few of them, from the first to the last."""
    statements = 1_000
    killed = set()
    for number in (1_000, *range(5, 110, 15)):
        path = copied(old, tmp_path / f"{number}")
        done = subprocess.run(
            [sys.executable, "-c", UPGRADE, str(path), str(number)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if number == statements:
            assert (done.returncode, int(done.stdout) > 800) == (0, True), done.stderr
            continue
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        killed.add(assert_kept(path, before))
        Journal(path).close()
        assert assert_kept(path, before) == SCHEMA_VERSION
    assert 1 in killed


def test_a_file_that_would_lose_a_reference_stays_as_it_is(tmp_path: Path, old: Path) -> None:
    """A damaged file is told, not made worse."""
    path = copied(old, tmp_path / "damaged")
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(
            "INSERT INTO steps VALUES ('nobody', 0, 's', 's', 1, 'planned', 0, '{}', NULL)"
        )
    with pytest.raises(JournalError, match="would break a reference"):
        Journal(path)
    with closing(apsw.Connection(str(path))) as connection:
        assert connection.pragma("user_version") == 1
        assert ("nobody",) in connection.execute("SELECT operation_id FROM steps").fetchall()


def test_a_newer_file_is_left_alone(tmp_path: Path, old: Path) -> None:
    """Also one that was made from this very version."""
    path = copied(old, tmp_path / "newer")
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("user_version", SCHEMA_VERSION + 1)
    content = path.read_bytes()
    with pytest.raises(JournalTooNew):
        Journal(path)
    assert path.read_bytes() == content


def test_an_older_agent_leaves_the_upgraded_file_alone(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an agent of version 1 asks first is answered with a version that it does not know."""
    path = copied(old, tmp_path / "new")
    Journal(path).close()
    content = path.read_bytes()
    monkeypatch.setattr("seatkeeper_agent.journal.migrations.SCHEMA_VERSION", 1)
    with pytest.raises(JournalTooNew, match="Install the newer agent again"):
        Journal(path)
    assert path.read_bytes() == content


def test_operations_whose_declaration_is_gone_are_kept_as_they_are(
    tmp_path: Path, old: Path
) -> None:
    """Of every kind, with steps by names that nothing knows: the file opens, nothing is lost."""
    path = copied(old, tmp_path / "odd")
    kinds = (
        "debit", "settings", "activation", "server_borrow", "dongle_migration", "order",
        "server_move", "server_profile", "freeze", "other",
    )  # fmt: skip
    names = ("", "release", "auto_renew", "send", "close", "add_profile", "verify 1", "anything")
    with closing(apsw.Connection(str(path))) as connection:
        for kind in kinds:
            connection.execute(
                "INSERT INTO operations (id, kind, subject, side, container, state, actor,"
                " created_at, updated_at) VALUES (?, ?, '', NULL, ?, 'running', 'me', 1, 1)",
                (f"of {kind}", kind, f"holds {kind}"),
            )
            for position, name in enumerate(names):
                connection.execute(
                    "INSERT INTO steps (operation_id, position, name, title, reversible, state)"
                    " VALUES (?, ?, ?, '', 1, 'planned')",
                    (f"of {kind}", position, name),
                )
    journal = Journal(path)
    with journal.reading() as unit:
        found = [unit.operations.get(f"of {kind}") for kind in kinds]
    assert [len(record.steps) if record else 0 for record in found] == [len(names)] * len(kinds)
    journal.close()
