# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose entry it is, who is awaited, and servers as rows of a report."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._servers import (
    declared_at,
    server_rows,
    wait_lines,
)

USER = "artist@studio-a.example"
WAIT = {
    "operation": "op-1",
    "subject": "dongle 90000001",
    "title": "transferring the dongle",
    "who": "person",
    "instructions": ["Open the page.", "Click TRANSFER."],
    "verified_by": "The account shows more licenses.",
    "attestable": False,
    "since": "2026-11-20T10:00:00Z",
    "until": "2026-11-21T10:00:00Z",
    "overdue": True,
}


def test_an_entry_is_for_its_agent_or_for_every_host() -> None:
    entries = [{"host": "b", "n": 1}, {"n": 2}, {"host": "a", "n": 3}]
    assert [entry["n"] for entry in declared_at(entries, "a")] == [2, 3]


def test_a_wait_tells_what_to_do_and_that_it_is_late() -> None:
    assert wait_lines([WAIT]) == [
        "Waiting for a person: transferring the dongle",
        "  About: dongle 90000001",
        "  When: since 2026-11-20T10:00:00Z, until 2026-11-21T10:00:00Z (overdue)",
        "  1. Open the page.",
        "  2. Click TRANSFER.",
        "  Done when: The account shows more licenses.",
    ]
    lines = wait_lines([{**WAIT, "step": "verify 1.2.3.4", "attestable": True}])
    assert lines[-1] == (
        "  Then say so on the host: seatkeeper-agent attest op-1 done --step 'verify 1.2.3.4'"
        " 'how you know'"
    )
    undated = {**WAIT, "since": None, "until": None, "overdue": False}
    assert not any("When" in line for line in wait_lines([undated]))


def test_servers_are_shown_product_by_product() -> None:
    server: dict[str, t.Any] = {
        "vendor": "chaos",
        "version": "6.0.1",
        "dongle_service": False,
        "activation": {"activated": True, "method": "online", "account": USER},
        "licenses": [
            {"product": "V-Ray", "seats": {"interface": 4}},
            {"product": "Phoenix", "seats": {"render": 2}},
        ],
        "offline_products": ["Phoenix"],
    }
    rows = server_rows([{"vendor": "codemeter", "settings": {}}, server])
    assert [(row["product"], row["interface"], row["borrowed"]) for row in rows] == [
        ("V-Ray", 4, None),
        ("Phoenix", None, "yes"),
    ]
    assert rows[0]["activation"] == f"online, {USER}"
    off = {"activated": False, "method": None, "account": None}
    (row,) = server_rows([{**server, "activation": off, "licenses": []}])
    assert (row["activation"], row["product"]) == ("none", None)
    unknown = {**off, "activated": True}
    assert server_rows([{**server, "activation": unknown}])[0]["activation"] == "by other means"
