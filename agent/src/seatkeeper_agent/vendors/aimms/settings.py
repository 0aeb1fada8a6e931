# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator tells the AIMMS driver, and where the product lies on this host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from seatkeeper_agent.vendors.aimms.line_form import parse_line_form

FOLDER = "/usr/local/Aimms"
"""Bin, Config, Licenses and Nodelocks lie in it (grade D)."""

PORTS = (3400, 3401)
"""TCP; the product does not let them be configured (grade D)."""

LICMAN = "licman"
"""How the product's command line is called in a mapped command."""

LICENSE = "{license}"
STATES = ("active", "pending", "inactive")
_MAPPED = (
    "deactivate_command", "maintenance_on_command", "maintenance_off_command",
    "maintenance_state_command", "list_command",
)  # fmt: skip
_OWN = ("version_command", "install_command")
_PERIODS = ("call_seconds_max", "install_seconds_max")
_PERIOD_MAX = 3600
_HOST = re.compile(r"[A-Za-z0-9:_][A-Za-z0-9.:_-]{0,252}")
_FILE_NAME = re.compile(r"[^/]{1,200}")


@dataclass(frozen=True, slots=True)
class AimmsSettings:
    """Where the server is, and what its operator has found out; ValueError tells what is wrong.

    Only ``licman --nodelock-activate`` and ``licman --profile-add`` are documented. Who has read
    ``licman --help`` of the own version can name further commands here: ``licman`` and its
    options, ``{license}`` for the license's number. Those that the help does not list are not
    run. Without them these steps are a person's.

    ``list_line`` is the form of a line that ``list_command`` prints, such as
    ``{license} {state} {profile}``, with ``{any}`` for what does not matter; each state is
    translated by ``list_states``, such as ``Activated=active``; ``list_ignored`` are whole lines
    without a license. ``nodelock_file`` is how a file in the folder Nodelocks is called as long
    as a license is active, such as ``{license}.xml``: without a list it shows what is active.
    ``maintenance_on_text`` is what ``maintenance_state_command`` prints in maintenance mode only.

    ``windows_host`` is a server that people administer in the License Manager window; of it
    only the ports are looked at. ``first_port`` and ``second_port`` are the product's own, which
    cannot be changed; other values are for a server behind forwarded ports. ``installer`` is
    the vendor's installer as a file. Times are in seconds; ``due_after`` is the
    deadline that a person is shown, 0 for none.
    """

    folder: str = FOLDER
    windows_host: str | None = None
    first_port: int = PORTS[0]
    second_port: int = PORTS[1]
    deactivate_command: tuple[str, ...] = ()
    maintenance_on_command: tuple[str, ...] = ()
    maintenance_off_command: tuple[str, ...] = ()
    maintenance_state_command: tuple[str, ...] = ()
    maintenance_on_text: str | None = None
    list_command: tuple[str, ...] = ()
    list_line: str | None = None
    list_states: tuple[str, ...] = ()
    list_ignored: tuple[str, ...] = ()
    nodelock_file: str | None = None
    version_command: tuple[str, ...] = ()
    installer: str | None = None
    install_command: tuple[str, ...] = ()
    call_seconds_max: float = 60.0
    install_seconds_max: float = 900.0
    due_after: int = 0

    def __post_init__(self) -> None:
        for name in ("folder", "installer"):
            path = getattr(self, name)
            _require(path is None or path.startswith("/"), f"{name} must be an absolute path")
        host = self.windows_host
        _require(
            host is None or _HOST.fullmatch(host) is not None,
            "windows_host must be a host's name or address",
        )
        ports = (self.first_port, self.second_port)
        usable = all(0 < port <= 65535 for port in ports) and ports[0] != ports[1]
        _require(usable, "first_port and second_port must be two ports from 1 to 65535")
        for name in _PERIODS:
            period = getattr(self, name)
            _require(0 < period <= _PERIOD_MAX, f"{name} must be above 0 and at most {_PERIOD_MAX}")
        _require(self.due_after >= 0, "due_after must not be negative")
        self._require_commands()
        self._require_forms()

    def _require_commands(self) -> None:
        for name in (*_MAPPED, *_OWN):
            command = getattr(self, name)
            for word in command:
                clean = "%" not in word and word.isprintable()
                _require(clean, f"{name}: {word!r} must not hold % or control characters")
            wanted = name == "deactivate_command"
            how_often = "once" if wanted else "not"
            _require(
                not command or " ".join(command).count(LICENSE) == wanted,
                f"{name} must hold {LICENSE} {how_often}",
            )
            if command and name in _MAPPED:
                usable = len(command) > 1 and command[0] == LICMAN
                _require(usable, f"{name} must be {LICMAN} and its options")
            elif command:
                path = command[0]
                usable = path.startswith("/") and not path.endswith(f"/{LICMAN}")
                _require(
                    usable or (path == LICMAN and name == "version_command"),
                    f"{name} must begin with an absolute path, or with {LICMAN} alone for the"
                    " version",
                )
        switches = [getattr(self, name) for name in _MAPPED[1:4]]
        all_or_none = len({bool(command) for command in switches}) == 1
        _require(
            all_or_none and bool(self.maintenance_on_text) == bool(switches[0]),
            "maintenance_on_command, maintenance_off_command, maintenance_state_command and"
            " maintenance_on_text are needed together or not at all",
        )

    def _require_forms(self) -> None:
        _require(
            bool(self.list_command) == bool(self.list_line),
            "list_command and list_line are needed together or not at all",
        )
        if self.list_line is not None:
            try:
                parse_line_form(self.list_line)
            except ValueError as error:
                raise ValueError(f"aimms: list_line {error}") from error
        for entry in self.list_states:
            state = entry.rpartition("=")[2]
            usable = "=" in entry[1:] and state in STATES
            _require(usable, f"list_states: {entry!r} must be TEXT= and one of {', '.join(STATES)}")
        name = self.nodelock_file
        usable = name is None or (
            name.count(LICENSE) == 1 and _FILE_NAME.fullmatch(name) is not None
        )
        _require(usable, f"nodelock_file must be a file's name with {LICENSE} once")

    @property
    def ports(self) -> tuple[int, int]:
        """Both ports."""
        return self.first_port, self.second_port

    @property
    def licman(self) -> Path:
        """The product's command line (grade D)."""
        return Path(self.folder) / "Bin" / LICMAN

    def states(self) -> dict[str, str]:
        """The state for each text that the list shows."""
        return {
            text: state for text, _, state in (entry.rpartition("=") for entry in self.list_states)
        }


def found_on_this_host(root: Path = Path("/")) -> bool:
    """Whether the product's programs lie at their documented place, below ``root``."""
    folder = root / FOLDER.lstrip("/") / "Bin"
    return any((folder / name).is_file() for name in (LICMAN, "licsrv"))


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(f"aimms: {rule}")
