# SPDX-License-Identifier: GPL-3.0-or-later
"""What is collected lives to the end of the run, so that nothing looks there for garbage.

Without this Python would go through some hundred thousand objects again and again: a third of what
the collection takes, and more than a twentieth of what tests take that start no process.
"""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Called by pytest around the collection, in each worker."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
