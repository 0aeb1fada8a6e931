# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver can do with the license server, what it leaves to people, what it refuses."""

from __future__ import annotations

from seatkeeper_agent.domain.versions import at_least
from seatkeeper_agent.operations.ports import Capability, Grade
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings

MIGRATION_VERSION_MIN = "4.5.0"
"""The first server that migrates dongles (grade D)."""

_DOCUMENTED = (
    ("server_settings", "GET and POST /config; ports, proxy and log level are the known keys."),
    ("dongle_service", "POST /dongle/enable and /dongle/disable, observed in /status."),
    ("deactivation", "POST /deactivate, observed in /status."),
)
_REFUSED = (
    (
        "migration_undo",
        "The vendor says that a migration is irreversible and the dongle is dead afterwards.",
    ),
    ("dongle_owner", "No interface tells which company owns a dongle: it is reported as unknown."),
    ("active_account", "The status does not tell whose account is activated."),
    (
        "server_move",
        "The vendor documents no command that moves a server to another machine.",
    ),
    ("usage", "Who uses which seat is not read by this version."),
)


def capabilities(
    version: str | None, trouble: str | None, settings: ChaosSettings
) -> tuple[Capability, ...]:
    """All capabilities with their reasons; ``trouble`` is why the server does not answer."""
    runtime = Capability(
        "runtime",
        Grade.DOCUMENTED if trouble is None else Grade.REFUSED,
        "The license server answers." if trouble is None else trouble,
    )
    return (
        runtime,
        *(Capability(name, Grade.DOCUMENTED, reason) for name, reason in _DOCUMENTED),
        _online_activation(version, settings.credentials_file_version_min),
        _offline_activation(),
        _migration(version, settings.performer),
        *_borrowing(settings.performer),
        _service_control(settings),
        *(Capability(name, Grade.REFUSED, reason) for name, reason in _REFUSED),
    )


def _online_activation(version: str | None, least: str) -> Capability:
    name = "online_activation"
    met = at_least(version, least)
    if met:
        return Capability(
            name, Grade.DOCUMENTED, "vrlctl online login with a credentials file of mode 0600."
        )
    text = "The version is not known" if met is None else f"Version {version} is older than {least}"
    return Capability(
        name,
        Grade.REFUSED,
        f"{text}, and only from {least} on vrlctl is known to take a credentials file: log in on"
        " the server's page, or activate offline.",
    )


def _offline_activation() -> Capability:
    return Capability(
        "offline_activation",
        Grade.ASSISTED,
        "The agent fetches the request and hands over the answer file; in between a person has the"
        " request answered on the vendor's account page.",
    )


def _migration(version: str | None, performer: str) -> Capability:
    name = "dongle_migration"
    if at_least(version, MIGRATION_VERSION_MIN) is False:
        return Capability(
            name,
            Grade.REFUSED,
            f"Version {version} is older than {MIGRATION_VERSION_MIN}: update the server.",
        )
    return Capability(name, Grade.ASSISTED, f"TRANSFER is documented {_performed(performer)}")


def _borrowing(performer: str) -> tuple[Capability, ...]:
    text = {
        "borrow": "Use licenses offline is documented",
        "borrow_renewal": "AUTO-RENEW is documented",
        "borrow_return": "RELEASE is documented",
        "username_check": "The tick beside the target user name is documented",
    }
    return tuple(
        Capability(name, Grade.ASSISTED, f"{what} {_performed(performer)}")
        for name, what in text.items()
    )


def _performed(performer: str) -> str:
    if performer == "browser":
        return "on the server's page only; the agent drives it by its labels with a browser."
    return "on the server's page only; a person is told what to click there."


def _service_control(settings: ChaosSettings) -> Capability:
    name = "service_control"
    if settings.start_command and settings.stop_command:
        return Capability(name, Grade.ASSISTED, "By the operator's own commands.")
    return Capability(
        name,
        Grade.REFUSED,
        "No document names the service's unit; set chaos.start_command and chaos.stop_command.",
    )
