# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts in one process: real journals and drivers in front of real CodeMeter twins.

Only the clock, the waiting and the moments of a crash are the test's.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engines import engine_of

from seatkeeper_agent.api import schemas
from seatkeeper_agent.domain.licenses import ItemKey, TransferType
from seatkeeper_agent.domain.preflight import Policy
from seatkeeper_agent.domain.records import Envelope, TransferRecord
from seatkeeper_agent.domain.transfers import Declaration, Leg, Mode, Place, Side, transfer_id
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.borrows import BorrowService
from seatkeeper_agent.operations.checks import Checks
from seatkeeper_agent.operations.declared.service import DeclaredService
from seatkeeper_agent.operations.declared.transfer import TransferKind
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.evidence import Evidence
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.recovery import Recovery
from seatkeeper_agent.operations.transfer_operations import TransferOperations
from seatkeeper_agent.operations.transfers import TransferService
from seatkeeper_agent.operations.views import declaration_view
from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings
from seatkeeper_twins.codemeter import control
from seatkeeper_twins.codemeter.twin import create_twin

FIRM = 6_000_010
DAY = 86_400
SERIALS = {"old": "130-1000000001", "new": "130-2000000002"}
ACTOR = "tester"


class Crash(BaseException):
    """The agent's process ends here: nothing that follows in it happens."""


def option(type_: str, **changes: Any) -> dict[str, Any]:
    """A transfer option of a seed that allows everything."""
    return {
        "type": type_,
        "pull_allowed": not type_.startswith("borrow"),
        "return_allowed": True,
        "firm_item_required": False,
        "transfer_depth": 3,
        "max_borrow_seconds": 30 * DAY if type_.startswith("borrow") else 0,
        **changes,
    }


