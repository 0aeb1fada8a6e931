# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as systemd-nspawn machines, each with a network namespace and an overlay of its own.

LAB/hosts/NAME/upper         what differs from the base: the host's disk
LAB/hosts/NAME/root          the overlay, mounted as long as the host exists
LAB/hosts/NAME/shared        on the host as /srv/shared
LAB/hosts/NAME/pid           the supervisor's process id and start, as long as the host is on
LAB/hosts/NAME/console.log   what the host's init wrote

Everything that the kernel keeps is named after a digest of LAB, so that labs do not meet.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from . import base
from .engine import NETWORK_BITS, SHARED, Host, LabError, completed, ran, shared_folder

END_SECONDS_MAX = 300.0
LOOK_AGAIN_SECONDS = 0.05
PROGRAMS = ("systemd-nspawn", "nsenter", "ip", "ssh", "ssh-keygen", "mount", "tar")
_BRIDGE = "hosts0"
_CGROUPS = Path("/sys/fs/cgroup")
# Without these the kernel does not let a host's systemd load filters for addresses and devices.
_FILTERS = ("--capability=all", "--system-call-filter=bpf")


class Nspawn:
    """The hosts of one lab folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._id = "seatkeeper-" + hashlib.sha256(str(folder).encode()).hexdigest()[:8]

    def prepare(self, gateway: str) -> None:
        """Make a network namespace with a bridge."""
        if _namespace(self._id).exists():
            return
        ran("ip", "netns", "add", self._id)
        for words in (
            ("link", "set", "lo", "up"),
            ("link", "add", _BRIDGE, "type", "bridge"),
            ("addr", "add", f"{gateway}/{NETWORK_BITS}", "dev", _BRIDGE),
            ("link", "set", _BRIDGE, "up"),
        ):
            ran("ip", "-n", self._id, *words)

    def make(self, name: str, host: Host, identity: bytes) -> None:
        """Mount its disk, put its identity there and plug its network cable in."""
        folder = self._folder / "hosts" / name
        for part in ("upper", "work", "root", "shared"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        root = folder / "root"
        if not root.is_mount():
            lower = base.get(host.release)
            layers = f"lowerdir={lower},upperdir={folder / 'upper'},workdir={folder / 'work'}"
            ran("mount", "-t", "overlay", "overlay", "-o", layers, str(root))
        ran("tar", "--extract", "--same-owner", "--directory", str(root), data=identity)
        namespace = f"{self._id}-{name}"
        if _namespace(namespace).exists():
            return
        ran("ip", "netns", "add", namespace)
        ran("ip", "-n", namespace, "link", "set", "lo", "up")
        cable = ("name", "host0", "netns", namespace)
        ran("ip", "-n", self._id, "link", "add", _port(name), "type", "veth", "peer", *cable)
        ran("ip", "-n", self._id, "link", "set", _port(name), "master", _BRIDGE, "up")
        ran("ip", "-n", namespace, "addr", "add", f"{host.address}/{NETWORK_BITS}", "dev", "host0")
        ran("ip", "-n", namespace, "link", "set", "host0", "up")

    def start(self, name: str) -> None:
        """Boot it, in a cgroup of its own."""
        if self.is_on(name):
            return
        host = self._folder / "hosts" / name
        command = [
            "systemd-nspawn",
            "--quiet",
            f"--directory={host / 'root'}",
            f"--machine={self._id}-{name}",
            f"--hostname={name}",
            "--boot",
            "--register=no",
            "--console=pipe",
            f"--network-namespace-path={_namespace(f'{self._id}-{name}')}",
            f"--bind={shared_folder(self._folder, name)}:{SHARED}",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            *_FILTERS,
        ]
        groups: list[Path] = []
        if not Path("/run/systemd/system").is_dir():
            # No systemd that would make a scope: what the host makes hangs below our own cgroup.
            command.append("--keep-unit")
            groups = self._cgroups(name)
        # Becomes a member of the cgroups before it becomes nspawn.
        script = 'for group; do [ "$group" = -- ] && break; echo $$ >"$group/cgroup.procs"; done'
        script += '; while [ "$1" != -- ]; do shift; done; shift; exec "$@"'
        for group in groups:
            group.mkdir(exist_ok=True)
        with (host / "console.log").open("ab") as console:
            process = subprocess.Popen(
                ["/bin/sh", "-euc", script, "host", *map(str, groups), "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
        (host / "pid").write_text(f"{process.pid} {_started(process.pid)}", encoding="ascii")

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Enter its namespaces; exit code 255 while it has no init yet."""
        init = self._init(name)
        if init is None:
            return subprocess.CompletedProcess(command, 255, "", "it has no init yet")
        spaces = ("--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup")
        return completed(["nsenter", f"--target={init}", *spaces, "--", *command])

    def is_on(self, name: str) -> bool:
        """Whether its supervisor runs."""
        return self._supervisor(name) is not None

    def kill(self, name: str) -> None:
        """SIGKILL for its init, with which the kernel ends all of it."""
        supervisor = self._supervisor(name)
        if supervisor is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self._init(name) or supervisor, signal.SIGKILL)
        deadline = time.monotonic() + END_SECONDS_MAX
        while self._supervisor(name) is not None:
            if time.monotonic() > deadline:
                raise LabError(f"The host {name} has not ended, process {supervisor}.")
            time.sleep(LOOK_AGAIN_SECONDS)
        (self._folder / "hosts" / name / "pid").unlink()

    def cut(self, name: str) -> None:
        """Pull the cable: nothing is answered any more, nobody is told."""
        ran("ip", "-n", self._id, "link", "set", _port(name), "down")

    def mend(self, name: str) -> None:
        """Plug the cable in."""
        ran("ip", "-n", self._id, "link", "set", _port(name), "up")

    def remove(self, name: str) -> None:
        """End it, and remove its namespace, its mount, its cgroups and its disk."""
        self.kill(name)
        host = self._folder / "hosts" / name
        if _namespace(f"{self._id}-{name}").exists():
            ran("ip", "netns", "delete", f"{self._id}-{name}")
        if (host / "root").is_mount():
            ran("umount", str(host / "root"))
        for group in self._cgroups(name):
            for folder in sorted(group.rglob("*/"), reverse=True):
                folder.rmdir()
            if group.is_dir():
                group.rmdir()
        if host.is_dir():
            shutil.rmtree(host)

    def clear(self) -> None:
        """Remove the bridge with its namespace."""
        if _namespace(self._id).exists():
            ran("ip", "netns", "delete", self._id)

    def ssh_prefix(self) -> list[str]:
        """Only the network is entered; `ip netns exec` would hide the cgroups."""
        return ["nsenter", f"--net={_namespace(self._id)}"]

    def _cgroups(self, name: str) -> list[Path]:
        """Where systemd keeps its own: one unified hierarchy, or besides it a named one."""
        found = [_CGROUPS / "systemd", _CGROUPS / "unified"]
        roots = [root for root in found if root.is_dir()] or [_CGROUPS]
        return [root / f"{self._id}-{name}" for root in roots]

    def _supervisor(self, name: str) -> int | None:
        try:
            reported = (self._folder / "hosts" / name / "pid").read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        pid, _, started = reported.partition(" ")
        return int(pid) if _started(int(pid)) == started else None

    def _init(self, name: str) -> int | None:
        supervisor = self._supervisor(name)
        if supervisor is None:
            return None
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
        with suppress(OSError):
            for pid in children.read_text(encoding="ascii").split():
                return int(pid)
        return None


def _namespace(name: str) -> Path:
    return Path("/run/netns") / name


def _port(name: str) -> str:
    """The bridge's end of a host's cable; names of interfaces have at most 15 characters."""
    return "to-" + hashlib.sha256(name.encode()).hexdigest()[:8]


def _started(pid: int) -> str | None:
    """When a process started, in the kernel's ticks: with it a process id is never mistaken."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    state, *rest = text.rpartition(")")[2].split()
    return None if state == "Z" else rest[18]
