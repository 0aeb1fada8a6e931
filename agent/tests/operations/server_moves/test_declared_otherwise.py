# SPDX-License-Identifier: GPL-3.0-or-later
"""A move that is declared otherwise than it was begun or done says both, member by member."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import ProblemCode

from .bench import DECLARED, Bench, declaration


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        ({"target": "newer"}, "target: declared newer, done new-server"),
        ({"target_host": "b.example"}, "target host: declared b.example, done new-server.studio"),
        ({"source_lost": True}, "source lost: declared yes, done no"),
    ],
)
def test_a_done_move_says_what_is_declared_and_what_was_done(
    bench: Bench, values: dict[str, Any], reported: str
) -> None:
    bench.move()
    problem = bench.refused("backup", move=declaration(**values))
    assert problem.code is ProblemCode.DECLARATION_DIFFERS
    assert reported in problem.detail


def test_an_open_move_says_what_it_was_begun_with(bench: Bench) -> None:
    bench.move("release")
    problem = bench.refused("backup", move=declaration(target_host="b.example"))
    assert "target host: declared b.example, begun with new-server.studio" in problem.detail


def test_licenses_define_a_move_once_they_have_begun_to_leave(bench: Bench) -> None:
    bench.leg("backup")
    fewer = (*DECLARED[:2], replace(DECLARED[2], profiles=("Other",)))
    bench.vendor.holders[DECLARED[2].number] = None
    bench.leg("backup", licenses=fewer)
    bench.vendor.holders[DECLARED[2].number] = "old-server"
    bench.move()
    problem = bench.refused("backup", licenses=fewer)
    assert problem.code is ProblemCode.DECLARATION_DIFFERS
    assert "15.90.10.3 with Other" in problem.detail.partition(", done")[0]
    assert "15.90.10.3 with Server" in problem.detail.partition(", done")[2]
    assert bench.run("backup")["changed"] is False, "the same licenses change nothing"
