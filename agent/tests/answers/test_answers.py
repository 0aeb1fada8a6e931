# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of all kinds are answered as recorded: status, problem, change and steps."""

from __future__ import annotations

import pytest

from .record import ADVICE, SCRIPTS, SLOW, differences, recorded

NAMES = [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in SCRIPTS]


@pytest.mark.parametrize("name", NAMES)
def test_every_request_is_answered_as_recorded(name: str) -> None:
    differing = differences(recorded(name), SCRIPTS[name]())
    assert not differing, "\n".join(
        ["Requests are answered otherwise.", *differing, ADVICE.format(name=name)]
    )
