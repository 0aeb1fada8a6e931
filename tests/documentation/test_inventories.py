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
TRANSFER = {"name": "a", "item": "1:2", "type": "complete", "source": "old", "target": "new"}
BORROW = {
    "name": "a",
    "item": "1:2",
    "seats": 1,
    "until": "2027-01-31",
    "source": "o",
    "target": "n",
}
MISTAKES: dict[str, tuple[str, dict[str, t.Any]]] = {
    "transfers": ("license_transfers", {**TRANSFER, "quantitiy": 1}),
    "borrows": ("license_borrows", {**BORROW, "unil": "2027-01-31"}),
    "servers": ("license_server_configs", {"vendor": "chaos", "setings": {}}),
    "activations": ("license_activations", {"method": "online", "acount": "a"}),
    "dongles": ("license_dongle_migrations", {"dongle": "1", "target_user": "a", "isolated": True}),
    "seats": (
        "license_server_borrows",
        {"name": "a", "product": "p", "seats": 1, "until": "2027-01-31", "renew": True},
    ),
    "systems": (
        "phone_systems",
        {"name": "a", "system_key": "1", "owner": "o", "chassis": "c", "station": 1},
    ),
    "orders": (
        "license_orders",
        {
            "host": "a",
            "name": "n",
            "source": "s",
            "target": "t",
            "keys": [{"key": "k", "product": "p", "quantty": 1}],
        },
    ),
}

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


def test_a_misspelt_variable_is_told_and_nothing_is_done(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    host = {"license_transfer": [TRANSFER], "ansible_connection": "local"}
    host["ansible_python_interpreter"] = interpreter()
    inventory.write_text(json.dumps({"license_servers": {"hosts": {"old": host}}}))
    done = ansible("ansible-playbook", tmp_path, "-i", str(inventory), "playbooks/site.yml")
    assert done.returncode != 0
    reported = "The inventory sets license_transfer, which nothing reads. Did you mean"
    assert f"{reported} license_transfers? Nothing was done here." in done.stdout, done.stdout
    assert "There is no socket" not in done.stdout


def test_a_misspelt_key_is_told_with_its_place_and_nothing_is_done(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    hosts = {host: {variable: [entry]} for host, (variable, entry) in MISTAKES.items()}
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": interpreter(),
        "seatkeeper_agent_url": f"unix://{tmp_path}/nobody",
    }
    inventory.write_text(json.dumps({"license_servers": {"hosts": hosts, "vars": variables}}))
    done = ansible("ansible-playbook", tmp_path, "-i", str(inventory), "playbooks/site.yml")
    assert done.returncode != 0
    for host, (variable, entry) in MISTAKES.items():
        (reported,) = re.findall(
            rf"^failed: \[{host}\].*$|^fatal: \[{host}\].*$", done.stdout, re.MULTILINE
        )
        message = json.loads(reported.partition("=> ")[2])["msg"]
        above, wrong = (variable, list(entry)[-1])
        if host == "orders":
            above, wrong = "license_orders.keys", "quantty"
        begin = f"The inventory declares {above}.{wrong}, and {above} has no {wrong}."
        assert message.startswith(begin), message
        assert message.endswith("Nothing was done here."), message
    assert "Did you mean quantity? It has " in done.stdout
    assert "Traceback" not in done.stdout
    assert "Read whose products" not in done.stdout.partition("PLAY RECAP")[0]


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
    found = re.findall(r"Check the variables of the role (\w+)\] \*+\n((?:ok: .*\n)+)", ran.stdout)
    checked = {role: set(re.findall(r"ok: \[(\S+)\]", lines)) for role, lines in found}
    # The one checks, the other makes what is asked.
    roles = {path.name for path in (ROOT / "roles").iterdir()} - {
        "license_state",
        "seatkeeper_agent",
    }
    assert checked == {role: set(hosts) for role in roles}, ran.stdout
    assert "The inventory declares" not in ran.stdout
    recap = dict(re.findall(r"^(\S+) +: ok=.* failed=(\d)", ran.stdout, re.MULTILINE))
    assert recap == dict.fromkeys(hosts, "1"), ran.stdout
    assert ran.stdout.count("There is no socket") >= len(hosts)


def test_the_guide_tells_what_is_checked() -> None:
    page = inventory_page.PAGE.read_text(encoding="utf-8")
    # Run tests/tools/inventory_page.py after changing the schema of an inventory.
    assert inventory_page.rendered(page) == page
    declared = inventory_page.named_in(page, "variables")
    assert sorted(declared) == sorted(inventory_schema.variables())
    roles = {path.parts[-3] for path in ROOT.glob("roles/*/meta/argument_specs.yml")}
    assert set(inventory_page.named_in(page, "role")) == roles - set(inventory_schema.roles())
