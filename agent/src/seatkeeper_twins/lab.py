# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: several hosts on this machine without root, each a real agent beside a CodeMeter twin.

LAB/lab.json              which hosts there are
LAB/lab.sock              where agents ask for their license server to be stopped and started
LAB/HOST/agent.toml       the agent's settings
LAB/HOST/agent.sock       its socket
LAB/HOST/agent.log        what it wrote
LAB/HOST/state/           its journal, its key and the keys of all other hosts
LAB/HOST/codemeter/       the twin: library, cmu, Server.ini, containers.db, engine.sock

Nothing outlives the process that made the lab: a stopped lab has no processes left, and the
kernel kills them all when their maker is killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from seatkeeper_agent.identity import AGENT_NAME_PATTERN, Identity
from seatkeeper_twins import lab_services
from seatkeeper_twins.agent_client import AgentClient
from seatkeeper_twins.codemeter import control
from seatkeeper_twins.codemeter.seed import SeedError
from seatkeeper_twins.codemeter.twin import LIBRARY_NAME, create_twin
from seatkeeper_twins.lab_folder import LabFolder, check_socket_path
from seatkeeper_twins.lab_process import (
    ASK_AGAIN_SECONDS,
    STOP_SECONDS_MAX,
    LabError,
    LabProcess,
    marked_processes,
)

SERVICES_NAME = "lab.sock"
SETTLE_SECONDS = 0.2
MARK = "SEATKEEPER_LAB"
"""The environment variable by which a lab finds all that it started; its value is the folder."""


