# SPDX-License-Identifier: GPL-3.0-or-later
"""Without its journal an agent does nothing, says so, and goes on where it was afterwards."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab, LabHost

from .asking import Asker, asking, carry, declared, described
from .conftest import SEEDS
from .contract import Contract
from .test_following import begin, slow_down

PATHS = ("/readyz", "/v1/agent", "/v1/transfers", "/v1/operations", "/v1/audit", "/")


@pytest.fixture(scope="module")
def ailing() -> Iterator[Lab]:
    """Hosts whose journal is made to fail."""
    with Lab.create(SEEDS) as lab:
        yield lab


@pytest.fixture
def both(ailing: Lab, contract: Contract) -> Iterator[dict[str, Asker]]:
    """The agents of these hosts."""
    with (
        asking(ailing["old-server"], contract) as old,
        asking(ailing["new-server"], contract) as new,
    ):
        yield {"old-server": old, "new-server": new}


@contextmanager
def full_disk(host: LabHost) -> Iterator[None]:
    """No file of the agent can grow, as on a full disk."""
    pid = host.agent.pid or 0
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def check_unavailable(problem: dict[str, Any]) -> None:
    """AssertionError unless it says that the journal cannot be used."""
    assert problem["code"] == "journal-unavailable"
    assert problem["status"] == 503
    assert problem["retryable"] is True
    assert "journal.db" in problem["detail"]
    assert "nothing was begun" not in problem["detail"]


def check_nothing_is_read(agent: Asker) -> None:
    """AssertionError unless all that can be read says so; who watches is told by a number."""
    for path in PATHS:
        check_unavailable(agent.problem("GET", path))
    lines = agent.ask("GET", "/metrics").text.splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["seatkeeper_ready 0.0"]


def test_on_a_full_disk_nothing_is_debited(ailing: Lab, both: dict[str, Asker]) -> None:
    host, old = ailing["old-server"], both["old-server"]
    carry(both, declared("before"))
    document = carry(both, declared("full"), until="request")[-1]["document"]
    before = described(ailing)
    path = f"/v1/transfers/{transfer_id('full')}/issue"
    body = {"transfer": declared("full"), "document": document}
    with full_disk(host):
        check_unavailable(old.problem("POST", path, json=body))
        check_nothing_is_read(old)
        check_unavailable(old.problem("POST", "/v1/resume"))
        settings = {"settings": {"General": {"LogLicenseTracking": "1"}}}
        check_unavailable(old.problem("PUT", "/v1/servers/codemeter", json=settings))
        assert old.get("/livez") == {"status": "alive"}
    assert described(ailing) == before
    assert old.get("/readyz")["status"] == "ready"
    assert [answer["changed"] for answer in carry(both, declared("full"))] == [False] + [True] * 4


def test_a_disk_that_fills_up_after_the_debit_does_not_lose_it(
    ailing: Lab, both: dict[str, Asker]
) -> None:
    host, old = ailing["old-server"], both["old-server"]
    document = carry(both, declared("filling"), until="request")[-1]["document"]
    held = old.get("/v1/containers/130-1000000001/items")["items"][0]["seats"]
    slow_down(host, "debit.after")
    place = begin(old, "issue", "filling", document)
    while not old.get("/v1/operations", state="open")["operations"]:
        assert old.get(place)["state"] == "running"
    with full_disk(host):
        check_unavailable(old.problem("GET", f"{place}?wait=20"))
    followed = old.get(place)
    assert followed["state"] == "failed"
    check_unavailable(followed["problem"])
    assert old.get("/v1/agent")["journal"]["operations_open"] == 1
    resumed = old.ask("POST", f"/v1/transfers/{transfer_id('filling')}/resume").json()
    assert resumed["changed"] is True
    answers = carry(both, declared("filling"))
    assert [answer["changed"] for answer in answers] == [False, False, True, True, True]
    assert old.get("/v1/containers/130-1000000001/items")["items"][0]["seats"] == held - 1
    assert all(entry["holds"] for entry in old.get("/v1/agent")["invariants"])


def test_a_journal_that_is_moved_away_is_noticed(ailing: Lab, both: dict[str, Asker]) -> None:
    host, old = ailing["old-server"], both["old-server"]
    journal = host.state_folder / "journal.db"
    away = journal.with_name("away.db")
    document = carry(both, declared("moved"), until="request")[-1]["document"]
    before = described(ailing)
    body = {"transfer": declared("moved"), "document": document}
    path = f"/v1/transfers/{transfer_id('moved')}/issue"
    journal.rename(away)
    for _instead in range(2):
        check_nothing_is_read(old)
        check_unavailable(old.problem("POST", path, json=body))
        if not journal.exists():
            journal.mkdir()
    journal.rmdir()
    away.rename(journal)
    assert described(ailing) == before
    assert old.get("/readyz")["status"] == "ready"
    carry(both, declared("moved"))
