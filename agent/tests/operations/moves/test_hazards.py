# SPDX-License-Identifier: GPL-3.0-or-later
"""What could lose or double a license although every leg is asked for in its order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from seatkeeper_agent.domain.moves import MovableServer
from seatkeeper_agent.domain.problems import Problem

from .bench import Bench


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
