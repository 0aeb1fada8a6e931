# SPDX-License-Identifier: GPL-3.0-or-later
"""Licenses are called what people call them, beside their numbers: in plans, steps and reports."""

from __future__ import annotations

from dataclasses import replace

from seatkeeper_agent.domain.server_moves import BackedUpLicense, ServerBackup

from .bench import DECLARED, Bench
from .machines import NUMBERS

NAMES = ("PROServer", "PROSession", "Client")
NAMED = tuple(replace(entry, name=name) for entry, name in zip(DECLARED, NAMES, strict=True))
FIRST = f"{NUMBERS[0]} ({NAMES[0]})"


def test_plans_steps_and_reports_name_each_license(bench: Bench) -> None:
    backed_up = bench.leg("backup", licenses=NAMED)
    backup = ServerBackup.from_document(backed_up["backup"])
    assert tuple(entry.name for entry in backup.licenses) == NAMES
    prepared = bench.leg("prepare", backup=backup)["document"]
    plan = bench.run("release", dry_run=True, document=prepared)["plan"]
    titles = [step["title"] for step in plan["steps"]]
    assert f"deactivating license {FIRST}" in titles
    released = bench.leg("release", document=prepared)
    assert [entry["name"] for entry in released["move"]["adrift"]] == list(NAMES)
    assert [entry["name"] for entry in released["move"]["licenses"]] == list(NAMES)
    installed = bench.leg("install", document=released["document"])
    titles = [step["title"] for step in installed["plan"]["steps"]]
    assert f"activating license {FIRST} as machine nodelock" in titles
    assert f"linking profile ProLicense to license {FIRST}" in titles


def test_whoever_looks_or_deactivates_for_a_lost_machine_is_told_the_names(bare: Bench) -> None:
    bare.values = {"source_lost": True}
    bare.leg("prepare", licenses=NAMED)
    titles = [step["title"] for step in bare.run("install", dry_run=True)["plan"]["steps"]]
    everything = ", ".join(entry.label for entry in NAMED)
    assert titles[0] == f"the vendor's support deactivating {everything}"
    assert f"license {FIRST} working here with its profiles" in titles


def test_a_backup_from_before_licenses_had_names_is_read(bench: Bench) -> None:
    document = bench.leg("backup")["backup"]
    for entry in document["licenses"]:
        del entry["name"]
    read = ServerBackup.from_document(document)
    assert {entry.name for entry in read.licenses} == {None}
    assert BackedUpLicense("1.2.3.4", (), False).label == "1.2.3.4"
