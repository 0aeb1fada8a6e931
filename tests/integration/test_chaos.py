# SPDX-License-Identifier: GPL-3.0-or-later
"""Chaos servers by playbook: set up, activated by files and online, dongles moved for good."""

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

from .runs import CHAOS_INVENTORY, PASSWORD, ROOT, Run, journals, module, play
from .tap import PERSON_SECONDS_MAX, wait_for, waited

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(900)

ACTIVATE = ROOT / "playbooks" / "activate_licenses.yml"
MIGRATE = ROOT / "playbooks" / "migrate_dongles.yml"
MIGRATE_ALL = ROOT / "playbooks" / "migrate_licenses.yml"
REPORT = ROOT / "playbooks" / "license_report.yml"
ADMIN, ARTIST = "admin@studio-a.example", "artist@studio-a.example"
CONFIRMED = re.compile(r"(\d{8})  ([0-9a-f]{64})  ([^\"]+)\"")
HOOK = """
import sys
from pathlib import Path
from seatkeeper_twins.chaos import people
cloud, user, password, request, answer = sys.argv[1:]
content = Path(request).read_bytes()
Path(answer).write_bytes(people.answer_request(cloud, user, password, content, "island"))
"""


def seeds(*dongles: str, **server: Any) -> dict[str, Any]:
    """Two hosts: one with the dongles of these serial numbers, one without internet."""
    ports = [{"port": f"1-1.{n}", "serial": serial} for n, serial in enumerate(dongles, start=1)]
    return {
        "render-server": {"chaos": {"server": server, "dongles": ports}},
        "island-server": {"chaos": {"profile": "5.5"}},
    }


@pytest.fixture
def servers() -> Iterator[Lab]:
    """Two servers that nobody has activated."""
    with Lab.create(seeds()) as lab:
        yield lab


@pytest.fixture
def dongles() -> Iterator[Lab]:
    """An activated server with two dongles and a driver that is too old."""
    seed = seeds("90000001", "90000004", activated_as=ADMIN, wibukey_version="5.20")
    with Lab.create(seed) as lab:
        yield lab


def run(lab: Lab, folder: Path, playbook: Path, *arguments: str, **variables: Any) -> Run:
    """One run with the inventory for Chaos."""
    given = {"license_activation_exchange_dir": str(folder / "exchange")}
    given["license_activation_request_path"] = f"{folder}/{{{{ inventory_hostname }}}}.csr"
    return play(
        lab, folder, playbook, *arguments, variables=given | variables, inventory=CHAOS_INVENTORY
    )


@pytest.mark.slow
def test_servers_are_set_up_and_activated_online_and_by_files(servers: Lab, tmp_path: Path) -> None:
    journals_before = journals(servers)
    planned = run(servers, tmp_path, ACTIVATE, "--check", "--diff").ended_well()
    assert journals(servers) == journals_before
    assert '+    "account": "admin@studio-a.example"' in planned.output

    first = run(servers, tmp_path, ACTIVATE)
    assert first.code == 0, first.output
    assert "[WARNING]: Waiting for a person: there is no answer to the request" in first.output
    assert activation(servers, "render-server") == (True, "online", ADMIN)
    assert activation(servers, "island-server") == (False, None, None)
    assert "Upload" in first.output
    (request,) = (tmp_path / "exchange").iterdir()
    kept = tmp_path / "island-server.csr"
    assert request.read_bytes() == kept.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    again = run(servers, tmp_path, ACTIVATE)
    assert (again.code, again.changed) == (0, 0)
    hook = tmp_path / "hook.py"
    hook.write_text(HOOK, encoding="utf-8")
    command = [sys.executable, str(hook), servers.cloud.address, ADMIN, PASSWORD]
    run(servers, tmp_path, ACTIVATE, license_activation_exchange_command=command).ended_well()
    assert activation(servers, "island-server") == (True, "offline", None)

    for arguments in (("--check",), ()):
        done = run(servers, tmp_path, ACTIVATE, *arguments).ended_well()
        assert done.changed == 0
    nothing = run(servers, tmp_path, MIGRATE_ALL, **declared()).ended_well()
    assert nothing.changed == 0
    report = run(servers, tmp_path, REPORT).ended_well()
    assert report.changed == 0
    assert f"online, {ADMIN}" in report.output


