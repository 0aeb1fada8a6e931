# SPDX-License-Identifier: GPL-3.0-or-later
"""Chaos servers by playbook where people have a part: files, borrowed seats, pages of dongles.

What goes on with nobody there, and a second run of everything, is shown by ``make demo``.
"""

from __future__ import annotations

import re
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.chaos import people
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.parts import control

from .runs import CHAOS_INVENTORY, PASSWORD, ROOT, Run, journals, module, play, say_who_activated
from .tap import PERSON_SECONDS_MAX, wait_for, waited

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ACTIVATE = ROOT / "playbooks" / "activate_licenses.yml"
MIGRATE = ROOT / "playbooks" / "migrate_dongles.yml"
MIGRATE_ALL = ROOT / "playbooks" / "migrate_licenses.yml"
REPORT = ROOT / "playbooks" / "license_report.yml"
ONLINE, OFFLINE = "render-server", "island-server"
ADMIN, ARTIST = "admin@studio-a.example", "artist@studio-a.example"
FIRST, SECOND, THIRD = "90000003", "90000004", "90000001"
HELD = {
    FIRST: [
        {"product": "V-Ray", "version": "2.5", "perpetual": False, "seats": {"interface": 2}},
        {
            "product": "Phoenix",
            "version": "3.1",
            "perpetual": True,
            "seats": {"interface": 1, "network": 2},
        },
    ],
    SECOND: [{"product": "V-Ray", "version": "5.2", "perpetual": True, "seats": {"render": 20}}],
}
CONFIRMED = re.compile(
    r"This confirms dongle migration (\d+):\n +plan_digest: (\S+)\n +acknowledge_irreversible: (.*)"
)
HOOK = """
import sys
from pathlib import Path
from seatkeeper_twins.chaos import people
cloud, user, password, request, answer = sys.argv[1:]
content = Path(request).read_bytes()
Path(answer).write_bytes(people.answer_request(cloud, user, password, content, "island"))
"""


@pytest.fixture
def servers() -> Iterator[Lab]:
    """Two servers that nobody has activated."""
    with Lab.create({ONLINE: {"chaos": {}}, OFFLINE: {"chaos": {"profile": "5.5"}}}) as lab:
        yield lab


@pytest.fixture
def dongles() -> Iterator[Lab]:
    """An activated server with two dongles and a driver that is too old."""
    server = {"activated_as": ADMIN, "wibukey_version": "5.20"}
    ports = [{"port": "1-1.1", "serial": FIRST}, {"port": "1-1.2", "serial": SECOND}]
    with Lab.create({ONLINE: {"chaos": {"server": server, "dongles": ports}}}) as lab:
        say_who_activated(lab[ONLINE], ADMIN)
        yield lab


def run(lab: Lab, folder: Path, playbook: Path, *arguments: str, **variables: Any) -> Run:
    """One run with the inventory for Chaos, on the hosts that the lab has."""
    given = {"license_activation_exchange_dir": str(folder / "exchange")}
    hosts = ("--limit", ",".join(lab.hosts))
    return play(
        lab,
        folder,
        playbook,
        *hosts,
        *arguments,
        variables=given | variables,
        inventory=CHAOS_INVENTORY,
    )


def waiting(lab: Lab) -> list[dict[str, Any]]:
    """What the first server waits for."""
    return list(lab[ONLINE].client.get("/v1/waiting")["waiting"])


# Activation and borrowed seats ---------------------------------------------------------


def test_servers_are_activated_and_lend_seats_as_people_do_their_parts(
    servers: Lab, tmp_path: Path
) -> None:
    _a_wrong_password_is_one_sentence_and_the_other_server_asks(servers, tmp_path)
    _a_command_answers_the_request_and_seats_wait_for_a_person(servers, tmp_path)
    people.borrow(servers[ONLINE].chaos.address, Phoenix=2)
    # Nobody asks the agent meanwhile: it sees by itself what the person did.
    wait_for(lambda: not waiting(servers))
    assert offline_products(servers) == ["Phoenix"]
    _seats_are_returned_while_the_run_waits(servers, tmp_path)


def _a_wrong_password_is_one_sentence_and_the_other_server_asks(lab: Lab, folder: Path) -> None:
    wrong = {"host": ONLINE, "method": "online", "account": ADMIN, "password": "wrong"}
    offline = {"host": OFFLINE, "method": "offline"}
    failed = run(lab, folder, ACTIVATE, license_activations=[wrong, offline])
    assert (failed.recap[ONLINE]["failed"], failed.recap[OFFLINE]["failed"]) == (1, 0)
    assert failed.rows_at(ONLINE)["activation"]["outcome"] == "failed"
    assert failed.rows_at(OFFLINE)["offline activation"]["outcome"] == "waits"
    assert "Correct the account or its password." in failed.output
    assert "Traceback" not in failed.output
    waits = f"{OFFLINE}: Waiting for a person: having its activation request answered"
    assert failed.output.count(waits) == 1
    assert "Upload" in failed.output
    assert activation(lab, ONLINE) == activation(lab, OFFLINE) == (False, None, None)
    (request,) = (folder / "exchange").iterdir()
    assert request.name.startswith(f"{OFFLINE}-")
    assert request.suffix == ".csr"
    assert stat.S_IMODE(request.stat().st_mode) == 0o600


