# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics: what the journal says, asked at each scrape."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from seatkeeper_agent.agent import Agent
from seatkeeper_agent.domain.records import OperationRecord
from seatkeeper_agent.journal import JournalError, Unit
from seatkeeper_agent.operations import invariants
from seatkeeper_agent.operations.people import awaited_view
from seatkeeper_agent.operations.server_moves.views import orphaned_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from prometheus_client import Metric

RECORDS_PER_PAGE = 500


def render(agent: Agent) -> tuple[bytes, str]:
    """The exposition and its media type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
    from prometheus_client.registry import Collector

    class JournalCollector(Collector):
        def collect(self) -> Iterator[Metric]:
            return iter(_collect(agent))

    registry = CollectorRegistry(auto_describe=False)
    registry.register(JournalCollector())
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _collect(agent: Agent) -> list[Metric]:
    """What is known; of a journal that cannot be read, only that no work can be done."""
    try:
        with agent.journal.reading() as unit:
            frozen = unit.operations.in_doubt()
            found = [
                _invariants(unit),
                _operations(unit),
                _frozen(frozen),
                _compared(agent),
                _waiting(unit),
                _orphaned(unit),
                _transfers(unit),
                _balances(unit),
            ]
    except JournalError:
        return [_ready(False)]
    return [_ready(agent.readiness.verdict().is_good and not frozen), *found]


def _gauge(
    name: str,
    about: str,
    labels: Sequence[str],
    rows: Iterable[tuple[Sequence[str], float]],
) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, about, labels=labels)
    for values, number in rows:
        family.add_metric(values, float(number))
    return family


def _ready(is_ready: bool) -> Metric:
    about = "1 where work can be done: what /readyz answers"
    return _gauge("seatkeeper_ready", about, [], [([], is_ready)])


def _invariants(unit: Unit) -> Metric:
    rows = [([entry.name], float(entry.holds)) for entry in invariants.check(unit)]
    about = "1 where an invariant holds"
    return _gauge("seatkeeper_invariant_holds", about, ["invariant"], rows)


def _operations(unit: Unit) -> Metric:
    found = Counter(entry.state.value for entry in unit.operations.page(True, "", RECORDS_PER_PAGE))
    rows = [([state], float(found[state])) for state in ("running", "waiting", "in_doubt")]
    return _gauge("seatkeeper_operations_open", "Open operations", ["state"], rows)


def _frozen(frozen: list[OperationRecord]) -> Metric:
    codes = Counter(str((entry.problem or {}).get("code")) for entry in frozen)
    names = sorted({"in-doubt", "snapshot-rolled-back", *codes})
    about = "Containers and exchanges that are kept from all work until somebody has decided"
    rows = [([code], float(codes[code])) for code in names]
    return _gauge("seatkeeper_frozen", about, ["code"], rows)


def _compared(agent: Agent) -> Metric:
    last = agent.containers.observer.last()
    return _gauge(
        "seatkeeper_container_compared_timestamp_seconds",
        "When the container was last compared with the journal",
        ["container"],
        [([compared.container], float(compared.at)) for compared in last],
    )


def _waiting(unit: Unit) -> Metric:
    entries = map(awaited_view, unit.operations.waiting())
    found = Counter((entry["who"], entry["overdue"]) for entry in entries)
    rows = [
        ([who, str(overdue).lower()], float(found[who, overdue]))
        for who in ("person", "vendor")
        for overdue in (False, True)
    ]
    about = "Steps that wait for somebody"
    return _gauge("seatkeeper_steps_waiting", about, ["who", "overdue"], rows)


def _orphaned(unit: Unit) -> Metric:
    about = "Licenses that are active nowhere while a server moves"
    return _gauge("seatkeeper_licenses_adrift", about, [], [([], float(orphaned_count(unit)))])


def _transfers(unit: Unit) -> Metric:
    found: Counter[tuple[str, str]] = Counter()
    after = ""
    while records := unit.transfers.page(False, after, RECORDS_PER_PAGE):
        found.update((entry.side.value, entry.state.value) for entry in records)
        after = f"{records[-1].declaration.id}/{records[-1].side.value}"
    rows = [(key, float(count)) for key, count in sorted(found.items())]
    return _gauge("seatkeeper_transfers", "Transfers", ["side", "state"], rows)


def _balances(unit: Unit) -> Metric:
    rows = [
        ([row.account.value, row.reference, row.item, row.measure.value], float(row.amount))
        for row in unit.ledger.balances()
    ]
    labels = ["account", "reference", "item", "measure"]
    return _gauge("seatkeeper_ledger_balance", "Seats or units by account", labels, rows)
