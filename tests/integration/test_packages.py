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
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HOST = "old-server"
PLAY = [
    {
        "hosts": "license_servers",
        "gather_facts": False,
        "module_defaults": {
            "group/seatkeeper.licensing.licensing": {
                "agent_socket": "{{ seatkeeper_agent_socket }}"
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

    @property
    def version(self) -> str | None:
        """What is installed."""
        place = self.folder / "product"
        return place.read_text().strip() if place.exists() else None

    def entry(self, version: str, writes: str | None = None, **members: Any) -> dict[str, Any]:
        """A declaration of ``version``, whose installer writes that version or another text."""
        file = self.folder / f"product-{version}.sh"
        file.write_text(f'printf "{version if writes is None else writes}" >"$1"\n')
        place = str(self.folder / "product")
        package = {
            "file": str(file),
            "checksum": f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}",
            "version": version,
            "command": ["sh", "{file}", place],
            "version_command": ["cat", place],
        }
        package |= members.pop("package", {})
        return {"agent": HOST, "vendor": "aimms", "package": package, **members}

    def run(self, entry: dict[str, Any], *arguments: str, **variables: Any) -> Run:
        """Run the role for it."""
        playbook = self.folder / "servers.yml"
        playbook.write_text(yaml.safe_dump(PLAY), encoding="utf-8")
        own = self.declared(entry)
        return play(self.lab, self.folder, playbook, *arguments, variables=own | variables)

    def site(self, entry: dict[str, Any], *arguments: str) -> Run:
        """Run everything, with nothing else declared."""
        own = self.declared(entry) | {"license_transfers": [], "license_borrows": []}
        playbook = ROOT / "playbooks" / "site.yml"
        return play(self.lab, self.folder, playbook, *arguments, variables=own)

    def declared(self, entry: dict[str, Any]) -> dict[str, Any]:
        """What the inventory says."""
        return {
            "license_servers": [entry],
            "license_server_installers_dir": str(self.folder / "installers"),
            "ansible_become": False,
        }

    def refused(self, entry: dict[str, Any], because: str, **variables: Any) -> Run:
        """Run it, and see that nothing was done on this host, for that reason."""
        before = self.version
        run = self.run(entry, **variables)
        assert run.recap[HOST]["failed"] == 1, run.output
        assert because in re.sub(r"\s+", " ", run.output), run.output
        assert self.version == before
        assert self.left() == []
        return run

    def left(self) -> list[str]:
        """Installers that are still on the host."""
        return [path.name for path in self.folder.glob("installers/*")]


@pytest.fixture
def product(shared_lab: Lab, tmp_path: Path) -> Product:
    """On two hosts with agents."""
    return Product(shared_lab, tmp_path)


def test_it_is_checked_installed_updated_and_left_alone(product: Product) -> None:
    checked = product.run(product.entry("9.9"), "--check").ended_well()
    assert "aimms 9.9 would take the place of none" in checked.output
    assert product.version is None
    product.run(product.entry("9.9")).ended_well()
    assert product.version == "9.9"
    for arguments in ((), ("--check",)):
        assert product.run(product.entry("9.9"), *arguments).ended_well().changed == 0
    checked = product.run(product.entry("9.10"), "--check").ended_well()
    assert (checked.recap[HOST]["changed"], product.version) == (1, "9.9")
    product.run(product.entry("9.10")).ended_well()
    assert product.version == "9.10"
    assert product.run(product.entry("9.9")).ended_well().changed == 0
    assert (product.version, product.left()) == ("9.10", [])


def test_what_is_not_as_declared_is_refused(product: Product) -> None:
    other = {"package": {"checksum": f"sha256:{'0' * 64}"}}
    product.refused(product.entry("1.0", **other), "is not the file that the checksum is of")
    run = product.run(product.entry("2.0", writes="1.9"))
    assert "the installed version is 1.9, not 2.0" in re.sub(r"\s+", " ", run.output), run.output
    assert product.left() == []
    above = product.entry("1.5", version_max="1.8")
    product.refused(above, "aimms 1.9 is installed, newer than version_max 1.8")
    (product.folder / "product").write_text("Release of May")
    product.refused(product.entry("2.0"), "told to be 'Release of May', which is no version")


def test_a_declaration_that_cannot_be_meant_stops_before_anything_is_done(product: Product) -> None:
    entry = product.entry("1.0", version_min=9.10, allow_from=["10.0.0.0/8"], ports=["22/tcp"])
    run = product.refused(entry, "limits the port 22/tcp, by which you reach the host itself")
    assert "has version_min 9.1 without quotes" in run.output
    assert not (product.folder / "installers").exists()
    assert run.changed == 0


def test_the_whole_site_leaves_every_host_alone_for_it(lab: Lab, tmp_path: Path) -> None:
    before = journals(lab)
    wrong = {"vendor": "codemeter", "version_min": "9.10"}
    run = play(
        lab, tmp_path, ROOT / "playbooks" / "site.yml", variables={"license_servers": [wrong]}
    )
    assert {host: counts["failed"] for host, counts in run.recap.items()} == {
        "old-server": 1,
        "new-server": 1,
    }, run.output
    assert "has a version_min, but no package" in run.output
    assert (run.changed, journals(lab)) == (0, before)


def test_the_whole_site_tells_what_it_would_install_and_installs_that(product: Product) -> None:
    entry = product.entry("9.10")
    checked = product.site(entry, "--check").ended_well()
    row = (
        r"old-server +aimms: version +9\.10 +none, and what else .* once it is there +would change"
    )
    assert re.search(row, checked.output), checked.output
    assert product.version is None
    done = product.site(entry).ended_well()
    assert re.search(r"old-server +aimms: version +9\.10 +none +changed", done.output), done.output
    assert product.version == "9.10"
    again = product.site(entry).ended_well()
    assert again.changed == 0
    assert re.search(r"old-server +nothing differs", again.output), again.output


def test_nobody_to_ask_is_no_leave_to_go_on(product: Product) -> None:
    nowhere = str(product.folder / "none.sock")
    product.refused(product.entry("1.0"), "There is no socket", seatkeeper_agent_socket=nowhere)


def test_nothing_is_replaced_nor_installed_while_seats_are_in_transit(
    lab: Lab, tmp_path: Path
) -> None:
    product = Product(lab, tmp_path)
    asked = module(lab, tmp_path, "license_transfer", "new-server", leg="request", **TRANSFER)
    given = {"leg": "issue", "document": asked["document"], **TRANSFER}
    assert module(lab, tmp_path, "license_transfer", HOST, **given)["changed"], asked
    product.refused(product.entry("1.0"), "1 transfers are open at this host")