def _a_command_answers_the_request_and_seats_wait_for_a_person(lab: Lab, folder: Path) -> None:
    hook = folder / "hook.py"
    hook.write_text(HOOK, encoding="utf-8")
    command = [sys.executable, str(hook), lab.cloud.address, ADMIN, PASSWORD]
    begun = run(
        lab,
        folder,
        ACTIVATE,
        license_activation_exchange_command=command,
        demo_borrowed_seats=2,
    )
    assert begun.code == 0, begun.output
    assert activation(lab, ONLINE) == (True, "online", ADMIN)
    assert activation(lab, OFFLINE) == (True, "offline", None)
    (awaited,) = waiting(lab)
    report = run(lab, folder, REPORT)
    assert (report.code, report.changed) == (0, 0), report.output
    assert f"online, {ADMIN}" in report.output
    for shown in (begun.output, report.output):
        assert "Waiting for a person" in shown
        assert awaited["instructions"][0] in shown


def _seats_are_returned_while_the_run_waits(lab: Lab, folder: Path) -> None:
    server = lab[ONLINE].chaos.address

    def returns() -> None:
        wait_for(lambda: waiting(lab))
        people.release(server, "Phoenix")

    # Only this run declares the return, so nobody is asked for it before the run waits.
    person = threading.Thread(target=returns, daemon=True)
    person.start()
    patient = {"license_state_wait_timeout": PERSON_SECONDS_MAX}
    returned = run(lab, folder, ACTIVATE, **patient).ended_well()
    assert returned.recap[ONLINE]["changed"] == 1
    assert returned.recap[OFFLINE]["changed"] == 0
    assert (waiting(lab), offline_products(lab)) == ([], [])


def activation(lab: Lab, host: str) -> tuple[bool, str | None, str | None]:
    """Whether, how and for whom the agent sees a server activated."""
    reported = lab[host].client.get("/v1/servers/chaos/activation")
    return reported["activated"], reported["method"], reported["account"]


def offline_products(lab: Lab) -> list[str]:
    """What the server has borrowed."""
    return list(lab[ONLINE].client.get("/v1/servers/chaos")["offline_products"])


# Dongles -------------------------------------------------------------------------------


def test_dongles_are_refused_with_every_rule_then_moved_by_a_person(
    dongles: Lab, tmp_path: Path
) -> None:
    lab, server = dongles, dongles[ONLINE].chaos
    _an_old_driver_is_refused_with_every_rule(lab, tmp_path)
    control.set_values(server.address, wibukey_version="6.40")
    confirmed = _nothing_is_done_before_it_is_confirmed(lab, tmp_path)
    _the_first_waits_for_a_person_and_keeps_the_second(lab, tmp_path, confirmed)
    _who_plugs_a_dongle_in_meanwhile_is_noted(lab)
    confirmed = _what_was_stopped_is_confirmed_anew(lab, tmp_path, confirmed)
    _a_task_that_saw_the_person_has_changed_something(lab, tmp_path, confirmed[FIRST])
    _the_second_is_moved_while_the_run_waits(lab, tmp_path, confirmed)
    _the_service_that_the_vendor_switched_off_stays_off(lab, tmp_path)


