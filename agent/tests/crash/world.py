# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts, each a real agent beside a real twin, that can be put back to where they started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seatkeeper_agent.api import server
from seatkeeper_agent.settings import load
from seatkeeper_twins.codemeter import control, engine
from seatkeeper_twins.lab.lab import Lab

from .client import ask
from .instrument import instrument_agent, instrument_engine, tell
from .processes import ForkedProcess
from .tripwire import Tripwire

OLD, NEW = "old-server", "new-server"
CONTAINERS = {OLD: "130-1000000001", NEW: "130-2000000002"}
STARTS_MAX = 6
LOG_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class Variant:
    """How the agents of a world differ from those in the field.

    A twin's effect never comes late, because it does one call after the other; so the agents
    need not wait long before they believe that an effect did not happen. Unless the run
    ``waits_for_recovery``, its requests meet an agent that still takes up what it finds at its
    start. ``mutate_agent`` and ``mutate_twin`` break a forked process on purpose.
    """

    settle_seconds: float = 0.05
    call_seconds_max: float = 200.0
    waits_for_recovery: bool = True
    mutate_agent: Callable[[], None] | None = None
    mutate_twin: Callable[[], None] | None = None


class Host:
    """One host: its folder, its two processes, and ways to ask them."""

    def __init__(self, name: str, root: Path, tripwire: Tripwire) -> None:
        self.name = name
        self.variant = Variant()
        self.container = CONTAINERS[name]
        self.folder = root / name
        self.twin_folder = self.folder / "codemeter"
        self.state_folder = self.folder / "state"
        self._tripwire = tripwire
        self.engine = ForkedProcess(f"twin of {name}", self._run_engine, self.folder / "twin.log")
        self.agent = ForkedProcess(f"agent of {name}", self._run_agent, self.folder / "agent.log")
        tripwire.pair(self.engine.name, self.agent.name)

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A request to the agent; see client.ask."""
        return ask(self.folder / "agent.sock", method, path, body)

    def twin(self, operation: str, **values: Any) -> dict[str, Any]:
        """One control operation of the twin; the answer tells when it was refused."""
        return control.send(self.twin_folder, {"op": operation, **values})

    def _run_engine(self, ready: int) -> None:
        instrument_engine(self._tripwire, self.engine.name)
        if self.variant.mutate_twin is not None:
            self.variant.mutate_twin()
        engine.main(self.twin_folder, lambda _line: tell(ready))

    def _run_agent(self, ready: int) -> None:
        if self.variant.mutate_agent is not None:
            self.variant.mutate_agent()
        instrument_agent(
            self._tripwire, self.agent.name, lambda: tell(ready), self.variant.waits_for_recovery
        )
        settings = load(self.folder / "agent.toml")
        reported = settings.vendors["codemeter"]
        reported = replace(reported, call_seconds_max=self.variant.call_seconds_max)
        vendors = settings.vendors | {"codemeter": reported}
        server.serve(replace(settings, settle_seconds=self.variant.settle_seconds, vendors=vendors))


class World:
    """Both hosts in one folder; states of it are kept in the folders beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "world"
        self._states = folder / "states"
        self.tripwire = Tripwire()
        self.hosts = {name: Host(name, self.folder, self.tripwire) for name in CONTAINERS}
        self._buried = 0

    @property
    def processes(self) -> list[ForkedProcess]:
        """Engines before agents, as a boot would start them."""
        hosts = self.hosts.values()
        return [*(host.engine for host in hosts), *(host.agent for host in hosts)]

    def make(self, seeds: Mapping[str, object]) -> None:
        """New hosts that have never run, instead of those that were there."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        Lab.create(seeds, self.folder).close()

    def revive(self, inspect: Callable[[], None]) -> None:
        """Start whatever is dead, again when it dies at its start; inspect after each death."""
        for _ in range(STARTS_MAX):
            dead = next((process for process in self.processes if not process.is_alive), None)
            if dead is None:
                return
            dead.start()
            if self.bury():
                inspect()
            elif not dead.is_alive:
                raise RuntimeError(f"the {dead.name} did not start, see its log")
        raise RuntimeError(f"after {STARTS_MAX} starts something is still dead")

    def bury(self) -> int:
        """Wait for the ends of those that the tripwire killed; how many there were."""
        killed = [passage.process for passage in self.tripwire.trace if passage.deadly]
        new, self._buried = killed[self._buried :], len(killed)
        for process in self.processes:
            if process.name in new:
                process.wait()
        return len(new)

    def arm(self, *countdowns: int) -> None:
        """Forget what was; see Tripwire.arm."""
        self._buried = 0
        self.tripwire.arm(countdowns)

    def let_agents_die(self) -> None:
        """From now on an agent dies at its twin's points, in the twin's place."""
        for host in self.hosts.values():
            self.tripwire.offer(host.agent.name, host.agent.process_id or 0)

    def vary(self, variant: Variant) -> None:
        """How processes that start from now on are to be."""
        for host in self.hosts.values():
            host.variant = variant

    def kill(self) -> None:
        """End all processes at once, agents first."""
        for process in reversed(self.processes):
            process.kill()

    def keep(self, state: str) -> None:
        """Keep the hosts' disks under a name; their processes end."""
        self.kill()
        shutil.copytree(self.folder, self._states / state, symlinks=True, ignore=_no_sockets)

    def restore(self, state: str) -> bool:
        """Put the hosts' disks back; False when no state of that name was kept."""
        self.kill()
        if not (self._states / state).is_dir():
            return False
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self._states / state, self.folder, symlinks=True)
        return True

    @contextmanager
    def disks(self) -> Iterator[Path]:
        """A copy of the files that count, to be read without touching them; one folder a host."""
        copy = self.folder.with_name("disks")
        shutil.rmtree(copy, ignore_errors=True)
        for host in self.hosts.values():
            (copy / host.name).mkdir(parents=True)
            for part in (
                *host.state_folder.glob("journal.db*"),
                *host.twin_folder.glob("containers.db*"),
            ):
                shutil.copy(part, copy / host.name)
        yield copy

    def logs(self) -> str:
        """The ends of what all processes wrote."""
        paths = sorted(self.folder.glob("*/*.log")) + sorted(self.folder.glob("*/*/engine.log"))
        parts = [f"{path.relative_to(self.folder)}:\n{path.read_text()[-4000:]}" for path in paths]
        return "\n".join(parts)


def _no_sockets(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith((".sock", "-shm"))]


def work_folder() -> Path | None:
    """Memory where there is some: a kill needs no disk to lose what was not yet written."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else None
