# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host answers is refused where the inventory does not declare it, in one sentence."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import transfer_id
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._allowed import (
    kept_records,
    lots_allowed,
    more_to_read,
    open_allowed,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._declarations import (
    all_transfers,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._legs import Reported
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._outcome import (
    kept_borrows,
    kept_reading,
    outcome,
)

Record = dict[str, t.Any]

HONEST, HOSTILE, THIRD = "old-server", "new-server", "third-server"
CONTAINERS = {HONEST: "130-1", HOSTILE: "130-2", THIRD: "130-3"}
SEATS = 2
UNTIL = "2099-01-31T00:00:00Z"
LATER = "2099-12-31T00:00:00Z"
ITEMS = ("6000010:204", "6000010:201")
BORROW = {
    "name": "cad",
    "item": ITEMS[0],
    "seats": SEATS,
    "until": "2099-01-31",
    "source": HONEST,
    "target": HOSTILE,
}
DECLARED = [
    {"name": "to-honest", "source": HOSTILE, "target": HONEST},
    {"name": "to-hostile", "source": HONEST, "target": HOSTILE},
]
TRANSFERS = [{"item": ITEMS[1], "type": "licenses", "quantity": 3, **entry} for entry in DECLARED]


def end(agent: str, container: str | None = None) -> Record:
    return {"agent": agent, "container": container or CONTAINERS[agent]}


def lot(name: str, **changes: t.Any) -> Record:
    """A lot that is to be lent, as an honest borrower tells it."""
    return {
        "id": transfer_id(name),
        "name": name,
        "item": ITEMS[0],
        "type": "borrow_local",
        "mode": "push",
        "quantity": None,
        "until": UNTIL,
        "parent": None,
        "source": end(HONEST),
        "target": end(HOSTILE),
        **changes,
    }


def record(described: Record, side: str, state: str) -> Record:
    return {
        **described,
        "side": side,
        "state": state,
        "status": "",
        "documents": {},
        "amounts": {"seats": 1},
    }


def host(agent: str, known: list[Record]) -> Reported:
    """What a host told before anybody was asked for anything."""
    read = {
        "containers": [{"serial": CONTAINERS[agent]}],
        "license_items": [],
        "transfers": known,
        "peers": [],
    }
    reported: Reported = {"agent": agent, "borrows": [BORROW], "results": {}}
    return kept_reading(reported, read)


def looked_up(hosts: list[Reported], journal: list[Record]) -> list[Reported]:
    """The hosts after the honest one has looked into its journal for what the others say."""
    more = more_to_read(hosts, HONEST)
    assert set(more["ids"]).isdisjoint({entry["id"] for entry in hosts[0]["before"]["transfers"]})
    found = journal if more["lent"] else [each for each in journal if each["id"] in more["ids"]]
    return [kept_records(hosts[0], found, more["ids"]), *hosts[1:]]


def reported_by(said: list[Record], journal: t.Sequence[Record] = ()) -> list[Reported]:
    """Both hosts after the borrower has told its lots, and the lender has looked them up."""
    hosts = [host(HONEST, []), host(HOSTILE, [])]
    hosts[1] = kept_borrows(hosts[1], [{"transfers": said, "license_transfer_borrow": BORROW}])
    return looked_up(hosts, list(journal))


def refused(said: list[Record], journal: t.Sequence[Record] = ()) -> list[str]:
    hosts = reported_by(said, journal)
    return lots_allowed(hosts[1], hosts)[1]


def lent(number: int, state: str = "transferred_receipted", **changes: t.Any) -> Record:
    return record(lot(f"cad/lot-{number}", **changes), "source", state)


RETURNED = lot(
    "cad/lot-1/return",
    mode="return",
    until=None,
    parent=transfer_id("cad/lot-1"),
    source=end(HOSTILE),
    target=end(HONEST),
)


def test_a_stolen_lot_is_told_with_who_claims_it_and_what() -> None:
    (sentence,) = refused([lot("cad/lot-1", item=ITEMS[1], type="complete")])
    assert sentence.startswith(
        "The agent of new-server claims cad/lot-1 of item 6000010:201, and it has another item,"
        " type than the declared borrow cad."
    )
    (sentence,) = refused([lot("theft", type="complete")])
    assert "declares no such borrow for this host" in sentence
    hosts = reported_by([lot("theft")])
    transfers = all_transfers(TRANSFERS, hosts)
    assert outcome(transfers, HOSTILE, hosts, "")["failures"] == [
        *refused([lot("theft")]),
    ]
    assert outcome(transfers, HONEST, hosts, "")["failures"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"item": ITEMS[1]},
        {"type": "licenses"},
        {"mode": "pull"},
        {"quantity": 1},
        {"until": LATER},
        {"parent": transfer_id("cad/lot-9")},
        {"source": end(THIRD)},
        {"target": end(THIRD)},
        {"source": end(HONEST, "130-9")},
        {"id": transfer_id("cad/lot-2")},
    ],
)
def test_a_lot_with_any_other_member_than_its_borrow_is_refused(changes: Record) -> None:
    assert refused([lot("cad/lot-1")]) == []
    assert len(refused([lot("cad/lot-1", **changes)])) == 1


