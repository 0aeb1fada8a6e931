# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders: one that is refused beside one that is not, mails after a kill, tasks that wait.

How an order goes through everybody's hands, and is mailed once, is shown by ``make demo``.
"""

from __future__ import annotations

import json
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from seatkeeper_agent.client import through
from seatkeeper_twins.altigen import people
from seatkeeper_twins.lab.lab import Lab, LabHost
from seatkeeper_twins.parts import control

from .runs import AGENT_COMMAND, ROOT, Run, journals, module, play
from .tap import PERSON_SECONDS_MAX, wait_for, waited
from .traces import files_with, holds

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(900)

INVENTORY = ROOT / "playbooks" / "inventories" / "altigen"
ORDER = ROOT / "playbooks" / "order_licenses.yml"
REPORT = ROOT / "playbooks" / "license_report.yml"
HOST = "office-server"
OLD, NEW = "0012-3456-7890", "0012-9999-0001"
KEYS = ("LK10-AAAA-0001", "LK10-AAAA-0002")
SLOW_MILLISECONDS = 600_000


@pytest.fixture
def lab() -> Iterator[Lab]:
    """One host that orders are placed from, with the vendor's desk behind its mail server."""
    with Lab.create({HOST: {"altigen": {}}}) as started:
        yield started


@pytest.fixture
def by_hand() -> Iterator[Lab]:
    """The same without a mail server."""
    with Lab.create({HOST: {"altigen": {"mailed": False}}}) as started:
        yield started


def entry(**values: Any) -> dict[str, Any]:
    """The order of the example inventory."""
    return {
        "host": HOST,
        "name": "front-desk",
        "source": "front-desk-old",
        "target": "front-desk-new",
        "keys": [{"key": key, "product": "ALTI-STATION-10"} for key in KEYS],
        **values,
    }


def branch(**values: Any) -> dict[str, Any]:
    """Another one, to a software-only system, without the cost centre that it needs."""
    rule = {
        "id": "cost_centre",
        "kind": "field_required",
        "field": "cost_centre",
        "required": "the order names a cost centre",
        "advice": "Give the field cost_centre.",
    }
    keys = [{"key": "LK10-BRANCH-01", "product": "ALTI-STATION-10"}]
    changed = {"name": "branch", "target": "branch", "keys": keys, "rules": [rule]}
    return entry(**{**changed, **values})


def run(lab: Lab, folder: Path, playbook: Path, *orders: Any, check: bool = False) -> Run:
    """One run with these orders, or with those of the inventory."""
    variables = {"license_orders": list(orders)} if orders else {}
    arguments = ("--check", "--diff") if check else ()
    return play(lab, folder, playbook, *arguments, variables=variables, inventory=INVENTORY)


def confirmations(shown: Run) -> dict[str, str]:
    """What check mode shows to be put into the inventory."""
    found = {what: row["digest"] for what, row in shown.rows.items() if row["digest"]}
    for what, digest in found.items():
        assert f"This confirms {what}:\n  plan_digest: {digest}\n" in shown.output
    return found


def waiting(host: LabHost) -> list[dict[str, Any]]:
    """What the agent shows to be waited for."""
    found: list[dict[str, Any]] = host.client.get("/v1/waiting")["waiting"]
    return found


def attest(host: LabHost, operation: str) -> None:
    """A person's word that a step is done."""
    said = {"statement": "Seen on the screen.", "outcome": "done"}
    transport = through(host.socket_path)
    with httpx.Client(transport=transport, timeout=PERSON_SECONDS_MAX) as client:
        path = f"/v1/operations/{operation}/attest"
        client.post(f"http://localhost{path}", json=said).raise_for_status()


def test_the_number_of_a_card_leaves_no_trace(by_hand: Lab, tmp_path: Path) -> None:
    """Written into an order's text: told with its place, at -vvv and on every host."""
    card = "4111111111111111"
    given = tmp_path / "given"
    given.mkdir()
    orders = given / "orders.json"
    noted = entry(fields={"remark": f"Please charge {card}."})
    orders.write_text(json.dumps({"license_orders": [noted]}))
    before = journals(by_hand)
    arguments = ("-vvv", "--diff", "-e", f"@{orders}")
    refused = play(by_hand, tmp_path, ORDER, *arguments, inventory=INVENTORY)
    assert refused.code != 0
    reported = "license_orders[0].fields of front-desk may hold the number of a payment card"
    assert reported in refused.output
    assert not holds(refused.output, [card])
    mine = [entry for entry in tmp_path.iterdir() if entry.is_dir() and entry != given]
    assert files_with([by_hand.folder, *mine], [card]) == []
    assert journals(by_hand) == before


