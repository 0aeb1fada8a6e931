# SPDX-License-Identifier: GPL-3.0-or-later
"""What could lose or double a license although every leg is asked for in its order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from seatkeeper_agent.domain.moves import MovableServer
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.operations.ports import DriverUnavailable

from .bench import Bench, declaration


def test_a_product_that_is_gone_does_not_show_that_a_license_has_left(bench: Bench) -> None:
    document = bench.move("prepare")["document"]
    machine, observed = bench.old.machine, bench.old.machine.observe

    def unmounted() -> MovableServer:
        server = observed()
        gone = replace(server, installed=False, licenses=(), tells_licenses=True)
        return gone if machine.maintenance else server

    machine.observe = unmounted  # type: ignore[method-assign]
    with suppress(Problem):
        bench.confirmed("release", document=document)
    view = bench.old.view()
    assert view is not None
    assert [entry["released"] for entry in view["licenses"]] == [None, None, None]
    assert "released" not in view["documents"]


def test_giving_up_looks_again_when_others_were_faster(bench: Bench) -> None:
    document = bench.move("prepare")["document"]
    bench.old.machine.errors["set_maintenance"] = [DriverUnavailable("it is down")]
    with pytest.raises(Problem):
        bench.confirmed("release", document=document)
    service = bench.old.moves
    was_on = service._maintenance_was_on

    def slow(record: Any) -> bool:
        bench.confirmed("release", document=document)
        return was_on(record)

    service._maintenance_was_on = slow  # type: ignore[method-assign]
    with pytest.raises(Problem):
        service.give_up(declaration().id, "me", False)
    view = bench.old.view()
    assert view is not None
    assert view["state"] == "released"
    assert view["operation"]["state"] == "done"
