# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with the hosts of a lab, whatever they are made of."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .base import RELEASES

COMMAND_SECONDS_MAX = 600.0
NETWORK_BITS = 24


class LabError(Exception):
    """The lab cannot do what was asked; the text is one sentence or two."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where a host is, and the Debian release that it starts from."""

    address: str
    release: str = "bookworm"

    @classmethod
    def parsed(cls, text: str) -> Host:
        """From ADDRESS or ADDRESS@RELEASE; LabError for a release that is not known."""
        host = cls(*text.split("@", 1))
        if host.release not in RELEASES:
            raise LabError(f"{host.release!r} is no release: take one of {', '.join(RELEASES)}.")
        return host

    def __str__(self) -> str:
        return f"{self.address}@{self.release}"


class Engine(Protocol):
    """Makes, disturbs and removes hosts; every method may be repeated."""

    def prepare(self, gateway: str) -> None:
        """Make the network that all hosts are in; ``gateway`` is the controller's address."""

    def make(self, name: str, host: Host, identity: bytes) -> None:
        """Make a host that has the files of ``identity``, a tar, and is off."""

    def start(self, name: str) -> None:
        """Switch a host on; what was on its disk is still there."""

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a host that is on, as its root, past its network."""

    def is_on(self, name: str) -> bool:
        """Whether the host runs."""

    def kill(self, name: str) -> None:
        """Cut a host's power; its disk is kept."""

    def cut(self, name: str) -> None:
        """Take a host from the network."""

    def mend(self, name: str) -> None:
        """Put a host back into the network."""

    def remove(self, name: str) -> None:
        """Remove a host and its disk."""

    def clear(self) -> None:
        """Remove the network."""

    def ssh_prefix(self) -> list[str]:
        """What an SSH client is started with, so that it is in the hosts' network."""


def ran(*command: str, data: bytes | None = None) -> str:
    """What a command printed; LabError with its words when it fails or takes too long."""
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, check=False, timeout=COMMAND_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{command[0]}: {error}.") from error
    if done.returncode != 0:
        reported = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise LabError(f"{' '.join(command)}: exit code {done.returncode}, {reported}")
    return done.stdout.decode(errors="replace")


def completed(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A command that ran to its end, however it ended; LabError when it takes too long."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS_MAX
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{command[0]}: {error}.") from error


def shared_folder(lab: Path, name: str) -> Path:
    """A host's folder that is on the host as well, at SHARED."""
    return lab / "hosts" / name / "shared"


SHARED = "/srv/shared"