def test_no_more_is_lent_than_is_declared_whatever_the_borrower_has_forgotten() -> None:
    assert refused([lot("cad/lot-1"), lot("cad/lot-2")]) == []
    assert "declares 2 in all" in refused([lot(f"cad/lot-{n}") for n in (1, 2, 3)])[0]
    assert "declares 2 in all" in refused([lot("cad/lot-3")], [lent(1), lent(2)])[0]
    assert refused([lot("cad/lot-3")], [lent(1), lent(2, "void")]) == []
    over = "2020-01-01T00:00:00Z"
    assert refused([lot("cad/lot-3")], [lent(1), lent(2, until=over)]) == []
    extended = record(
        lot("cad/lot-2/until-x", mode="extend", parent=transfer_id("cad/lot-2")),
        "source",
        "transferred_receipted",
    )
    assert len(refused([lot("cad/lot-3")], [lent(1), lent(2, until=over), extended])) == 1
    back = record(RETURNED, "target", "transferred")
    assert refused([lot("cad/lot-3")], [lent(1), lent(2), back]) == []


def test_what_was_lent_is_extended_and_comes_back() -> None:
    parent = transfer_id("cad/lot-1")
    extends = lot(f"cad/lot-1/until-{UNTIL}", mode="extend", parent=parent)
    assert refused([extends, RETURNED], [lent(1)]) == []
    assert len(refused([extends, RETURNED])) == 2
    # Under way since an earlier end was declared, by the lender's own word.
    earlier = lot("cad/lot-1", until="2098-01-31T00:00:00Z")
    assert refused([earlier], [record(earlier, "source", "in_transit")]) == []
    assert len(refused([earlier])) == 1


def test_of_a_lender_whose_journal_was_not_read_nothing_is_borrowed() -> None:
    hosts = [host(HONEST, []), host(HOSTILE, [])]
    results = [{"transfers": [lot("cad/lot-1")], "license_transfer_borrow": BORROW}]
    hosts[1] = kept_borrows(hosts[1], results)
    assert "nobody knows what old-server has lent already" in lots_allowed(hosts[1], hosts)[1][0]


def test_an_open_transfer_that_is_not_declared_needs_the_word_of_the_other_host() -> None:
    claimed = record(lot("undeclared"), "target", "accepted")
    hosts = [host(HONEST, []), host(HOSTILE, [claimed])]
    assert more_to_read(hosts, HONEST) == {"ids": [claimed["id"]], "lent": False}
    (sentence,) = open_allowed(hosts[1], hosts, ())[1]
    assert sentence == (
        "The agent of new-server claims the open transfer undeclared, and neither the inventory"
        " nor old-server knows it. No other host was asked for it: correct the inventory, or find"
        " out who answers in the agent's place."
    )
    foreign = record(lot("undeclared", target=end(THIRD)), "target", "accepted")
    hosts = [host(HONEST, []), host(HOSTILE, [foreign])]
    assert "it is one of third-server" in open_allowed(hosts[1], hosts, ())[1][0]


@pytest.mark.parametrize(
    "answer",
    [
        {"transfers": "none"},
        {"transfers": [{"id": 1}]},
        {"transfers": [record(lot("x"), "both", "created")]},
        {"transfers": [{**record(lot("x"), "source", "created"), "amounts": {"seats": "1"}}]},
        {"containers": [{}]},
        {"license_items": [None]},
        {"peers": [{"agent": 1, "evidence": None}]},
    ],
)
def test_an_answer_that_cannot_be_read_fails_the_host_that_gave_it(answer: Record) -> None:
    usual: Record = {"containers": [], "license_items": [], "transfers": [], "peers": None}
    reported: Reported = {"agent": HOSTILE, "borrows": [], "results": {}}
    assert kept_reading(reported, usual)["before"]["transfers"] == []
    with pytest.raises(AnsibleFilterError, match="The agent of new-server sent something"):
        kept_reading(reported, {**usual, **answer})
