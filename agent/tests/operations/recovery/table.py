# SPDX-License-Identifier: GPL-3.0-or-later
"""Which script recovers from which problem, each following the problem's own advice to an end."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import Problem, ProblemCode

RECOVERIES: dict[ProblemCode, str] = {}
"""Filled by what is decorated with ``recovers``: the script of each code."""

_met: set[ProblemCode] = set()


def recovers(*codes: ProblemCode) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Say from which problems a test recovers; it fails when it did not meet each of them."""

    def register(script: Callable[..., None]) -> Callable[..., None]:
        RECOVERIES.update(dict.fromkeys(codes, f"{script.__module__}.{script.__name__}"))

        @wraps(script)
        def run(*arguments: Any, **values: Any) -> None:
            _met.clear()
            script(*arguments, **values)
            assert _met >= set(codes), f"not met: {set(codes) - _met}"

        return run

    return register


def meet(code: str, next_action: str, expected: ProblemCode, advice: str) -> None:
    """A problem was met, however it came, and advises what the script does next."""
    assert code == expected.value
    assert advice in next_action, next_action
    _met.add(expected)


def refused(
    expected: ProblemCode, advice: str, call: Callable[..., Any], *arguments: Any, **values: Any
) -> Problem:
    """The problem of a call, which advises what the script does next."""
    with pytest.raises(Problem) as caught:
        call(*arguments, **values)
    problem = caught.value
    assert problem.code is expected, problem
    meet(problem.code.value, problem.next_action, expected, advice)
    return problem
