# SPDX-License-Identifier: GPL-3.0-or-later
"""Two agents between which a license server moves, and the playbook that carries their documents.

The journals, keys, engines and services are the real ones; ``Machine`` stands for the product.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from operations.hosts import ACTOR, Clock, CrashingJournal
from operations.products import Points
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord
from seatkeeper_agent.domain.server_move_legs import MoveDeclaration, MoveLeg
from seatkeeper_agent.domain.server_moves import BackedUpLicense, ServerBackup
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.people import awaited_view
from seatkeeper_agent.operations.server_moves.backups import BackupService
from seatkeeper_agent.operations.server_moves.leg_steps import MoveRequest
from seatkeeper_agent.operations.server_moves.service import MoveService

from .machines import CODES, NUMBERS, PROFILES, Machine, Vendor

NAME = "license-server-2026"
OLD, NEW = "old-server", "new-server"
DECLARED = tuple(BackedUpLicense(number, PROFILES[number], True) for number in NUMBERS)
RUNS_MAX = 40


class Host:
    """One agent and its machine; ``restart`` drops the agent as a kill does."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self.folder = folder
        self.machine = machine
        self.point = machine.point
        self.clock = Clock()
        self._dropped: list[CrashingJournal] = []
        (folder / "trust").mkdir(parents=True)
        self.identity = Identity(machine.name, folder / "agent.key", folder / "trust")
        self.open()

    def open(self) -> None:
        """Put the agent together, as its start does."""
        self.journal = CrashingJournal(self.folder / "journal.db", clock=self.clock)
        self.journal.at_point = lambda name: self.point(f"{self.machine.name}: {name}")
        engine = Engine(self.journal, 0.0, self.clock, lambda _seconds: None)
        self.backups = BackupService(self.journal, self.machine, self.machine.name)
        self.moves = MoveService(self.journal, engine, self.machine, self.identity, self.backups)

    def restart(self) -> None:
        """The process has ended without closing anything; another one takes up what was open."""
        self._dropped.append(self.journal)
        self.open()

    def close(self) -> None:
        """Let go of the files."""
        for journal in [self.journal, *self._dropped]:
            journal.close()

    def view(self) -> dict[str, Any] | None:
        """The move as the API shows it."""
        return self.moves.view(declaration().id)

    def waiting(self) -> list[dict[str, Any]]:
        """What is shown of all that waits."""
        with self.journal.reading() as unit:
            return [awaited_view(entry) for entry in unit.operations.waiting()]

    def operation(self) -> OperationRecord:
        """That of the last attempt."""
        view = self.view()
        assert view is not None
        with self.journal.reading() as unit:
            found = unit.operations.get(view["operation"]["id"])
        assert found is not None
        return found

    def attest(self, happened: bool = True, statement: str = "Seen in the window.") -> None:
        """A person's word."""
        self.moves.attest(self.operation(), happened, statement, "migrator")

    def content(self) -> bytes:
        """What the journal's files hold, byte for byte."""
        paths = sorted(self.folder.glob("journal.db*"))
        return b"".join(path.read_bytes() for path in paths if not path.name.endswith("-shm"))

    def audit(self) -> list[str]:
        """What the audit says."""
        with self.journal.reading() as unit:
            return [entry.action for entry in unit.audit.page(0, 1_000)]


