# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: several hosts on this machine without root, each a real agent beside its products' twins.

LAB/lab.json              which hosts there are
LAB/lab.sock              where agents ask for a license server to be stopped and started
LAB/chaos_cloud/          the vendor's cloud of all Chaos license servers, if there are any
LAB/aimms_vendor/         the activation service of all AIMMS twins, if there are any
LAB/HOST/agent.toml       the agent's settings
LAB/HOST/agent.sock       its socket
LAB/HOST/agent.log        what it wrote
LAB/HOST/state/           its journal, its key and the keys of all other hosts
LAB/HOST/usb/             its recorded USB bus
LAB/HOST/codemeter/       a CodeMeter twin: library, cmu, Server.ini, containers.db, engine.sock
LAB/HOST/chaos/           a Chaos twin: vrlctl, wibukey-version, state.json, port
LAB/HOST/altigen/         an AltiGen twin: state.json, port, smtp-port
LAB/HOST/aimms/           an AIMMS twin: Bin, Config, Licenses, Nodelocks, twin-installer

Nothing outlives the process that made the lab: a stopped lab has no processes left, and the
kernel kills them all when their maker is killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from seatkeeper_agent.identity import AGENT_NAME_PATTERN
from seatkeeper_agent.state import make_identity
from seatkeeper_twins.lab import services
from seatkeeper_twins.lab.aimms import AimmsVendor
from seatkeeper_twins.lab.chaos import Cloud, free_port
from seatkeeper_twins.lab.folder import LabFolder, check_socket_path
from seatkeeper_twins.lab.host import MARK, LabHost, marked_environment
from seatkeeper_twins.lab.process import (
    ASK_AGAIN_SECONDS,
    STOP_SECONDS_MAX,
    LabError,
    LabProcess,
    marked_processes,
)
from seatkeeper_twins.lab.seed import HostSeed, host_seed
from seatkeeper_twins.parts.seed import SeedError

__all__ = ["MARK", "Lab", "LabHost", "ending_in_order"]

SERVICES_NAME = "lab.sock"


