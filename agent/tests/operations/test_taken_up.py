# SPDX-License-Identifier: GPL-3.0-or-later
"""The next process takes operations up by what the journal says of them in data alone.

An agent of every kind of work ends at each of its points. What the next one makes of that is the
same where all titles, names and subjects in the journal say something else, and the same where the
journal is one of version 3, which had nothing but these texts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crash.share import chosen, seed, share
from journal.rewritten import as_version_3, with_other_texts

from operations.dongles.bench import Bench as Dongles
from operations.dongles.bench import perpetual
from operations.hosts import ACTOR, Crash, CrashingJournal
from operations.moves.bench import Bench as Moves
from operations.orders.bench import Bench as Orders
from operations.servers.bench import Bench as Servers
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import OperationRecord, OperationState
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.moves.profiles import ProfileService

SHARE = 0.2
"""Of the points, usually; ``make test-crash`` runs all of them."""
TURNS_MAX = 12

Attest = Callable[[OperationRecord, bool, str, str], None]


@dataclass
class Place:
    """A journal on one host, with what takes its operations up, and what attests their steps."""

    bench: Any
    resume: Callable[[], object]
    attest: Callable[[], dict[str, Attest]]

    def records(self, only_open: bool) -> list[OperationRecord]:
        """Its operations."""
        with self.bench.journal.reading() as unit:
            return unit.operations.page(only_open, "", 1_000)

    def waits(self) -> None:
        """Somebody says of every step that waits or is in doubt that it has happened."""
        for record in self.records(True):
            attest = self.attest().get(record.kind)
            if attest is not None and record.intended is not None:
                with suppress(Problem):
                    attest(record, True, "Seen.", "migrator")

    def shown(self) -> list[Any]:
        """All that has to be the same, however an operation was taken up."""
        return sorted(
            (
                record.kind,
                repr(record.declaration),
                record.holds,
                record.state.value,
                None if record.problem is None else record.problem["code"],
                [
                    (step.type, repr(step.arguments), step.state.value, step.performer.value,
                     step.attempts, step.attested is None, step.said)
                    for step in record.steps
                ],
            )
            for record in self.records(False)
        )  # fmt: skip


@dataclass
class Kind:
    """Work of one kind: how its host is made, what is declared there, what the product shows."""

    make: Callable[[Path], tuple[Any, list[Place]]]
    declare: Callable[[Any], object]
    product: Callable[[Any], object]


def servers(performer: str = "person", restarts: bool = False, **server: Any) -> Any:
    """A license server."""

    def make(folder: Path) -> tuple[Any, list[Place]]:
        bench = Servers(folder, performer)
        for name, value in server.items():
            setattr(bench.server, name, value)
        if restarts:
            bench.server.restarts_to_apply = True
            bench.server.stop = lambda: setattr(bench.server, "is_up", False)
            bench.server.start = lambda: setattr(bench.server, "is_up", True)
            bench.server._require_up = lambda: None
        attest = lambda: {"server_borrow": bench.borrows.attest}  # noqa: E731
        return bench, [Place(bench, bench.resume, attest)]

    return make


def dongles(performer: str) -> Any:
    """A server and two dongles, one of which is migrated."""

    def make(folder: Path) -> tuple[Any, list[Place]]:
        bench = Dongles(folder, performer)
        bench.plug()
        bench.plug("90000002", "1-1.2")

        def resume() -> None:
            for service in (bench.settings, bench.migrations):
                with suppress(Problem):
                    service.resume("agent")

        return bench, [Place(bench, resume, lambda: {"dongle_migration": bench.migrations.attest})]

    return make


def orders(folder: Path) -> tuple[Any, list[Place]]:
    """A desk without a mail server."""
    bench = Orders(folder)
    resume = lambda: bench.orders.resume("agent")  # noqa: E731
    return bench, [Place(bench, resume, lambda: {"order": bench.orders.attest})]


def moves(bare: bool) -> Any:
    """Two machines, between which a server moves."""

    def make(folder: Path) -> tuple[Any, list[Place]]:
        bench = Moves(folder, bare)

        def place(host: Any) -> Place:
            def resume() -> None:
                with suppress(Problem):
                    host.moves.resume("agent")

            return Place(host, resume, lambda: {"server_move": host.moves.attest})

        return bench, [place(bench.old), place(bench.new)]

    return make


def profiles(folder: Path) -> tuple[Any, list[Place]]:
    """A server of which nothing can be seen."""
    bench = Moves(folder, True)

    def service() -> ProfileService:
        return ProfileService(bench.old.journal, Engine(bench.old.journal, 0.0), bench.old.machine)

    def resume() -> None:
        with suppress(Problem):
            service().resume("agent")

    bench.profile = lambda: service().put("Client", "15.90.10.2", ACTOR, False)  # type: ignore[attr-defined]
    return bench, [Place(bench.old, resume, lambda: {"server_profile": service().attest})]


def begun_to_move(bench: Moves, until: str) -> None:
    """The playbook, whose people do what waits."""
    bench.move(until)


def on_server(bench: Servers) -> object:
    """All that a small server has."""
    server = bench.server
    return server.tree, server.activated, server.dongle_service, server.offline, server.calls


def on_machines(bench: Moves) -> object:
    """Who has each license, and what was run."""
    return (
        bench.vendor.holders,
        bench.vendor.events,
        bench.old.machine.calls,
        bench.new.machine.calls,
    )


SETTINGS = {"local": {"vrlPort": "30306"}}
VALUES = {"isolate": True, "licenses": perpetual()}
KINDS = {
    "settings": Kind(
        servers(), lambda b: b.declare(settings=SETTINGS, dongle_service=True), on_server
    ),
    "settings with a restart": Kind(
        servers(restarts=True),
        lambda b: b.declare(settings=SETTINGS, dongle_service=True),
        on_server,
    ),
    "activation": Kind(servers(), lambda b: b.log_in(), on_server),
    "activation by files": Kind(servers(), lambda b: b.respond(b.answer()), on_server),
    "deactivation": Kind(
        servers(activated=True), lambda b: b.activation.deactivate(ACTOR, False), on_server
    ),
    "borrow by a browser": Kind(
        servers("browser", activated=True), lambda b: b.borrow(2), on_server
    ),
    "borrow by a person": Kind(servers(activated=True), lambda b: b.borrow(2), on_server),
    "AUTO-RENEW by a person": Kind(
        servers(activated=True, offline={"V-Ray": 2}),
        lambda b: b.borrow(2, auto_renew=True),
        on_server,
    ),
    "migration by a browser": Kind(dongles("browser"), lambda b: b.go(**VALUES), on_server),
    "migration by a person": Kind(dongles("person"), lambda b: b.go(**VALUES), on_server),
    "order": Kind(orders, lambda b: b.go(), lambda b: b.actions()),
    "move": Kind(moves(False), lambda b: begun_to_move(b, "finish"), on_machines),
    "move that nobody sees": Kind(moves(True), lambda b: begun_to_move(b, "finish"), on_machines),
    "profile": Kind(profiles, lambda b: b.profile(), on_machines),
}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, since real syncs would only take their time."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def ends_of(kind: Kind, memory: Path) -> list[int]:
    """A share of the points that an undisturbed declaration passes."""
    bench, _places = kind.make(memory / "undisturbed")
    bench.point.revive()
    kind.declare(bench)
    points = range(1, len(bench.point.passed) + 1)
    bench.close()
    return chosen(points, share(SHARE), seed())


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


def compared(kind: Kind, folder: Path, end: int, left: Callable[[Path], None]) -> tuple[Any, Any]:
    """The journal as it was left, and rewritten, each taken up by another process."""
    results = []
    for number, becomes in enumerate((None, left)):
        bench, places = ended(kind, folder / f"{end}-{number}", end)
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
         [(step.type, step.arguments, step.state) for step in record.steps])
        for place in places
        for record in place
    ]  # fmt: skip
