# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a leg refuses the documents that the leg refuses, also where it runs ahead."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import Envelope, MoveDocument
from seatkeeper_agent.domain.server_moves import ServerBackup
from seatkeeper_agent.operations.documents import sign

from .bench import Bench

BEFORE = {"release": "prepare", "install": "release", "finish": "install"}


def altered(envelope: Envelope) -> Envelope:
    """With one more byte than was signed."""
    content = base64.b64decode(envelope["payload"])
    return {**envelope, "payload": base64.b64encode(content + b" ").decode()}


def without_facts(bench: Bench, leg: str, envelope: Envelope) -> Envelope:
    """Signed by the right agent, and no document of its kind."""

    payload: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    host = bench.old if leg == "install" else bench.new
    return sign(host.identity, MoveDocument(payload["kind"]), {**payload, "facts": {}})


def code_of(bench: Bench, leg: str, dry_run: bool, document: Envelope) -> str | None:
    """The problem's code; None where there is none."""
    try:
        bench.run(leg, dry_run, document=document)
    except Problem as problem:
        return problem.code.value
    return None


@pytest.mark.parametrize("leg", BEFORE)
def test_plan_and_run_refuse_the_same(bench: Bench, leg: str) -> None:
    document = bench.move(BEFORE[leg])["document"]
    host = bench.old if leg != "install" else bench.new
    faults = {
        "document-altered": altered(document),
        "document-invalid": without_facts(bench, leg, document),
    }
    before = host.content()
    for code, odd in faults.items():
        assert code_of(bench, leg, True, odd) == code
        assert host.content() == before, "the plan wrote"
        assert code_of(bench, leg, False, odd) == code


def test_a_plan_that_runs_ahead_takes_no_forged_document(bench: Bench) -> None:
    document = bench.move("release")["document"]
    ahead = Bench(bench.folder / "ahead")
    try:
        backup = ahead.run("backup")["backup"]

        shown = {"backup": ServerBackup.from_document(backup)}
        assert ahead.run("install", True, **shown)["changed"] is True
        with pytest.raises(Problem, match="does not carry a valid signature"):
            ahead.run("install", True, document=altered(document), **shown)
    finally:
        ahead.close()
