# SPDX-License-Identifier: GPL-3.0-or-later
"""What concerns one host alone is done in the same run, with people and files in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answers.scripts.chaos import CLOUD, DONGLE, HOST, PASSWORD, SEED, TARGET, USER
from answers.scripts.orders import FOR_EVER, KEYS, NEW, OLD
from costs.in_process import InProcess
from costs.lab import products

from seatkeeper_twins.altigen import people as altigen_people
from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

from .running import Run, run

OFFICE, BRANCH = "office-server", "branch-server"
Fleet = tuple[Lab, dict[str, InProcess]]


@pytest.fixture
def render() -> Iterator[Fleet]:
    """A host with a Chaos license server and two dongles, and one that has no such product."""
    with products({HOST: SEED, OFFICE: {"altigen": {}}}, cloud_seed=CLOUD) as made:
        yield made


@pytest.fixture
def offices() -> Iterator[Fleet]:
    """Two hosts that order."""
    with products({OFFICE: {"altigen": {}}, BRANCH: {"altigen": {}}}) as made:
        yield made


def running(fleet: Fleet, variables: dict[str, Any], check: bool = False) -> Run:
    """One run over all hosts of the fleet."""
    _lab, agents = fleet
    return run(
        lambda host, body: dict(agents[host].ask("PUT", "/v2/state", body)),
        variables,
        check,
        list(agents),
    )


def outcome(made: Run, what: str) -> str:
    """How one thing ended, with all reasons where it is not there."""
    assert what in made.outcomes, (made.outcomes, made.whys)
    return made.outcomes[what]


def account(**values: Any) -> dict[str, Any]:
    """One entry of license_activations."""
    return {"method": "online", "account": USER, "password": PASSWORD, **values}


def test_a_server_is_activated_set_up_and_told_the_same_afterwards(render: Fleet) -> None:
    variables = {
        "license_activations": [account()],
        "license_server_configs": [
            {"vendor": "chaos", "settings": {"diagnostics": {"level": "debug"}}}
        ],
    }
    planned = running(render, variables, check=True)
    assert planned.outcomes == {"server chaos": "would change", "activation": "would change"}
    done = running(render, variables)
    assert done.outcomes == {"server chaos": "changed", "activation": "changed"}, done.whys
    (row,) = [row for row in done.rows if row["what"] == "server chaos"]
    assert "diagnostics.level debug" in row["declared"]
    again = running(render, variables)
    # Entries that name no host are for those that have the product: the office is asked once too.
    assert [host for host, _body in again.requests] == [HOST, OFFICE]
    assert again.outcomes == {"server chaos": "same", "activation": "same"}


def test_no_password_stays_between_two_tasks(render: Fleet) -> None:
    done = running(render, {"license_activations": [account()]})
    assert PASSWORD not in repr(done.kept)
    told = [body for host, body in done.requests if host == HOST]
    assert all(PASSWORD in repr(body) for body in told)


def test_a_request_waits_in_a_folder_for_its_answer(render: Fleet, tmp_path: Path) -> None:
    lab, _agents = render
    folder = tmp_path / "exchange"
    variables = {
        "license_activations": [{"host": HOST, "method": "offline"}],
        "license_activation_exchange_dir": str(folder),
    }
    assert outcome(running(render, variables, check=True), "offline activation") == "would change"
    assert not folder.exists()
    waiting = running(render, variables)
    (row,) = [row for row in waiting.rows if row["what"] == "offline activation"]
    (request,) = folder.glob("*.csr")
    assert row["outcome"] == "waits"
    assert any(str(request) in note for note in row["notes"])
    answer = people.answer_request(
        lab.cloud.address, USER, PASSWORD, request.read_bytes(), "station"
    )
    request.with_suffix(".crt").write_bytes(answer)
    assert outcome(running(render, variables, check=True), "offline activation") == "would change"
    assert outcome(running(render, variables), "offline activation") == "changed"
    assert outcome(running(render, variables), "offline activation") == "same"


def test_the_operators_command_answers_in_the_same_run(render: Fleet, tmp_path: Path) -> None:
    command = tmp_path / "fails.sh"
    command.write_text("#!/bin/sh\nexit 3\n")
    command.chmod(0o700)
    variables = {
        "license_activations": [{"host": HOST, "method": "offline"}],
        "license_activation_exchange_dir": str(tmp_path / "exchange"),
        "license_activation_exchange_command": [str(command)],
    }
    failed = running(render, variables)
    assert outcome(failed, "offline activation") == "failed"
    assert "ended with 3" in failed.whys


def test_what_waits_for_a_person_holds_the_next_up_and_is_no_failure(render: Fleet) -> None:
    lab, _agents = render
    soon = {"name": "on-location", "product": "Phoenix", "seats": 1, "until": _in_days(3)}
    variables = {
        "license_activations": [account()],
        "license_server_borrows": [soon, {**soon, "name": "second", "product": "V-Ray"}],
    }
    made = running(render, variables)
    assert outcome(made, "activation") == "changed"
    assert outcome(made, "server borrow on-location") == "waits"
    assert outcome(made, "server borrow second") == "waits"
    people.borrow(lab[HOST].chaos.address, Phoenix=1)
    went_on = running(render, variables)
    # The agent may have seen it before this run asked.
    assert outcome(went_on, "server borrow on-location") in ("changed", "same")
    assert outcome(went_on, "server borrow second") == "waits"
    assert outcome(running(render, variables, check=True), "server borrow second") == "waits"


def test_a_dongle_is_judged_and_never_begun_without_its_confirmation(render: Fleet) -> None:
    held = [{"product": "V-Ray", "version": "3.6", "perpetual": True}]
    entry = {"host": HOST, "dongle": DONGLE, "target_user": TARGET, "licenses": held}
    variables = {
        "license_activations": [account()],
        "license_dongle_migrations": [{**entry, "isolate": True}],
    }
    running(render, {"license_activations": [account()]})
    planned = running(render, variables, check=True)
    what = f"dongle migration {DONGLE}"
    assert outcome(planned, what) == "would change", planned.whys
    (row,) = [row for row in planned.rows if row["what"] == what]
    assert any("acknowledge_irreversible: " in note for note in row["notes"])
    refused = running(render, variables)
    assert outcome(refused, what) == "failed"
    assert "cannot be undone" in refused.whys
    sentence = next(n for n in row["notes"] if "acknowledge_irreversible: " in n).split(": ", 1)[1]
    said = {"plan_digest": row["digest"], "acknowledge_irreversible": sentence}
    confirmed = {**variables, "license_dongle_migrations": [{**entry, "isolate": True, **said}]}
    assert outcome(running(render, confirmed), what) == "waits"


def order(name: str, key: str, host: str = OFFICE, **values: Any) -> dict[str, Any]:
    """One entry of license_orders."""
    keys = [{"key": key, "product": "ALTI-STATION-10"}]
    return {"name": name, "host": host, "source": "old", "target": "new", "keys": keys, **values}


SYSTEMS = [
    {"name": "old", "system_key": OLD, "owner": "Studio A", "chassis": "Max1000"},
    {
        "name": "new",
        "system_key": NEW,
        "owner": "Studio A",
        "chassis": "Max2000",
        "registered": True,
        "assurance_until": FOR_EVER,
        "stations": 25,
    },
]


def test_an_order_is_placed_once_and_its_papers_are_kept(offices: Fleet, tmp_path: Path) -> None:
    lab, _agents = offices
    folder = tmp_path / "papers"
    entry = order("front-desk", KEYS[0], documents_dir=str(folder))
    variables = {"phone_systems": SYSTEMS, "license_orders": [entry]}
    planned = running(offices, variables, check=True)
    (row,) = planned.rows
    assert row["outcome"] == "would change"
    assert outcome(running(offices, variables), "order front-desk") == "failed"
    said = {**variables, "license_orders": [{**entry, "plan_digest": row["digest"]}]}
    assert outcome(running(offices, said), "order front-desk") == "waits"
    assert list(folder.iterdir())
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    case = altigen_people.open_case(lab[OFFICE].altigen.address, NEW)
    with_case = {
        **variables,
        "license_orders": [{**said["license_orders"][0], "case_number": case}],
    }
    assert outcome(running(offices, with_case), "order front-desk") == "waits"


def test_the_same_keys_ordered_from_two_hosts_are_refused(offices: Fleet) -> None:
    first, second = order("first", KEYS[0]), order("second", KEYS[0], BRANCH)
    both = {"phone_systems": SYSTEMS, "license_orders": [first, second]}
    planned = running(offices, both, check=True)
    assert planned.outcomes == {"order first": "would change", "order second": "failed"}
    # What the other host has placed counts although nobody declares it any more.
    (row,) = [row for row in planned.rows if row["what"] == "order first"]
    placed = {**first, "plan_digest": row["digest"]}
    running(offices, {"phone_systems": SYSTEMS, "license_orders": [placed]})
    left = running(offices, {"phone_systems": SYSTEMS, "license_orders": [second]}, check=True)
    assert left.outcomes["order second"] == "failed"


def test_an_activation_is_given_up_after_its_seats_are_back(render: Fleet) -> None:
    lab, _agents = render
    running(render, {"license_activations": [account()]})
    control.set_values(lab[HOST].chaos.address, sessions=[{"product": "V-Ray", "seats": {"2": 1}}])
    given_up = {"license_activations": [account(state="deactivated")]}
    refused = running(render, given_up)
    assert outcome(refused, "deactivation") == "failed"
    planned = running(render, given_up, check=True)
    (row,) = [row for row in planned.rows if row["what"] == "deactivation"]
    assert row["outcome"] == "would change"
    digest = next(n for n in row["notes"] if "plan_digest: " in n).split("plan_digest: ")[1]
    confirmed = {"license_activations": [account(state="deactivated", plan_digest=digest)]}
    assert outcome(running(render, confirmed), "deactivation") == "changed"
    assert outcome(running(render, confirmed), "deactivation") == "same"


def _in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d")
