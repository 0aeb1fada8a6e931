# SPDX-License-Identifier: GPL-3.0-or-later
"""A small lab of two hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seatkeeper_twins.lab.lab import Lab

SEEDS: dict[str, Any] = {
    "old-server": {
        "containers": [
            {
                "serial": "130-1000000001",
                "items": [
                    {
                        "firm_code": 6000010,
                        "product_code": 201,
                        "name": "Simulation seats",
                        "license_quantity": 25,
                    }
                ],
            }
        ]
    },
    "new-server": {"containers": [{"serial": "130-2000000002"}]},
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Two running hosts in a temporary folder."""
    with Lab.create(SEEDS) as running:
        yield running