def entries(confirmed: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Both dongles as an inventory declares them, with what confirms each."""
    return {
        "license_dongle_migrations": [
            {"host": ONLINE, **_dongle(serial), **confirmed.get(serial, {})}
            for serial in (FIRST, SECOND)
        ]
    }


def _dongle(serial: str) -> dict[str, Any]:
    return {
        "dongle": serial,
        "target_user": ARTIST,
        "isolate": True,
        "licenses": HELD[serial],
    }


def _an_old_driver_is_refused_with_every_rule(lab: Lab, folder: Path) -> None:
    refused = run(lab, folder, MIGRATE, **entries({}))
    assert (refused.recap[ONLINE]["failed"], refused.changed) == (1, 0)
    assert "not met  wibukey_driver" in refused.output
    assert "Update the WibuKey driver" in refused.output
    assert "unknown  same_company" in refused.output


def _nothing_is_done_before_it_is_confirmed(lab: Lab, folder: Path) -> dict[str, dict[str, str]]:
    journals_before = journals(lab)
    planned = run(lab, folder, MIGRATE, "--check", **entries({})).ended_well()
    assert journals(lab) == journals_before
    unconfirmed = module(lab, folder, "dongle_migrate", ONLINE, **_dongle(FIRST))
    assert "cannot be undone, and the confirmation given is missing" in unconfirmed["msg"]
    confirmed = {
        serial: {"plan_digest": digest, "acknowledge_irreversible": sentence}
        for serial, digest, sentence in CONFIRMED.findall(planned.output)
    }
    assert set(confirmed) == {FIRST, SECOND}
    return confirmed


def _the_first_waits_for_a_person_and_keeps_the_second(
    lab: Lab, folder: Path, confirmed: dict[str, dict[str, str]]
) -> None:
    begun = run(lab, folder, MIGRATE_ALL, **entries(confirmed))
    assert begun.code == 0, begun.output
    assert (begun.recap[ONLINE]["failed"], begun.recap[ONLINE]["changed"]) == (0, 1)
    waits = f"{ONLINE}: Waiting for a person: migrating the licenses of dongle {FIRST}"
    assert begun.output.count(waits) == 1
    assert [(known["dongle"]["id"], known["state"]) for known in records(lab)] == [
        (FIRST, "waiting")
    ]
    assert "Choose TRANSFER" in begun.output


def _who_plugs_a_dongle_in_meanwhile_is_noted(lab: Lab) -> None:
    def noted(words: str) -> bool:
        (known,) = records(lab)
        return any(words in note["text"] for note in known["notes"])

    server = lab[ONLINE].chaos
    server.plug("1-1.3", THIRD)
    wait_for(lambda: noted("plugged in"))
    server.unplug("1-1.3")
    wait_for(lambda: noted("was unplugged"))


def _what_was_stopped_is_confirmed_anew(
    lab: Lab, folder: Path, confirmed: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    (awaited,) = waiting(lab)
    assert awaited["instructions"][0].startswith("Stop, and do not click TRANSFER >>: beside")
    stopped = run(lab, folder, MIGRATE, **entries(confirmed))
    assert (stopped.recap[ONLINE]["failed"], stopped.changed) == (1, 0)
    assert "Stop, click nothing more on the server's page: beside the dongle" in stopped.output
    planned = module(lab, folder, "dongle_migrate", ONLINE, check=True, **_dongle(FIRST))
    assert planned["acknowledgement"].endswith("nobody has begun its migration so far.")
    anew = {
        "plan_digest": planned["digest"],
        "acknowledge_irreversible": planned["acknowledgement"],
    }
    return {**confirmed, FIRST: anew}


def _a_task_that_saw_the_person_has_changed_something(
    lab: Lab, folder: Path, confirmed: dict[str, str]
) -> None:
    options: dict[str, Any] = {
        **_dongle(FIRST),
        "plan_digest": confirmed["plan_digest"],
        "acknowledge_irreversible": confirmed["acknowledge_irreversible"],
    }
    name = "dongle_migrate"
    reported = waited(lab, folder, name, ONLINE, lambda: works_on_the_page(lab), **options)
    assert (reported["changed"], reported["waiting"]) == (True, [])
    assert [(known["state"], known["comparison"]) for known in records(lab)] == [
        ("done", "matches")
    ]
    for check in (True, False):
        assert module(lab, folder, name, ONLINE, check=check, **options)["changed"] is False


def _the_second_is_moved_while_the_run_waits(
    lab: Lab, folder: Path, confirmed: dict[str, dict[str, str]]
) -> None:
    def person() -> None:
        wait_for(lambda: any(SECOND in wait["title"] for wait in waiting(lab)))
        works_on_the_page(lab)

    # A run that does not wait would end with the dongle waiting.
    working = threading.Thread(target=person, daemon=True)
    working.start()
    patient = {"license_state_wait_timeout": PERSON_SECONDS_MAX}
    moved = run(lab, folder, MIGRATE, **patient, **entries(confirmed))
    assert moved.code == 0, moved.output
    assert {known["dongle"]["id"]: known["state"] for known in records(lab)} == {
        FIRST: "done",
        SECOND: "done",
    }
    plugged = lab[ONLINE].client.get("/v1/dongles")["dongles"]
    assert [(each["authorized"], each["migrated"]) for each in plugged] == [(True, True)] * 2


def _the_service_that_the_vendor_switched_off_stays_off(lab: Lab, folder: Path) -> None:
    options = {"vendor": "chaos", "dongle_service": "enabled"}
    reported = module(lab, folder, "license_server", ONLINE, **options)
    assert reported["changed"] is False
    assert reported["notes"][0] in str(reported["warnings"])
    assert "switched the dongle service off after a migration" in reported["notes"][0]


def records(lab: Lab) -> list[dict[str, Any]]:
    """The migrations that the agent knows."""
    return list(lab[ONLINE].client.get("/v1/migrations")["migrations"])


def works_on_the_page(lab: Lab) -> None:
    """What the instructions tell a person to do, who clicks CLOSE once it is there."""
    server = lab[ONLINE].chaos.address
    people.transfer(server, ARTIST)
    wait_for(lambda: closes(server))


def closes(server: str) -> bool:
    """Whether the page showed CLOSE, and the person clicked it."""
    try:
        people.close_transfer(server)
    except control.TwinRefused:
        return False
    return True