def activation(lab: Lab, host: str) -> tuple[bool, str | None, str | None]:
    """Whether, how and for whom the agent sees a server activated."""
    told = lab[host].client.get("/v1/servers/chaos/activation")
    return told["activated"], told["method"], told["account"]


@pytest.mark.slow
def test_a_wrong_password_is_one_sentence_and_the_other_server_goes_on(
    servers: Lab, tmp_path: Path
) -> None:
    wrong = {"agent": "render-server", "method": "online", "account": ADMIN, "password": "wrong"}
    offline = {"agent": "island-server", "method": "offline"}
    failed = run(servers, tmp_path, ACTIVATE, license_activations=[wrong, offline])
    assert failed.recap["render-server"]["failed"] == 1
    assert failed.recap["island-server"]["failed"] == 0
    assert '"code": "credentials-refused"' in failed.output
    assert "Correct the account or its password." in failed.output
    assert "Traceback" not in failed.output


def declared(*serials: str, **confirmed: tuple[str, str]) -> dict[str, Any]:
    """The dongles as an inventory declares them, with what confirms each."""
    entries = []
    for serial in serials:
        entry = {"dongle": serial, "target_user": ARTIST, "isolate": True}
        if f"d{serial}" in confirmed:
            entry["confirm"], entry["acknowledge"] = confirmed[f"d{serial}"]
        entries.append({"agent": "render-server", **entry})
    return {"license_dongle_migrations": entries}


def confirmations(shown: Run) -> dict[str, tuple[str, str]]:
    """What check mode shows to be put into the inventory."""
    return {
        f"d{serial}": (digest, words) for serial, digest, words in CONFIRMED.findall(shown.output)
    }


def test_a_dongle_is_refused_with_every_rule_then_moved_by_a_person(
    dongles: Lab, tmp_path: Path
) -> None:
    lab, server = dongles, dongles["render-server"].chaos
    for arguments in (("--check",), ()):
        refused = run(lab, tmp_path, MIGRATE, *arguments, **declared("90000001"))
        assert refused.recap["render-server"]["failed"] == 1
        assert "not met  wibukey_driver" in refused.output
        assert "Update the WibuKey driver" in refused.output
        assert "unknown  same_company" in refused.output
    control.set_values(server.address, wibukey_version="6.40")

    journals_before = journals(lab)
    planned = run(lab, tmp_path, MIGRATE, "--check", **declared("90000001")).ended_well()
    assert journals(lab) == journals_before
    unconfirmed = run(lab, tmp_path, MIGRATE, **declared("90000001"))
    assert "cannot be undone, and the confirmation given is missing" in unconfirmed.output

    confirmed = declared("90000001", **confirmations(planned))
    begun = run(lab, tmp_path, MIGRATE, **confirmed)
    assert begun.code == 0, begun.output
    assert "[WARNING]: Waiting for a person: migrating the licenses" in begun.output
    assert begun.recap["render-server"]["changed"] == 1
    still = run(lab, tmp_path, REPORT)
    assert "Choose TRANSFER" in still.output

    # A task that was told to wait, and sees the person do it, has changed something.
    (entry,) = confirmed["license_dongle_migrations"]
    options: dict[str, Any] = {
        "dongle": "90000001",
        "target_user": ARTIST,
        "isolate": True,
        "confirmation": entry["confirm"],
        "acknowledge_irreversible": entry["acknowledge"],
    }
    told = waited(
        lab,
        tmp_path,
        "dongle_migrate",
        "render-server",
        lambda: works_on_the_page(server.address),
        **options,
    )
    assert (told["changed"], told["waiting"]) == (True, [])
    (known,) = lab["render-server"].client.get("/v1/migrations")["migrations"]
    assert (known["state"], known["comparison"]) == ("done", "not_declared")
    done = run(lab, tmp_path, MIGRATE, **confirmed).ended_well()
    assert done.changed == 0
    # The vendor has switched the dongle service off; declaring it on does not fight that.
    server.unplug("1-1.2")
    options = {"vendor": "chaos", "dongle_service": "enabled"}
    told = module(lab, tmp_path, "license_server", "render-server", **options)
    assert told["changed"] is False
    assert told["notes"][0] in str(told["warnings"])
    assert "switched the dongle service off after a migration" in told["notes"][0]


