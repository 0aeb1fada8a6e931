# SPDX-License-Identifier: GPL-3.0-or-later
"""Role license_server with a package of the operator: installed once, never under open work."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatkeeper_twins.lab.lab import Lab

from .runs import ROOT, Run, journals, module, play

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

HOST, OTHER = "old-server", "new-server"
SITE = ROOT / "playbooks" / "site.yml"
PLAY = [
    {
        "hosts": "license_servers",
        "gather_facts": False,
        "module_defaults": {
            "group/seatkeeper.licensing.licensing": {
                "agent_socket": "{{ seatkeeper_agent_socket }}",
                "agent_command": "{{ seatkeeper_agent_command }}",
            }
        },
        "roles": ["seatkeeper.licensing.license_server"],
    }
]
TRANSFER = {
    "name": "move",
    "item": "6000010:201",
    "type": "licenses",
    "quantity": 10,
    "source": "old-server",
    "source_container": "130-1000000001",
    "target": "new-server",
    "target_container": "130-2000000002",
}


@dataclass
class Product:
    """A product whose installer is a script: it writes its version to a file and nothing else."""

    lab: Lab
    folder: Path
    host: str = HOST

    @property
    def place(self) -> Path:
        """The file."""
        return self.folder / f"product-on-{self.host}"

    @property
    def version(self) -> str | None:
        """What is installed."""
        return self.place.read_text().strip() if self.place.exists() else None

    def entry(self, version: str, writes: str | None = None, **members: Any) -> dict[str, Any]:
        """A declaration of ``version``, whose installer writes that version or another text."""
        file = self.folder / f"product-{version}-{self.host}.sh"
        file.write_text(f'printf "{version if writes is None else writes}" >"$1"\n')
        package = {
            "file": str(file),
            "checksum": f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}",
            "version": version,
            "command": ["sh", "{file}", str(self.place)],
            "version_command": ["cat", str(self.place)],
        }
        return {"host": self.host, "vendor": "aimms", "package": package, **members}

    def run(self, entries: list[dict[str, Any]], *arguments: str, **variables: Any) -> Run:
        """Run the role for them."""
        playbook = self.folder / "servers.yml"
        playbook.write_text(yaml.safe_dump(PLAY), encoding="utf-8")
        own = self.declared(entries)
        return play(self.lab, self.folder, playbook, *arguments, variables=own | variables)

    def site(self, entries: list[dict[str, Any]], *arguments: str) -> Run:
        """Run everything, with nothing else declared."""
        own = self.declared(entries) | {"license_transfers": [], "license_borrows": []}
        return play(self.lab, self.folder, SITE, *arguments, variables=own)

    def declared(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        """What the inventory says."""
        return {
            "license_server_configs": entries,
            "license_server_installers_dir": str(self.folder / "installers"),
            "ansible_become": False,
        }

    def left(self) -> list[str]:
        """Installers that are still on a host."""
        return [path.name for path in self.folder.glob("installers/*")]


def refuses(run: Run, **because: str) -> None:
    """Each of these hosts failed, for that reason."""
    reported = re.sub(r"\s+", " ", run.output)
    for host, reason in because.items():
        assert run.recap[host.replace("_", "-")]["failed"] == 1, run.output
        assert reason in reported, run.output


def test_it_is_checked_installed_updated_and_left_alone(lab: Lab, tmp_path: Path) -> None:
    product = Product(lab, tmp_path)
    entry = [product.entry("9.9")]
    checked = product.site(entry, "--check").ended_well()
    row = checked.rows_at(HOST)["aimms, version"]
    assert (row["declared"], row["outcome"]) == ("9.9", "would change")
    assert row["present"].startswith("none, and what else is declared")
    assert "aimms 9.9 would take the place of none" in checked.output
    assert product.version is None
    done = product.site(entry).ended_well()
    row = done.rows_at(HOST)["aimms, version"]
    assert (row["declared"], row["present"], row["outcome"]) == ("9.9", "none", "changed")
    assert product.version == "9.9"
    # The first of two plays may not speak for the second, whose facts of hosts are the same.
    twice = tmp_path / "twice.yml"
    twice.write_text(yaml.safe_dump([{"import_playbook": str(SITE)}] * 2), encoding="utf-8")
    product.place.unlink()
    own = product.declared(entry) | {"license_transfers": [], "license_borrows": []}
    both = play(lab, tmp_path, twice, variables=own).ended_well()
    assert both.output.count("aimms, version") == 1
    again = product.site(entry).ended_well()
    assert again.changed == 0
    assert {row["outcome"] for row in again.rows_at(HOST).values()} <= {"same"}

    newer = [product.entry("9.10")]
    checked = product.run(newer, "--check").ended_well()
    assert (checked.recap[HOST]["changed"], product.version) == (1, "9.9")
    product.run(newer).ended_well()
    assert product.version == "9.10"

    other = Product(lab, tmp_path, OTHER)
    older = product.run([*entry, other.entry("2.0", writes="1.9")])
    assert (older.recap[HOST]["failed"], older.recap[HOST]["changed"]) == (0, 0), older.output
    refuses(older, new_server="the installed version is 1.9, not 2.0")
    assert (product.version, product.left()) == ("9.10", [])


def test_what_is_there_and_not_as_declared_is_refused(shared_lab: Lab, tmp_path: Path) -> None:
    product, other = (Product(shared_lab, tmp_path, host) for host in (HOST, OTHER))
    product.place.write_text("1.9")
    other.place.write_text("Release of May")
    run = product.run([product.entry("1.5", version_max="1.8"), other.entry("2.0")])
    refuses(
        run,
        old_server="aimms 1.9 is installed, newer than version_max 1.8",
        new_server="told to be 'Release of May', which is no version",
    )
    assert (product.version, other.version, product.left()) == ("1.9", "Release of May", [])


def test_a_declaration_that_cannot_be_meant_leaves_every_host_alone(
    shared_lab: Lab, tmp_path: Path
) -> None:
    product, before = Product(shared_lab, tmp_path), journals(shared_lab)
    closed = {"allow_from": ["10.0.0.0/8"], "ports": ["22/tcp"]}
    wrong = [
        {"vendor": "codemeter", "version_min": "9.10"},
        product.entry("1.0", version_min=9.10),
        {"host": OTHER, "vendor": "aimms", **closed},
    ]
    run = play(shared_lab, tmp_path, SITE, variables=product.declared(wrong))
    assert run.code != 0
    # All at once, and each once.
    for reason in (
        "has a version_min, but no package",
        "license_server_configs[1].version_min of aimms is read by YAML as a number",
        "limits the port 22/tcp, by which you reach the host itself",
        "Nothing was done on any host.",
    ):
        assert reason in re.sub(r"\s+", " ", run.output), run.output
    assert (run.changed, journals(shared_lab), product.version) == (0, before, None)
    assert not (tmp_path / "installers").exists()


def test_nothing_is_replaced_while_seats_are_in_transit_or_nobody_can_be_asked(
    lab: Lab, tmp_path: Path
) -> None:
    requested = module(lab, tmp_path, "license_transfer", OTHER, leg="request", **TRANSFER)
    given = {"leg": "issue", "document": requested["document"], **TRANSFER}
    assert module(lab, tmp_path, "license_transfer", HOST, **given)["changed"], requested
    product, other = (Product(lab, tmp_path, host) for host in (HOST, OTHER))
    folder = "{{ 'nowhere' if inventory_hostname == 'new-server' else inventory_hostname }}"
    run = product.run(
        [product.entry("1.0"), other.entry("1.0")],
        seatkeeper_agent_socket=f"{lab.folder}/{folder}/agent.sock",
    )
    refuses(run, old_server="1 transfers are open at this host", new_server="There is no socket")
    assert (product.version, other.version, product.left()) == (None, None, [])
