# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may request what: observer, operator, migrator and nobody, as dry run and run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from api.peers import spare_groups
from costs.lab import products

from answers.script import Lines, Script
from answers.scripts import borrows, chaos, moves
from answers.scripts.activations import account, activation
from answers.scripts.chaos import DONGLE, TARGET, USER
from answers.scripts.codemeter import OLD, SEEDS, declared, leg
from answers.scripts.migrations import migration
from answers.scripts.orders import order
from answers.scripts.seats import seats
from answers.scripts.servers import server
from answers.wanted import LOOK, RESUME, WITHDRAW, Wanted, attest
from seatkeeper_agent.host import Peer
from seatkeeper_agent.settings import Roles

STRANGER = 4_000_000
"""A user that no system has; only the group counts."""

NAMES = ("nobody", "observer", "operator", "migrator")
SEED: dict[str, Any] = {
    "codemeter": SEEDS[OLD],
    "chaos": chaos.SEED["chaos"],
    "altigen": {},
    "aimms": moves.SEEDS[OLD]["aimms"],
}
"""A host with everything, so that nothing but the role is in the way of a request."""

TRANSFER = declared("roles", 201, "licenses", quantity=1)
NO_OPERATION = "00000000-0000-5000-8000-000000000000"
CONFIRMED = {"plan_digest": "0" * 64}
CONTRADICTED = [{**moves.LICENSES[0], "profiles": ["Client"]}]


def with_confirmation(wanted: Wanted) -> Wanted:
    """The same with a confirmation of no plan, which only a migrator may give."""
    return replace(wanted, beside={**wanted.beside, **CONFIRMED})


def kinds() -> list[tuple[str, Wanted]]:
    """A request of each kind that changes nothing, whoever sends it."""
    confirmable = [
        ("transfer", leg(TRANSFER, "issue")),
        ("migration", migration()),
        ("order", order("roles")),
        ("server move", moves.move("release")),
        ("deactivation", activation(WITHDRAW)),
    ]
    return [
        *confirmable,
        *((f"{title}, confirmed", with_confirmation(wanted)) for title, wanted in confirmable),
        ("transfer, withdrawn", Wanted("transfer", WITHDRAW, TRANSFER)),
        ("borrow", borrows.declared(borrows.borrow("roles", 1))),
        ("server", server("chaos", version_min="4.5.0")),
        ("activation", account(USER, "wrong")),
        ("request file", activation("request", "codemeter")),
        ("answer file", activation("response", answer="eA==")),
        ("seats", seats("roles", 0)),
        ("migration, withdrawn", Wanted("migration", WITHDRAW, {"dongle": DONGLE})),
        ("server move, backed up", moves.move("backup", licenses=CONTRADICTED)),
        ("server move, withdrawn", moves.move(WITHDRAW)),
        ("backup", moves.backup(CONTRADICTED)),
        ("profile", moves.profile("ProLicense", state="absent")),
    ]


def run(lines: Lines) -> None:
    """Request everything, line by line."""
    groups = dict(zip(NAMES, spare_groups(len(NAMES)), strict=True))
    roles = Roles(**{name: (groups[name].gr_name,) for name in NAMES[1:]})
    peers = {name: Peer(STRANGER, group.gr_gid) for name, group in groups.items()}
    with products({OLD: SEED}, roles) as (_lab, agents):
        script = Script(lines, agents)
        for name, peer in peers.items():
            by(script, name, peer)


def by(script: Script, name: str, peer: Peer) -> None:
    """Everything, requested by one of them."""
    for title, wanted in kinds():
        script.ask(f"{title} by {name}, dry run", OLD, wanted, dry_run=True, peer=peer)
        script.ask(f"{title} by {name}, run", OLD, wanted, peer=peer)
    for action in (LOOK, RESUME):
        requested = Wanted("transfer", action, TRANSFER)
        script.ask(f"transfer by {name}, {action}", OLD, requested, peer=peer)
    dongle = Wanted("dongle", LOOK, {"dongle": DONGLE, "target_user": TARGET})
    script.ask(f"dongle by {name}, look", OLD, dongle, peer=peer)
    script.ask(f"operation by {name}, attest", OLD, attest(NO_OPERATION), peer=peer)
    everything = Wanted("operation", RESUME, {})
    script.ask(f"operation by {name}, resume", OLD, everything, peer=peer)
