# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is given up while something depends on it: one rule for all vendors."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent import operations
from seatkeeper_agent.domain.dependencies import (
    Dependencies,
    Dependency,
    GivingUp,
    Relation,
    confirmation_of,
    require_free,
)
from seatkeeper_agent.domain.licenses import ItemKey, TransferType
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.transfers import Declaration, Leg, transfer_id
from seatkeeper_agent.operations import dependencies
from seatkeeper_agent.operations.borrows import BorrowRequest
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.transfer_steps.debit import Debit
from seatkeeper_agent.operations.views import declaration_from_view

from .hosts import ACTOR, DAY, Pair
from .servers.bench import NOW, Bench

GIVES_UP = {
    "servers.activation_steps.Deactivate": GivingUp.DEACTIVATION,
    "server_moves.steps.Deactivate": GivingUp.SERVER_MOVE,
    "server_moves.steps.SupportReleases": GivingUp.SERVER_MOVE,
    "dongles.steps.TransferDongle": GivingUp.DONGLE_MIGRATION,
    "transfer_steps.debit.Debit": GivingUp.LAST_TRANSFER,
}
"""The steps that give something up, and under which part of the rule. The update of a server is no
step of the agent: the role asks, see tests/unit/roles."""

KEEPS = {
    "dongles.steps": {"Arrive", "GiveBack", "Isolate"},
    "server_moves.commands": {"Activate", "AddProfile", "Command"},
    "server_moves.steps": {
        "Attested", "Close", "HoldStill", "Install", "ServerMoveStep", "SwitchMaintenance",
        "Verify",
    },
    "server_moves.profiles": {"ProfileAttestation"},
    "orders.steps": {"Attested", "Declared", "MakeDocuments", "SendMail"},
    "servers.activation_steps": {"ActivateOffline", "ActivateOnline"},
    "servers.borrow_steps": {"AutoRenew", "Borrow", "PageStep", "Release"},
    "servers.settings": {"Edit", "SettingsStep", "Start", "Stop", "SwitchDongleService"},
    "servers.steps": {"ServerStep"},
    "steps": {"PlainStep", "Step"},
    "transfer_steps.confirm": {"Confirm"},
    "transfer_steps.credit": {"Credit"},
    "transfer_steps.credit_back": {"CreditBack", "Expire"},
}  # fmt: skip
"""The steps that give nothing up, or only what they return themselves."""


def steps() -> set[str]:
    """Every class of a step, by its module and name."""
    found = set()
    for module in pkgutil.walk_packages(operations.__path__, f"{operations.__name__}."):
        loaded = importlib.import_module(module.name)
        found |= {
            f"{loaded.__name__.removeprefix(f'{operations.__name__}.')}.{name}"
            for name, kind in inspect.getmembers(loaded, inspect.isclass)
            if kind.__module__ == loaded.__name__
            and hasattr(kind, "probe")
            and hasattr(kind, "perform")
        }
    return found


def test_every_step_says_whether_it_gives_something_up() -> None:
    """A new one is sorted in here, and asks the rule if it gives up."""
    kept = {f"{module}.{name}" for module, names in KEEPS.items() for name in names}
    assert steps() == kept | GIVES_UP.keys()
    assert {*GIVES_UP.values(), GivingUp.SERVER_UPDATE} == set(GivingUp)
    assert Debit.name == "debit"


@pytest.mark.parametrize("giving_up", GivingUp)
@pytest.mark.parametrize("relation", Relation)
def test_what_depends_on_it_is_refused_with_the_way_out_or_confirmed(
    giving_up: GivingUp, relation: Relation
) -> None:
    """By exactly what was shown: more, other or unknown things need another confirmation."""
    entry = Dependency(relation, "2 seats are needed", "seats")
    found = Dependencies((entry,), (Relation.IN_USE,))
    with pytest.raises(Problem) as caught:
        require_free(giving_up, "the server", found, None)
    problem = caught.value
    assert problem.code is ProblemCode.CONFIRMATION_REQUIRED
    assert "2 seats are needed. What is in use is unknown" in problem.detail
    assert problem.facts["digest"] in problem.next_action
    assert " first; or confirm exactly this" in problem.next_action
    require_free(giving_up, "the server", found, problem.facts["digest"])
    require_free(giving_up, "the server", Dependencies((), (Relation.IN_USE,)), None)
    others = (
        Dependencies((entry,)),
        Dependencies((entry, Dependency(relation, "more", "more")), (Relation.IN_USE,)),
    )
    for other in others:
        assert confirmation_of(giving_up, "the server", other) != problem.facts["digest"]


def test_the_way_out_names_the_end_only_where_all_of_it_ends() -> None:
    """The latest of them."""
    ends = [Dependency(Relation.LENT, "a", "a", NOW), Dependency(Relation.LENT, "b", "b", NOW + 60)]
    assert Dependencies(tuple(ends)).remedy() == (
        "have what is lent returned first, or wait until 2027-01-15T08:01:00Z"
    )
    lasting = Dependency(Relation.BORROWED, "c", "c")
    assert "wait" not in Dependencies((*ends, lasting)).remedy()


# A server with an account ------------------------------------------------------------------


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    """An activated server whose page a browser works on."""
    made = Bench(tmp_path / "host", "browser")
    made.log_in()
    yield made
    made.close()


def refused(call: Callable[[], Any]) -> Problem:
    """The refusal."""
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