class LabHost:
    """One host: its paths, its two processes, and ways to ask the agent and the twin."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.folder = root / name
        self.settings_path = self.folder / "agent.toml"
        self.socket_path = self.folder / "agent.sock"
        self.state_folder = self.folder / "state"
        self.twin_folder = self.folder / "codemeter"
        self.client = AgentClient(self.socket_path)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LISTEN_")
        }
        environment[MARK] = str(root)
        python = [sys.executable, "-P", "-m"]
        self.engine = LabProcess(
            f"The CodeMeter twin of {name}",
            [*python, "seatkeeper_twins.codemeter", "serve", "--dir", str(self.twin_folder)],
            self.folder,
            self.folder / "twin.log",
            environment,
            self._engine_answers,
        )
        self.agent = LabProcess(
            f"The agent of {name}",
            [*python, "seatkeeper_agent", "--config", str(self.settings_path), "serve"],
            self.folder,
            self.folder / "agent.log",
            environment,
            self.client.is_ready,
        )

    def twin(self, operation: str, **values: Any) -> dict[str, Any]:
        """One control operation of the twin, such as "describe"; LabError when it refuses."""
        answer = control.send(self.twin_folder, {"op": operation, **values})
        if "error" in answer:
            raise LabError(f"{operation} on {self.name}: {answer['reason']}.")
        return answer

    def _engine_answers(self) -> bool:
        try:
            return "faults" in control.send(self.twin_folder, {"op": "_twin.faults"})
        except OSError:
            return False


class Lab:
    """All hosts of one folder; a context manager that stops them at its end."""

    def __init__(self, place: LabFolder, names: Iterable[str]) -> None:
        self.folder = place.path
        self.hosts = {name: LabHost(name, place.path) for name in names}
        self._place = place
        self._services: lab_services.LabServices | None = None

    @classmethod
    def create(
        cls,
        seeds: Mapping[str, object],
        folder: Path | None = None,
        profile: str = "current",
    ) -> Self:
        """A new lab with one host for each seed (see codemeter/seed.py), not started yet.

        Without a folder it lives in a new one below the folder for temporary files, removed at
        the end. LabError: the folder is in use or too deep, a name is no host name.
        SeedError, BuildError: as create_twin.
        """
        for name in seeds:
            if not AGENT_NAME_PATTERN.match(name):
                raise LabError(f"{name!r} is not a host name: use letters, digits, dots, dashes.")
        place = LabFolder.make(folder)
        try:
            lab = cls(place, seeds)
            lab._make_hosts(seeds, profile)
            place.finish(list(seeds))
        except BaseException:
            place.undo()
            raise
        return lab

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The lab that was made in a folder, as it was left; LabError when there is none."""
        place = LabFolder.take(folder)
        try:
            return cls(place, place.host_names())
        except LabError:
            place.release(keep=True)
            raise

    def __getitem__(self, name: str) -> LabHost:
        return self.hosts[name]

    def __iter__(self) -> Iterator[LabHost]:
        return iter(self.hosts.values())

    def __enter__(self) -> Self:
        """Start everything."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # After a failure the logs are worth more than a tidy folder.
        self.close(keep=kind is not None and issubclass(kind, Exception))

    def start(self) -> None:
        """Start all engines and agents at once; return when every one of them answers."""
        if self._services is None:
            self._services = lab_services.LabServices(self.folder / SERVICES_NAME, self._serve)
        for process in self.programs():
            process.launch()
        for process in self.programs():
            process.wait_ready()

    def stop(self) -> None:
        """End agents, then engines; nothing of the lab runs afterwards."""
        if self._services is not None:
            self._services.close()
            self._services = None
        for step in ("agent", "engine"):
            processes: list[LabProcess] = [getattr(host, step) for host in self]
            for process in processes:
                process.ask_to_end()
            for process in processes:
                process.stop()
        self._end_leftovers()

    def close(self, keep: bool = False) -> None:
        """Stop, and remove the folder if it was made for this lab and is not to be kept."""
        try:
            self.stop()
        finally:
            self._place.release(keep)

    def programs(self) -> list[LabProcess]:
        """The engines and agents of all hosts, running or not."""
        return [process for host in self for process in (host.engine, host.agent)]

    def processes(self) -> list[int]:
        """Ids of all running processes that this lab started, directly or not."""
        return marked_processes(MARK, str(self.folder))

    def _end_leftovers(self) -> None:
        """What an agent started ends by itself with the agent; killed where it does not."""
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while self.processes():
            if time.monotonic() > deadline:
                for pid in self.processes():
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return
            time.sleep(ASK_AGAIN_SECONDS)

    def _make_hosts(self, seeds: Mapping[str, object], profile: str) -> None:
        for path in (self.folder / SERVICES_NAME, *(host.socket_path for host in self)):
            check_socket_path(path)
        for host in self:
            host.folder.mkdir(mode=0o700)
            try:
                create_twin(host.twin_folder, profile, seeds[host.name])
            except SeedError as error:
                raise SeedError(f"The seed of {host.name} cannot be used: {error}.") from error
        self._introduce_hosts()

    def _introduce_hosts(self) -> None:
        """Settings for each agent, and each agent's public key among the others' trusted ones."""
        identities = {}
        for name, host in self.hosts.items():
            trust_folder = host.state_folder / "trust"
            trust_folder.mkdir(mode=0o700, parents=True)
            host.state_folder.chmod(0o700)
            host.settings_path.write_text(_settings_text(host, self.folder), encoding="utf-8")
            identities[name] = Identity(name, host.state_folder / "agent.key", trust_folder)
        for name, identity in identities.items():
            for other in identities.values():
                if other is not identity:
                    pem_path = other.trust_folder / f"{name}.pem"
                    pem_path.write_text(identity.public_pem, encoding="ascii")

    def _serve(self, verb: str, name: str) -> str:
        """Do for an agent what its stop_command or start_command asks."""
        host = self.hosts.get(name)
        if host is None or verb not in ("stop", "start"):
            return f"cannot {verb} {name}"
        try:
            if verb == "stop":
                host.engine.stop()
            elif host.engine.pid is None:
                host.engine.start()
        except LabError as error:
            return str(error)
        return lab_services.DONE


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into an exception, and ignore all that follow.

    KeyboardInterrupt or SystemExit lets context managers stop what they started, and an impatient
    second Ctrl-C does not keep them from it. Every wait of theirs is bounded.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _settings_text(host: LabHost, root: Path) -> str:
    """agent.toml; JSON's texts and lists of texts are TOML's as well."""
    services = root / SERVICES_NAME
    tables: dict[str, dict[str, Any]] = {
        "agent": {
            "name": host.name,
            "state_folder": str(host.state_folder),
            "socket": str(host.socket_path),
            # The twin does one call after the other, so an effect does not come late.
            "settle_seconds": SETTLE_SECONDS,
        },
        "codemeter": {
            "library": str(host.twin_folder / LIBRARY_NAME),
            "cmu": str(host.twin_folder / "cmu"),
            "server_ini": str(host.twin_folder / "Server.ini"),
            "stop_command": lab_services.command(services, "stop", host.name),
            "start_command": lab_services.command(services, "start", host.name),
            # The twin serves the same request with the same update, see its README.
            "update_is_repeatable": True,
        },
        "policy": {"clock_seconds_max": 3600},
    }
    lines = []
    for table, values in tables.items():
        lines += [f"[{table}]"]
        lines += [
            f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()
        ]
    return "\n".join(lines) + "\n"
