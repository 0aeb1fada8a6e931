# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever waits for a person or a vendor ends when the instructions are followed.

Each script follows what it is told, step after step, to the end; together they must have met
every step that can wait.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from crash.world import work_folder

from operations.dongles.bench import CHOSEN, PATH, perpetual
from operations.dongles.bench import Bench as DongleBench
from operations.dongles.test_evidence import disturbed
from operations.orders.bench import Bench as OrderBench
from operations.orders.support import Support, supporting
from operations.orders.test_beside import SOFT, soft
from operations.server_moves.bench import NEW
from operations.server_moves.bench import Bench as MoveBench
from operations.server_moves.bench import Host as MoveHost
from operations.servers.bench import Bench
from seatkeeper_agent.domain.server_moves import ServerBackup
from seatkeeper_agent.operations.ports import Grade
from seatkeeper_agent.vendors.aimms.instructions import AimmsInstructions
from seatkeeper_agent.vendors.altigen import instructions as altigen
from seatkeeper_agent.vendors.chaos.instructions import ChaosInstructions

TURNS_MAX = 20

WAITING = {
    "dongles": {"transfer", "arrive"},
    "borrows": {"borrow", "release", "auto_renew"},
    "orders": {
        "case", "purchase_order", "send", "authorize", "move", "new_keys",
        "register_old", "register_new",
    },
    "moves": {
        "install", "maintenance_on", "maintenance_off", "deactivate", "activate", "add_profile",
        "verify", "support_release", "repoint",
    },
}  # fmt: skip
"""Every step that may wait, by what it belongs to; the names of licenses and profiles left out."""

REPORTED: dict[object, dict[str, str | set[str]]] = {
    ChaosInstructions: {
        "transfer_dongle": "transfer", "borrow": "borrow", "release": "release",
        "set_auto_renew": "auto_renew", "stop_transfer": "transfer",
    },
    altigen: {
        "case": "case", "purchase_order": "purchase_order", "mail": "send",
        "authorize": "authorize", "processing": "move", "new_keys": "new_keys",
        "register_old": "register_old", "register_new": "register_new",
    },
    AimmsInstructions: {
        "install": "install", "set_maintenance": {"maintenance_on", "maintenance_off"},
        "deactivate": "deactivate", "activate": "activate", "activate_offline": "activate",
        "add_profile": "add_profile", "verify": "verify", "release": "support_release",
        "repoint": "repoint",
    },
}  # fmt: skip
"""Which step each instruction of a product is handed out with."""

BESIDE = {
    "of", "restart_warning", "activate_workstation", "back_up", "cancel_pending", "find",
    "emergency",
}  # fmt: skip
"""What is told beside a problem or a report, and what makes none: no step waits with it."""


def dongles(folder: Path) -> set[str]:
    """The dongle is pulled meanwhile; a person clicks, and the licenses arrive later."""
    bench, seen = DongleBench(folder, performer="person"), set()
    bench.plug()
    held = (*perpetual(), *perpetual("Phoenix", "3.1"))
    bench.go(licenses=held)
    bench.bus.unplug(PATH)
    disturbed(bench)
    bench.bus.plug(PATH, serial=CHOSEN)
    stopped = bench.operation().awaited
    assert stopped is not None
    assert stopped.instructions is not None
    assert stopped.instructions.steps[0].startswith("Stop: ")
    (waiting,) = bench.go(licenses=held)["waiting"]
    seen.add(waiting["step"])
    bench.server.migrate()
    (waiting,) = bench.put(licenses=held)["waiting"]
    seen.add(waiting["step"])
    bench.server.arrive({"Phoenix": {"network": 2}})
    assert bench.put(licenses=held)["migration"]["state"] == "done"
    bench.close()
    return seen


def borrows(folder: Path) -> set[str]:
    """Seats are taken for offline use, renewed and given back."""
    bench, seen = Bench(folder), set()
    for values, act in (
        ({"seats": 2}, lambda: bench.server.offline.update({"V-Ray": 2})),
        ({"seats": 2, "auto_renew": True}, None),
        ({"seats": 0}, bench.server.offline.clear),
    ):
        (waiting,) = bench.borrow(**values)["waiting"]
        seen.add(waiting["step"])
        if act is None:
            (operation,) = bench.opened()
            bench.borrows.attest(operation, True, "It is switched on.", "migrator")
        else:
            act()
        assert bench.borrow(**values)["waiting"] == []
    bench.close()
    return seen


