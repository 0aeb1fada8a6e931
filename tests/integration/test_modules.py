# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module: check, do, check again, do again; and every refusal is one sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import (
    UnixSocketTransport,
)
from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab, LabHost

from .runs import (
    AGENT_COMMAND,
    CHAOS_INVENTORY,
    PASSWORD,
    ROOT,
    holdings,
    journals,
    module,
    play,
)

# On a busy machine.
pytestmark = pytest.mark.timeout(3600)

ENDS = {
    "source": "old-server",
    "source_container": "130-1000000001",
    "target": "new-server",
    "target_container": "130-2000000002",
}
MOVE = {
    "name": "move",
    "item": "6000010:201",
    "type": "licenses",
    "quantity": 10,
    **ENDS,
}
NEXT_WEEK = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"
BORROW = {"name": "fair", "item": "6000010:204", "seats": 2, "until": NEXT_WEEK, **ENDS}
LEGS = {
    "request": "new-server",
    "issue": "old-server",
    "install": "new-server",
    "confirm": "old-server",
    "acknowledge": "new-server",
}


def quartet(lab: Lab, folder: Path, name: str, host: str, /, **options: Any) -> dict[str, Any]:
    """Check, do, check again, do again; gives what doing it returned."""
    journals_before = journals(lab)
    checked = module(lab, folder, name, host, check=True, **options)
    assert checked["changed"] is True, checked
    assert journals(lab) == journals_before
    done = module(lab, folder, name, host, **options)
    assert done["changed"] is True, done
    for compared in ("before", "after", "diff"):
        assert checked.get(compared) == done.get(compared)
    for check in (True, False):
        again = module(lab, folder, name, host, check=check, **options)
        assert again["changed"] is False, again
        assert again["diff"]["before"] == again["diff"]["after"]
        if "document" in done:
            assert again["document"] == done["document"]
    return done


def test_settings_and_dongle_service_of_a_server(whole_lab: Lab, tmp_path: Path) -> None:
    for service in ("enabled", "disabled"):
        options = {"vendor": "chaos", "dongle_service": service}
        quartet(whole_lab, tmp_path, "license_server", "render-server", **options)
    for level in ("debug", "info"):
        settings = {"diagnostics": {"level": level}}
        options = {"vendor": "chaos", "settings": settings, "version_min": "4.5.0"}
        done = quartet(whole_lab, tmp_path, "license_server", "render-server", **options)
        assert done["server"]["settings"]["diagnostics"]["level"] == level
    too_new = {"vendor": "chaos", "version_min": "99.0"}
    reported = module(whole_lab, tmp_path, "license_server", "render-server", **too_new)
    assert reported["problem"]["code"] == "version-too-old"


def test_an_activation_by_account_and_its_end(whole_lab: Lab, tmp_path: Path) -> None:
    account = {"account": "admin@studio-a.example", "password": PASSWORD}
    for options in ({"state": "deactivated"}, account):
        done = quartet(whole_lab, tmp_path, "online_activation", "render-server", **options)
        assert done["activation"]["activated"] is ("account" in options)


def test_an_activation_by_files_and_its_end(whole_lab: Lab, tmp_path: Path) -> None:
    lab, name, host = whole_lab, "offline_activation", "island-server"
    request, answer = tmp_path / "cert.csr", tmp_path / "cert.crt"
    wanted = {"state": "requested", "request_path": str(request)}
    requested = quartet_by_state(lab, tmp_path, name, host, **wanted)
    answered = {"answer_path": str(answer), "request_digest": requested["digest"]}
    waiting = module(lab, tmp_path, name, host, **answered)
    assert (waiting["changed"], len(waiting["waiting"])) == (False, 1)
    foreign = {"answer": "Zm9yZWlnbg==", "request_digest": "0" * 64}
    assert module(lab, tmp_path, name, host, **foreign)["problem"]["code"] == "answer-foreign"
    user = ("admin@studio-a.example", PASSWORD)
    content = people.answer_request(lab.cloud.address, *user, request.read_bytes(), "island")
    answer.write_bytes(content)
    quartet(lab, tmp_path, name, host, **answered)
    assert module(lab, tmp_path, name, host, **wanted)["request"] is None
    quartet(lab, tmp_path, name, host, state="deactivated")
    assert module(lab, tmp_path, name, host, **answered)["problem"]["code"] == "answer-used"


def quartet_by_state(
    lab: Lab, folder: Path, name: str, host: str, /, **options: Any
) -> dict[str, Any]:
    """As quartet, for what is not known before it is done: the digest of a new request."""
    assert module(lab, folder, name, host, check=True, **options)["changed"] is True
    done = module(lab, folder, name, host, **options)
    assert done["changed"] is True
    for check in (True, False):
        again = module(lab, folder, name, host, check=check, **options)
        assert (again["changed"], again["request"]) == (False, done["request"])
    return done