class Lab:
    """All hosts of one folder; a context manager that stops them at its end."""

    def __init__(
        self,
        place: LabFolder,
        hosts: Iterable[LabHost],
        cloud: Cloud | None,
        aimms: AimmsVendor | None = None,
    ) -> None:
        self.folder = place.path
        self.hosts = {host.name: host for host in hosts}
        self._cloud = cloud
        self._aimms = aimms
        self._place = place
        self._services: services.LabServices | None = None

    @classmethod
    def create(
        cls,
        seeds: Mapping[str, object],
        folder: Path | None = None,
        profile: str = "current",
        cloud_seed: object | None = None,
    ) -> Self:
        """A new lab with one host for each seed (see lab/seed.py), not started yet.

        Without a folder it lives in a new one below the folder for temporary files, removed at
        the end. ``profile`` is that of all CodeMeter twins; ``cloud_seed`` that of the cloud of
        all Chaos twins (see chaos/seed.py), without one the demo's. LabError: the folder is in
        use or too deep, a name is no host name. SeedError: a seed cannot be used. BuildError: as
        create_twin.
        """
        for name in seeds:
            if not AGENT_NAME_PATTERN.match(name):
                raise LabError(f"{name!r} is not a host name: use letters, digits, dots, dashes.")
        wanted = {name: _parsed(name, seed) for name, seed in seeds.items()}
        place = LabFolder.make(folder)
        try:
            lab = cls(place, *_planned(place.path, wanted))
            lab._make(wanted, profile, cloud_seed)
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
            hosts = [LabHost.found(name, place.path) for name in place.host_names()]
            about = place.path, marked_environment(place.path)
            return cls(place, hosts, Cloud.found(*about), AimmsVendor.found(*about))
        except LabError:
            place.release(keep=True)
            raise

    @property
    def has_cloud(self) -> bool:
        """Whether a host has a Chaos twin, and the lab therefore a cloud."""
        return self._cloud is not None

    @property
    def cloud(self) -> Cloud:
        """The cloud of the Chaos twins; LabError for a lab without any."""
        if self._cloud is None:
            raise LabError("No host of this lab has a Chaos twin, so there is no cloud.")
        return self._cloud

    @property
    def aimms_vendor(self) -> AimmsVendor:
        """The activation service of the AIMMS twins; LabError for a lab without any."""
        if self._aimms is None:
            raise LabError("No host of this lab has an AIMMS twin.")
        return self._aimms

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
            self._services = services.LabServices(self.folder / SERVICES_NAME, self._serve)
        for process in self.programs():
            process.launch()
        for process in self.programs():
            process.wait_ready()

    def stop(self) -> None:
        """End agents, then their products; nothing of the lab runs afterwards."""
        if self._services is not None:
            self._services.close()
            self._services = None
        for processes in ([host.agent for host in self], self._products()):
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
        """The products and agents of all hosts, running or not; products first."""
        return [*self._products(), *(host.agent for host in self)]

    def processes(self) -> list[int]:
        """Ids of all running processes that this lab started, directly or not."""
        return marked_processes(MARK, str(self.folder))

    def _products(self) -> list[LabProcess]:
        vendors = [made.process for made in (self._cloud, self._aimms) if made is not None]
        return [*vendors, *(process for host in self for process in host.products().values())]

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

    def _make(
        self, wanted: Mapping[str, HostSeed], profile: str, cloud_seed: object | None
    ) -> None:
        for path in (self.folder / SERVICES_NAME, *(host.socket_path for host in self)):
            check_socket_path(path)
        if self._cloud is not None:
            self._cloud.create(cloud_seed)
        if self._aimms is not None:
            self._aimms.create()
        for name, host in self.hosts.items():
            with _named(name):
                host.create(wanted[name], profile, self._cloud, self._aimms)
            host.write_settings(self.folder / SERVICES_NAME, wanted[name])
        self._introduce_hosts()

    def _introduce_hosts(self) -> None:
        """Each agent's public key among the others' trusted ones."""
        identities = {}
        for name, host in self.hosts.items():
            trust_folder = host.state_folder / "trust"
            trust_folder.mkdir(mode=0o700, parents=True)
            host.state_folder.chmod(0o700)
            identities[name] = make_identity(name, host.state_folder)
        for name, identity in identities.items():
            for other in identities.values():
                if other is not identity:
                    pem_path = other.trust_folder / f"{name}.pem"
                    pem_path.write_text(identity.public_pem, encoding="ascii")

    def _serve(self, verb: str, name: str, product: str) -> str:
        """Do for an agent what its stop_command or start_command asks."""
        host = self.hosts.get(name)
        process = None if host is None else host.products().get(product)
        if process is None:
            return f"cannot {verb} {product} on {name}"
        try:
            if verb == "stop":
                process.stop()
            elif process.pid is None:
                process.start()
        except LabError as error:
            return str(error)
        return services.DONE


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


def _parsed(name: str, seed: object) -> HostSeed:
    with _named(name):
        return host_seed(seed)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say whose seed it is that cannot be used."""
    try:
        yield
    except SeedError as error:
        raise SeedError(f"The seed of {name} cannot be used: {error}.") from error


def _planned(
    root: Path, wanted: Mapping[str, HostSeed]
) -> tuple[list[LabHost], Cloud | None, AimmsVendor | None]:
    """The hosts and the vendors' services of a new lab, with ports for those who listen."""
    hosts = [
        LabHost(
            name,
            root,
            has_codemeter=seed.codemeter is not None,
            chaos_port=None if seed.chaos is None else free_port(),
            altigen=None if seed.altigen is None else (free_port(), free_port()),
            has_aimms=seed.aimms is not None,
        )
        for name, seed in wanted.items()
    ]
    environment = marked_environment(root)
    has_chaos = any(seed.chaos is not None for seed in wanted.values())
    has_aimms = any(seed.aimms is not None for seed in wanted.values())
    cloud = Cloud(root, free_port(), environment) if has_chaos else None
    return hosts, cloud, AimmsVendor(root, environment) if has_aimms else None