def test_a_refused_order_does_not_keep_another_back(by_hand: Lab, tmp_path: Path) -> None:
    lab = by_hand
    refused, journals_before = branch(), journals(by_hand)
    planned = run(lab, tmp_path, ORDER, refused, entry(), check=True)
    assert planned.recap[HOST]["failed"] == 1
    shown = re.sub(" +", " ", planned.output)
    assert "not met cost_centre" in shown
    assert "met software_only_documents" in shown
    assert "Give the field cost_centre." in shown
    assert set(confirmations(planned)) == {"order front-desk"}
    assert journals(lab) == journals_before
    papers = tmp_path / "papers"
    order = entry(
        plan_digest=confirmations(planned)["order front-desk"],
        case_number="CAS-7",
        documents_dir=str(papers),
    )
    begun = run(lab, tmp_path, ORDER, refused, order)
    assert begun.recap[HOST]["failed"] == 1
    assert "The order 'branch' breaks rules" in begun.rows["order branch"]["why"]
    assert "Traceback" not in begun.output
    waits = f"{HOST}: Waiting for a person: sending the papers to the vendor"
    assert begun.output.count(waits) == 1
    names = {"license-transfer-form.html", "credit-card-authorization.html", "cover-mail.eml"}
    assert {path.name.partition(".")[2] for path in papers.iterdir()} == names
    assert {stat.S_IMODE(path.stat().st_mode) for path in papers.iterdir()} == {0o600}
    (placed,) = lab[HOST].client.get("/v1/orders")["orders"]
    assert (placed["name"], placed["state"]) == ("front-desk", "waiting")

    journals_before = journals(lab)
    report = run(lab, tmp_path, REPORT).ended_well()
    assert report.changed == 0
    assert journals(lab) == journals_before
    assert re.search(
        r"front-desk +front-desk-old to front-desk-new +2 +CAS-7 +waiting +person", report.output
    )
    assert "Waiting for a person: sending the papers to the vendor" in report.output


def options(**values: Any) -> dict[str, Any]:
    """The module's options for the order."""
    systems = {
        "source": {"name": "old", "system_key": OLD, "owner": "A", "chassis": "Max1000"},
        "target": {
            "name": "new",
            "system_key": NEW,
            "owner": "A",
            "chassis": "Max2000",
            "registered": True,
            "assurance_until": "2030-06-30",
            "stations": 25,
        },
    }
    keys = [{"key": key, "product": "ALTI-STATION-10"} for key in KEYS]
    return {"name": "by-module", "keys": keys, **systems, **values}


def test_a_killed_agent_does_not_send_its_mail_twice(lab: Lab, tmp_path: Path) -> None:
    host, desk = lab[HOST], lab[HOST].altigen.address
    planned = module(lab, tmp_path, "license_order", HOST, check=True, **options())
    case = people.open_case(desk, NEW)
    said = options(plan_digest=planned["digest"], case_number=case)
    control.set_fault(desk, "mail.after", "slow", SLOW_MILLISECONDS)
    results: list[dict[str, Any]] = []
    running = threading.Thread(
        target=lambda: results.append(
            module(lab, tmp_path, "license_order", HOST, timeout=PERSON_SECONDS_MAX, **said)
        ),
        daemon=True,
    )
    running.start()
    wait_for(lambda: control.describe(desk)["mails"])
    host.agent.kill()
    control.clear_faults(desk)
    host.agent.start()
    running.join(PERSON_SECONDS_MAX)
    (reported,) = results
    assert reported["failed"]
    assert reported["problem"]["code"] == "in-doubt"
    for _run in range(2):
        again = module(lab, tmp_path, "license_order", HOST, **said)
        assert again["problem"]["code"] == "in-doubt"
    assert len(control.describe(desk)["mails"]) == 1
    (placed,) = host.client.get("/v1/orders")["orders"]
    attest(host, placed["operation"]["id"])
    done = module(lab, tmp_path, "license_order", HOST, **said)
    assert [wait["step"] for wait in done["waiting"]] == ["authorize"]
    assert len(control.describe(desk)["mails"]) == 1


def test_a_task_waits_for_people_as_long_as_it_may(by_hand: Lab, tmp_path: Path) -> None:
    lab, host = by_hand, by_hand[HOST]
    planned = module(lab, tmp_path, "license_order", HOST, check=True, **options())
    said = options(plan_digest=planned["digest"], case_number="CAS-1")
    module(lab, tmp_path, "license_order", HOST, **said)

    def everybody() -> None:
        for step in ("send", "move", "register_old", "register_new"):
            (wait,) = waiting(host)
            assert wait["step"] == step
            attest(host, wait["operation"])

    done = waited(lab, tmp_path, "license_order", HOST, everybody, **said)
    assert (done["changed"], done["waiting"]) == (True, [])
    assert done["after"] == {"state": "done"}


@pytest.mark.slow
def test_the_examples_run(lab: Lab, tmp_path: Path) -> None:
    text = (ROOT / "plugins" / "modules" / "license_order.py").read_text(encoding="utf-8")
    examples = yaml.safe_load(text.split('EXAMPLES = r"""')[1].split('"""')[0])
    for task in examples:
        assert task["delegate_to"] == HOST
        options = task["seatkeeper.licensing.license_order"]
        options["agent_socket"] = str(lab[HOST].socket_path)
        options["agent_command"] = str(AGENT_COMMAND)
    playbook = tmp_path / "examples.yml"
    start = {"name": "Examples", "hosts": HOST, "gather_facts": False}
    playbook.write_text(yaml.safe_dump([{**start, "tasks": examples}]), encoding="utf-8")
    variables = {"folder_of_papers": str(tmp_path)}
    for arguments in (["--check"], []):
        ran = play(lab, tmp_path, playbook, *arguments, variables=variables, inventory=INVENTORY)
        assert ran.recap[HOST]["ok"] == len(examples), ran.output
        warnings = re.findall(r"\[(?:WARNING|DEPRECATION).*", ran.output)
        assert all(": Waiting for a person: " in warning for warning in warnings), warnings
    papers = tmp_path / "branch-to-headquarters"
    assert list(papers.glob("branch-to-headquarters-*.license-transfer-form.html"))
