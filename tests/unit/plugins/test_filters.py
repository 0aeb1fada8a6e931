# SPDX-License-Identifier: GPL-3.0-or-later
"""Each filter has a function and a documentation file, and loads nothing before it is called."""

from __future__ import annotations

import importlib
from pathlib import Path

from ansible_collections.seatkeeper.licensing.plugins.filter import licensing

PLUGINS = "ansible_collections.seatkeeper.licensing.plugins"


def test_every_filter_has_its_function_and_its_page() -> None:
    for place, functions in licensing.PLACES.items():
        module = importlib.import_module(f"{PLUGINS}.{place}")
        for function in functions.values():
            assert callable(getattr(module, function)), (place, function)
    pages = {path.stem for path in Path(licensing.__file__).parent.glob("*.yml")}
    assert pages == set(licensing.FilterModule().filters())