def test_dongles_are_listed_with_their_rules(whole_lab: Lab, tmp_path: Path) -> None:
    lab = whole_lab
    plain = module(lab, tmp_path, "dongle_info", "render-server")
    assert [dongle["id"] for dongle in plain["dongles"]] == ["90000001", "90000004"]
    assert plain["source"] == "recording"
    options = {"eligibility": True, "target_user": "artist@studio-a.example"}
    for isolate, verdict in ((False, "refused"), (True, "open")):
        reported = module(lab, tmp_path, "dongle_info", "render-server", isolate=isolate, **options)
        assert [dongle["eligibility"]["verdict"] for dongle in reported["dongles"]] == [verdict] * 2
    assert module(lab, tmp_path, "dongle_info", "old-server")["dongles"] == []


def test_what_is_not_there_is_read_as_such(whole_lab: Lab, tmp_path: Path) -> None:
    gather = ["servers", "dongles", "migrations", "waiting"]
    for host, vendor in (("old-server", "codemeter"), ("render-server", "chaos")):
        read = module(whole_lab, tmp_path, "license_info", host, gather=gather)
        assert (read["migrations"], read["waiting"]) == ([], [])
        # Of a product that is not there nobody hears.
        (server,) = read["servers"]
        assert (server["vendor"], server["running"]) == (vendor, True)


def test_every_leg_of_a_transfer(whole_lab: Lab, tmp_path: Path) -> None:
    document = None
    for leg, host in LEGS.items():
        options = {**MOVE, "leg": leg, "document": document}
        document = quartet(whole_lab, tmp_path, "license_transfer", host, **options)["document"]
    assert holdings(whole_lab)["new-server"]["6000010:201"] == (10, 0)


def test_a_transfer_is_given_up(whole_lab: Lab, tmp_path: Path) -> None:
    wanted, name = {**MOVE, "name": "given up", "leg": "request"}, "license_transfer"
    assert module(whole_lab, tmp_path, name, "new-server", **wanted)["changed"]
    quartet(whole_lab, tmp_path, name, "new-server", name="given up", state="absent")


def test_a_borrow_is_declared_and_given_back(whole_lab: Lab, tmp_path: Path) -> None:
    lab, options = whole_lab, {"check": False, **BORROW}
    first = module(lab, tmp_path, "license_borrow", "new-server", **{**options, "check": True})
    done = module(lab, tmp_path, "license_borrow", "new-server", **options)
    assert first["changed"] is done["changed"] is True
    assert first["transfers"] == done["transfers"]
    assert [transfer["name"] for transfer in done["transfers"]] == ["fair/lot-1", "fair/lot-2"]
    assert done["diff"]["after"]["seats"] == 2
    for transfer in done["transfers"]:
        carry(lab, tmp_path, transfer)
    for check in (True, False):
        again = module(lab, tmp_path, "license_borrow", "new-server", **{**options, "check": check})
        assert again["changed"] is False
        assert again["transfers"] == []
    gone = {**BORROW, "state": "absent"}
    returned = module(lab, tmp_path, "license_borrow", "new-server", **gone)
    assert {transfer["mode"] for transfer in returned["transfers"]} == {"return"}
    for transfer in returned["transfers"]:
        carry(lab, tmp_path, transfer)
    assert module(lab, tmp_path, "license_borrow", "new-server", **gone)["changed"] is False
    assert holdings(lab)["old-server"]["6000010:204"] == (5, 0)


def carry(lab: Lab, folder: Path, transfer: dict[str, Any]) -> None:
    """All legs of a transfer that a borrow brought about."""
    members = ("name", "item", "type", "mode", "quantity", "until", "parent")
    options = {member: transfer[member] for member in members}
    for side in ("source", "target"):
        options[side] = transfer[side]["agent"]
        options[f"{side}_container"] = transfer[side]["container"]
    document = None
    for leg in LEGS:
        end = "source" if leg in ("issue", "confirm") else "target"
        result = module(
            lab,
            folder,
            "license_transfer",
            transfer[end]["agent"],
            transfer_id=transfer["id"],
            leg=leg,
            document=document,
            **options,
        )
        assert "msg" not in result, result["msg"]
        document = result["document"]