def orders(folder: Path) -> set[str]:
    """Two orders: one whose papers a person sends, one from hardware to software-only by mail."""
    with supporting(folder / "support") as support:
        support.fresh()
        return _sent_by_a_person(folder) | _mailed(folder, support)


def _sent_by_a_person(folder: Path) -> set[str]:
    bench, seen = OrderBench(folder / "person"), set()
    bench.go()
    for _turn in range(TURNS_MAX):
        for _who, step in bench.awaits():
            seen.add(step)
            if step == "case":
                bench.put(case_number="CAS-1")
            else:
                bench.attest()
    assert bench.view()["state"] == "done"
    bench.close()
    return seen


def _mailed(folder: Path, support: Support) -> set[str]:
    bench, seen = OrderBench(folder / "mailed", support), set()
    values: dict[str, Any] = {"target": soft()}
    bench.go(**values)
    assert values["target"]["system_key"] == SOFT
    for _turn in range(TURNS_MAX):
        for _who, step in bench.awaits():
            seen.add(step)
            if step == "case":
                bench.put(case_number="CAS-1", **values)
            elif step == "new_keys":
                keys = [{"key": "SSW-1", "product": "SSW-STATION-10"}]
                bench.put(new_keys=keys, **values)
            else:
                bench.attest()
    assert bench.view()["state"] == "done"
    bench.close()
    return seen


@dataclass
class Seeing(MoveBench):
    """Keeps what its people were told to do."""

    seen: set[str] = field(default_factory=set)

    def act(self, host: MoveHost) -> bool:
        """As told, and remembered."""
        self.seen |= {entry["step"].partition(" ")[0] for entry in host.waiting()}
        return super().act(host)


def moves(folder: Path) -> set[str]:
    """A server of which nothing can be seen moves to where people do everything; one is lost."""
    folder.mkdir()
    bench = Seeing(folder / "bare", True)
    bench.new.machine.installed = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.new.machine, "can", lambda _action: Grade.ASSISTED)
        bench.move()
    seen = bench.seen
    bench.close()
    lost = Seeing(folder / "lost", True, {"source_lost": True})
    earlier = MoveBench(folder / "earlier")
    backup = ServerBackup.from_document(earlier.run("backup")["backup"])
    earlier.close()
    lost.leg("prepare", backup=backup)
    assert lost.leg("install")["after"] == {"state": "arrived"}
    assert set(lost.vendor.holders.values()) == {NEW}
    seen |= lost.seen
    lost.close()
    return seen


SCRIPTS: dict[str, Callable[[Path], set[str]]] = {
    script.__name__: script for script in (dongles, borrows, orders, moves)
}


def test_every_instruction_of_a_product_is_one_of_these_steps() -> None:
    """The agent's own step, for what is in no instruction, is that licenses arrive."""
    for reported, steps in REPORTED.items():
        names = {name for name, value in vars(reported).items() if is_instruction(name, value)}
        assert names - BESIDE == set(steps), reported
    named = {
        step for steps in REPORTED.values() for each in steps.values() for step in as_set(each)
    }
    assert named | {"arrive"} == {step for steps in WAITING.values() for step in steps}


def is_instruction(name: str, value: object) -> bool:
    """Whether a member makes instructions: a public function of that very place."""
    function = getattr(value, "__func__", value)
    is_here = getattr(function, "__module__", "").endswith(".instructions")
    return inspect.isfunction(function) and is_here and not name.startswith("_")


def as_set(step: str | set[str]) -> set[str]:
    """One or several."""
    return step if isinstance(step, set) else {step}


@pytest.mark.parametrize("name", sorted(WAITING))
def test_every_step_that_waits_is_met_and_ends_as_it_is_told(name: str) -> None:
    with TemporaryDirectory(prefix="seatkeeper-waiting-", dir=work_folder()) as folder:
        assert SCRIPTS[name](Path(folder) / "host") == WAITING[name]
