# SPDX-License-Identifier: GPL-3.0-or-later
"""Work of every kind: its host, what is declared there, and what keeps it from being declared."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.dongles.bench import Bench as Dongles
from operations.dongles.bench import perpetual
from operations.hosts import ACTOR, Twin, make_pair, refresh
from operations.orders.bench import Bench as Orders
from operations.products import Points
from operations.server_moves.bench import Bench as Moves
from operations.servers.bench import Bench as Servers
from seatkeeper_agent.domain.preflight import Policy
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import OperationRecord, StepRecord
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.ports import DriverRefused, Grade
from seatkeeper_agent.operations.server_moves.profiles import ProfileService

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
                    (step.type, repr(arguments_of(step)), step.state.value, step.performer.value,
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
    forbid: Callable[[Any], object] | None = None
    """Rules and settings become such that nobody could declare it any more."""


def arguments_of(step: StepRecord) -> dict[str, Any]:
    """Without what the vendor makes by chance."""
    parent = step.arguments.get("parent_vendor_id")
    return step.arguments | ({} if parent is None else {"parent_vendor_id": "the vendor's"})


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


TWINS: dict[str, Twin] = {}
"""Filled for the tests of this module."""


class Transfers:
    """Two hosts between which seats go and come back."""

    def __init__(self, folder: Path) -> None:
        refresh(folder, TWINS)
        self.point = Points()
        self.pair = make_pair(folder, TWINS)
        self.reach()

    def reach(self) -> None:
        """Everything that the agents pass is a point."""
        for host in self.pair:
            host.at_point = self.point

    def carry(self) -> None:
        """There and back."""
        there = self.pair.declare("there", "201", "licenses", quantity=10)
        self.pair.carry(there)
        back = self.pair.declare(
            "back", "201", "licenses", "return", "new", quantity=10, parent=there.id
        )
        self.pair.carry(back)

    def forbid(self) -> None:
        """Both administrators block transfers."""
        for host in self.pair:
            host.policy = Policy(transfer_blocked=True)
            host.crash()

    def held(self) -> object:
        """What the products have."""
        return [
            sorted(
                (str(item.key), item.license_quantity) for item in host.driver.items(host.serial)
            )
            for host in self.pair
        ]

    def close(self) -> None:
        """Let go of the files."""
        for host in self.pair:
            host.close()


@dataclass
class OneHost:
    """One end of a transfer, as ``Place`` wants it."""

    host: Any

    @property
    def journal(self) -> Any:
        """Its own."""
        return self.host.journal

    def restart(self) -> None:
        """Another process."""
        self.host.crash()


def transfers(folder: Path) -> tuple[Any, list[Place]]:
    """Both ends; nothing of it is anybody's word."""
    bench = Transfers(folder)

    def place(host: Any) -> Place:
        return Place(OneHost(host), lambda: host.recovery.resume_all("agent"), dict)

    return bench, [place(host) for host in bench.pair]


def by_people(*machines: Any) -> None:
    """The commands are taken out of the settings."""
    for machine in machines:
        can = machine.can
        machine.can = lambda action, can=can: (
            can(action) if action.startswith("observe") else Grade.ASSISTED
        )


def refuse_settings(bench: Servers) -> None:
    """None is known any more."""

    def refuse(_settings: Any) -> list[str]:
        raise DriverRefused("The license server shows no such section.")

    bench.server.check_settings = refuse  # type: ignore[method-assign]


def rule_added(bench: Orders) -> None:
    """The operator's file has a rule by the name of one that the order brought along."""
    path = bench.folder / "policy.json"
    path.write_text(json.dumps({"rules": [{**RULE, "required": "something else"}]}))
    bench.settings["policy_file"] = str(path)
    bench.restart()


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
RULE = {
    "id": "ours",
    "kind": "registered",
    "required": "the target is registered",
    "advice": "Register it.",
    "source": "contract",
}


def set_up(bench: Servers) -> object:
    """Settings and the dongle service."""
    return bench.declare(settings=SETTINGS, dongle_service=True)


def is_late(bench: Servers) -> None:
    """Its end is past."""
    bench.now += 30 * 86_400


def is_old(bench: Dongles) -> None:
    """The driver is older than the vendor wants it."""
    bench.server.wibukey = "1.0"


def in_use(bench: Servers) -> None:
    """Giving the activation up has to be confirmed."""
    bench.server.in_use = {"V-Ray": {"render": 1}}


ACTIVE = {"activated": True}
KINDS = {
    "transfer": Kind(transfers, lambda b: b.carry(), lambda b: b.held(), lambda b: b.forbid()),
    "settings": Kind(servers(), set_up, on_server, refuse_settings),
    "settings with a restart": Kind(servers(restarts=True), set_up, on_server, refuse_settings),
    "activation": Kind(servers(), lambda b: b.log_in(), on_server),
    "activation by files": Kind(servers(), lambda b: b.respond(b.answer()), on_server),
    "deactivation": Kind(
        servers(**ACTIVE), lambda b: b.activation.deactivate(ACTOR, False), on_server, in_use
    ),
    "borrow by a browser": Kind(
        servers("browser", **ACTIVE), lambda b: b.borrow(2), on_server, is_late
    ),
    "borrow by a person": Kind(servers(**ACTIVE), lambda b: b.borrow(2), on_server, is_late),
    "AUTO-RENEW by a person": Kind(
        servers(**ACTIVE, offline={"V-Ray": 2}), lambda b: b.borrow(2, auto_renew=True), on_server
    ),
    "migration by a browser": Kind(dongles("browser"), lambda b: b.go(**VALUES), on_server, is_old),
    "migration by a person": Kind(dongles("person"), lambda b: b.go(**VALUES), on_server, is_old),
    "order": Kind(orders, lambda b: b.go(rules=[RULE]), lambda b: b.actions(), rule_added),
    "move": Kind(moves(False), lambda b: begun_to_move(b, "finish"), on_machines),
    "move that nobody sees": Kind(moves(True), lambda b: begun_to_move(b, "finish"), on_machines),
    "profile": Kind(profiles, lambda b: b.profile(), on_machines),
}
NOT_DECLARED_ANY_MORE = [name for name, kind in KINDS.items() if kind.forbid]
