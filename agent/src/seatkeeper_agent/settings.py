# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's settings: one TOML file, every key checked, nothing guessed.

[agent]
name = "old-server"                      # how other hosts call this agent
state_folder = "/var/lib/seatkeeper"     # journal, key and trusted keys
socket = "/run/seatkeeper/agent.sock"    # unused when systemd passes a socket

[roles]                                  # groups whose members may do what
observer = ["seatkeeper-observer"]
operator = ["seatkeeper-operator"]
migrator = ["seatkeeper-migrator"]

[policy]                                 # what the operator adds to the vendor's rules
borrow_seconds_max = 2592000
transfer_blocked = false
receipt_required = false
clock_seconds_max = 3600

[usb]                                    # see usb/settings.py
dongles = ["1234:5678 own A dongle of our own"]

[acme]                                   # a table for each vendor: see its folder's settings.py
folder = "/opt/acme"
"""

from __future__ import annotations

import socket as sockets
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.preflight import Policy
from seatkeeper_agent.identity import AGENT_NAME_PATTERN
from seatkeeper_agent.usb.settings import UsbSettings
from seatkeeper_agent.vendors.registry import VendorError, vendors

DEFAULT_PATH = Path("/etc/seatkeeper/agent.toml")
SETTINGS_BYTES_MAX = 1_048_576
NUMBER_MAX = 1_000_000_000

_TABLES = {"agent", "roles", "policy", "usb"}


class SettingsError(Exception):
    """The settings cannot be used; the text says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The groups whose members have a role; root and the agent's own user are migrators."""

    observer: tuple[str, ...] = ("seatkeeper-observer",)
    operator: tuple[str, ...] = ("seatkeeper-operator",)
    migrator: tuple[str, ...] = ("seatkeeper-migrator",)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the operator tells one agent.

    ``vendors`` has the settings of each vendor whose product may be here, by its name.
    """

    name: str
    state_folder: Path = Path("/var/lib/seatkeeper")
    socket: Path = Path("/run/seatkeeper/agent.sock")
    settle_seconds: float | None = None
    roles: Roles = field(default_factory=Roles)
    policy: Policy = field(default_factory=Policy)
    usb: UsbSettings = field(default_factory=UsbSettings)
    vendors: dict[str, Any] = field(default_factory=lambda: _vendors({}))


def load(path: Path) -> Settings:
    """Read the file; an absent default file means the defaults. SettingsError otherwise."""
    if path == DEFAULT_PATH and not path.exists():
        return Settings(name=sockets.gethostname())
    try:
        with path.open("rb") as file:
            content = file.read(SETTINGS_BYTES_MAX + 1)
        if len(content) > SETTINGS_BYTES_MAX:
            raise SettingsError(f"The settings {path} are larger than {SETTINGS_BYTES_MAX} bytes.")
        document = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise SettingsError(
            f"The settings {path} cannot be read: {error.strerror}. Give their place with --config."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings {path} are not TOML: {error}.") from error
    try:
        return _settings(document)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"The settings {path} cannot be used: {error}.") from error
    except VendorError as error:
        raise SettingsError(str(error)) from error


def _settings(document: dict[str, Any]) -> Settings:
    _only(document, _TABLES | vendors().keys(), "the file")
    agent = _table(document, "agent")
    _only(agent, {"name", "state_folder", "socket", "settle_seconds"}, "[agent]")
    name = agent.get("name", sockets.gethostname())
    if not isinstance(name, str) or not AGENT_NAME_PATTERN.fullmatch(name):
        raise ValueError(f"agent.name {name!r} must be letters, digits, dots, dashes (63 at most)")
    places = {key: _folder(agent[key], key) for key in ("state_folder", "socket") if key in agent}
    return Settings(
        name=name,
        **places,
        settle_seconds=_seconds(agent.get("settle_seconds")),
        roles=Roles(**_lists(_table(document, "roles"), Roles)),
        policy=Policy(**_typed(_table(document, "policy"), Policy, "policy")),
        usb=UsbSettings(**_typed(_table(document, "usb"), UsbSettings, "usb")),
        vendors=_vendors(document),
    )


def _vendors(document: dict[str, Any]) -> dict[str, Any]:
    """Of those that have a table, and of those that work without one."""
    return {
        name: vendor.settings(**_typed(_table(document, name), vendor.settings, name))
        for name, vendor in vendors().items()
        if name in document or vendor.is_assumed()
    }


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise TypeError(f"{name} must be a table")
    return table


def _only(table: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ValueError(
            f"{where} has the unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )


def _folder(value: Any, key: str) -> Path:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(f"agent.{key} must be an absolute path")
    return Path(value)


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 600:
        raise ValueError("agent.settle_seconds must be a number of seconds up to 600")
    return float(value)


def _lists(table: dict[str, Any], kind: type) -> dict[str, tuple[str, ...]]:
    _only(table, {entry.name for entry in fields(kind)}, "[roles]")
    for key, value in table.items():
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ValueError(f"roles.{key} must be a list of group names")
    return {key: tuple(value) for key, value in table.items()}


def _typed(table: dict[str, Any], kind: type, where: str) -> dict[str, Any]:
    """Keys of a dataclass with values of the types that its defaults have."""
    known = {entry.name: entry for entry in fields(kind)}
    _only(table, set(known), f"[{where}]")
    defaults = kind()
    values: dict[str, Any] = {}
    for key, value in table.items():
        values[key] = _value(value, getattr(defaults, key), str(known[key].type), f"{where}.{key}")
    return values


def _value(given: object, default: object, annotation: str, name: str) -> Any:
    value: Any = given
    wanted: tuple[type, ...]
    match default:
        case bool():
            wanted = (bool,)
        case tuple():
            wanted = (list,)
        case float():
            wanted = (int, float)
        case _:
            wanted = (int,) if "int" in annotation else (str,)
    if not isinstance(given, wanted) or (isinstance(given, bool) and wanted != (bool,)):
        raise TypeError(f"{name} must be of type {annotation}, not {value!r}")
    if isinstance(default, tuple):
        if not all(isinstance(entry, str) for entry in value):
            raise TypeError(f"{name} must be a list of texts, not {value!r}")
        return tuple(value)
    if isinstance(value, int | float) and value < 0:
        raise ValueError(f"{name} must not be negative")
    if isinstance(value, int) and value > NUMBER_MAX:
        raise ValueError(f"{name} must be {NUMBER_MAX} or less")
    return float(value) if isinstance(default, float) else value
