# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real agents, forked and killed at will, beside two machines and the vendor's service."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from crash.client import ask
from crash.instrument import instrument_agent, tell
from crash.processes import ForkedProcess
from crash.tripwire import Tripwire
from twins.aimms.world import World as Machines

from seatkeeper_agent.api import server
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.settings import Settings
from seatkeeper_agent.state import make_identity
from seatkeeper_agent.usb.settings import UsbSettings
from seatkeeper_agent.vendors.aimms.driver import AimmsDriver
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings
from seatkeeper_twins.aimms import people
from seatkeeper_twins.lab.aimms import MAPPED
from seatkeeper_twins.parts import control

OLD, NEW = "old-server", "new-server"
MACHINES = {OLD: "old", NEW: "new"}
EFFECTS = ("activate", "add_profile", "deactivate", "set_maintenance", "install")
SETTLE_SECONDS = 0.05
STARTS_MAX = 6
PROFILES = ("fuller", "bare")


class Agents:
    """Both processes, as a schedule looks at them."""

    def __init__(self, processes: dict[str, ForkedProcess], tripwire: Tripwire) -> None:
        self._processes = processes
        self._tripwire = tripwire

    def wait(self) -> None:
        """For the end of the one that was killed last."""
        killed = [passage.process for passage in self._tripwire.trace if passage.deadly]
        if killed:
            self._processes[killed[-1]].wait()


class World:
    """Two hosts; everything of them can be put back to where a scenario begins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.licman = PROFILES[0]
        self.mutate: Callable[[], None] = lambda: None
        self.tripwire = Tripwire()
        self.machines = Machines(folder / "machines", new={"installed": False})
        self.processes = {
            name: ForkedProcess(name, self._body_of(name), folder / f"{name}.log")
            for name in MACHINES
        }
        self.agent = Agents(self.processes, self.tripwire)

    def close(self) -> None:
        """End everything."""
        self._kill()
        self.machines.stop()

    def reset(self, licman: str, disturbed: bool) -> None:
        """New agents that trust each other, and machines as they were made."""
        self._kill()
        self.licman = licman
        self.machines.reset()
        for name in MACHINES:
            shutil.rmtree(self._state_of(name), ignore_errors=True)
            control.set_values(self.address(name), licman=licman)
        self._introduce()
        if disturbed:
            self._disturb()

    def revive(self) -> None:
        """Start what is dead, again when it dies in its own recovery."""
        for _start in range(STARTS_MAX):
            dead = [process for process in self.processes.values() if not process.is_alive]
            if all(process.start() for process in dead):
                return
        raise RuntimeError(f"after {STARTS_MAX} starts an agent is still dead, see its log")

    @property
    def is_whole(self) -> bool:
        """Whether both agents live."""
        return all(process.is_alive for process in self.processes.values())

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The same of both; lists of operations are put together."""
        answers = [self.ask_one(name, method, path, body) for name in MACHINES]
        operations = [entry for answer in answers for entry in answer.get("operations", [])]
        return {"operations": operations}

    def ask_one(self, name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A request to one agent; see client.ask."""
        return ask(self.folder / f"{name}.sock", method, path, body)

    def address(self, name: str) -> str:
        """Where a host's machine is controlled."""
        return self.machines.address(MACHINES[name])

    def holders(self) -> dict[str, str | None]:
        """The host whose machine has each license."""
        reported = {control.describe(self.address(name))["machine"]: name for name in MACHINES}
        held = people.holders(self.machines.vendor)
        return {number: reported.get(machine or "") for number, machine in held.items()}

    @contextmanager
    def disk(self, name: str) -> Iterator[Journal | None]:
        """A copy of a journal as it lies on the disk; None before the agent's first start."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self._state_of(name).glob("journal.db*"):
            shutil.copy(path, copy)
        if not any(copy.iterdir()):
            yield None
            return
        journal = Journal(copy / "journal.db")
        try:
            yield journal
        finally:
            journal.close()

    def _kill(self) -> None:
        for process in self.processes.values():
            process.kill()

    def _disturb(self) -> None:
        """Answers are lost after their effect, once for each kind of command."""
        for name, points in ((OLD, ("deactivate", "maintenance")), (NEW, ("activate",))):
            for point in points:
                control.set_fault(self.address(name), f"{point}.after", "lose", skip=1)
        control.set_fault(self.address(NEW), "profile_add.after", "lose")

    def _introduce(self) -> None:
        identities = {}
        for name in MACHINES:
            state = self._state_of(name)
            (state / "trust").mkdir(mode=0o700, parents=True)
            identities[name] = make_identity(name, state)
        for name, other in ((OLD, NEW), (NEW, OLD)):
            pem = identities[name].public_pem
            (identities[other].trust_folder / f"{name}.pem").write_text(pem, encoding="ascii")

    def _state_of(self, name: str) -> Path:
        return self.folder / f"{name}.state"

    def _settings_of(self, name: str) -> AimmsSettings:
        place = self.machines.folder / MACHINES[name]
        first, second = self.machines.ports[MACHINES[name]]
        installer = str(place / "twin-installer")
        mapped = {
            key: tuple(value) if isinstance(value, list) else value for key, value in MAPPED.items()
        }
        return AimmsSettings(
            folder=str(place),
            first_port=first,
            second_port=second,
            installer=installer,
            install_command=(installer,),
            **(mapped if self.licman == "fuller" else {}),
        )

    def _body_of(self, name: str) -> Any:
        def body(ready: int) -> None:
            instrument_agent(self.tripwire, name, lambda: tell(ready), waits_for_recovery=True)
            for effect in EFFECTS:
                self._announce(name, effect)
            self.mutate()
            absent = str(self.folder / "absent.so")
            codemeter = CodeMeterSettings(library=absent, cmu=absent, server_ini=absent)
            server.serve(
                Settings(
                    name=name,
                    state_folder=self._state_of(name),
                    socket=self.folder / f"{name}.sock",
                    settle_seconds=SETTLE_SECONDS,
                    usb=UsbSettings(str(self.folder / "usb"), recording=True),
                    vendors={"codemeter": codemeter, "aimms": self._settings_of(name)},
                )
            )

        return body

    def _announce(self, process: str, effect: str) -> None:
        call = getattr(AimmsDriver, effect)

        @wraps(call)
        def announced(*arguments: Any) -> Any:
            self.tripwire.announce(process, f"before the call of {effect}")
            try:
                return call(*arguments)
            finally:
                self.tripwire.announce(process, f"after the call of {effect}")

        setattr(AimmsDriver, effect, announced)
