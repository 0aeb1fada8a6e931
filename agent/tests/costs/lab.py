# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab whose products run as ever, while its agents live in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from costs.in_process import InProcess

from seatkeeper_agent.settings import Roles
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.lab.process import LabProcess


class Products(Lab):
    """Only the vendors' products are started."""

    def programs(self) -> list[LabProcess]:
        """Those of all hosts, without their agents."""
        return self._products()


@contextmanager
def products(
    seeds: Mapping[str, Any], roles: Roles | None = None, **options: Any
) -> Iterator[tuple[Lab, dict[str, InProcess]]]:
    """The running products, and the agents by their hosts' names; ``roles`` are those of all."""
    with Products.create(seeds, **options) as lab, ExitStack() as stack:
        agents = {}
        for name, host in lab.hosts.items():
            agents[name] = InProcess(host.settings_path, roles)
            stack.callback(agents[name].close)
        yield lab, agents