def item(product_code: int, *options: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A product item of a seed."""
    return {"firm_code": FIRM, "product_code": product_code, "options": list(options), **values}


ITEMS = [
    item(201, option("licenses"), option("borrow_local"), license_quantity=25),
    item(202, option("complete"), option("borrow_complete"), license_quantity=4),
    item(203, option("units"), unit_counter=1000),
    item(204, option("borrow_local", return_allowed=False), license_quantity=5),
]


@dataclass
class Clock:
    """The time of all agents and twins: the real one and how far the test has moved it."""

    offset_seconds: int = 0

    def __call__(self) -> float:
        """Unix seconds."""
        return time.time() + self.offset_seconds


class Twin:
    """A twin directory and the engine that serves it."""

    def __init__(self, directory: Path, profile: str, seed: dict[str, Any]) -> None:
        self.directory = create_twin(directory, profile, seed)
        self.process = engine_of(self.directory)

    def start(self) -> None:
        """Serve the directory; returns when calls are answered."""
        self.process.start()

    def stop(self) -> None:
        """End the engine, if it runs."""
        self.process.stop()

    def ask(self, operation: str, **values: Any) -> dict[str, Any]:
        """A control operation, which must succeed."""
        answer = control.send(self.directory, {"op": operation, **values})
        assert "error" not in answer, answer
        return answer

    def items(self, product_code: int) -> list[dict[str, Any]]:
        """The items with this product code, as the twin itself tells them."""
        containers = self.ask("describe")["containers"]
        found = [entry for box in containers for entry in box["items"]]
        return [entry for entry in found if entry["product_code"] == product_code]

    def write(self, statement: str, *values: Any) -> None:
        """Change its file as only a licensor or a test can."""
        with closing(sqlite3.connect(self.directory / "containers.db", timeout=30)) as connection:
            connection.execute(statement, values)
            connection.commit()

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What its file holds, without asking the engine."""
        with closing(sqlite3.connect(self.directory / "containers.db", timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]


class CrashingJournal(Journal):
    """A journal whose process may end just before or just after a commit.

    ``left`` is what becomes of the file that another process left, before it is opened again.
    """

    at_point: Callable[[str], None] | None = None
    left: Callable[[Path], None] | None = None

    def __init__(self, path: Path, **values: Any) -> None:
        if path.exists() and type(self).left is not None:
            type(self).left(path)
        super().__init__(path, **values)

    def _commit(self, connection: Any) -> None:
        if self.at_point:
            self.at_point("commit.before")
        super()._commit(connection)
        if self.at_point:
            self.at_point("commit.after")


class CrashingDriver:
    """The real driver, in whose calls the agent's process may end."""

    CALLS = ("create_request", "do_transfer", "import_update", "create_receipt", "confirm_transfer")

    def __init__(self, driver: CodeMeterDriver, at_point: Callable[[str], None]) -> None:
        self._driver = driver
        self._at_point = at_point

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._driver, name)
        if name not in self.CALLS:
            return found

        def call(*arguments: Any) -> Any:
            self._at_point(f"{name}.before")
            answer = found(*arguments)
            self._at_point(f"{name}.after")
            return answer

        return call


def _no_look(_vendor: str, _actor: str) -> None:
    """A container in doubt is looked at by whoever asks about it."""


@dataclass
class Host:
    """One agent's parts; ``crash`` drops them and opens the journal anew."""

    name: str
    folder: Path
    twin: Twin
    clock: Clock
    policy: Policy = field(default_factory=Policy)
    settle_seconds: float = 0.0
    repeatable: bool = True
    at_point: Callable[[str], None] | None = None
    known_driver: CodeMeterDriver | None = None
    sleeps: list[float] = field(default_factory=list)
    _dropped: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.serial = SERIALS[self.name]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "trust").mkdir(exist_ok=True)
        self.identity = Identity(self.name, self.folder / "agent.key", self.folder / "trust")
        self.driver = self.known_driver or self._new_driver()
        self.open()

    def _new_driver(self) -> CodeMeterDriver:
        paths = {
            "library": str(self.twin.directory / "libwibucm.so"),
            "cmu": str(self.twin.directory / "cmu"),
            "server_ini": str(self.twin.directory / "Server.ini"),
        }
        return CodeMeterDriver(CodeMeterSettings(**paths, update_is_repeatable=self.repeatable))

    def open(self) -> None:
        """Put the agent together, as its start does."""
        journal = CrashingJournal(self.folder / "journal.db", clock=self.clock)
        self.driver._options.clear()
        driver: Any = CrashingDriver(self.driver, self._reach)
        journal.at_point = self._reach
        self.journal = journal
        self.engine = Engine(journal, self.settle_seconds, self.clock, self.sleeps.append)
        self.transfer_operations = TransferOperations(journal, driver, self.identity, self.engine)
        checks = Checks(driver, self.policy, self.clock)
        evidence = Evidence(journal, driver, self.identity)
        self.transfers = TransferService(
            journal, driver, self.identity, checks, self.transfer_operations, evidence
        )
        self.borrows = BorrowService(journal, driver, self.identity, self.clock)
        self.recovery = Recovery(journal, driver, self.transfer_operations, self.clock)
        kind = TransferKind(journal, self.identity, self.transfers)
        self._declared = DeclaredService({"codemeter": {"transfer": kind}}, schemas.check, _no_look)

    def put(
        self,
        declared: Iterable[Declaration],
        documents: Sequence[dict[str, Any]] = (),
        decision: str = "install",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """What ``PUT /v2/state`` answers; only a target is told the decision."""
        entries = []
        for declaration in declared:
            view = {k: v for k, v in declaration_view(declaration).items() if k != "id"}
            at_target = declaration.side_of(self.name) is Side.TARGET
            decided = {"decision": decision} if at_target else {}
            wanted = {"transfer": view, **decided}
            entries.append({"kind": "transfer", "id": declaration.id, "declared": wanted})
        body = {"dry_run": dry_run, "declarations": entries, "documents": list(documents)}
        return self._declared.put(body, ACTOR, True)

    def _reach(self, point: str) -> None:
        if self.at_point is not None:
            self.at_point(point)

    def crash(self) -> None:
        """Drop everything without closing it, and start again."""
        self._dropped.append(self.journal)
        self.at_point = None
        self.open()

    def close_journals(self) -> None:
        """Let go of the files."""
        for journal in [self.journal, *self._dropped]:
            journal.close()

    def close(self) -> None:
        """Let go of files and processes."""
        self.close_journals()
        self.driver.close()

    def record(self, declaration: Declaration) -> TransferRecord | None:
        """What this host knows of a transfer in which it has one part."""
        side = declaration.side_of(self.name)
        assert side is not None
        with self.journal.reading() as unit:
            return unit.transfers.get(declaration.id, side)


@dataclass
class Pair:
    """Two hosts that trust each other."""

    old: Host
    new: Host
    clock: Clock

    def __iter__(self) -> Iterator[Host]:
        return iter((self.old, self.new))

    def __getitem__(self, name: str) -> Host:
        return {"old": self.old, "new": self.new}[name]

    def trust(self) -> None:
        """Exchange the public keys."""
        for host, other in ((self.old, self.new), (self.new, self.old)):
            (host.folder / "trust" / f"{other.name}.pem").write_text(other.identity.public_pem)

    def later(self, seconds: int) -> None:
        """Move the clocks of both hosts and their twins."""
        self.clock.offset_seconds += seconds
        for host in self:
            host.twin.ask("_twin.set", clock_offset_seconds=self.clock.offset_seconds)

    def place(self, name: str) -> Place:
        """One end of a transfer."""
        return Place(name, self[name].serial)

    def declare(
        self,
        name: str,
        codes: str,
        type_: str,
        mode: str = "push",
        source: str = "old",
        **values: Any,
    ) -> Declaration:
        """A transfer between the two hosts."""
        target = "new" if source == "old" else "old"
        return Declaration(
            transfer_id(name),
            name,
            ItemKey.parse(f"{FIRM}:{codes}"),
            TransferType(type_),
            Mode(mode),
            self.place(source),
            self.place(target),
            **values,
        )

    def host_of(self, declaration: Declaration, side: Side) -> Host:
        """The host of one side."""
        place = declaration.source if side is Side.SOURCE else declaration.target
        return self[place.agent]

    def leg(self, declaration: Declaration, leg: Leg, **values: Any) -> dict[str, Any]:
        """Run one leg on its host."""
        host = self.host_of(declaration, leg.side)
        return host.transfers.run(LegRequest(leg, declaration, ACTOR, **values))

    def carry(self, declaration: Declaration, **issue: Any) -> dict[Leg, Envelope | None]:
        """Run all legs and carry each document; gives the documents."""
        document: Envelope | None = None
        given: dict[Leg, Envelope | None] = {}
        for leg in Leg:
            values = issue if leg is Leg.ISSUE else {}
            document = self.leg(declaration, leg, document=document, **values)["document"]
            given[leg] = document
        return given


def make_pair(
    folder: Path,
    twins: dict[str, Twin],
    drivers: dict[str, CodeMeterDriver] | None = None,
    **values: Any,
) -> Pair:
    """Two hosts with new journals in front of running twins; drivers may be used again."""
    clock, known = Clock(), drivers or {}
    hosts = [
        Host(name, folder / name, twin, clock, known_driver=known.get(name), **values)
        for name, twin in twins.items()
    ]
    pair = Pair(hosts[0], hosts[1], clock)
    pair.trust()
    return pair


def make_twins(
    folder: Path, items: list[dict[str, Any]], profile: str = "current"
) -> dict[str, Twin]:
    """Serve two twins, the first with the items; a snapshot ``fresh`` is kept of each."""
    twins = {
        name: Twin(
            folder / name,
            profile,
            {"containers": [{"serial": serial, "items": items if name == "old" else []}]},
        )
        for name, serial in SERIALS.items()
    }
    for twin in twins.values():
        twin.start()
        twin.ask("_twin.snapshot", name="fresh")
    return twins


def refresh(folder: Path, twins: dict[str, Twin]) -> None:
    """Bring the twins back to their seeds and forget the hosts' folders."""
    for twin in twins.values():
        twin.ask("_twin.rollback", name="fresh")
    shutil.rmtree(folder, ignore_errors=True)
