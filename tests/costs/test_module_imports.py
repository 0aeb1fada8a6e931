# SPDX-License-Identifier: GPL-3.0-or-later
"""What each plugin of the collection loads on the controller, and a module on a host."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from costs.imports import Imports, imports_of
from costs.table import assert_written

ROOT = Path(__file__).resolve().parents[2]
OWN = "ansible_collections.seatkeeper.licensing.plugins"
ANSIBLE = ("ansible.module_utils.urls", "ansible.plugins.action", "ansible.plugins.callback")
"""What comes with these is Ansible's own, and is not the same with all its versions."""

FOLDERS = ("action", "callback", "filter")
ON_HOSTS = ("modules.license_client",)
"""The one module whose file runs on a host."""

IMPORTS: dict[str, Imports] = {
    "action.dongle_info": Imports(21),
    "action.dongle_migrate": Imports(24),
    "action.license_borrow": Imports(27),
    "action.license_fleet": Imports(61),
    "action.license_info": Imports(23),
    "action.license_order": Imports(27),
    "action.license_profile": Imports(27),
    "action.license_server": Imports(20),
    "action.license_server_backup": Imports(27),
    "action.license_server_move": Imports(27),
    "action.license_state": Imports(23),
    "action.license_transfer": Imports(24),
    "action.offline_activation": Imports(23),
    "action.online_activation": Imports(23),
    "modules.license_client": Imports(11),
    "callback.open_steps": Imports(10),
    "filter.licensing": Imports(3),
}


def test_a_module_loads_what_is_written_down() -> None:
    """Every one that there is, as it is imported; the same with every Python."""
    names = [
        *ON_HOSTS,
        *(
            f"{folder}.{path.stem}"
            for folder in FOLDERS
            for path in sorted((ROOT / "plugins" / folder).glob("*.py"))
        ),
    ]
    counted = imports_of(
        OWN,
        [[name, "import"] for name in (*ANSIBLE, *(f"{OWN}.{name}" for name in names))],
        {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / ".venv" / "collections")},
        shared=("ansible.module_utils.basic",),
    )
    brought = {part for name in ANSIBLE for part in counted.pop(name).heavy.split()}
    ours = {
        name.removeprefix(f"{OWN}."): without(found, brought - {ANSIBLE[0]})
        for name, found in counted.items()
    }
    assert_written(ours, IMPORTS)


def without(found: Imports, parts: set[str]) -> Imports:
    """The same without these."""
    heavy = " ".join(part for part in found.heavy.split() if part not in parts)
    return replace(found, heavy=heavy)
