# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: hosts in a network of their own, reached over SSH with a key of the lab's own.

LAB/lab.json             the hosts, their addresses and what they start from
LAB/id_ed25519           the key that all hosts let in, as the user ansible
LAB/known_hosts          the hosts' own keys
LAB/ssh, LAB/sftp        SSH's programs in the hosts' network
LAB/hosts/               see nspawn.py

Hosts outlive the process that made them; ``down`` leaves nothing of them.
"""

from __future__ import annotations

import fcntl
import io
import ipaddress
import json
import os
import re
import shlex
import shutil
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hosts.kept import missing_programs

from .containers import Containers
from .engine import NETWORK_BITS, Engine, Host, LabError, completed, ran
from .nspawn import PROGRAMS, Nspawn

READY_SECONDS_MAX = 600.0
LOGGED_SECONDS_MAX = 600.0
LOOK_AGAIN_SECONDS = 0.1
TWIN_LOGS = "/var/lib/*/engine.log"
ENGINES = ("nspawn", "docker", "podman")
USER = "ansible"
USER_ID = 1000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_READY = "systemctl is-system-running; ss -Hltn 'sport = :22' | grep -q ."


class Lab:
    """The hosts of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._record = self.folder / "lab.json"

    def up(self, hosts: Mapping[str, Host]) -> None:
        """Have these hosts on; what is missing is made, and nothing is left if that fails."""
        for name in hosts:
            if not _NAME.fullmatch(name):
                raise LabError(f"{name!r} is no host name: use small letters, digits, dashes.")
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            known = self._known()
            wanted = {name: str(host) for name, host in hosts.items()}
            if known and known["hosts"] != wanted:
                raise LabError(f"{self.folder} has other hosts. Take it down first.")
            kind = known["engine"] if known else engine_kind()
            record = {"engine": kind, "hosts": wanted}
            self._record.write_text(json.dumps(record), encoding="utf-8")
            try:
                self._make(self._engine(kind), hosts)
            except BaseException:
                self._remove()
                raise

    def down(self) -> None:
        """Remove the hosts, their disks and their network."""
        if self.folder.is_dir():
            with self._locked():
                self._remove()

    def kill(self, name: str, moment: str | None = None) -> None:
        """Cut a host's power; with ``moment`` as soon as a twin there has logged this text."""
        with self._locked():
            engine = self._of(name)
        if moment is not None:
            _wait_logged(engine, name, moment)
        with self._locked():
            engine.kill(name)

    def start(self, name: str) -> None:
        """Switch a host on and wait until it is up."""
        with self._locked():
            engine = self._of(name)
            engine.start(name)
            _wait_ready(engine, name)

    def cut(self, name: str) -> None:
        """Take a host from the network."""
        with self._locked():
            self._of(name).cut(name)

    def mend(self, name: str) -> None:
        """Put a host back into the network."""
        with self._locked():
            self._of(name).mend(name)

    def _make(self, engine: Engine, hosts: Mapping[str, Host]) -> None:
        first = next(iter(hosts.values())).address
        network = ipaddress.ip_network(f"{first}/{NETWORK_BITS}", strict=False)
        engine.prepare(str(network[1]))
        _make_key(self.folder / "id_ed25519")
        for program in ("ssh", "sftp"):
            self._write_program(engine, program)
        known_hosts = []
        for name, host in hosts.items():
            host_key = self.folder / "hosts" / name / "ssh_host_ed25519_key"
            host_key.parent.mkdir(parents=True, exist_ok=True)
            _make_key(host_key)
            known_hosts.append(f"{host.address} {host_key.with_suffix('.pub').read_text('ascii')}")
            engine.make(name, host, self._identity(name, host_key))
            engine.start(name)
        (self.folder / "known_hosts").write_text("".join(known_hosts), encoding="ascii")
        for name in hosts:
            _wait_ready(engine, name)

    def _identity(self, name: str, host_key: Path) -> bytes:
        """The files by which a host is this one and lets the lab in, as a tar."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path, content, mode, owner in (
                ("etc/hostname", f"{name}\n", 0o644, 0),
                ("etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n", 0o644, 0),
                ("etc/ssh/ssh_host_ed25519_key", host_key.read_text("ascii"), 0o600, 0),
                (
                    f"home/{USER}/.ssh/authorized_keys",
                    (self.folder / "id_ed25519.pub").read_text("ascii"),
                    0o600,
                    USER_ID,
                ),
            ):
                entry = tarfile.TarInfo(path)
                entry.mode, entry.uid, entry.gid = mode, owner, owner
                entry.size = len(content.encode())
                tar.addfile(entry, io.BytesIO(content.encode()))
        return packed.getvalue()

    def _write_program(self, engine: Engine, program: str) -> None:
        path = self.folder / program
        # sftp starts ssh by itself: the one beside it, which is in the network already.
        words = [*engine.ssh_prefix(), program]
        path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        path.chmod(0o755)

    def _remove(self) -> None:
        known = self._known()
        if known:
            engine = self._engine(known["engine"])
            for name in known["hosts"]:
                engine.remove(name)
            engine.clear()
        for name in ("id_ed25519", "id_ed25519.pub", "known_hosts", "ssh", "sftp"):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "hosts", ignore_errors=True)
        self._record.unlink(missing_ok=True)

    def _of(self, name: str) -> Engine:
        known = self._known()
        if not known or name not in known["hosts"]:
            raise LabError(f"There is no host {name} in {self.folder}.")
        return self._engine(known["engine"])

    def _engine(self, kind: str) -> Engine:
        return Nspawn(self.folder) if kind == "nspawn" else Containers(self.folder, kind)

    def _known(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self._record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return known

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lab.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def engine_kind() -> str:
    """What SEATKEEPER_HOSTS_ENGINE names; else the first container engine that answers here."""
    reported = os.environ.get("SEATKEEPER_HOSTS_ENGINE")
    if reported:
        if reported not in ENGINES:
            raise LabError(
                f"SEATKEEPER_HOSTS_ENGINE is {reported!r}, not one of {', '.join(ENGINES)}."
            )
        return reported
    for kind in ENGINES[1:]:
        if shutil.which(kind) and completed([kind, "info"]).returncode == 0:
            return kind
    missing = missing_programs(PROGRAMS)
    if missing or os.geteuid() != 0:
        lacking = f"{', '.join(missing)} missing" if missing else "not root"
        raise LabError(
            f"No hosts can be made here: {lacking}, and neither docker nor podman answers."
            " Run tests/hosts/install.sh as root on Debian."
        )
    return ENGINES[0]


def _make_key(path: Path) -> None:
    if not path.exists():
        ran("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(path))


def _wait_ready(engine: Engine, name: str) -> None:
    """Return when the host has booted and SSH listens; LabError for a unit that failed."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while True:
        done = engine.run(name, "/bin/sh", "-c", _READY)
        state = done.stdout.strip()
        if state == "running" and done.returncode == 0:
            return
        if state == "degraded":
            failed = engine.run(name, "systemctl", "--failed", "--no-legend", "--plain").stdout
            raise LabError(f"The host {name} did not boot well: {failed.strip()}")
        if not engine.is_on(name):
            raise LabError(f"The host {name} went off while it booted.")
        if time.monotonic() > deadline:
            raise LabError(f"The host {name} was not up within {READY_SECONDS_MAX:.0f} s: {state}")
        time.sleep(LOOK_AGAIN_SECONDS)


def _wait_logged(engine: Engine, name: str, text: str) -> None:
    """Return when a twin's log holds the text; LabError when it takes too long."""
    deadline = time.monotonic() + LOGGED_SECONDS_MAX
    look = f"cat {TWIN_LOGS} | grep --quiet --fixed-strings -e {shlex.quote(text)}"
    while engine.run(name, "/bin/sh", "-c", look).returncode != 0:
        if time.monotonic() > deadline:
            raise LabError(f"{name} did not log {text!r} within {LOGGED_SECONDS_MAX:.0f} s.")
        time.sleep(LOOK_AGAIN_SECONDS)
