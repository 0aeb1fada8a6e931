# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator tells the CodeMeter driver."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from seatkeeper_agent.host import host as this_host

_PATHS = ("cmu", "server_ini")
_COMMANDS = ("stop_command", "start_command")
_PERIODS = ("call_seconds_max", "idle_seconds_max", "service_seconds_max")


def _service(verb: str) -> tuple[str, ...]:
    return this_host().service_command(verb, "codemeter")


@dataclass(frozen=True, slots=True)
class CodeMeterSettings:
    """Where the product is and how long it may take; ValueError tells what is wrong.

    The defaults are the places of the vendor's Linux package (grades D and T).
    ``library`` is a file name for the system's loader or an absolute path. ``host`` is passed
    on as CODEMETER_HOST (grade D) and points library and ``cmu`` at another server; None
    leaves it to this host. ``stop_command`` must return only when the service has ended, as
    ``systemctl`` does: until then the service may still rewrite its file.
    ``update_is_repeatable`` is the operator's word that the same request may be served twice,
    which no document says.
    """

    library: str = "libwibucm.so"
    cmu: str = "/usr/bin/cmu"
    server_ini: str = "/etc/wibu/CodeMeter/Server.ini"
    stop_command: tuple[str, ...] = field(default_factory=partial(_service, "stop"))
    start_command: tuple[str, ...] = field(default_factory=partial(_service, "start"))
    host: str | None = None
    call_seconds_max: float = 20.0
    idle_seconds_max: float = 60.0
    service_seconds_max: float = 60.0
    update_is_repeatable: bool = False

    def __post_init__(self) -> None:
        for name in _PATHS:
            _require(getattr(self, name).startswith("/"), f"{name} must be an absolute path")
        named = bool(self.library) and ("/" not in self.library or self.library.startswith("/"))
        _require(named, "library must be a file name or an absolute path")
        for name in _COMMANDS:
            _require(bool(getattr(self, name)), f"{name} must name a program")
        for name in _PERIODS:
            period = getattr(self, name)
            _require(0 < period <= 3600, f"{name} must be more than 0 and at most 3600 seconds")
        hosted = self.host is None or (bool(self.host) and not self.host.startswith("-"))
        _require(hosted, "host must be a host name or an address")
        texts = [self.library, self.cmu, self.server_ini, self.host or ""]
        for text in (*texts, *self.stop_command, *self.start_command):
            clean = "%" not in text and text.isprintable()
            _require(clean, f"{text!r} must not hold % or control characters")

    def environment(self) -> dict[str, str]:
        """The agent's environment with CODEMETER_HOST as set here and nowhere else."""
        kept = {name: value for name, value in os.environ.items() if name != "CODEMETER_HOST"}
        return kept if self.host is None else kept | {"CODEMETER_HOST": self.host}


def found_on_this_host(settings: CodeMeterSettings) -> bool:
    """Whether files of the product lie where the settings say; what cannot be looked at may."""
    library = [settings.library] if settings.library.startswith("/") else []
    return any(_may_be_there(Path(path)) for path in (settings.cmu, settings.server_ini, *library))


def _may_be_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(f"codemeter: {rule}")