def test_information_is_read_and_never_changed(whole_lab: Lab, tmp_path: Path) -> None:
    lab = whole_lab
    gather = [
        "agent",
        "containers",
        "license_items",
        "history",
        "operations",
        "transfers",
        "borrows",
    ]
    for check in (True, False):
        read = module(lab, tmp_path, "license_info", "old-server", check=check, gather=gather)
        assert read["changed"] is False
        assert set(gather) <= set(read)
    assert read["agent"]["agent"]["name"] == "old-server"
    codes = [item["item"].partition("@")[0] for item in read["license_items"]]
    assert codes == ["6000010:201", "6000010:202", "6000010:203", "6000010:204"]
    one = module(lab, tmp_path, "license_info", "old-server", item="6000010:202")
    assert [item["product_code"] for item in one["license_items"]] == [202]


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"quantity": 26}, "not-enough", "6000010:201"),
        ({"type": "units"}, "type-not-offered-by-item", "units"),
        ({"item": "6000010:299"}, "item-unknown", "6000010:299"),
        ({"item": "5000010:201"}, "firm-code-not-universal", "5000010:201"),
        ({"item": "nonsense"}, "request-invalid", "must be firm code and product code"),
        ({"quantity": None}, "amount-invalid", "licenses"),
        ({"source_container": "130-7"}, "container-unknown", "130-7"),
        ({"source": "third-server"}, "wrong-host", "third-server"),
        (
            {
                "item": "6000010:204",
                "mode": "pull",
                "type": "borrow_local",
                "quantity": None,
                "until": "2099-01-01",
            },
            "pull-not-allowed",
            "6000010:204",
        ),
        (
            {
                "item": "6000010:204",
                "type": "borrow_local",
                "quantity": None,
                "until": "2020-01-01",
            },
            "period-in-the-past",
            "2020",
        ),
        ({"update_counter": 999}, "update-counter-stale", "999"),
    ],
)
def test_a_refusal_is_one_sentence_and_nothing_is_touched(
    whole_lab: Lab, tmp_path: Path, change: dict[str, Any], code: str, named: str
) -> None:
    lab, held = whole_lab, holdings(whole_lab)
    options = {**MOVE, "name": f"refused {change}", **change}
    reported = module(lab, tmp_path, "license_transfer", "new-server", **options, leg="request")
    if "problem" not in reported:
        options["document"] = reported["document"]
        reported = module(lab, tmp_path, "license_transfer", "old-server", **options, leg="issue")
    assert reported["failed"]
    assert reported["problem"]["code"] == code, reported
    assert named in reported["msg"]
    assert "\n" not in reported["msg"]
    assert holdings(lab) == held


def test_an_altered_document_is_refused(whole_lab: Lab, tmp_path: Path) -> None:
    lab, name, options = whole_lab, "license_transfer", {**MOVE, "name": "altered"}
    document = module(lab, tmp_path, name, "new-server", **options, leg="request")["document"]
    document["signatures"][0]["sig"] = "AAAA" + document["signatures"][0]["sig"][4:]
    altered = {**options, "leg": "issue", "document": document}
    refused = module(lab, tmp_path, name, "old-server", **altered)
    assert refused["problem"]["code"] == "document-altered"


# Whatever waits for a person is ended before the next part, and the last example takes the
# activation away that others need.
EXAMPLES = (
    ("license_info", "license_transfer", "license_borrow"),
    ("license_server", "license_client", "dongle_info", "dongle_migrate"),
    ("offline_activation", "online_activation"),
)
# What the examples leave to whoever runs them.
VALUES = {
    "last_day_of_the_fair": NEXT_WEEK,
    "dongle_of_studio_a": "90000001",
    "dongle_that_stays": "90000004",
    "vault_chaos_password": PASSWORD,
}


def say_that_nobody_did(host: LabHost) -> None:
    """End what the examples of a module have begun and a person should have gone on with."""
    agent = AgentClient(UnixSocketTransport(str(host.socket_path)), 60)
    for wait in agent.get("/v1/waiting")["waiting"]:
        word = {"statement": "Nobody worked on the page.", "outcome": "not_done"}
        agent.change("POST", path_of("operations", wait["operation"], "attest"), word, False)


@pytest.mark.slow
def test_the_examples_run(fresh_whole_lab: Lab, tmp_path: Path) -> None:
    lab, playbook = fresh_whole_lab, tmp_path / "examples.yml"
    variables = {**VALUES, "stick": str(tmp_path), "client_folder": str(tmp_path)}
    start = {"name": "Examples", "hosts": "new-server", "gather_facts": False}
    for part in EXAMPLES:
        tasks = [task for name in part for task in examples(lab, name)]
        playbook.write_text(yaml.safe_dump([{**start, "tasks": tasks}]), encoding="utf-8")
        for arguments in (["--check"], []):
            inventories = ("-i", str(CHAOS_INVENTORY), *arguments)
            ran = play(lab, tmp_path, playbook, *inventories, variables=variables)
            assert ran.recap["new-server"]["ok"] == len(tasks), ran.output
            warnings = re.findall(r"\[(?:WARNING|DEPRECATION).*", ran.output)
            assert all(": Waiting for a person: " in warning for warning in warnings), warnings
        say_that_nobody_did(lab["render-server"])
    assert holdings(lab)["new-server"]["6000010:201"] == (10, 0)


def examples(lab: Lab, name: str) -> list[dict[str, Any]]:
    """The examples of a module, as tasks on the hosts of a lab."""
    text = (ROOT / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")
    tasks: list[dict[str, Any]] = yaml.safe_load(text.split('EXAMPLES = r"""')[1].split('"""')[0])
    for task in tasks:
        action = f"seatkeeper.licensing.{name}"
        if name != "license_client":
            socket = str(lab[task["delegate_to"]].socket_path)
            way = {"agent_socket": socket, "agent_command": str(AGENT_COMMAND)}
            task[action] = {**(task[action] or {}), **way}
    return tasks
