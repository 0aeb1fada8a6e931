# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories as ansible-core reads them from files, each template resolved by itself."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.inventory import (
    Inventory,
    read_inventory,
)


def of_ansible(folder: Path) -> Inventory:
    """What the inventory in a folder declares; read in a process of its own.

    Plugins of ansible-core are found only where its own way to import is set up, for good.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_read, folder).result()


def _read(folder: Path) -> Inventory:
    init_plugin_loader([])
    loader = DataLoader()
    manager = InventoryManager(loader, sources=[str(folder / "hosts.yml")])
    known = [host.name for host in manager.get_hosts()]
    of_hosts = HostVars(manager, VariableManager(loader, manager), loader)
    hosts = {host: of_hosts.raw_get(host) for host in known}
    templars = {host: Templar(loader, variables=hosts[host]) for host in known}
    return read_inventory(hosts, known, resolve=lambda host, value: templars[host].template(value))
