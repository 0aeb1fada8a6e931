# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves over the API: who may confirm, what is refused, and that codes are nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import Courier
from seatkeeper_agent.domain.server_move_legs import move_id
from seatkeeper_twins.lab.lab import Lab

from .asking import Asker, asking
from .contract import Contract
from .server_move_routes import (
    BACKUP,
    CODES,
    LICENSES,
    MOVE_SEEDS,
    NAME,
    NEW,
    OLD,
    PROFILE,
    attest,
    body,
    codes,
    leg_path,
    move,
)

CODE = next(iter(CODES.values()))
ADVICE = "it works for 7 days"
COMMAND_SECONDS_MAX = 120


@pytest.fixture(scope="module")
def servers() -> Iterator[Lab]:
    """Two hosts."""
    with Lab.create(MOVE_SEEDS) as lab:
        yield lab


@pytest.fixture
def source(servers: Lab, contract: Contract) -> Iterator[Asker]:
    """The one with the licenses."""
    with asking(servers[OLD], contract) as asker:
        yield asker


def test_what_does_not_fit_is_refused(source: Asker) -> None:
    wrong = body("another", licenses=LICENSES)
    assert source.problem("POST", leg_path("backup"), json=wrong)["code"] == "request-invalid"
    assert source.problem("GET", f"/v1/moves/{move_id('never')}")["status"] == 404
    assert source.problem("GET", "/v1/servers/chaos/backup")["code"] == "vendor-unknown"
    sent = body(codes=[{"license": "15.90.10.1", "code": [CODE]}])
    problem = source.problem("POST", leg_path("install"), json=sent)
    assert CODE not in str(problem)
    backup = {"licenses": [{**LICENSES[0], "profiles": ["Client"]}]}
    assert source.problem("PUT", BACKUP, json=backup)["code"] == "backup-contradicted"
    absent = {"license": "15.90.10.1", "state": "absent"}
    assert source.problem("PUT", f"{PROFILE}/Client", json=absent)["code"] == "capability-refused"
    unseen = source.ask("PUT", f"{PROFILE}/Nobody", json=absent)
    assert unseen.json()["changed"] is False
    taken = {"license": "15.90.10.1"}
    assert source.problem("PUT", f"{PROFILE}/Client", json=taken)["code"] == "capability-refused"


def test_an_activation_code_is_used_and_is_nowhere(contract: Contract) -> None:
    with Lab.create(MOVE_SEEDS) as lab:
        with asking(lab[OLD], contract) as old, asking(lab[NEW], contract) as new:
            requested = body(licenses=LICENSES)
            backup = old.ask("POST", leg_path("backup"), json=requested).json()["backup"]
            texts = [refused_text(new, body(codes=codes(), backup=backup))]
            texts.append(refused_text(new, body(codes=[{**each, "extra": 1} for each in codes()])))
            old.ask("DELETE", f"/v1/moves/{move_id(NAME)}")
            move(old, new, LICENSES)
            shown = ("/v1/audit?limit=1000", "/v1/operations", "/v1/moves", "/", "/metrics")
            texts += [asker.ask("GET", path).text for asker in (old, new) for path in shown]
            assert not any(code in text for text in texts for code in CODES.values())
            assert new.get(f"/v1/moves/{move_id(NAME)}")["state"] == "arrived"
        assert files_with_codes(lab) == []


def test_a_license_that_is_active_nowhere_is_named_on_page_and_command_line(
    contract: Contract,
) -> None:
    with (
        Lab.create(MOVE_SEEDS) as lab,
        asking(lab[OLD], contract) as old,
        asking(lab[NEW], contract) as new,
    ):
        assert ADVICE not in old.ask("GET", "/").text
        release(old, new)
        page = old.ask("GET", "/").text
        agent = (sys.executable, "-m", "seatkeeper_agent", "--config", lab[OLD].settings_path)
        reported = subprocess.run(
            [*agent, "status"],
            capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=True,
        ).stdout  # fmt: skip
        for number in CODES:
            # What the target has made of it is not known here.
            assert f'{number} <span class="bad">maybe active nowhere</span>' in page
            assert f"license     {number} MAYBE ACTIVE NOWHERE since" in reported
        assert ADVICE in page
        assert 'data-of="Since"' in page, "a narrow screen has no heads"
        assert ADVICE in reported


