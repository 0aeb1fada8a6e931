# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page: what waits, what moved, whether the ledger is consistent; all escaped."""

from __future__ import annotations

import heapq
import html
from collections.abc import Iterable
from importlib import resources
from string import Template
from typing import Any

from seatkeeper_agent.agent import Agent
from seatkeeper_agent.domain.records import TransferRecord
from seatkeeper_agent.journal import JournalError, Unit
from seatkeeper_agent.operations.people import awaited_view
from seatkeeper_agent.operations.views import operation_view, transfer_view

ROWS_MAX = 100
RECORDS_PER_PAGE = 500

_OF_ORPHANED = ("", "Move", "Since", "")
_OF_AWAITED = ("", "Who", "Since", "Until", "")
_OF_OPERATION = ("", "Of", "Container", "State", "")
_IS_MET = {True: "met", False: "NOT met", None: "not known to be met"}


def render(agent: Agent, about: dict[str, Any]) -> str:
    """The whole page; ``about`` is what ``/v1/agent`` answers."""
    with agent.journal.reading() as unit:
        operations = [operation_view(entry) for entry in unit.operations.page(True, "", ROWS_MAX)]
        awaited = [awaited_view(entry) for entry in unit.operations.waiting()[:ROWS_MAX]]
        waiting, settled = _transfers(unit)
    orphaned = [] if agent.movable is None else agent.movable.moves.orphaned()[:ROWS_MAX]
    vendors = about["vendors"]
    capabilities = [(vendor, entry) for vendor in vendors for entry in vendor["capabilities"]]
    broken = [entry for entry in about["invariants"] if not entry["holds"]]
    parts = {
        "name": html.escape(about["agent"]["name"]),
        "version": html.escape(about["agent"]["version"]),
        "vendors": html.escape(
            "; ".join(map(_product, vendors)) or "no vendor's product found here"
        ),
        "adrift": _rows([_orphaned(entry) for entry in orphaned], 4, _OF_ORPHANED),
        "awaited": _rows([_awaited(entry) for entry in awaited], 5, _OF_AWAITED),
        "operations": _rows([_operation(entry) for entry in operations], 5, _OF_OPERATION),
        "waiting": _rows([_transfer(entry) for entry in waiting], 6),
        "settled": _rows([_transfer(entry) for entry in settled], 6),
        "rows": str(ROWS_MAX),
        "ledger": _ledger(bool(broken), bool(about["frozen"])),
        "unready": _unready(agent.readiness.verdict().fault),
        "invariants": _rows([_invariant(entry) for entry in about["invariants"]], 3),
        "capabilities": _rows([_capability(*entry) for entry in capabilities], 4),
    }
    page = resources.files(__package__).joinpath("status.html").read_text("utf-8")
    return Template(page).substitute(parts)


def _ledger(is_broken: bool, is_frozen: bool) -> str:
    if is_broken:
        return _word("INCONSISTENT", "bad")
    return _word("FROZEN in part, see below", "bad") if is_frozen else _word("consistent", "good")


def _unready(fault: JournalError | None) -> str:
    """Why no work can be done although the ledger is consistent; empty where it can."""
    return (
        ""
        if fault is None
        else f"<p>{_word('NO WORK CAN BE DONE', 'bad')}: {html.escape(str(fault))}</p>"
    )


