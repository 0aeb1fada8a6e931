# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's part with CodeMeter: licenses moved and lent between two hosts by one playbook."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from seatkeeper_twins.cli import SEED_PATH, read_seeds
from seatkeeper_twins.demo import fleet
from seatkeeper_twins.demo.playbook import Playbook, PlaybookRun
from seatkeeper_twins.demo.screen import DemoError, Screen
from seatkeeper_twins.lab.lab import Lab

PLAYBOOK = "playbooks/migrate_licenses.yml"
INVENTORY = "playbooks/inventories/demo"
OLD, NEW = "old-server", "new-server"
SEATS, WHOLE, UNITS, LENT = "6000010:201", "6000010:202", "6000010:203", "6000010:204"
BORROW_PERIOD = timedelta(days=7)
ONE_RETURNED = ("-e", "demo_borrowed_seats=1")


def show(screen: Screen, folder: Path | None) -> Lab:
    """Show it on a lab of its own, which is given back stopped; DemoError.

    ``folder`` None: a temporary one.
    """
    screen.stage(f"Start {OLD} and {NEW}, each an agent beside a CodeMeter twin")
    lab = Lab.create(read_seeds(SEED_PATH), folder)
    screen.line(f"  sockets, journals and logs are in {lab.folder}")
    with lab:
        demo = Demo(lab, screen)
        demo.show_before()
        planned = demo.check()
        demo.move(planned)
        demo.return_one()
        demo.show_after()
        demo.run_again()
        demo.show_sums()
        screen.stage("Stop everything")
    return lab


class Demo:
    """The stages, in the order in which they are shown."""

    def __init__(self, lab: Lab, screen: Screen) -> None:
        end = datetime.now(UTC).replace(microsecond=0) + BORROW_PERIOD
        self._until = end.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._lab = lab
        self._screen = screen
        self._playbook = Playbook(lab, screen, INVENTORY, {"SEATKEEPER_DEMO_UNTIL": self._until})
        self._before = fleet.holdings(lab)

    def show_before(self) -> None:
        """Both hosts as they were made."""
        self._screen.stage("What both hosts hold, as their agents tell it")
        for name, host in self._lab.hosts.items():
            vendor = host.client.get("/v1/agent")["vendors"][0]
            self._screen.line(f"  {name}: {vendor['product']} {vendor['version']}, a twin")
        fleet.show_holdings(self._screen, self._before)

    def check(self) -> PlaybookRun:
        """The plan, and that making it changed nothing."""
        self._screen.stage("What the playbook would do (--check --diff)")
        state = fleet.state(self._lab)
        run = self._run("--check", "--diff")
        self._screen.require(
            fleet.state(self._lab) == state,
            "items, counters, history and journals of both hosts are as they were",
            "The run with --check changed something on a host.",
        )
        return run

    def move(self, planned: PlaybookRun) -> None:
        """The real run, against what was planned."""
        self._screen.stage("Move, split and borrow")
        run = self._run()
        made = run.report().differences()
        self._screen.require(
            bool(made) and made == planned.report().differences(),
            f"the {len(made)} changes that were planned are the ones that were made",
            "The run changed something else than --check had planned.",
        )
        rows = fleet.holdings(self._lab)
        self._require_moved(rows)
        self._require_borrowed(rows, 2)

    def return_one(self) -> None:
        """One borrowed seat goes back before its time."""
        self._screen.stage("Return one of the two borrowed seats early")
        self._run(*ONE_RETURNED)
        rows = fleet.holdings(self._lab)
        self._require_moved(rows)
        self._require_borrowed(rows, 1)

    def show_after(self) -> None:
        """Both hosts and the history, and that everything has come to its end."""
        self._screen.stage("What both hosts hold now")
        fleet.show_holdings(self._screen, fleet.holdings(self._lab))
        self._screen.stage("The transfer history of both containers")
        rows = fleet.history(self._lab)
        self._screen.table(rows, fleet.HISTORY_COLUMNS)
        transit = [row for row in rows if row["status"].startswith("In Transit")]
        self._screen.require(
            bool(rows) and not transit,
            f"{len(rows)} rows of history and none is in transit",
            f"{len(transit)} of {len(rows)} rows of history are still in transit.",
        )

    def run_again(self) -> None:
        """The same run once more."""
        self._screen.stage("Run the playbook again")
        state = fleet.state(self._lab)
        run = self._run(*ONE_RETURNED)
        changed = ", ".join(
            f"{host}: changed={reported['changed']}" for host, reported in run.recap.items()
        )
        self._screen.require(
            run.counted("changed") == 0, changed, f"The second run changed something: {changed}."
        )
        self._screen.require(
            fleet.state(self._lab) == state,
            "items, counters, history and journals of both hosts are as they were",
            "The second run changed something on a host.",
        )

    def show_sums(self) -> None:
        """That no license was lost or doubled."""
        self._screen.stage("Count everything")
        before, after = fleet.sums(self._before), fleet.sums(fleet.holdings(self._lab))
        rows = [{**row, "before": before[code]["sum"]} for code, row in after.items()]
        columns = {
            "item": "Item", "name": "Name", "before": "Before", "own": "Owned now",
            "lent": "Borrowed now", "sum": "Together",
        }  # fmt: skip
        self._screen.table(rows, columns)
        wrong = sorted(set(before) ^ set(after)) + [
            row["item"] for row in rows if row["before"] != row["sum"]
        ]
        self._screen.require(
            not wrong,
            "of every item there are as many as before, on both hosts together",
            f"The sums of {', '.join(wrong)} are not what they were before.",
        )
        unfinished = fleet.open_work(self._lab) + fleet.broken_invariants(self._lab)
        self._screen.require(
            not unfinished,
            "no transfer is open and the invariants of both journals hold",
            f"Not in order: {', '.join(unfinished)}.",
        )

    def _run(self, *arguments: str) -> PlaybookRun:
        run = self._playbook.run_well(PLAYBOOK, *arguments)
        if set(run.recap) != set(self._lab.hosts):
            raise DemoError("The playbook did not reach both hosts; see above.")
        return run

    def _require_moved(self, rows: list[fleet.Row]) -> None:
        expected = {SEATS: (15, 10), WHOLE: (0, 5), UNITS: (60, 40)}
        for code, amounts in expected.items():
            held = tuple(fleet.held(rows, host, code) for host in (OLD, NEW))
            self._screen.require(
                held == amounts,
                f"{code}: {held[0]} on {OLD} and {held[1]} on {NEW}",
                f"{code}: {held[0]} on {OLD} and {held[1]} on {NEW}, and not {amounts[0]} and"
                f" {amounts[1]}.",
            )

    def _require_borrowed(self, rows: list[fleet.Row], number: int) -> None:
        ends = [row["borrowed_until"] for row in rows if row["host"] == NEW]
        borrowed = sum(end == self._until for end in ends)
        left = fleet.held(rows, OLD, LENT)
        self._screen.require(
            borrowed == number and left == 5 - number,
            f"{LENT}: {NEW} has borrowed {borrowed} until {self._until}, {OLD} has {left} left",
            f"{LENT}: {NEW} has borrowed {borrowed} until {self._until} and {OLD} has {left} left,"
            f" and not {number} and {5 - number}.",
        )
