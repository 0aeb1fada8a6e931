# SPDX-License-Identifier: GPL-3.0-or-later
"""What a read costs with ten rows of every sort in the journal, and with a hundred."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from costs.counting import Cost, Meter, counting
from costs.filling import fill
from costs.in_process import InProcess
from costs.table import assert_written

from seatkeeper_agent.domain.transfers import transfer_id

FEW, MANY = 10, 100


@dataclass(frozen=True)
class Statements:
    """SQL statements of one read; marked where more rows take more of them."""

    few: int
    many: int
    lowered_by: int | None = field(default=None, compare=False)


READS: dict[str, Statements] = {
    "/v1/agent": Statements(42, 312, lowered_by=22),
    "/v1/audit": Statements(1, 1),
    "/v1/ledger": Statements(1, 1),
    "/v1/operations": Statements(61, 601, lowered_by=22),
    "/v1/operations?state=open": Statements(61, 601, lowered_by=22),
    "/v1/waiting": Statements(61, 601, lowered_by=22),
    "/v1/transfers": Statements(21, 201, lowered_by=22),
    "/v1/transfers?state=open": Statements(21, 201, lowered_by=22),
    "/v1/transfers/1f2e85b4-d651-5289-bbc7-618aa9d6cc4b": Statements(4, 4),
    "/v1/borrows": Statements(31, 301, lowered_by=22),
    "/v1/migrations": Statements(31, 301, lowered_by=22),
    "/v1/orders": Statements(31, 301, lowered_by=22),
    "/v1/moves": Statements(11, 101, lowered_by=22),
    "/metrics": Statements(212, 1922, lowered_by=22),
    "/": Statements(216, 1526, lowered_by=22),
    "/readyz": Statements(41, 311, lowered_by=22),
}

SAY_WHAT_IS_READY = ("/readyz", "/metrics", "/")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """An agent that knows every route, on a host on which none of the products is."""
    absent = str(tmp_path / "absent")
    tables = {
        "agent": {"name": "old-server", "state_folder": str(tmp_path / "state")},
        "usb": {"sysfs": str(tmp_path / "usb")},
        "codemeter": {"library": f"{absent}.so", "cmu": absent, "server_ini": f"{absent}.ini"},
        "chaos": {"address": "http://127.0.0.1:9", "performer": "person"},
        "altigen": {"sender": "licenses@studio-a.example", "recipient": "support@vendor.example"},
        "aimms": {"folder": absent},
    }
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path = tmp_path / "agent.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "usb").mkdir()
    return path


@pytest.fixture
def meter() -> Iterator[Meter]:
    with counting() as made:
        yield made


def test_a_read_costs_what_is_written_down(meter: Meter, settings: Path) -> None:
    """Every list with all its rows in one page, and what is read one by one; nothing writes."""
    agent = InProcess(settings)
    # Looked at anew each time: what is counted does not hang on how long ago the last look was.
    agent.agent.readiness.good_seconds = agent.agent.readiness.rest_factor = 0.0
    try:
        fill(agent.agent.journal, 0, FEW)
        few = read_all(meter, agent)
        fill(agent.agent.journal, FEW, MANY)
        many = read_all(meter, agent)
    finally:
        agent.close()
    counted = {path: Statements(few[path].statements, many[path].statements) for path in few}
    assert_written(counted, READS)
    for path in READS:
        for cost in (few[path], many[path]):
            # Whether the disk takes more only a write can tell; the journal is left alone.
            assert (cost.transactions, cost.syncs) == (0, int(path in SAY_WHAT_IS_READY)), path


def test_what_grows_with_the_rows_is_marked() -> None:
    """And nothing else: what was lowered is not marked any more."""
    for path, read in READS.items():
        assert (read.many > read.few) == (read.lowered_by is not None), path


def read_all(meter: Meter, agent: InProcess) -> dict[str, Cost]:
    """Everything that can be read without a product."""
    paths = [
        "/v1/agent",
        "/v1/audit",
        "/v1/ledger",
        "/v1/operations",
        "/v1/operations?state=open",
        "/v1/waiting",
        "/v1/transfers",
        "/v1/transfers?state=open",
        f"/v1/transfers/{transfer_id('seats 1')}",
        "/v1/borrows",
        "/v1/migrations",
        "/v1/orders",
        "/v1/moves",
        "/metrics",
        "/",
        "/readyz",
    ]
    return {path: meter.cost_of(lambda path=path: agent.ask("GET", paged(path))) for path in paths}


def paged(path: str) -> str:
    """With a page that has room for all."""
    if not path.startswith("/v1") or path in ("/v1/agent", "/v1/ledger", "/v1/waiting"):
        return path
    return path if len(path) > 40 else f"{path}{'&' if '?' in path else '?'}limit=1000"
