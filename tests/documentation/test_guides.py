# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides name every problem that a user can meet, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    COLLECTION_CODES,
)
from seatkeeper_agent.domain import problems, transfers

ROOT = Path(__file__).resolve().parents[2]


def test_every_problem_is_explained_once() -> None:
    known = {code.value for code in problems.ProblemCode} | set(COLLECTION_CODES)
    text = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z-]+)` \|", text, flags=re.MULTILINE)
    assert sorted(explained) == sorted(known)


def test_what_to_do_is_told_of_every_problem() -> None:
    text = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|([^|]+)\|([^|]+)\| (?:yes|no) \|$", text, re.MULTILINE)
    explained = re.findall(r"^\| `([a-z-]+)` \|", text, flags=re.MULTILINE)
    assert [code for code, _meaning, _advice in rows] == explained, "a row has four cells"
    for code, meaning, advice in rows:
        for cell in (meaning, advice):
            assert re.fullmatch(r" [A-Z`].+\. ", cell), f"{code}: not a whole sentence: {cell}"


def test_what_holds_a_container_has_its_recovery_step_by_step() -> None:
    text = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### `([a-z-]+)`$", text, flags=re.MULTILINE)
    assert set(sections) <= {code.value for code in problems.ProblemCode}
    assert len(sections) == len(set(sections))
    holding = {
        problems.ProblemCode.IN_DOUBT,
        problems.ProblemCode.SNAPSHOT_ROLLED_BACK,
        problems.ProblemCode.UPDATE_NOT_REPEATABLE,
        problems.ProblemCode.CREDIT_BACK_NOT_DOCUMENTED,
        problems.ProblemCode.CONTAINER_BUSY,
    }
    assert {code.value for code in holding} <= set(sections)


def test_whether_running_again_helps_is_what_the_agent_says() -> None:
    text = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    reported = dict(re.findall(r"^\| `([a-z-]+)` \|.*\| (yes|no) \|$", text, flags=re.MULTILINE))
    for code in problems.ProblemCode:
        retryable = problems.Problem(code, "", "").retryable
        assert reported[code.value] == ("yes" if retryable else "no"), code


def test_the_tables_of_states_are_those_of_the_agent() -> None:
    text = (ROOT / "docs" / "transfers.md").read_text(encoding="utf-8")
    _, source, target = re.split(r"^At the (?:source|target):$", text, flags=re.MULTILINE)
    for side, part in (("source", source), ("target", target.split("Beside")[0])):
        rows = re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", part, flags=re.MULTILINE)
        reported = {state: set(re.findall(r"`(\w+)`", following)) for state, following in rows}
        table = transfers.TRANSITIONS[transfers.Side(side)]
        known = {
            state.value: {following.value for following in after}
            for state, after in table.items()
            if state is not transfers.State.NONE
        }
        assert {state: after for state, after in reported.items() if after} == known


def test_every_link_of_a_guide_leads_somewhere() -> None:
    guides = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")]
    for guide in guides:
        for link in re.findall(r"\]\(([^)#:]+)\)", guide.read_text(encoding="utf-8")):
            assert (guide.parent / link).exists(), f"{guide.name}: {link}"


def test_the_readme_names_all_that_the_collection_has() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text))
    modules = {path.stem for path in ROOT.glob("plugins/modules/[a-z]*.py")}
    roles = {path.name for path in ROOT.glob("roles/*") if path.is_dir()}
    playbooks = {path.stem for path in ROOT.glob("playbooks/*.yml")}
    assert modules, "none was found"
    assert (modules | roles | playbooks) - named == set()
