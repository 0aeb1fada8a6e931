# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as containers of docker or podman, for machines that have one of them.

They start from the same base and have the same addresses. Rootless engines do not do: systemd
in the hosts is to enforce what a unit says.
"""

from __future__ import annotations

import hashlib
import ipaddress
import subprocess
from pathlib import Path

from . import base
from .engine import NETWORK_BITS, SHARED, Host, completed, ran, shared_folder

# What a host's systemd needs to boot and to enforce what units say. Some machines cannot give away
# the right to pass limits, which --privileged asks for.
_RIGHTS = {
    "docker": (
        "--cap-add=ALL",
        "--cap-drop=SYS_RESOURCE",
        "--security-opt=seccomp=unconfined",
        "--security-opt=apparmor=unconfined",
        "--security-opt=systempaths=unconfined",
        "--tmpfs=/sys/fs/cgroup",
    ),
    "podman": ("--privileged",),
}


class Containers:
    """The hosts of one lab folder; ``program`` is docker or podman."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program
        self._id = "seatkeeper-" + hashlib.sha256(str(folder).encode()).hexdigest()[:8]

    def prepare(self, gateway: str) -> None:
        """Make a network; the engine takes the controller's address for its bridge."""
        if self._has("network", self._id):
            return
        network = ipaddress.ip_network(f"{gateway}/{NETWORK_BITS}", strict=False)
        reported = (f"--subnet={network}", f"--gateway={gateway}")
        ran(self._program, "network", "create", *reported, self._id)

    def make(self, name: str, host: Host, identity: bytes) -> None:
        """Create a container of the base, imported as an image if it was not."""
        image = f"seatkeeper-{host.release}:{base.key()}"
        if not self._has("image", image):
            packed = f"tar --create --directory={base.get(host.release)} ."
            ran("/bin/sh", "-ec", f"{packed} | {self._program} import - {image}")
        shared = shared_folder(self._folder, name)
        shared.mkdir(parents=True, exist_ok=True)
        if not self._has("container", self._named(name)):
            ran(
                self._program,
                "create",
                f"--name={self._named(name)}",
                f"--hostname={name}",
                f"--network={self._id}",
                f"--ip={host.address}",
                *_RIGHTS[self._program],
                "--cgroupns=private",
                "--tmpfs=/run",
                "--tmpfs=/tmp",
                f"--volume={shared}:{SHARED}",
                f"--label=address={host.address}",
                image,
                "/sbin/init",
            )
        ran(self._program, "cp", "-", f"{self._named(name)}:/", data=identity)

    def start(self, name: str) -> None:
        """Start the container."""
        ran(self._program, "start", self._named(name))

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Execute in the container."""
        return completed([self._program, "exec", self._named(name), *command])

    def is_on(self, name: str) -> bool:
        """Whether the container runs."""
        requested = ["container", "inspect", "--format={{.State.Running}}", self._named(name)]
        return completed([self._program, *requested]).stdout.strip() == "true"

    def kill(self, name: str) -> None:
        """Kill the container; what it wrote stays."""
        if self.is_on(name):
            ran(self._program, "kill", self._named(name))

    def cut(self, name: str) -> None:
        """Disconnect the container."""
        ran(self._program, "network", "disconnect", "--force", self._id, self._named(name))

    def mend(self, name: str) -> None:
        """Connect the container under the address that it had."""
        label = '--format={{index .Config.Labels "address"}}'
        address = ran(self._program, "container", "inspect", label, self._named(name)).strip()
        ran(self._program, "network", "connect", f"--ip={address}", self._id, self._named(name))

    def remove(self, name: str) -> None:
        """Remove the container."""
        if self._has("container", self._named(name)):
            ran(self._program, "rm", "--force", "--volumes", self._named(name))

    def clear(self) -> None:
        """Remove the network; the image is kept like the base."""
        if self._has("network", self._id):
            ran(self._program, "network", "rm", self._id)

    def ssh_prefix(self) -> list[str]:
        """Containers are reached from everywhere on the machine."""
        return []

    def _has(self, kind: str, name: str) -> bool:
        return completed([self._program, kind, "inspect", name]).returncode == 0

    def _named(self, name: str) -> str:
        return f"{self._id}-{name}"
