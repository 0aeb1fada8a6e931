# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory declares is checked before anything is done, and each mistake has its place."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import inventory_page
import inventory_schema
import pytest

from integration.warm_python import interpreter

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = ROOT / "playbooks"
TRANSFER = {"name": "a", "item": "1:2", "type": "complete", "source": "host-0", "target": "host-1"}
BORROW = {
    "name": "a",
    "item": "1:2",
    "seats": 1,
    "until": "2027-01-31",
    "source": "host-0",
    "target": "host-1",
}
MISTAKES: dict[str, tuple[str, dict[str, t.Any]]] = {
    "transfers[0].quantitiy of a": ("license_transfers", {**TRANSFER, "quantitiy": 1}),
    "borrows[0].unil of a": ("license_borrows", {**BORROW, "unil": "2027-01-31"}),
    "server_configs[0].setings of chaos": (
        "license_server_configs",
        {"vendor": "chaos", "setings": {}},
    ),
    "activations[0].acount": ("license_activations", {"method": "offline", "acount": "a"}),
    "dongle_migrations[0].isolated of 1": (
        "license_dongle_migrations",
        {"dongle": "1", "target_user": "a", "isolated": True},
    ),
    "server_borrows[0].auto_renw of a": (
        "license_server_borrows",
        {"name": "a", "product": "p", "seats": 1, "until": "2027-01-31", "auto_renw": True},
    ),
    "phone_systems[0].station of a": (
        "phone_systems",
        {"name": "a", "system_key": "1", "owner": "o", "chassis": "c", "station": 1},
    ),
    "orders[0].keys[0].quantty of n": (
        "license_orders",
        {
            "host": "host-0",
            "name": "n",
            "source": "s",
            "target": "t",
            "keys": [{"key": "k", "product": "p", "quantty": 1}],
        },
    ),
}
"""By the place that is told: the variable, and the entry that has the mistake."""

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(600)


def ansible(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs in the checkout."""
    return subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=ROOT,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "SEATKEEPER_DEMO": str(folder / "nobody"),
            "SEATKEEPER_DEMO_PASSWORD": "unused",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )


def fatal(printed: str) -> list[str]:
    """What failed, by the message of each host that did."""
    lines = re.findall(r"^fatal: \[\S+\].*$", printed, re.MULTILINE)
    return [json.loads(line.partition("=> ")[2])["msg"] for line in lines]


def test_a_misspelt_variable_is_told_and_nothing_is_done(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    host = {"license_transfer": [TRANSFER], "ansible_connection": "local"}
    host["ansible_python_interpreter"] = interpreter()
    inventory.write_text(json.dumps({"license_servers": {"hosts": {"old": host}}}))
    done = ansible("ansible-playbook", tmp_path, "-i", str(inventory), "playbooks/site.yml")
    assert done.returncode != 0
    reported = "The inventory sets license_transfer, which nothing reads. Did you mean"
    nothing = "Nothing was done on any host."
    assert fatal(done.stdout) == [f"{reported} license_transfers?\n{nothing}"], done.stdout
    assert "There is no socket" not in done.stdout


def test_every_misspelt_key_is_told_with_its_place_and_nothing_is_done(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    hosts = {
        f"host-{number}": {variable: [entry]}
        for number, (variable, entry) in enumerate(MISTAKES.values())
    }
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": interpreter(),
        "seatkeeper_agent_url": f"unix://{tmp_path}/nobody",
    }
    inventory.write_text(json.dumps({"license_servers": {"hosts": hosts, "vars": variables}}))
    done = ansible("ansible-playbook", tmp_path, "-i", str(inventory), "playbooks/site.yml")
    assert done.returncode != 0
    # All mistakes of all hosts at once.
    (message,) = fatal(done.stdout)
    *lines, last = message.splitlines()
    assert len(lines) == len(MISTAKES), message
    for number, (place, (variable, _entry)) in enumerate(MISTAKES.items()):
        (line,) = [line for line in lines if line.startswith(f"On host-{number}: ")]
        said = line.removeprefix(f"On host-{number}: ")
        assert said.startswith(variable), line
        assert f"{place} is an unknown key. Did you mean " in said, line
    assert last == "Nothing was done on any host."
    assert "Did you mean quantity? There are key, product, quantity." in message
    assert "Traceback" not in done.stdout
    assert "There is no socket" not in done.stdout


def test_the_example_with_every_vendor_declares_what_the_roles_know(tmp_path: Path) -> None:
    """The others are small parts of it, and run whole in tests/integration."""
    inventory = str(PLAYBOOKS / "inventories" / "fleet")
    playbooks = map(str, sorted(PLAYBOOKS.glob("*.yml")))
    syntax = ansible("ansible-playbook", tmp_path, "-i", inventory, "--syntax-check", *playbooks)
    assert syntax.returncode == 0, syntax.stdout
    # No agent is there, which is found out once everything that is declared was checked.
    arguments = ("--check", "-e", f"ansible_python_interpreter={interpreter()}")
    ran = ansible("ansible-playbook", tmp_path, "-i", inventory, "playbooks/site.yml", *arguments)
    listed = ansible("ansible-inventory", tmp_path, "-i", inventory, "--list")
    hosts = json.loads(listed.stdout)["license_servers"]["hosts"]
    # Each thing has its row, though nobody could be asked about it.
    assert " is an unknown key" not in ran.stdout
    for what in (
        "server codemeter", "server chaos", "activation", "offline activation",
        "dongle migration 90000001", "transfer simulation-seats", "borrow cad-seats",
        "server borrow on-location", "order front-desk",
    ):  # fmt: skip
        rows = re.findall(rf"^\S.*  {what}  .*  not looked at: .*$", ran.stdout, re.MULTILINE)
        assert rows, (what, ran.stdout)
    recap = dict(re.findall(r"^(\S+) +: ok=.* failed=(\d)", ran.stdout, re.MULTILINE))
    assert recap == dict.fromkeys(hosts, "1"), ran.stdout
    reasons = fatal(ran.stdout)
    assert len(reasons) == len(hosts)
    assert all(reason.startswith("There is no socket") for reason in reasons), reasons


def test_the_guide_tells_what_is_checked() -> None:
    page = inventory_page.PAGE.read_text(encoding="utf-8")
    # Run tests/tools/inventory_page.py after changing the schema of an inventory.
    assert inventory_page.rendered(page) == page
    declared = inventory_page.named_in(page, "variables")
    assert sorted(declared) == sorted(inventory_schema.variables())
    roles = {path.parts[-3] for path in ROOT.glob("roles/*/meta/argument_specs.yml")}
    assert set(inventory_page.named_in(page, "role")) == roles - set(inventory_schema.roles())
