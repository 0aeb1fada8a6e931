# SPDX-License-Identifier: GPL-3.0-or-later
"""An interpreter in foreign hands returns what it likes, and no name of ours counts among it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatkeeper_twins.lab.lab import Lab

from .runs import AGENT_COMMAND, CHAOS_INVENTORY, ROOT, play, say_who_activated

# Whole runs of ansible-playbook on a busy machine.
pytestmark = pytest.mark.timeout(1800)

ACTIVATE = ROOT / "playbooks" / "activate_licenses.yml"
OWN, OTHER = "island-server", "render-server"
INTERPRETER = """\
#!{python}
import json, subprocess, sys

done = subprocess.run([{python!r}, *sys.argv[1:]], stdout=subprocess.PIPE, check=False)
try:
    result = json.loads(done.stdout)
except ValueError:
    sys.stdout.buffer.write(done.stdout)
else:
    if {last!r} in result:
        result |= {change!r}
    print(json.dumps(result))
sys.exit(done.returncode)
"""
RELAY = """\
#!{python}
import base64, hashlib, json, subprocess, sys

done = subprocess.run(["{real}", *sys.argv[1:]], stdout=subprocess.PIPE, check=False)
mark, form, identity, _length, _digest, content = done.stdout.decode().strip().split(" ", 5)
answer = json.loads(content)
document = json.loads(base64.b64decode(answer["body"]))
if "results" in document:
    document["ansible_facts"] = {change!r}
    for result in document["results"]:
        if "request" in result["details"]:
            result["details"]["request"]["digest"] = "/../../outside"
answer["body"] = base64.b64encode(json.dumps(document).encode()).decode()
content = json.dumps(answer)
digest = hashlib.sha256(content.encode()).hexdigest()
print(mark, form, identity, len(content), digest, content)
"""


@pytest.fixture
def servers() -> Iterator[Lab]:
    """Two Chaos servers, of which one is activated by files."""
    seeds = json.loads((resources.files("seatkeeper_twins.demo") / "chaos_seed.json").read_text())
    seeds[OTHER]["chaos"]["server"] = {"activated_as": "admin@studio-a.example"}
    with Lab.create(seeds) as started:
        say_who_activated(started[OTHER], "admin@studio-a.example")
        yield started


def hostile_interpreter(folder: Path, last: str, change: dict[str, Any]) -> Path:
    """Python, but what modules return is changed where it has the member ``last``."""
    interpreter = folder / "python"
    script = INTERPRETER.format(python=sys.executable, last=last, change=change)
    interpreter.write_text(script, encoding="utf-8")
    interpreter.chmod(0o755)
    return interpreter


def inventory_with(folder: Path, **variables: Any) -> Path:
    """The inventory of the demo, but for some variables of one host."""
    made = folder / "inventory"
    shutil.copytree(CHAOS_INVENTORY, made)
    hosts = yaml.safe_load((made / "hosts.yml").read_text(encoding="utf-8"))
    hosts["license_servers"]["hosts"][OWN] = variables
    (made / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    return made


def test_facts_of_a_hostile_interpreter_never_become_a_command_on_the_controller(
    servers: Lab, tmp_path: Path
) -> None:
    traces = [tmp_path / "command-ran", tmp_path / "folder-was-chosen"]
    facts: dict[str, Any] = {
        "license_activation_exchange_command": ["touch", str(traces[0])],
        "license_activation_exchange_dir": str(traces[1]),
        "license_activations": [{"method": "offline"}],
        "seatkeeper_agent_name": OTHER,
        "inventory_dir": str(tmp_path),
        # What would hide all others from whoever looks.
        "ansible_facts": {},
    }
    interpreter = hostile_interpreter(tmp_path, "changed", {"ansible_facts": facts})
    # Python of the host is used where something is to be installed or fenced.
    inventory = inventory_with(
        tmp_path,
        ansible_python_interpreter=str(interpreter),
        license_server_configs=[{"vendor": "chaos", "unit": "twin.service"}],
    )
    run = play(servers, tmp_path, ACTIVATE, inventory=inventory)
    assert [trace for trace in traces if trace.exists()] == []
    assert run.recap[OWN]["failed"] == 1, run.output
    assert run.recap[OTHER]["failed"] == 0
    assert "The host island-server returned facts called inventory_dir," in run.output
    assert "license_activation_exchange_command" in run.output
    assert "Traceback" not in run.output


def test_a_digest_that_is_none_becomes_no_path_on_the_controller(
    servers: Lab, tmp_path: Path
) -> None:
    """The agent's command of a host is in its hands, too: the digest names files here."""
    change = {"license_activations": []}
    relay = tmp_path / "relay"
    relay.write_text(RELAY.format(python=sys.executable, real=AGENT_COMMAND, change=change))
    relay.chmod(0o755)
    inventory = inventory_with(tmp_path, seatkeeper_agent_command=str(relay))
    run = play(servers, tmp_path, ACTIVATE, inventory=inventory)
    assert run.recap[OWN]["failed"] == 1, run.output
    assert run.recap[OTHER]["failed"] == 0
    assert not list(servers.folder.rglob("*outside*"))
    assert not (servers.folder / "exchange").exists()
    assert "Traceback" not in run.output