def _transfers(unit: Unit) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The transfers under way and those settled, the last changed first."""
    waiting: list[TransferRecord] = []
    settled: list[TransferRecord] = []
    after = ""
    while records := unit.transfers.page(False, after, RECORDS_PER_PAGE):
        after = f"{records[-1].declaration.id}/{records[-1].side.value}"
        waiting = _latest([*waiting, *(entry for entry in records if not entry.state.is_settled)])
        settled = _latest([*settled, *(entry for entry in records if entry.state.is_settled)])
    return [transfer_view(entry, None) for entry in waiting], [
        transfer_view(entry, None) for entry in settled
    ]


def _latest(records: list[TransferRecord]) -> list[TransferRecord]:
    return heapq.nlargest(ROWS_MAX, records, key=lambda record: record.updated_at)


def _operation(entry: dict[str, Any]) -> Iterable[str]:
    problem = entry["problem"] or {}
    doubtful = entry["state"] == "in_doubt"
    state = _word("in doubt", "bad") if doubtful else html.escape(entry["state"])
    sentence = f"{problem.get('detail', '')} {problem.get('next_action', '')}"
    texts = (entry["kind"], entry["subject"], entry["container"])
    return (*map(html.escape, texts), state, html.escape(sentence.strip()))


def _transfer(entry: dict[str, Any]) -> Iterable[str]:
    amounts = ", ".join(_amount(number, name) for name, number in entry["amounts"].items())
    remedy = f"{entry['source']['agent']} \N{RIGHTWARDS ARROW} {entry['target']['agent']}"
    status = "created" if entry["status"] == "0" else entry["status"]
    texts = (entry["name"], remedy, entry["item"], amounts, status)
    return (*map(html.escape, texts), _time(entry["updated_at"]))


def _amount(number: int, measure: str) -> str:
    return f"{number} {measure.removesuffix('s') if number == 1 else measure}"


def _invariant(entry: dict[str, Any]) -> Iterable[str]:
    verdict = _word("holds", "good") if entry["holds"] else _word("BROKEN", "bad")
    return (html.escape(entry["name"]), verdict, html.escape(entry["detail"]))


def _capability(vendor: dict[str, Any], entry: dict[str, Any]) -> Iterable[str]:
    kind = {"documented": "good", "refused": "bad"}.get(entry["grade"], "some")
    name = html.escape(entry["name"].replace("_", " "))
    grade = _word(entry["grade"], kind)
    return (html.escape(vendor["vendor"]), name, grade, html.escape(entry["reason"]))


def _product(vendor: dict[str, Any]) -> str:
    if vendor["running"] and vendor["version"] is None:
        # Nothing runs here: the vendor's own staff performs.
        return str(vendor["product"])
    running = "running" if vendor["running"] else "not running"
    sentence = f"{vendor['product']} {vendor['version'] or 'not found'}, {running}"
    if vendor["security_floor"] is None:
        return sentence
    is_met = _IS_MET[vendor["security_floor_met"]]
    return f"{sentence}, security floor {vendor['security_floor']} {is_met}"


def _awaited(entry: dict[str, Any]) -> Iterable[str]:
    """What somebody has to do: the instructions as a list, oldest first."""
    due = "-" if entry["until"] is None else _time(entry["until"])
    late = f"{due} {_word('overdue', 'bad')}" if entry["overdue"] else due
    sentence = f"{_list(entry['instructions'])}{html.escape('Seen when: ' + entry['verified_by'])}"
    title = html.escape(entry["title"])
    if not entry["reversible"]:
        title = f"{title} {_word('irreversible', 'bad')}"
    return (title, html.escape(entry["who"]), _time(entry["since"]), late, sentence)


def _orphaned(entry: dict[str, Any]) -> Iterable[str]:
    """A license that nobody can use: since when, with which move, and what helps."""
    place = "active nowhere" if entry["place"] == "nowhere" else "maybe active nowhere"
    since = "-" if entry["since"] is None else _time(entry["since"])
    called = "" if entry["name"] is None else f" ({entry['name']})"
    name = f"{html.escape(entry['license'] + called)} {_word(place, 'bad')}"
    return (name, html.escape(entry["move"]), since, _list(entry["advice"]))


def _list(texts: Iterable[str]) -> str:
    return f"<ol>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ol>"


def _word(text: str, kind: str) -> str:
    return f'<span class="{kind}">{html.escape(text)}</span>'


def _time(moment: str) -> str:
    shown = moment.replace("T", " ").replace("Z", " UTC")
    return f'<time datetime="{html.escape(moment)}">{html.escape(shown)}</time>'


def _rows(rows: list[Iterable[str]], columns: int, labels: tuple[str, ...] = ()) -> str:
    """``labels`` stand before the cells where a narrow screen has no room for their heads."""
    if not rows:
        return f'<tr><td colspan="{columns}" class="none">none</td></tr>'
    heads = [f' data-of="{label}"' if label else "" for label in labels] or [""] * columns
    return "\n".join(
        "<tr>"
        + "".join(f"<td{head}>{cell}</td>" for head, cell in zip(heads, row, strict=True))
        + "</tr>"
        for row in rows
    )
