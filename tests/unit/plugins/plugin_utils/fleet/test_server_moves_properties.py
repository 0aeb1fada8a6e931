# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever one host answers of moves, another hears only of what the inventory declares for it."""

from __future__ import annotations

import json
import typing as t

import pytest

# ansible-test's environments have no more than it needs; `make test` runs this.
pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import move_id
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import (
    DELIVERIES_MAX,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    read_inventory,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import (
    read_declarations,
    secrets_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plan import Order, Plan
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.report import rows_of

Record = dict[str, t.Any]

HONEST, HOSTILE, THIRD = HOSTS = ("honest", "hostile", "third")
NUMBER, OTHER = "1.2.3.4", "1.2.3.9"
CODE = "AAAAA-BBBBB"
KINDS = ("backup", "prepared", "released", "arrived", "refused")
STATES = ("backed_up", "releasing", "released", "finishing", "installing", "arrived", "restoring")


def entry(name: str, source: str, target: str, **values: t.Any) -> Record:
    """One entry of license_server_moves."""
    licenses = [{"number": NUMBER, "profiles": ["Client"], "code": CODE}]
    ends = {"source": source, "target": target, "target_host": "new.example"}
    return {"name": name, **ends, "licenses": licenses, **values}


MOVES = [
    entry("to-honest", HOSTILE, HONEST),
    entry("to-hostile", HONEST, HOSTILE),
    entry("of-third", HOSTILE, THIRD),
    entry("back", HONEST, HOSTILE, state="restored"),
    entry("lost", HOSTILE, HONEST, source_lost=True),
]
VARIABLES: Record = {}
IDS = {move_id(move["name"]): move for move in MOVES}
# Each delivery may take a round of its own, beside those that ask at the beginning and the end.
ROUNDS_MAX = len(MOVES) * len(KINDS) * 2 * DELIVERIES_MAX + 10
UNDECLARED = move_id("undeclared")


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where backups are kept."""
    made = tmp_path_factory.mktemp("backups")
    declared = {"license_server_moves": MOVES, "license_server_move_backup_dir": str(made)}
    read = read_inventory({HONEST: declared}, HOSTS)
    assert read.mistakes == []
    VARIABLES.update(read.variables[HONEST])


def backups(numbers: st.SearchStrategy[str]) -> st.SearchStrategy[Record]:
    """What somebody claims to have backed up; some of it has another form."""
    licenses = st.builds(lambda number: {"number": number, "profiles": ["Client"]}, numbers)
    return st.one_of(
        st.builds(lambda each: {"licenses": [each]}, licenses),
        st.sampled_from([{}, {"licenses": None}, {"licenses": [{}]}]),
    )


@st.composite
def documents(draw: st.DrawFn) -> Record:
    """What the hostile agent gives, to whomever, for whatever."""
    is_signed = draw(st.booleans())
    return {
        "declaration": draw(st.sampled_from([*IDS, UNDECLARED])),
        "to": draw(st.sampled_from(HOSTS)),
        "kind": draw(st.sampled_from(KINDS)),
        "envelope": {"by": HOSTILE} if is_signed else None,
        "facts": {} if is_signed else draw(backups(st.sampled_from([NUMBER, OTHER]))),
        "planned": draw(st.booleans()),
        "signed": draw(st.booleans()),
    }


@st.composite
def moves(draw: st.DrawFn) -> Record:
    """A move that the hostile agent's journal is said to have."""
    name = draw(st.sampled_from(["undeclared", *(move["name"] for move in MOVES)]))
    return {
        "id": draw(st.sampled_from([move_id(name), *IDS])),
        "name": name,
        "source": draw(st.sampled_from(HOSTS)),
        "target": draw(st.sampled_from(HOSTS)),
        "side": draw(st.sampled_from(["source", "target"])),
        "state": draw(st.sampled_from(STATES)),
        "adrift": [],
        "steps": [],
    }


@st.composite
def words(draw: st.DrawFn) -> Record:
    """What the hostile agent says of everything that it is told."""
    awaits = st.one_of(st.none(), st.sampled_from(KINDS))
    outcomes = ["same", "changed", "would_change", "waits"]
    return {
        "outcome": draw(st.sampled_from(outcomes)),
        "awaits": draw(awaits),
        "documents": draw(st.lists(documents(), max_size=5)),
        "moves": draw(st.lists(moves(), max_size=3)),
    }


def result(told: Record, outcome: str, awaits: str | None) -> Record:
    """What an agent says of one declaration."""
    return {
        "id": told["id"], "kind": told["kind"], "outcome": outcome, "changed": outcome != "same",
        "present": None, "before": {}, "after": {}, "steps": [], "digest": None,
        "confirmation_required": False, "waits_for": None, "next": {"awaits": awaits},
        "details": {}, "problem": None,
    }  # fmt: skip


def look(agent: str, seen: t.Sequence[Record] = ()) -> Record:
    """What a look at a host shows."""
    return {
        "agent": {
            "agent": {"name": agent, "version": "0"}, "vendors": [{"vendor": "aimms"}],
            "invariants": [], "frozen": [],
        },
        "products": {"aimms": {"server_move": {"seen": list(seen)}}},
        "waiting": [],
        "ports_limited": False,
        "peers": [],
    }  # fmt: skip


def answered(order: Order, agent: str, word: Record) -> Record:
    """An honest agent awaits each kind of document in turn and backs up what is declared."""
    told = order["declarations"]
    if agent == HOSTILE:
        results = [result(each, word["outcome"], word["awaits"]) for each in told]
        return {**_answer(agent, results, word["documents"]), "look": look(agent, word["moves"])}
    brought = {(each["declaration"], each["kind"]) for each in order["documents"]}
    results = []
    for each in told:
        awaited = next((kind for kind in KINDS if (each["id"], kind) not in brought), None)
        results.append(result(each, "would_change" if order["dry_run"] else "changed", awaited))
    return _answer(agent, results, [_backup(each, order["dry_run"]) for each in told])


def _backup(told: Record, is_planned: bool) -> Record:
    licenses = [{"number": NUMBER, "profiles": ["Client"]}]
    named = {"declaration": told["id"], "to": HOSTILE, "kind": "backup", "envelope": None}
    return {**named, "facts": {"licenses": licenses}, "planned": is_planned, "signed": False}


def _answer(agent: str, results: list[Record], documents_: t.Sequence[Record]) -> Record:
    given_ = json.loads(json.dumps(list(documents_)))
    return {"results": results, "documents": given_, "look": look(agent), "records": []}


def heard(
    said: list[Record], is_check: bool, is_first: bool
) -> tuple[Plan, dict[str, list[Order]]]:
    """The requests that honest hosts get in a run; what is said in each round is drawn."""
    agents = HOSTS if is_first else HOSTS[::-1]
    plan = Plan(agents, is_check)
    for agent in agents:
        plan.declare(read_declarations(VARIABLES, agent, str))
    found: dict[str, list[Order]] = {HONEST: [], THIRD: []}
    for number in range(ROUNDS_MAX):
        orders = plan.next()
        if not orders:
            return plan, found
        kept = json.dumps(plan.as_kept())
        assert CODE not in kept
        plan = Plan.from_kept(json.loads(kept))
        for agent, order in orders.items():
            if agent in found:
                found[agent].append(order)
            plan.take(agent, answered(order, agent, said[min(number, len(said) - 1)]))
    raise AssertionError("the run does not end")


FORGED: Record = {
    "declaration": move_id("to-honest"), "to": HONEST, "kind": "backup", "envelope": None,
    "facts": {"licenses": [{"number": OTHER, "profiles": ["Client"]}]},
    "planned": False, "signed": False,
}  # fmt: skip
SAID: Record = {"outcome": "would_change", "awaits": "prepared", "documents": [], "moves": []}


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(words(), min_size=1, max_size=4), st.booleans(), st.booleans())
@example([{**SAID, "documents": [FORGED]}], False, True)
@example([{**SAID, "documents": [{**FORGED, "planned": True}]}], False, True)
@example([{**SAID, "documents": [{**FORGED, "declaration": move_id("of-third")}]}], False, True)
@example([{**SAID, "documents": [{**FORGED, "kind": "released", "signed": True}]}], False, True)
def test_whatever_a_host_answers_of_moves_another_hears_what_the_inventory_declares(
    said: list[Record], is_check: bool, is_first: bool
) -> None:
    plan, found = heard(said, is_check, is_first)
    assert [plan.hosts[each].problem for each in (HONEST, THIRD)] == [None, None]
    for agent, orders in found.items():
        declared = {
            each.id: each.told(agent)
            for each in read_declarations(VARIABLES, agent, str)
            if agent in each.agents
        }
        for order in orders:
            assert [
                told for told in order["declarations"] if declared.get(told["id"]) != told
            ] == []
            for document in order["documents"]:
                move = IDS[document["declaration"]]
                assert {move["source"], move["target"]} == {agent, HOSTILE}
                # What no signature binds names the licenses that the inventory names.
                if document["kind"] == "backup" and document["envelope"] is None:
                    numbers = [each["number"] for each in document["facts"]["licenses"]]
                    assert numbers == [NUMBER]
            if not order["dry_run"]:
                planned = [each for each in order["documents"] if each in _planned(said)]
                assert [each for each in planned if each not in _final(said)] == []
    rows = rows_of(plan)
    assert {row["what"] for row in rows if row["declared"]} == {
        f"server move {move['name']}" for move in MOVES
    }
    (lost,) = (row for row in rows if row["what"] == "server move lost")
    is_left_alone = lost["outcome"] == "failed" and f"{HOSTILE} answers" in lost["why"]
    assert is_left_alone


def _planned(said: list[Record]) -> list[Record]:
    return [_brought(each) for word in said for each in word["documents"] if each["planned"]]


def _final(said: list[Record]) -> list[Record]:
    return [_brought(each) for word in said for each in word["documents"] if not each["planned"]]


def _brought(document: Record) -> Record:
    return {name: document[name] for name in ("declaration", "kind", "envelope", "facts")}


def test_codes_are_told_to_the_one_host_that_activates() -> None:
    told = {host: set(secrets_of(VARIABLES, host).get("server_move", {})) for host in HOSTS}
    assert told == {
        HONEST: {move_id(name) for name in ("to-honest", "back", "lost")},
        HOSTILE: {move_id("to-hostile")},
        THIRD: {move_id("of-third")},
    }
    # Ansible blots out whatever else is a value of a secret option, be it a license's number.
    for each in secrets_of(VARIABLES, HONEST)["server_move"].values():
        assert each == {"codes": {NUMBER: CODE}}
    for host in HOSTS:
        declared = read_declarations(VARIABLES, host, str)
        assert CODE not in json.dumps([each.as_kept() for each in declared])
