# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever one host answers, another is asked only for what the inventory declares for it."""

from __future__ import annotations

import typing as t

import pytest

# ansible-test's environments have no more than it needs; `make test` runs this.
pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import transfer_id
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.claims import (
    BEGUN,
    DEFINING,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.plan import Order, Plan

from .reading import declared_of
from .test_claims import (
    CONTAINERS,
    HONEST,
    HOSTILE,
    ITEMS,
    LATER,
    THIRD,
    UNTIL,
    Record,
    end,
    lot,
    record,
)

ROUNDS_MAX = 12
HOSTS = (HONEST, HOSTILE, THIRD)
USUAL = {"item": ITEMS[1], "type": "licenses", "quantity": 3}
TRANSFERS = [
    {"name": "to-honest", "source": HOSTILE, "target": HONEST, **USUAL},
    {"name": "to-hostile", "source": HONEST, "target": HOSTILE, **USUAL},
]
BORROW = {
    "name": "cad",
    "item": ITEMS[0],
    "seats": 2,
    "until": "2099-01-31",
    "source": HONEST,
    "target": HOSTILE,
}
DECLARATIONS = declared_of(*HOSTS, license_transfers=TRANSFERS, license_borrows=[BORROW])
DECLARED = {declaration.id: declaration for declaration in DECLARATIONS}
NAMES = (
    "to-honest",
    "to-hostile",
    "undeclared",
    "cad",
    "other/lot-1",
    *(f"cad/lot-{number}{end}" for number in (1, 2, 3, 4) for end in ("", "/return")),
    *(f"cad/lot-{number}/until-{until}" for number in (1, 2) for until in (UNTIL, LATER)),
)
STATES = {side: ("none", "created", *BEGUN[side]) for side in BEGUN}


@st.composite
def claims(draw: st.DrawFn) -> Record:
    """A transfer that somebody claims; most of it looks as if it belonged to the inventory."""
    name = draw(st.sampled_from(NAMES))
    known = st.sampled_from
    ends = st.builds(end, known(sorted(CONTAINERS)), known([None, "130-1", "130-2", "130-9"]))
    lot_ids = [transfer_id(each) for each in NAMES]
    return {
        "id": draw(st.one_of(st.just(transfer_id(name)), known(lot_ids))),
        "name": name,
        "item": draw(known(ITEMS)),
        "type": draw(known(["borrow_local", "licenses", "complete"])),
        "mode": draw(known(["push", "return", "extend"])),
        "quantity": draw(known([None, 1, 25])),
        "until": draw(known([None, UNTIL, LATER])),
        "parent": draw(known([None, transfer_id("cad/lot-1")])),
        "source": draw(ends),
        "target": draw(ends),
    }


@st.composite
def lots(draw: st.DrawFn) -> Record:
    """A claim, or a lot that is as it should be but for one member at most."""
    if draw(st.booleans()):
        return draw(claims())
    changed = draw(
        st.sampled_from(
            [{}, {"item": ITEMS[1]}, {"until": LATER}, {"quantity": 25}, {"id": transfer_id("cad")}]
        )
    )
    return lot(f"cad/lot-{draw(st.integers(1, 5))}", **changed)


@st.composite
def records(draw: st.DrawFn, described: st.SearchStrategy[Record]) -> Record:
    side = draw(st.sampled_from(sorted(STATES)))
    return record(draw(described), side, draw(st.sampled_from(STATES[side])))


@st.composite
def own_records(draw: st.DrawFn) -> Record:
    """What the honest host's own journal knows, each under its own id."""
    name = draw(st.sampled_from(["undeclared", "cad/lot-1", "cad/lot-2"]))
    described = lot(name) if "lot" in name else lot(name, item=ITEMS[1], type="licenses")
    return record(described, "source", draw(st.sampled_from(STATES["source"])))


def look(agent: str, transfers: list[Record]) -> Record:
    """What a look at a host shows."""
    container = {"serial": CONTAINERS[agent], "more": False, "items": []}
    product = {"containers": {"seen": [container]}, "transfer": {"seen": transfers}}
    return {
        "agent": {
            "agent": {"name": agent, "version": "0"},
            "vendors": [{"vendor": "codemeter"}],
            "invariants": [],
            "frozen": [],
        },
        "products": {"codemeter": product},
        "peers": [],
        "waiting": [],
        "ports_limited": False,
    }


def answered(order: Order, agent: str, known: list[Record], said: list[Record]) -> Record:
    """An agent that does everything it is told, claims what was drawn, and gives documents."""
    results = [
        {
            "id": told["id"],
            "kind": told["kind"],
            "outcome": "would_change" if order["dry_run"] else "changed",
            "changed": True,
            "present": {"lent": known} if told["kind"] == "borrow" and agent == HONEST else None,
            "before": {},
            "after": {},
            "steps": [],
            "digest": None,
            "confirmation_required": False,
            "waits_for": None,
            "next": {"awaits": "request"} if agent == HONEST else None,
            "details": {"transfers": said} if told["kind"] == "borrow" else {},
            "problem": None,
        }
        for told in order["declarations"]
    ]
    forged = [
        {
            "declaration": told["id"],
            "to": to,
            "kind": kind,
            "envelope": {"by": agent},
            "facts": {},
            "planned": False,
            "signed": True,
        }
        for told in order["declarations"]
        for to in HOSTS
        for kind in ("request", "transfer")
    ]
    wanted = order.get("records", ())
    return {
        "results": results,
        "documents": forged,
        "look": look(agent, known if agent != HONEST else _open(known)),
        "records": [each for each in known if each["id"] in wanted],
    }


def _open(journal: list[Record]) -> list[Record]:
    still_open = ("created", "debiting", "in_transit", "crediting_back")
    return [each for each in journal if each["state"] in still_open]


def told_to_the_honest_host(
    said: list[Record], known: list[Record], journal: list[Record], is_first: bool
) -> list[Record]:
    """The requests that it gets in a run, after the first."""
    agents = HOSTS if is_first else HOSTS[::-1]
    plan = Plan(agents, is_check=False)
    plan.declare(DECLARATIONS)
    orders = plan.next()
    heard: list[Record] = []
    for _round in range(ROUNDS_MAX):
        for agent, order in orders.items():
            own = journal if agent == HONEST else known
            plan.take(agent, answered(order, agent, own, [] if agent == HONEST else said))
        orders = plan.next()
        if not orders:
            return heard
        heard += [orders[HONEST]] if HONEST in orders else []
    raise AssertionError("the run does not end")


def is_covered(told: Record, journal: list[Record]) -> bool:
    """Whether the inventory, or the honest host's own journal, has exactly this."""
    if told["id"] in DECLARED:
        declared = _without_containers(DECLARED[told["id"]].told(HONEST)["declared"])
        return declared == _without_containers(told["declared"])
    transfer = told["declared"]["transfer"]
    ends = {side: transfer[side]["agent"] for side in ("source", "target")}
    own = [side for side, agent in ends.items() if agent == HONEST]
    if len(own) != 1 or transfer[own[0]]["container"] != CONTAINERS[HONEST]:
        return False
    for entry in journal:
        if entry["id"] == told["id"] and entry["side"] == own[0]:
            begun = entry["state"] in BEGUN[entry["side"]]
            if begun and all(transfer[name] == entry[name] for name in DEFINING):
                return True
    return _is_lot(told["id"], transfer, ends)


def other_ends(told: Record) -> set[str]:
    """Who may answer what is declared here."""
    body = told["declared"].get("transfer", told["declared"])
    return {body[side]["agent"] for side in ("source", "target")} - {HONEST}


def _without_containers(declared: Record) -> Record:
    body = declared.get("transfer", declared)
    return {**body, **{side: body[side]["agent"] for side in ("source", "target")}}


def _is_lot(identity: str, transfer: Record, ends: Record) -> bool:
    name = transfer["name"]
    back = name.endswith("/return")
    lent = name.removesuffix("/return").partition("/until-")[0]
    if identity != transfer_id(name) or not lent.startswith("cad/lot-"):
        return False
    what = (transfer["item"], transfer["type"], transfer["quantity"])
    right = what == (ITEMS[0], "borrow_local", None)
    if back:
        is_returned = (transfer["mode"], transfer["until"]) == ("return", None)
        return right and is_returned and ends == {"source": HOSTILE, "target": HONEST}
    return right and transfer["until"] == UNTIL and ends == {"source": HONEST, "target": HOSTILE}


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(lots(), max_size=6),
    st.lists(records(st.one_of(lots(), claims())), max_size=4),
    st.lists(own_records(), max_size=3, unique_by=lambda entry: t.cast("str", entry["id"])),
    st.booleans(),
)
@example([lot(f"cad/lot-{number}") for number in range(1, 5)], [], [], True)
@example([lot("cad/lot-1", item=ITEMS[1])], [], [], True)
@example([], [record(lot("undeclared"), "target", "accepted")], [], True)
@example(
    [],
    [record(lot("undeclared", item=ITEMS[1], type="licenses"), "target", "accepted")],
    [record(lot("undeclared", item=ITEMS[1], type="licenses"), "source", "created")],
    True,
)
@example([lot("cad/lot-1", id=transfer_id("to-hostile"))], [], [], True)
@example(
    [],
    [record(lot("undeclared", type="licenses"), "target", "accepted")],
    [record(lot("undeclared", item=ITEMS[1], type="licenses"), "source", "in_transit")],
    True,
)
@example([], [record(lot("undeclared", target=end(THIRD)), "source", "in_transit")], [], True)
def test_whatever_a_host_answers_another_is_asked_for_what_the_inventory_declares(
    said: list[Record], known: list[Record], journal: list[Record], is_first: bool
) -> None:
    orders = told_to_the_honest_host(said, known, journal, is_first)
    heard = [told for order in orders for told in order["declarations"]]
    for order in orders:
        others = {told["id"]: other_ends(told) for told in order["declarations"]}
        brought = [(each["declaration"], each["envelope"]["by"]) for each in order["documents"]]
        assert [each for each in brought if each[1] not in others[each[0]]] == []
    assert [told for told in heard if not is_covered(told, journal)] == []
    new = {
        told["id"]
        for told in heard
        if told["id"] not in DECLARED
        and told["declared"]["transfer"]["mode"] == "push"
        and told["id"] not in {entry["id"] for entry in journal}
    }
    assert len(new) <= BORROW["seats"]