def works_on_the_page(server: str) -> None:
    """What the instructions tell a person to do, who clicks CLOSE once it is there."""
    people.transfer(server, ARTIST)
    wait_for(lambda: closes(server))


def closes(server: str) -> bool:
    """Whether the page showed CLOSE, and the person clicked it."""
    try:
        people.close_transfer(server)
    except control.TwinRefused:
        return False
    return True


@pytest.mark.slow
def test_several_dongles_are_moved_one_after_the_other(dongles: Lab, tmp_path: Path) -> None:
    lab, server = dongles, dongles["render-server"].chaos
    control.set_values(server.address, wibukey_version="6.40")
    both = ("90000001", "90000004")
    planned = run(lab, tmp_path, MIGRATE, "--check", **declared(*both)).ended_well()
    told = confirmations(planned)
    assert set(told) == {f"d{serial}" for serial in both}
    begun = run(lab, tmp_path, MIGRATE, **declared(*both, **told))
    assert begun.code == 0, begun.output
    (known,) = lab["render-server"].client.get("/v1/migrations")["migrations"]
    assert known["dongle"]["id"] == "90000001"
    assert known["state"] == "waiting"

    # The second dongle is asked for by a run that waits; one that does not ends before it.
    person = threading.Thread(target=works_through, args=(lab, server.address, both), daemon=True)
    person.start()
    patient = run(
        lab,
        tmp_path,
        MIGRATE,
        dongle_migration_person_timeout=PERSON_SECONDS_MAX,
        **declared(*both, **told),
    )
    assert patient.code == 0, patient.output
    person.join(PERSON_SECONDS_MAX)
    found = lab["render-server"].client.get("/v1/migrations")["migrations"]
    assert {known["dongle"]["id"]: known["state"] for known in found} == dict.fromkeys(both, "done")
    plugged = lab["render-server"].client.get("/v1/dongles")["dongles"]
    assert all(dongle["authorized"] and dongle["migrated"] for dongle in plugged)
    assert run(lab, tmp_path, MIGRATE, **declared(*both, **told)).ended_well().changed == 0


def works_through(lab: Lab, server: str, serials: tuple[str, ...]) -> None:
    """A person who does each dongle when the agent asks for it."""
    for serial in serials:
        wait_for(lambda asked=serial: asks_for(lab, asked))
        works_on_the_page(server)


def asks_for(lab: Lab, serial: str) -> bool:
    """Whether the agent waits for a person to work on this dongle."""
    waits = lab["render-server"].client.get("/v1/waiting")["waiting"]
    return any(serial in wait["title"] for wait in waits)


@pytest.mark.slow
def test_seats_are_borrowed_and_returned_by_a_person(dongles: Lab, tmp_path: Path) -> None:
    lab, server = dongles, dongles["render-server"].chaos
    nothing: dict[str, Any] = {"license_activations": [], "license_servers": []}
    for seats, works in ((2, borrows), (0, returns)):
        variables = {**nothing, "demo_borrowed_seats": seats}
        planned = run(lab, tmp_path, ACTIVATE, "--check", **variables).ended_well()
        begun = run(lab, tmp_path, ACTIVATE, **variables)
        assert planned.changed == begun.changed == 1
        assert "Waiting for a person" in begun.output
        works(server.address)
        variables["license_borrow_person_timeout"] = PERSON_SECONDS_MAX
        run(lab, tmp_path, ACTIVATE, **variables).ended_well()
        assert run(lab, tmp_path, ACTIVATE, **variables).ended_well().changed == 0
        shown = lab["render-server"].client.get("/v1/servers/chaos")
        assert shown["offline_products"] == (["Phoenix"] if seats else [])


def borrows(server: str) -> None:
    """Phoenix, two interface seats."""
    people.borrow(server, Phoenix=2)


def returns(server: str) -> None:
    """All of Phoenix."""
    people.release(server, "Phoenix")
