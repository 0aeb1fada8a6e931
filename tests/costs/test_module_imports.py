# SPDX-License-Identifier: GPL-3.0-or-later
"""What each module of the collection loads on a host, and each plugin on the controller."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from costs.imports import Imports, imports_of
from costs.table import assert_written

ROOT = Path(__file__).resolve().parents[2]
OWN = "ansible_collections.seatkeeper.licensing.plugins"
ANSIBLE = ("ansible.module_utils.urls", "ansible.plugins.callback")
"""What comes with these is Ansible's own, and is not the same with all its versions."""

FOLDERS = ("modules", "callback", "filter")

IMPORTS: dict[str, Imports] = {
    "modules.dongle_info": Imports(13, "ansible.module_utils.urls"),
    "modules.dongle_migrate": Imports(16, "ansible.module_utils.urls"),
    "modules.license_server_backup": Imports(18, "ansible.module_utils.urls"),
    "modules.license_borrow": Imports(18, "ansible.module_utils.urls"),
    "modules.license_client": Imports(10),
    "modules.license_info": Imports(15, "ansible.module_utils.urls"),
    "modules.license_order": Imports(17, "ansible.module_utils.urls"),
    "modules.license_profile": Imports(18, "ansible.module_utils.urls"),
    "modules.license_server": Imports(12, "ansible.module_utils.urls"),
    "modules.license_server_move": Imports(18, "ansible.module_utils.urls"),
    "modules.license_transfer": Imports(15, "ansible.module_utils.urls"),
    "modules.offline_activation": Imports(14, "ansible.module_utils.urls"),
    "modules.online_activation": Imports(14, "ansible.module_utils.urls"),
    "callback.open_steps": Imports(10),
    "filter.licensing": Imports(3),
}


def test_a_module_loads_what_is_written_down() -> None:
    """Every one that there is, as it is imported on a host; the same with every Python."""
    names = [
        f"{folder}.{path.stem}"
        for folder in FOLDERS
        for path in sorted((ROOT / "plugins" / folder).glob("*.py"))
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
