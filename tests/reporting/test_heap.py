# SPDX-License-Identifier: GPL-3.0-or-later
"""Garbage of tests is found, and the tests themselves are not looked through for it."""

from __future__ import annotations

import gc
import weakref

import pytest


class Loop:
    """Refers to itself, so that only a search finds it unused."""

    def __init__(self) -> None:
        self.own = self


def test_what_was_collected_is_no_garbage_and_what_tests_leave_is(
    request: pytest.FixtureRequest,
) -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    searched = {id(each) for each in gc.get_objects()}
    assert not any(id(item) in searched for item in request.session.items)
    left = weakref.ref(Loop())
    gc.collect()
    assert left() is None
