# SPDX-License-Identifier: GPL-3.0-or-later
"""One playbook for a fleet of all vendors: its drift told, made true, and left alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import pytest

from seatkeeper_agent.client import through
from seatkeeper_twins.aimms import people as aimms_people
from seatkeeper_twins.altigen import people as altigen_people
from seatkeeper_twins.chaos import people as chaos_people
from seatkeeper_twins.lab.lab import Lab, LabHost
from seatkeeper_twins.parts import control

from .runs import PASSWORD, ROOT, Run, holdings, journals, killed_at, module, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SITE = ROOT / "playbooks" / "site.yml"
INVENTORY = ROOT / "playbooks" / "inventories" / "fleet"
ADMIN = "admin@studio-a.example"
NAMES = ("PROServer", "PROSession", "Client")
PROFILES = {"15.90.10.1": ["ProLicense"], "15.90.10.2": ["Server"], "15.90.10.3": ["Client"]}
MOVED = {"6000010:201": (10, 0), "6000010:202": (5, 0), "6000010:204": (2, 0)}


def seeds(*hosts: str) -> dict[str, Any]:
    """What the hosts of the fleet begin with; all of them if none is named."""
    found: dict[str, Any] = {}
    for name in ("seed.json", "chaos_seed.json"):
        found |= json.loads((resources.files("seatkeeper_twins.demo") / name).read_text())
    found["render-server"]["chaos"]["server"] = {"wibukey_version": "6.40"}
    found["office-server"] = {"altigen": {}}
    files = {"license_files": list(PROFILES)}
    found["old-aimms"] = {"aimms": {"machine": {"licenses": PROFILES, **files}}}
    found["new-aimms"] = {"aimms": {"machine": files}}
    return {name: seed for name, seed in found.items() if not hosts or name in hosts}


@pytest.fixture
def fleet() -> Iterator[Lab]:
    """Every host of the example, with its products."""
    with Lab.create(seeds()) as lab:
        yield lab


@pytest.fixture
def moving() -> Iterator[Lab]:
    """Those with CodeMeter, and the one that orders."""
    with Lab.create(seeds("old-server", "new-server", "office-server")) as lab:
        yield lab


def site(lab: Lab, folder: Path, *arguments: str, **variables: Any) -> Run:
    """One run over the hosts that the lab has."""
    given: dict[str, Any] = {"license_activation_exchange_dir": str(folder / "exchange")}
    hosts = ("--limit", ",".join(lab.hosts))
    return play(
        lab, folder, SITE, *hosts, *arguments, variables=given | variables, inventory=INVENTORY
    )


def outcomes(run: Run, host: str) -> dict[str, str]:
    """How what concerns a host ended, but for what is as it was declared."""
    return {
        what: row["outcome"] for what, row in run.rows_at(host).items() if row["outcome"] != "same"
    }


def order(**values: Any) -> dict[str, Any]:
    """The order of the example inventory, as variables."""
    entry = {
        "host": "office-server",
        "name": "front-desk",
        "source": "front-desk-old",
        "target": "front-desk-new",
        "keys": [{"key": "LK10-AAAA-0001", "product": "ALTI-STATION-10"}],
        **values,
    }
    return {"license_orders": [entry]}


def server_move(**values: Any) -> dict[str, Any]:
    """The move of the example inventory, as variables."""
    numbered = enumerate(zip(NAMES, PROFILES.items(), strict=True), start=1)
    licenses = [
        {
            "number": number,
            "name": name,
            "profiles": profiles,
            "code": f"TWIN{n}-AAAAA-BBBBB-CCCCC-DDDDD",
        }
        for n, (name, (number, profiles)) in numbered
    ]
    entry = {
        "name": "planning",
        "source": "old-aimms",
        "target": "new-aimms",
        "target_host": "new-aimms.planning.example",
        "licenses": licenses,
        **values,
    }
    return {"license_server_moves": [entry]}


def attest(host: LabHost) -> None:
    """A person's word on the one step that waits."""
    (wait,) = host.client.get("/v1/waiting")["waiting"]
    said = {"statement": "Seen on the screen.", "outcome": "done"}
    transport = through(host.socket_path)
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=30) as client:
        path = f"/v1/operations/{wait['operation']}/attest"
        client.post(path, json=said).raise_for_status()


