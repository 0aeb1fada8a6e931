# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics: what the journal says, asked at each scrape."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from seatkeeper_agent.agent import Agent
from seatkeeper_agent.operations import invariants
from seatkeeper_agent.operations.moves.views import adrift_count
from seatkeeper_agent.operations.people import awaited_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

RECORDS_PER_PAGE = 500


def render(agent: Agent) -> tuple[bytes, str]:
    """The exposition and its media type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
    from prometheus_client.registry import Collector

    class JournalCollector(Collector):
        def collect(self) -> Iterator[Metric]:
            return _collect(agent)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(JournalCollector())
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _collect(agent: Agent) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    with agent.journal.reading() as unit:
        holds = invariants.check(unit)
        balances = unit.ledger.balances()
        operations = Counter(
            entry.state.value for entry in unit.operations.page(True, "", RECORDS_PER_PAGE)
        )
        frozen = unit.operations.in_doubt()
        awaited = [awaited_view(entry) for entry in unit.operations.waiting()]
        adrift = adrift_count(unit)
        transfers: Counter[tuple[str, str]] = Counter()
        after = ""
        while records := unit.transfers.page(False, after, RECORDS_PER_PAGE):
            transfers.update((entry.side.value, entry.state.value) for entry in records)
            after = f"{records[-1].declaration.id}/{records[-1].side.value}"
    family = GaugeMetricFamily(
        "seatkeeper_invariant_holds", "1 where an invariant holds", labels=["invariant"]
    )
    for entry in holds:
        family.add_metric([entry.name], float(entry.holds))
    yield family
    family = GaugeMetricFamily("seatkeeper_operations_open", "Open operations", labels=["state"])
    for state in ("running", "waiting", "in_doubt"):
        family.add_metric([state], float(operations[state]))
    yield family
    family = GaugeMetricFamily(
        "seatkeeper_frozen",
        "Containers and exchanges that are kept from all work until somebody has decided",
        labels=["code"],
    )
    codes = Counter(str((entry.problem or {}).get("code")) for entry in frozen)
    for code in sorted({"in-doubt", "snapshot-rolled-back", *codes}):
        family.add_metric([code], float(codes[code]))
    yield family
    family = GaugeMetricFamily(
        "seatkeeper_container_compared_timestamp_seconds",
        "When the container was last compared with the journal",
        labels=["container"],
    )
    for compared in agent.observer.last():
        family.add_metric([compared.container], float(compared.at))
    yield family
    family = GaugeMetricFamily(
        "seatkeeper_steps_waiting", "Steps that wait for somebody", labels=["who", "overdue"]
    )
    for who in ("person", "vendor"):
        for overdue in (False, True):
            count = sum((e["who"], e["overdue"]) == (who, overdue) for e in awaited)
            family.add_metric([who, str(overdue).lower()], float(count))
    yield family
    family = GaugeMetricFamily(
        "seatkeeper_licenses_adrift", "Licenses that are active nowhere while a server moves"
    )
    family.add_metric([], float(adrift))
    yield family
    family = GaugeMetricFamily("seatkeeper_transfers", "Transfers", labels=["side", "state"])
    for (side, name), count in sorted(transfers.items()):
        family.add_metric([side, name], float(count))
    yield family
    family = GaugeMetricFamily(
        "seatkeeper_ledger_balance",
        "Seats or units by account",
        labels=["account", "reference", "item", "measure"],
    )
    for row in balances:
        labels = [row.account.value, row.reference, row.item, row.measure.value]
        family.add_metric(labels, float(row.amount))
    yield family