def test_each_record_says_what_comes_next(contract: Contract) -> None:
    with (
        Lab.create(MOVE_SEEDS) as lab,
        asking(lab[OLD], contract) as old,
        asking(lab[NEW], contract) as new,
    ):
        release(old, new)
        following = {
            old: {"leg": "finish", "awaits": "arrived", "gives": None},
            new: {"leg": "install", "awaits": "released", "gives": "arrived"},
        }
        for asker, expected in following.items():
            assert asker.get(f"/v1/moves/{move_id(NAME)}")["next"] == expected
            (seen,) = asker.get("/v2/look")["products"]["aimms"]["server_move"]["seen"]
            assert seen["next"] == expected
        new.ask("DELETE", f"/v1/moves/{move_id(NAME)}")
        # Declared again, it takes what left before it gave up.
        given_up = new.get(f"/v1/moves/{move_id(NAME)}")
        assert given_up["state"] == "void"
        assert given_up["next"] == {"leg": "prepare", "awaits": "backup", "gives": "prepared"}
        declared = body(licenses=LICENSES)
        ended = carried({OLD: (old, declared), NEW: (new, {**declared, "codes": CODES})})
        states = {name: result["present"]["state"] for name, result in ended.items()}
        assert states == {OLD: "finishing", NEW: "arrived"}


def release(old: Asker, new: Asker) -> None:
    """Up to where the licenses have left."""
    backup = old.ask("POST", leg_path("backup"), json=body(licenses=LICENSES)).json()["backup"]
    prepared = new.ask("POST", leg_path("prepare"), json=body(backup=backup)).json()["document"]
    requested = body(document=prepared)
    plan = old.ask("POST", f"{leg_path('release')}?dry_run=true", json=requested).json()["plan"]
    requested["plan_digest"] = plan["digest"]
    answer = old.ask("POST", leg_path("release"), json=requested).json()
    assert answer["after"] == {"state": "released"}


def refused_text(asker: Asker, sent: Any) -> str:
    """What an installation is answered that comes too early or does not fit."""
    answer = asker.ask("POST", leg_path("install"), json=sent)
    assert answer.is_error
    return answer.text


def files_with_codes(lab: Lab) -> list[str]:
    """Files of the agents that hold one; the vendor's service knows them, of course."""
    files = [path for host in lab for path in host.state_folder.rglob("*") if path.is_file()]
    files += [host.folder / "agent.log" for host in lab]
    return [str(path) for path in files if holds_code(path)]


def holds_code(path: Path) -> bool:
    """Whether one of the codes is in it."""
    content = path.read_bytes()
    return any(code.encode() in content for code in CODES.values())


def asked(asker: Asker, declared: dict[str, Any], documents: Any, dry_run: bool) -> dict[str, Any]:
    """What a host answers when the move is declared to it."""
    entry = {"kind": "server_move", "id": move_id(NAME), "declared": declared}
    sent = {"dry_run": dry_run, "declarations": [entry], "documents": documents}
    answer = asker.ask("PUT", "/v2/state", json=sent)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def carried(
    hosts: dict[str, tuple[Asker, dict[str, Any]]], dry_run: bool = False
) -> dict[str, dict[str, Any]]:
    """Declare it to both hosts and carry what they give; the last result of each."""
    courier, last = Courier(), {}
    due: dict[str, Any] = {name: [] for name in hosts}
    while due:
        for name, documents in due.items():
            asker, declared = hosts[name]
            answer = asked(asker, declared, documents, dry_run)
            (last[name],) = answer["results"]
            courier.take(name, answer)
        due = courier.deliveries()
        for name in due:
            courier.brought(due, name)
    return last


def test_a_move_is_declared_to_both_hosts_and_carried(contract: Contract) -> None:
    declared = body(licenses=LICENSES)
    with (
        Lab.create(MOVE_SEEDS) as lab,
        asking(lab[OLD], contract) as old,
        asking(lab[NEW], contract) as new,
    ):
        hosts = {OLD: (old, declared), NEW: (new, {**declared, "codes": CODES})}
        planned = carried(hosts, dry_run=True)
        assert {name: result["outcome"] for name, result in planned.items()} == {
            OLD: "would_change",
            NEW: "would_change",
        }
        assert old.get("/v1/moves")["moves"] == new.get("/v1/moves")["moves"] == []
        unconfirmed = carried(hosts)
        assert unconfirmed[OLD]["problem"]["code"] == "confirmation-required"
        assert unconfirmed[NEW]["waits_for"] == {"agent": OLD, "document": "released"}
        # Both hosts have made ready by now, which is part of what is confirmed.
        plan = carried(hosts, dry_run=True)[OLD]
        assert plan["confirmation_required"]
        hosts[OLD] = (old, {**declared, "plan_digest": plan["digest"]})
        done = carried(hosts)
        assert done[NEW]["present"]["state"] == "arrived"
        assert done[OLD]["waits_for"]["step"] == "repoint"
        assert not any(code in json.dumps(done) for code in CODES.values())
        attest(old, "repoint")
        again = carried(hosts)
        assert {name: result["outcome"] for name, result in again.items()} == {
            OLD: "same",
            NEW: "same",
        }
        assert again[OLD]["present"]["state"] == "finished"


def test_a_backup_of_another_form_is_refused_in_a_sentence(source: Asker) -> None:
    brought = {"declaration": move_id(NAME), "kind": "backup", "facts": {"vendor": 1}}
    (result,) = asked(source, body(licenses=LICENSES), [brought], True)["results"]
    assert (result["outcome"], result["problem"]["code"]) == ("failed", "request-invalid")
