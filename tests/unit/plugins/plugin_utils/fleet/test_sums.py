# SPDX-License-Identifier: GPL-3.0-or-later
"""After a run there is as much of each item on all hosts together as there was before."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.sums import (
    Holding,
    differences,
    holding_of,
)

SOON = "2020-01-01T00:00:00Z"


def held(seats: int, *transfers: dict[str, t.Any], until: str | None = None) -> Holding:
    item = {"item": "6000010:201@1", "seats": seats, "units": 0, "borrowed_until": until}
    return holding_of([item], transfers)


def record(side: str, state: str) -> dict[str, t.Any]:
    return {
        "id": "t",
        "item": "6000010:201",
        "side": side,
        "state": state,
        "amounts": {"seats": 10},
    }


BEFORE = [held(25), held(0)]


def test_what_is_lost_or_doubled_is_noticed() -> None:
    assert differences(BEFORE, [held(15), held(10)], ()) == []
    assert "There were 25 seats" in differences(BEFORE, [held(15), held(0)], ())[0]
    assert "there are 35 now" in differences(BEFORE, [held(25), held(10)], ())[0]


def test_what_is_on_its_way_is_counted_once() -> None:
    leaving = held(15, record("source", "in_transit"))
    assert differences(BEFORE, [leaving, held(0)], ()) == []
    assert differences(BEFORE, [leaving, held(10, record("target", "transferred"))], ()) == []


def test_what_leaves_the_play_ends_just_now_or_has_not_ended_is_left_out() -> None:
    assert differences([held(25)], [held(15)], ["6000010:201"]) == []
    assert differences([held(25)], [held(15, until=SOON)], ()) == []
    assert differences([held(25)], [held(15, record("target", "crediting"))], ()) == []