def test_borrowed_seats_keep_their_server_activated_until_they_are_returned(bench: Bench) -> None:
    """The return goes first; then it is given up without a word."""
    bench.borrow(2)
    problem = refused(lambda: bench.activation.deactivate(ACTOR, dry_run=False))
    assert "2 seats of V-Ray are borrowed for offline use by 'desk' until" in problem.detail
    assert "deactivate" not in bench.server.calls
    planned = bench.activation.deactivate(ACTOR, dry_run=True)
    assert planned["digest"] == problem.facts["digest"]
    assert planned["notes"][0] in problem.detail
    bench.borrow(0)
    assert bench.activation.deactivate(ACTOR, dry_run=False)["changed"] is True


def test_seats_that_nobody_declared_are_found_as_well(bench: Bench) -> None:
    """How many, the server does not show."""
    bench.server.offline["Phoenix"] = 1
    problem = refused(lambda: bench.activation.deactivate(ACTOR, dry_run=False))
    assert "Seats of Phoenix are borrowed for offline use, declared by nobody" in problem.detail


def test_sessions_are_found_or_unknown_and_a_confirmation_is_for_what_was_shown(
    bench: Bench,
) -> None:
    """Numbers of seats come and go; another product does not pass by the same confirmation."""
    bench.server.in_use = {"V-Ray": {"render": 3}}
    digest = refused(lambda: bench.activation.deactivate(ACTOR, False)).facts["digest"]
    bench.server.in_use = {"V-Ray": {"render": 1}, "Phoenix": {"render": 1}}
    assert refused(lambda: bench.activation.deactivate(ACTOR, False, digest)).facts["digest"] != (
        digest
    )
    bench.server.in_use = None
    assert bench.activation.deactivate(ACTOR, dry_run=True)["notes"] == [
        "What is in use is unknown: the vendor does not tell."
    ]
    bench.server.in_use = {"V-Ray": {"render": 4}}
    assert bench.activation.deactivate(ACTOR, False, digest)["changed"] is True


def test_of_a_server_that_does_not_answer_what_is_remembered_is_known(bench: Bench) -> None:
    """So that a broken one can be replaced, and one that is not there yet installed."""
    with bench.journal.reading() as unit:
        found = dependencies.of_account_server(unit, bench.server, None)
    assert (found.found, found.unknown) == ((), (Relation.BORROWED, Relation.IN_USE))
    bench.borrow(2)
    with bench.journal.reading() as unit:
        (entry,) = dependencies.of_account_server(unit, bench.server, None).found
    assert "2 seats of V-Ray are borrowed" in entry.what


def test_an_open_return_holds_the_server(tmp_path: Path) -> None:
    """Work that a person has to do is not overtaken."""
    bench = Bench(tmp_path / "host", "person")
    bench.log_in()
    bench.server.offline["V-Ray"] = 2
    assert bench.borrow(0)["waiting"]
    problem = refused(lambda: bench.activation.deactivate(ACTOR, dry_run=False))
    assert problem.code in (ProblemCode.CONTAINER_BUSY, ProblemCode.CONFIRMATION_REQUIRED)
    assert bench.server.activated is True
    bench.close()


# The last transfer of an item --------------------------------------------------------------


def lend(pair: Pair, seats: int) -> int:
    """Lend seats of the main item to new; the end."""
    until = int(pair.clock()) + 7 * DAY
    item = ItemKey.parse("6000010:201")
    wanted = BorrowRequest(
        id=transfer_id("desk"), name="desk", item=item, type=TransferType.BORROW_LOCAL,
        source=pair.place("old"), target=pair.place("new"), seats=seats, until=until,
    )  # fmt: skip
    for lot in pair.new.borrows.put(wanted, ACTOR, dry_run=False)["transfers"]:
        pair.carry(declaration_of(lot))
    return until


def declaration_of(lot: dict[str, Any]) -> Declaration:
    """As the borrow asks for it."""
    return declaration_from_view(lot["id"], lot)


def test_the_last_seats_do_not_leave_while_others_are_lent_from_here(pair: Pair) -> None:
    """Some may; all of them only if that is confirmed, and then they do."""
    lend(pair, 2)
    pair.carry(pair.declare("some", "201", "licenses", quantity=20))
    last = pair.declare("last", "201", "licenses", quantity=3)
    request = pair.leg(last, Leg.REQUEST)
    command = LegRequest(
        Leg.ISSUE, last, ACTOR, document=request["document"], facts=request["facts"]
    )
    planned = pair.old.transfers.plan(command)
    assert planned["confirmation_required"] is True
    problem = refused(lambda: pair.leg(last, Leg.ISSUE, document=request["document"]))
    assert problem.code is ProblemCode.CONFIRMATION_REQUIRED
    assert problem.facts["digest"] == planned["digest"]
    assert "1 seat is lent to new" in problem.detail
    assert "or wait until" in problem.next_action
    done = pair.leg(last, Leg.ISSUE, document=request["document"], confirmation=planned["digest"])
    assert done["changed"] is True


def test_what_only_lends_or_keeps_some_is_asked_nothing(pair: Pair) -> None:
    """No confirmation, no list."""
    lend(pair, 2)
    declared = pair.declare("most", "201", "licenses", quantity=22)
    request = pair.leg(declared, Leg.REQUEST)
    assert pair.leg(declared, Leg.ISSUE, document=request["document"])["changed"] is True


# Servers that move, dongles ----------------------------------------------------------------


def test_what_nobody_can_see_stands_in_what_is_confirmed(bench: Bench) -> None:
    """For a server that moves always; for a dongle where the server lists no sessions."""
    assert dependencies.of_moving_server().sentences() == (
        "What is in use is unknown: the vendor does not tell.",
    )
    bench.server.in_use = None
    assert dependencies.of_dongle(bench.server).unknown == (Relation.IN_USE,)
    bench.server.in_use = {"V-Ray": {"render": 2}}
    (entry,) = dependencies.of_dongle(bench.server).found
    assert entry.what == "Seats of V-Ray are in use (2 render)"
