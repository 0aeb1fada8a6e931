# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine's keepers look at: health, metrics, the status page."""

from __future__ import annotations

from collections import defaultdict
from html.parser import HTMLParser
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from seatkeeper_agent.domain.transfers import transfer_id

from .asking import Asker, carry, declared

SCRIPT = "<script>alert('$name')</script>&amp;"
NEVER_CLOSED = {"meta", "link", "br", "hr", "img", "input"}
REFERENCES = {"src", "href", "srcset", "action", "data", "poster", "style", "background"}


class Page(HTMLParser):
    """Reads a page strictly: what is opened is closed, nothing points elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Every element but the void ones is to be closed."""
        self.tags.add(tag)
        names = {name for name, _value in attrs}
        assert not names & REFERENCES, (tag, attrs)
        assert not any(name.startswith("on") for name in names), (tag, attrs)
        if tag not in NEVER_CLOSED:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """In the order in which they were opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """All texts but blanks."""
        if data.strip() and self.open[-1] != "style":
            self.texts.append(data.strip())


@pytest.fixture(scope="module")
def busy(askers: dict[str, Asker]) -> dict[str, Asker]:
    """Agents that have settled one transfer and have one under way."""
    carry(askers, declared(SCRIPT, quantity=2))
    carry(askers, declared("under way", quantity=3), until="issue")
    return askers


def samples(asker: Asker) -> dict[str, dict[tuple[str, ...], float]]:
    """All samples by metric and label values, these in the order of the labels' names."""
    answer = asker.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for sample in family.samples:
            labels = tuple(value for _name, value in sorted(sample.labels.items()))
            assert labels not in found[sample.name]
            found[sample.name][labels] = sample.value
    return found


def test_metrics_tell_the_invariants_the_transfers_and_the_ledger(busy: dict[str, Asker]) -> None:
    reported = {name: samples(asker) for name, asker in busy.items()}
    for name, asker in busy.items():
        found = reported[name]
        about = asker.get("/v1/agent")
        names = {(entry["name"],): 1.0 for entry in about["invariants"]}
        assert found["seatkeeper_invariant_holds"] == names
        assert {("I1",), ("I2",), ("I3",), ("I4",), ("audit",)} == set(names)
        assert set(found["seatkeeper_operations_open"]) == {
            ("running",),
            ("waiting",),
            ("in_doubt",),
        }
        listed = asker.get("/v1/transfers", limit=1000)["transfers"]
        assert sum(found["seatkeeper_transfers"].values()) == len(listed)
        per_item: dict[tuple[str, str], float] = defaultdict(float)
        for (_account, item, measure, _where), amount in found["seatkeeper_ledger_balance"].items():
            per_item[item, measure] += amount
        assert set(per_item.values()) == {0.0}
    escrow = ("escrow", "6000010:201", "seats", transfer_id("under way"))
    assert reported["old-server"]["seatkeeper_ledger_balance"][escrow] == 3


def test_the_status_page_stands_alone_and_shows_names_as_they_are(busy: dict[str, Asker]) -> None:
    answer = busy["old-server"].ask("GET", "/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    page = Page(answer.text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    for foreign in ("http:", "https:", "//", "url(", "@import"):
        assert foreign not in answer.text
    assert SCRIPT in page.texts
    for text in ("old-server", "under way", "In Transit (push)", "3 seats", "holds", "consistent"):
        assert text in page.texts
    assert "BROKEN" not in page.texts


def test_what_is_under_way_stands_before_what_is_settled(busy: dict[str, Asker]) -> None:
    texts = Page(busy["old-server"].ask("GET", "/").text).texts
    places = [texts.index(text) for text in ("Transfers under way", "under way")]
    assert places[0] < places[1] < texts.index("Transfers settled") < texts.index(SCRIPT)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/"])
def test_looking_leaves_no_trace(busy: dict[str, Asker], path: str) -> None:
    def head(asker: Asker) -> Any:
        return asker.get("/v1/agent")["journal"]

    asker = busy["old-server"]
    before = head(asker)
    assert asker.ask("GET", path).status_code == 200
    assert head(asker) == before
