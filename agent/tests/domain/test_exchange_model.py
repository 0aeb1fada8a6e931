# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state that two agents can reach, of transfers and of moves, and each single wrong entry.

The model is made from the tables that the agents go by: crashes, redelivery, loss and refusal at
every moment, see ``exchange_model``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from seatkeeper_agent.domain import server_move_legs, transfers
from seatkeeper_agent.domain.exchange import SERVER_MOVE, TRANSFER, Exchange
from seatkeeper_agent.domain.server_move_legs import MoveState
from seatkeeper_agent.domain.transfers import Side, State

from .exchange_model import (
    ARRIVE,
    COME_BACK,
    LEAVE,
    Breach,
    Effects,
    Explored,
    Explorer,
    Model,
    begun,
    broken_promises,
)

MODELS = {
    "transfer": Model(
        TRANSFER,
        transfers.TRANSITIONS,
        Effects(
            {State.DEBITING: LEAVE, State.CREDITING: ARRIVE, State.CREDITING_BACK: COME_BACK},
        ),
    ),
    "server move": Model(
        SERVER_MOVE,
        server_move_legs.TRANSITIONS,
        Effects(
            {
                MoveState.RELEASING: LEAVE,
                MoveState.INSTALLING: ARRIVE,
                MoveState.RESTORING: COME_BACK,
            },
            early={(MoveState.RELEASING, MoveState.RESTORING)},
        ),
    ),
}
BOTH = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
_GIVEN_AGAIN = "the other host stands where it stood, and gives once more what is awaited again"
HARMLESS = {
    "transfer": {
        "under way without crediting": _GIVEN_AGAIN,
        "under way without crediting_back": _GIVEN_AGAIN,
        "under way without debiting": _GIVEN_AGAIN,
    },
    "server move": {
        "under way without finishing": _GIVEN_AGAIN,
        "under way without releasing": _GIVEN_AGAIN,
    },
}
"""The single changes that break no promise, each with the reason."""


def explored(model: Model, breach: Breach | None = None) -> Explored:
    """All of it."""
    return Explorer(model, breach or Breach()).explore()


@BOTH
def test_each_entry_of_the_table_is_used_and_each_state_reached(model: Model) -> None:
    """The model walks the table that the journal enforces, all of it and nothing else."""
    table = {
        (side, before, after)
        for side, befores in model.table.items()
        for before, afters in befores.items()
        for after in afters
    }
    found = explored(model)
    assert found.used == table
    reached = {world.source for world in found.follows} | {world.target for world in found.follows}
    assert reached == {state for _, *states in table for state in states}
    assert begun(found)


@BOTH
def test_nothing_is_lost_doubled_or_stuck_in_any_state(model: Model) -> None:
    """Of hosts that crash, and of documents that come late, twice or never."""
    assert broken_promises(explored(model), model) == set()


@BOTH
@pytest.mark.parametrize(
    ("breach", "breaks"),
    [
        pytest.param(Breach(credits_back_on_timeout=True), "doubled", id="timeout"),
        pytest.param(Breach(imports_again=True), "doubled", id="no deduplication"),
        pytest.param(Breach(forgets_refusal=True), "doubled", id="no durable refusal"),
        pytest.param(Breach(recovers_without_probe=True), "lost", id="no probe"),
        pytest.param(Breach(acts_before_intent=True), "lost", id="effect before intent"),
    ],
)
def test_each_of_the_five_broken_protocols_is_caught(
    model: Model, breach: Breach, breaks: str
) -> None:
    """Each change that both exchanges are known to break by breaks its promise here, too."""
    assert breaks in broken_promises(explored(model, breach), model)


@pytest.mark.parametrize("name", MODELS)
def test_each_single_wrong_entry_of_an_exchange_is_caught(name: str) -> None:
    """Left out, or another document or leg in its place; what is harmless is named and why."""
    model = MODELS[name]
    unnoticed = set()
    for change, exchange in mutants(model.exchange):
        changed = replace(model, exchange=exchange)
        if not broken_promises(explored(changed), changed):
            unnoticed.add(change)
    assert unnoticed == set(HARMLESS[name])


def mutants(exchange: Exchange) -> Iterator[tuple[str, Exchange]]:
    """Every exchange with one entry changed, each with what was changed."""
    documents = sorted({*exchange.takes.values()})
    for member in ("takes", "gives"):
        for what, table in _changed(getattr(exchange, member), documents):
            yield f"{member} {what}", replace(exchange, **{member: table})
    for side in Side:
        legs, owed = exchange.follows, exchange.owed
        for what, table in _changed(legs[side], sorted({*legs[side].values()})):
            yield f"follows {side} {what}", replace(exchange, follows={**legs, side: table})
        for what, kinds in _owed_otherwise(owed[side], documents):
            yield f"owed {side} {what}", replace(exchange, owed={**owed, side: kinds})
    for state in sorted(exchange.under_way):
        rest = {each for each in exchange.under_way if each != state}
        yield f"under way without {state}", replace(exchange, under_way=rest)


def _owed_otherwise(table: Any, documents: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for state, kinds in table.items():
        numbered = {str(number): kind for number, kind in enumerate(kinds)}
        for what, changed in _changed(numbered, documents):
            yield f"{state} {what}", {**table, state: tuple(changed.values())}


def _changed(table: Any, values: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    for key, value in table.items():
        yield f"{key} none", {k: v for k, v in table.items() if k != key}
        for other in values:
            if other != value:
                yield f"{key} {other}", {**table, key: other}
