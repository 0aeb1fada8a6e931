# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts for all tests of this folder; tests that break one make their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seatkeeper_twins.chaos.twin import demo_seed
from seatkeeper_twins.lab.lab import Lab

from .asking import SERIALS, Asker
from .contract import Contract

FIRM_CODE = 6000010


def item(product_code: int, type_: str, **values: Any) -> dict[str, Any]:
    """One item of a seed that may be moved in one way."""
    option = {
        "type": type_,
        "pull_allowed": not type_.startswith("borrow"),
        "return_allowed": True,
        "firm_item_required": True,
        "transfer_depth": 3,
        "max_borrow_seconds": 2_592_000 if type_.startswith("borrow") else 0,
    }
    codes = {"firm_code": FIRM_CODE, "product_code": product_code}
    return {**codes, "name": f"Product {product_code}", "options": [option], **values}


SEEDS: dict[str, Any] = {
    "old-server": {
        "containers": [
            {
                "serial": SERIALS["old-server"],
                "items": [
                    item(201, "licenses", license_quantity=1000),
                    item(202, "complete", license_quantity=5),
                    item(203, "units", unit_counter=100),
                    item(204, "borrow_local", license_quantity=5),
                ],
            }
        ]
    },
    "new-server": {
        "containers": [
            {
                "serial": SERIALS["new-server"],
                "firm_items": [{"firm_code": FIRM_CODE, "text": "Example Software"}],
            }
        ]
    },
}


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Two running hosts; no test stops them or uses up what they hold."""
    with Lab.create(SEEDS) as running:
        yield running


CHAOS_HOST = "chaos-server"
CHAOS_SEED: dict[str, Any] = {
    "chaos": {
        "server": {"visible_seconds": 0},
        "dongles": [{"port": "1-1.1", "serial": "90000001"}],
    }
}
CHAOS_CLOUD: dict[str, Any] = {
    **demo_seed(),
    **{f"{name}_seconds": 0.1 for name in ("migration", "arrival", "workstation")},
}


@pytest.fixture
def chaos_lab() -> Iterator[Lab]:
    """A host with a Chaos license server and a dongle, on whose page a person works."""
    with Lab.create({CHAOS_HOST: CHAOS_SEED}, cloud_seed=CHAOS_CLOUD) as running:
        yield running


@pytest.fixture(scope="session")
def contract(lab: Lab) -> Contract:
    """The description that the agents give of themselves."""
    asker = Asker(lab["old-server"].socket_path)
    asker.close()
    return asker.contract


@pytest.fixture(scope="session")
def askers(lab: Lab, contract: Contract) -> Iterator[dict[str, Asker]]:
    """Both agents by name."""
    made = {name: Asker(host.socket_path, contract) for name, host in lab.hosts.items()}
    yield made
    for asker in made.values():
        asker.close()


@pytest.fixture
def old(askers: dict[str, Asker]) -> Asker:
    """The server that holds the licenses."""
    return askers["old-server"]


@pytest.fixture
def new(askers: dict[str, Asker]) -> Asker:
    """The server that gets some."""
    return askers["new-server"]