@dataclass
class Bench:
    """Both hosts, the vendor, and what a person knows."""

    folder: Path
    bare: bool = False
    values: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.point = Points()
        self.vendor = Vendor(dict.fromkeys(NUMBERS, OLD))
        profiles = {name: number for number, names in PROFILES.items() for name in names}
        self.old = Host(
            self.folder / OLD, Machine(OLD, self.vendor, self.point, self.bare, profiles=profiles)
        )
        self.new = Host(self.folder / NEW, Machine(NEW, self.vendor, self.point, self.bare))
        for host, other in ((self.old, self.new), (self.new, self.old)):
            pem = host.identity.public_pem
            (other.folder / "trust" / f"{host.machine.name}.pem").write_text(pem)

    def close(self) -> None:
        """Let go of all files."""
        self.old.close()
        self.new.close()

    def host(self, leg: MoveLeg) -> Host:
        """Where a leg runs."""
        return self.old if leg.side.value == "source" else self.new

    def run(self, leg: str, dry_run: bool = False, **values: Any) -> dict[str, Any]:
        """One leg as it is asked for; codes are given unless they are named."""
        chosen = MoveLeg(leg)
        if chosen in (MoveLeg.INSTALL, MoveLeg.RESTORE) and not values.get("refuse"):
            values.setdefault("codes", dict(CODES))
        codes = {number: Secret(code) for number, code in values.pop("codes", {}).items()}
        if chosen is MoveLeg.BACKUP:
            values.setdefault("licenses", DECLARED)
        declared = values.pop("move", declaration(**self.values))
        request = MoveRequest(chosen, declared, ACTOR, codes=codes, **values)
        return self.host(chosen).moves.run(request, dry_run)

    def confirmed(self, leg: str, **values: Any) -> dict[str, Any]:
        """Confirmed when asked for it."""
        try:
            return self.run(leg, **values)
        except Problem as problem:
            if problem.code is not ProblemCode.CONFIRMATION_REQUIRED:
                raise
        plan = self.run(leg, dry_run=True, **values)["plan"]
        return self.run(leg, **values, confirmation=plan["digest"])

    def refused_alike(self, leg: str, **values: Any) -> Problem:
        """The problem of a leg, of which its dry run has the same words."""
        problem = self.refused(leg, **values)
        with pytest.raises(Problem) as planned:
            self.run(leg, dry_run=True, **values)
        assert planned.value.as_document() == problem.as_document()
        return problem

    def refused(self, leg: str, **values: Any) -> Problem:
        """The problem of a leg."""
        with pytest.raises(Problem) as caught:
            self.run(leg, **values)
        return caught.value

    def act(self, host: Host) -> bool:
        """People and the vendor do what waits, and say so where nothing shows."""
        waiting = host.waiting()
        for entry in waiting:
            self._do(host, entry["step"])
            if entry["attestable"]:
                host.attest()
            else:
                host.moves.resume("agent")
        return bool(waiting)

    def leg(self, leg: str, **values: Any) -> dict[str, Any]:
        """A leg to its end, with everybody who has to act."""
        host = self.host(MoveLeg(leg))
        answer = self.confirmed(leg, **values)
        for _turn in range(RUNS_MAX):
            if not answer["waiting"]:
                return answer
            self.act(host)
            answer = self.run(leg, **values)
        raise AssertionError(f"{leg} never ends: {answer['waiting']}")

    def move(self, until: str = "finish") -> dict[str, Any]:
        """The whole playbook, or up to the end of one leg."""
        answer = self.leg("backup")
        for leg in ("prepare", "release", "install", "finish"):
            if until == "backup":
                break
            brought = {"document": answer["document"]}
            if leg == "prepare":
                brought = {"backup": ServerBackup.from_document(answer["backup"])}
            answer = self.leg(leg, **brought)
            if leg == until:
                break
        return answer

    def _do(self, host: Host, step: str) -> None:
        """What a person does only if it is not so already."""
        machine, holders = host.machine, self.vendor.holders
        verb, _, number = step.partition(" ")
        if verb.startswith("maintenance"):
            enabled = verb == "maintenance_on"
            machine.jobs_killed += machine.maintenance and not enabled
            machine.maintenance = enabled
        elif verb == "deactivate" and holders[number] == machine.name:
            self.vendor.deactivate(machine.name, number)
        elif verb == "activate" and holders[number] != machine.name:
            self.vendor.activate(machine.name, number, CODES[number])
        elif verb == "install":
            machine.installed = machine.serving = True
        elif verb == "support_release":
            for each, holder in holders.items():
                holders[each] = holder if holder == machine.name else None


def declaration(**values: Any) -> MoveDeclaration:
    """The move of all these tests."""
    usual = {
        "name": NAME,
        "vendor": "aimms",
        "source": OLD,
        "target": NEW,
        "target_host": "new-server.studio.example",
    }
    return MoveDeclaration(**{**usual, **values})
