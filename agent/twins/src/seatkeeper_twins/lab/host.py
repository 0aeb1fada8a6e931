# SPDX-License-Identifier: GPL-3.0-or-later
"""One host of a lab: where its things are, its processes, and its agent's settings."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

from seatkeeper_twins.agent_client import AgentClient
from seatkeeper_twins.codemeter import control
from seatkeeper_twins.codemeter.twin import LIBRARY_NAME, create_twin
from seatkeeper_twins.lab.aimms import AimmsMachine, AimmsVendor, has_machine
from seatkeeper_twins.lab.altigen import AltiGenTwin, altigen_ports
from seatkeeper_twins.lab.chaos import ChaosServer, Cloud, free_port, server_port
from seatkeeper_twins.lab.process import LabError, LabProcess
from seatkeeper_twins.lab.seed import HostSeed
from seatkeeper_twins.lab.services import VERBS
from seatkeeper_twins.lab.services import command as service_command

MARK = "SEATKEEPER_LAB"
"""The environment variable by which a lab finds all that it started; its value is the folder."""

SETTLE_SECONDS = 0.2
_PYTHON = [sys.executable, "-P", "-m"]


class LabHost:
    """Its paths, its processes, and ways to ask the agent and the twins.

    ``chaos_port`` None: the host has no Chaos license server; ``altigen`` None: no orders are
    placed from it, else the ports of the AltiGen twin's control and mailbox; ``has_aimms``: a
    license server may leave it or come to it.
    """

    def __init__(
        self,
        name: str,
        root: Path,
        has_codemeter: bool = True,
        chaos_port: int | None = None,
        altigen: tuple[int, int] | None = None,
        has_aimms: bool = False,
    ) -> None:
        self.name = name
        self.folder = root / name
        self.settings_path = self.folder / "agent.toml"
        self.socket_path = self.folder / "agent.sock"
        self.state_folder = self.folder / "state"
        self.twin_folder = self.folder / "codemeter"
        self.usb_folder = self.folder / "usb"
        self.client = AgentClient(self.socket_path)
        environment = marked_environment(root)
        self._engine = self._make_engine(environment) if has_codemeter else None
        self._chaos = None
        if chaos_port is not None:
            self._chaos = ChaosServer(name, self.folder, chaos_port, environment, self.usb_folder)
        self._altigen = None
        if altigen is not None:
            self._altigen = AltiGenTwin(name, self.folder, altigen, environment)
        self._aimms = AimmsMachine(name, self.folder, environment) if has_aimms else None
        self.agent = LabProcess(
            f"The agent of {name}",
            [*_PYTHON, "seatkeeper_agent", "--config", str(self.settings_path), "serve"],
            self.folder,
            self.folder / "agent.log",
            environment,
            self.client.is_ready,
        )

    @classmethod
    def found(cls, name: str, root: Path) -> Self:
        """A host that was made before."""
        folder = root / name
        has_codemeter = (folder / "codemeter").is_dir()
        ports = server_port(folder), altigen_ports(folder)
        return cls(name, root, has_codemeter, *ports, has_machine(folder))

    @property
    def engine(self) -> LabProcess:
        """The CodeMeter twin; LabError for a host without one."""
        if self._engine is None:
            raise LabError(f"{self.name} has no CodeMeter twin.")
        return self._engine

    @property
    def chaos(self) -> ChaosServer:
        """The Chaos license server; LabError for a host without one."""
        if self._chaos is None:
            raise LabError(f"{self.name} has no Chaos twin.")
        return self._chaos

    @property
    def altigen(self) -> AltiGenTwin:
        """The AltiGen twin; LabError for a host that places no orders."""
        if self._altigen is None:
            raise LabError(f"{self.name} has no AltiGen twin.")
        return self._altigen

    @property
    def aimms(self) -> AimmsMachine:
        """The AIMMS twin; LabError for a host without one."""
        if self._aimms is None:
            raise LabError(f"{self.name} has no AIMMS twin.")
        return self._aimms

    def products(self) -> dict[str, LabProcess]:
        """The processes of the twins by their vendors, running or not."""
        found = {} if self._engine is None else {"codemeter": self._engine}
        others = (("chaos", self._chaos), ("altigen", self._altigen), ("aimms", self._aimms))
        for vendor, made in others:
            if made is not None:
                found[vendor] = made.process
        return found

    def twin(self, operation: str, **values: Any) -> dict[str, Any]:
        """One control operation of the CodeMeter twin, such as "describe"; LabError if refused."""
        answer = control.send(self.twin_folder, {"op": operation, **values})
        if "error" in answer:
            raise LabError(f"{operation} on {self.name}: {answer['reason']}.")
        return answer

    def create(
        self,
        seed: HostSeed,
        profile: str,
        cloud: Cloud | None,
        aimms: AimmsVendor | None = None,
    ) -> None:
        """Make its twins, each in a folder of its own; SeedError, BuildError as theirs."""
        self.folder.mkdir(mode=0o700)
        self.usb_folder.mkdir(mode=0o700)
        if self._engine is not None:
            create_twin(self.twin_folder, profile, seed.codemeter)
        if seed.chaos is not None and cloud is not None:
            self.chaos.create(seed.chaos, cloud.address)
        if seed.altigen is not None:
            self.altigen.create(seed.altigen)
        if seed.aimms is not None and aimms is not None:
            self.aimms.create(seed.aimms, aimms, (free_port(), free_port()))

    def write_settings(self, services: Path, seed: HostSeed) -> None:
        """agent.toml; ``services`` is the socket of the lab's service manager."""
        tables: dict[str, dict[str, Any]] = {
            "agent": {
                "name": self.name,
                "state_folder": str(self.state_folder),
                "socket": str(self.socket_path),
                # A twin does one call after the other, so an effect does not come late.
                "settle_seconds": SETTLE_SECONDS,
            },
            "codemeter": self._codemeter_table(services),
            # Whatever is plugged into this machine is none of the lab's business.
            "usb": {"sysfs": str(self.usb_folder), "recording": True},
            "policy": {"clock_seconds_max": 3600},
        }
        if seed.chaos is not None:
            tables["chaos"] = self._chaos_table(services, seed.chaos.performer)
        if seed.altigen is not None:
            tables["altigen"] = self.altigen.settings(seed.altigen)
        if seed.aimms is not None:
            tables["aimms"] = self.aimms.settings(seed.aimms)
        self.settings_path.write_text(_toml(tables), encoding="utf-8")

    def _make_engine(self, environment: Mapping[str, str]) -> LabProcess:
        return LabProcess(
            f"The CodeMeter twin of {self.name}",
            [*_PYTHON, "seatkeeper_twins.codemeter", "serve", "--dir", str(self.twin_folder)],
            self.folder,
            self.folder / "twin.log",
            environment,
            self._engine_answers,
        )

    def _engine_answers(self) -> bool:
        try:
            return "faults" in control.send(self.twin_folder, {"op": "_twin.faults"})
        except OSError:
            return False

    def _codemeter_table(self, services: Path) -> dict[str, Any]:
        # Without a twin these are paths of nothing, lest the agent finds the machine's own runtime.
        paths = {
            "library": str(self.twin_folder / LIBRARY_NAME),
            "cmu": str(self.twin_folder / "cmu"),
            "server_ini": str(self.twin_folder / "Server.ini"),
        }
        if self._engine is None:
            return paths
        return {
            **paths,
            **self._service_commands(services, "codemeter"),
            # The twin serves the same request with the same update, see its README.
            "update_is_repeatable": True,
        }

    def _chaos_table(self, services: Path, performer: str) -> dict[str, Any]:
        return {
            "address": self.chaos.address,
            "vrlctl": str(self.chaos.vrlctl),
            "wibukey_version_command": [str(self.chaos.wibukey_version)],
            **self._service_commands(services, "chaos"),
            "performer": performer,
            **(browser_settings() if performer == "browser" else {}),
        }

    def _service_commands(self, services: Path, product: str) -> dict[str, Any]:
        return {
            f"{verb}_command": service_command(services, verb, self.name, product) for verb in VERBS
        }


@cache
def browser_settings() -> dict[str, Any]:
    """How a browser can run for this user: as it is, as another user, or without its sandbox.

    The last is for a root whose Python lies where no other user can run it.
    """
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    try:
        # A constant program: can that user run this very Python with what is installed for it?
        done = subprocess.run(
            [sys.executable, "-c", "import playwright.sync_api"],
            stderr=subprocess.DEVNULL,
            check=False,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )
        can_run = done.returncode == 0
    except PermissionError:
        can_run = False
    return {"browser_user": "nobody"} if can_run else {"browser_arguments": ["--no-sandbox"]}


def marked_environment(root: Path) -> dict[str, str]:
    """The environment of all that a lab starts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LISTEN_")}
    return kept | {MARK: str(root)}


def _toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """JSON's texts and lists of texts are TOML's as well."""
    lines = []
    for table, values in tables.items():
        lines += [f"[{table}]"]
        lines += [
            f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()
        ]
    return "\n".join(lines) + "\n"
