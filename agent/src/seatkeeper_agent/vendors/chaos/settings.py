# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator tells the Chaos driver, and where the product lies on this host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from seatkeeper_agent.domain.versions import numbers_of

PORT = 30304
"""The one port of page, interface and licenses (grade D)."""

VRLCTL_PATHS = ("/usr/Chaos/VRLService/vrlctl", "/usr/ChaosGroup/VRLService/OLS/vrlctl")
"""The command line of the vendor's Linux packages, newer first (grades D and T)."""

_PRODUCT_PATHS = (*VRLCTL_PATHS, "/usr/ChaosGroup/VRLService/OLS/vrls")
_PATHS = ("vrlctl", "chromium", "screenshot_folder")
_COMMANDS = ("wibukey_version_command", "stop_command", "start_command", "browser_arguments")
_PERIODS = ("call_seconds_max", "label_seconds_max", "page_seconds_max", "service_seconds_max")
_PERIOD_MAX = 3600
_MIGRATION_SECONDS_MAX = 86_400
PERFORMERS = ("person", "browser")


@dataclass(frozen=True, slots=True)
class ChaosSettings:
    """Where the server is, who performs on its page, how long things may take.

    ValueError tells what is wrong. ``vrlctl`` None means the place of the vendor's packages.
    The three commands are the operator's own, because no document names a program that tells
    the WibuKey driver's version or the name of the service's unit; empty means that there is
    none. ``credentials_file_version_min`` is the first version whose ``vrlctl`` takes a
    credentials file (seen with 5.5.5, grade T); an older one is not asked to log in.
    Times are in seconds: ``call_seconds_max`` bounds a call, ``label_seconds_max`` the wait
    for a label of the page, ``page_seconds_max`` everything before and after an effect on it,
    ``migration_seconds_max`` the wait after the click that migrates, ``due_after`` is
    the deadline that a person is shown, 0 for none. ``browser_user`` is whom the browser runs as
    where the agent is root; otherwise it runs as the agent's own user. ``screenshot_folder`` None
    leaves the choice to the agent.
    """

    address: str = f"http://127.0.0.1:{PORT}"
    vrlctl: str | None = None
    credentials_file_version_min: str = "5.5"
    wibukey_version_command: tuple[str, ...] = ()
    stop_command: tuple[str, ...] = ()
    start_command: tuple[str, ...] = ()
    performer: str = "person"
    chromium: str = "/usr/bin/chromium"
    browser_arguments: tuple[str, ...] = ()
    browser_user: str | None = None
    screenshot_folder: str | None = None
    call_seconds_max: float = 20.0
    label_seconds_max: float = 10.0
    page_seconds_max: float = 120.0
    migration_seconds_max: float = 1800.0
    service_seconds_max: float = 60.0
    due_after: int = 0

    def __post_init__(self) -> None:
        _require(_is_address(self.address), "address must look like http://127.0.0.1:30304")
        for name in _PATHS:
            path = getattr(self, name)
            _require(path is None or path.startswith("/"), f"{name} must be an absolute path")
        least = numbers_of(self.credentials_file_version_min)
        _require(least is not None, "credentials_file_version_min must be a version such as 5.5")
        _require(self.performer in PERFORMERS, f"performer must be one of {', '.join(PERFORMERS)}")
        for name in _PERIODS:
            period = getattr(self, name)
            _require(0 < period <= _PERIOD_MAX, f"{name} must be above 0 and at most {_PERIOD_MAX}")
        _require(
            0 < self.migration_seconds_max <= _MIGRATION_SECONDS_MAX,
            f"migration_seconds_max must be above 0 and at most {_MIGRATION_SECONDS_MAX}",
        )
        _require(
            not (self.browser_user and self.switches_sandbox_off),
            "browser_arguments must not switch the sandbox off that browser_user has",
        )
        _require(self.due_after >= 0, "due_after must not be negative")
        texts = [getattr(self, name) or "" for name in _PATHS]
        for text in (*texts, *(word for name in _COMMANDS for word in getattr(self, name))):
            clean = "%" not in text and text.isprintable()
            _require(clean, f"{text!r} must not hold % or control characters")

    @property
    def switches_sandbox_off(self) -> bool:
        """Whether the operator's arguments do so; the agent never does."""
        return any("sandbox" in argument for argument in self.browser_arguments)

    @property
    def host(self) -> str:
        """The host part of the address."""
        return urlsplit(self.address).hostname or ""

    def vrlctl_path(self) -> str | None:
        """The command line to run; None where none is set and none lies at its usual place."""
        if self.vrlctl is not None:
            return self.vrlctl
        return next((path for path in VRLCTL_PATHS if Path(path).is_file()), None)


def found_on_this_host(root: Path = Path("/")) -> bool:
    """Whether the product's files lie at one of the known places, below ``root``."""
    return any((root / path.lstrip("/")).is_file() for path in _PRODUCT_PATHS)


def _is_address(text: str) -> bool:
    # The product speaks plain HTTP and lies at the root (grade D): anything else is a slip.
    try:
        parts = urlsplit(text)
        named = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    bare = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
    return named and bare and text.isascii() and text.isprintable() and " " not in text


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(f"chaos: {rule}")