def test_a_fleet_is_told_made_true_and_left_alone(fleet: Lab, tmp_path: Path) -> None:
    nothing: dict[str, Any] = {"license_dongle_migrations": []}
    journals_before, held = journals(fleet), holdings(fleet)
    planned = site(fleet, tmp_path, "--check", **nothing).ended_well()
    assert (journals(fleet), holdings(fleet)) == (journals_before, held)
    meshing = planned.rows["transfer meshing"]
    assert meshing["hosts"] == "old-server to new-server"
    assert meshing["declared"] == "complete of 6000010:202"
    assert (meshing["present"], meshing["outcome"]) == ("not begun", "would change")
    assert outcomes(planned, "render-server") == {
        "activation": "would change", "server borrow on-location": "would change",
    }  # fmt: skip
    assert outcomes(planned, "island-server") == {"offline activation": "would change"}
    assert outcomes(planned, "office-server") == {"order front-desk": "would change"}
    assert outcomes(planned, "old-aimms") == {"server move planning": "would change"}
    assert waiting_steps(planned) == []

    plan_digest = planned.rows["order front-desk"]["digest"]
    released = planned.rows["server move planning"]["digest"]
    moved = server_move(plan_digest=released)
    declared = nothing | moved | order(plan_digest=plan_digest)
    begun = site(fleet, tmp_path, **declared)
    assert begun.code == 0, begun.output
    assert holdings(fleet)["new-server"] == MOVED
    waiting = ["island-server", "office-server", "old-aimms", "render-server"]
    assert waiting_steps(begun) == waiting
    machine = control.describe(fleet["new-aimms"].aimms.address)["machine"]
    assert set(aimms_people.holders(fleet.aimms_vendor.address).values()) == {machine}
    assert re.search(r"say so on old-aimms: seatkeeper-agent attest \S+ done", begun.output)
    again = site(fleet, tmp_path, **declared)
    assert (again.code, again.changed) == (0, 0), again.output
    assert waiting_steps(again) == waiting_steps(begun)
    assert outcomes(again, "old-server") == outcomes(again, "new-server") == {}
    waits = again.rows["order front-desk"]
    assert (waits["outcome"], waits["who"]) == ("waits", "person: opening a support case")

    people_and_vendors(fleet, tmp_path)
    attest(fleet["old-aimms"])
    declared = nothing | moved | order(plan_digest=plan_digest, case_number="CAS-100001")
    done = site(fleet, tmp_path, **declared)
    assert done.code == 0, done.output
    assert fleet["island-server"].client.get("/v1/servers/chaos/activation")["activated"]
    assert waiting_steps(done) == ["office-server"]
    last = site(fleet, tmp_path, **declared)
    assert (last.code, last.changed) == (0, 0), last.output
    for host in fleet.hosts.keys() - {"office-server"}:
        assert outcomes(last, host) == {}, last.output

    changed = {"vendor": "chaos", "settings": {"diagnostics": {"level": "debug"}}}
    module(fleet, tmp_path, "license_server", "render-server", **changed)
    found = site(fleet, tmp_path, "--check", **declared)
    assert found.changed == 1
    row = found.rows_at("render-server")["server chaos"]
    assert (row["declared"], row["present"]) == (
        "diagnostics.level info",
        "diagnostics.level debug",
    )
    assert outcomes(found, "render-server") == {"server chaos": "would change"}


def waiting_steps(run: Run) -> list[str]:
    """The hosts whose steps the run lists, each once."""
    return sorted(re.findall(r"^(\S+): Waiting for ", run.output, re.MULTILINE))


def people_and_vendors(fleet: Lab, folder: Path) -> None:
    """What the listed steps ask for."""
    (request,) = (folder / "exchange").glob("*.csr")
    content = chaos_people.answer_request(
        fleet.cloud.address, ADMIN, PASSWORD, request.read_bytes(), "island"
    )
    request.with_suffix(".crt").write_bytes(content)
    chaos_people.borrow(fleet["render-server"].chaos.address, Phoenix=2)
    altigen_people.open_case(fleet["office-server"].altigen.address, "0012-9999-0001")


def test_a_part_or_host_that_fails_keeps_no_other_back(fleet: Lab, tmp_path: Path) -> None:
    fleet["island-server"].agent.stop()
    wrong = {"host": "render-server", "method": "online", "account": ADMIN, "password": "wrong"}
    offline = {"host": "island-server", "method": "offline"}
    failed = site(fleet, tmp_path, license_activations=[wrong, offline])
    failing = {host for host, counts in failed.recap.items() if counts["failed"]}
    # Dongle, order and move lack their confirmations.
    assert failing == {"render-server", "island-server", "office-server", "old-aimms"}
    assert holdings(fleet)["new-server"] == MOVED
    reported = outcomes(failed, "render-server")
    assert reported["activation"] == "failed"
    assert reported["dongle migration 90000001"] == "failed"
    assert outcomes(failed, "island-server") == {
        "host": "not looked at", "server chaos": "not looked at",
        "offline activation": "not looked at",
    }  # fmt: skip
    assert outcomes(failed, "office-server") == {"order front-desk": "failed"}
    for reason in ("Correct the account or its password.", "seatkeeper-agent", "cannot be undone"):
        assert reason in failed.output
    assert "Traceback" not in failed.output


def test_a_server_that_waits_for_a_person_holds_up_what_comes_next(
    fleet: Lab, tmp_path: Path
) -> None:
    only: dict[str, Any] = {"license_transfers": [], "license_borrows": [], "license_orders": []}
    planned = site(fleet, tmp_path, "--limit", "render-server", **only)
    assert outcomes(planned, "render-server")["dongle migration 90000001"] == "failed"
    assert waiting_steps(planned) == ["render-server"]
    # What the run would not begin, check mode does not plan: both wait, and neither has failed.
    for arguments in (["--check"], []):
        held = site(fleet, tmp_path, "--limit", "render-server", *arguments, **only)
        assert held.code == 0, held.output
        assert held.recap["render-server"]["failed"] == 0
        assert outcomes(held, "render-server") == {
            "server borrow on-location": "waits", "dongle migration 90000001": "waits",
        }  # fmt: skip


# The first asks, the second asks again with the containers; then request, debit and credit.
@pytest.mark.parametrize("number", [3, 4, 5])
def test_a_killed_playbook_is_carried_on(moving: Lab, tmp_path: Path, number: int) -> None:
    planned = site(moving, tmp_path, "--check")
    declared = order(plan_digest=planned.rows["order front-desk"]["digest"])
    place = "Ask or tell each host what is declared of it]"
    hosts = ("--limit", ",".join(moving.hosts))
    killed_at(moving, tmp_path, SITE, place, declared, INVENTORY, *hosts, times=number)
    done = site(moving, tmp_path, **declared)
    assert done.code == 0, done.output
    assert holdings(moving)["new-server"] == MOVED
    (placed,) = moving["office-server"].client.get("/v1/orders")["orders"]
    assert placed["state"] == "waiting"
    again = site(moving, tmp_path, **declared)
    assert (again.code, again.changed) == (0, 0), again.output
