# SPDX-License-Identifier: GPL-3.0-or-later
"""A writing process that is killed again and again leaves every unit it had reported."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.invariants import check

WRITER = """
import sys
from pathlib import Path
from seatkeeper_agent.domain.licenses import Measure
from seatkeeper_agent.domain.records import Account, Event, Posting
from seatkeeper_agent.journal import Journal
journal = Journal(Path(sys.argv[1]))
while True:
    with journal.transaction() as unit:
        rows = [Posting(Account.CONTAINER, "130-1", "1:1", Measure.SEATS, 1),
                Posting(Account.VENDOR, "codemeter", "1:1", Measure.SEATS, -1)]
        unit.ledger.post(Event.OBSERVED, rows)
        unit.audit.append("tester", "observed", "130-1", {"text": "x" * 500})
        number = unit.audit.head()[0]
    print(number, flush=True)
"""
ROUNDS = 8


def write_and_be_killed(path: Path, seconds: float) -> int:
    """Let a process write for a while; the last unit that it reported to be durable."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        reported = [first, *process.stdout.read().split("\n")]
    # The last line may have been cut short by the death.
    return max(int(line) for line in reported[:-1] if line.strip())


def test_killed_while_writing(tmp_path: Path) -> None:
    """Each round goes on from where the last one died."""
    path, durable = tmp_path / "journal.db", 0
    for number in range(ROUNDS):
        reported = write_and_be_killed(path, 0.007 * number)
        journal = Journal(path)
        with journal.reading() as unit:
            sequence, _ = unit.audit.head()
            assert [one for one in check(unit) if not one.holds] == []
            assert sequence in (reported, reported + 1)
            assert {row.account.value: row.amount for row in unit.ledger.balances()} == {
                "container": sequence,
                "vendor": -sequence,
            }
        journal.close()
        assert sequence > durable
        durable = sequence
