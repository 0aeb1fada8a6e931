# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver can do with the license server, what it leaves to people, what it refuses."""

from __future__ import annotations

from seatkeeper_agent.operations.ports import Capability, Grade
from seatkeeper_agent.vendors.acme.settings import AcmeSettings

_REFUSED = (
    ("server_settings", "No document names the settings of the license server."),
    ("license_transfer", "No document names an interface that moves licenses."),
)


def capabilities(trouble: str | None, settings: AcmeSettings) -> tuple[Capability, ...]:
    """All capabilities with their reasons; ``trouble`` is why it cannot be told what runs."""
    runtime = Capability(
        "runtime",
        Grade.DOCUMENTED if trouble is None else Grade.REFUSED,
        "The operator's status command tells whether it runs." if trouble is None else trouble,
    )
    return (
        runtime,
        _service_control(settings),
        *(Capability(name, Grade.REFUSED, reason) for name, reason in _REFUSED),
    )


def _service_control(settings: AcmeSettings) -> Capability:
    if settings.status_command and settings.start_command and settings.stop_command:
        return Capability("service_control", Grade.ASSISTED, "By the operator's own commands.")
    return Capability(
        "service_control",
        Grade.REFUSED,
        "No document names the service's unit: set acme.status_command,"
        " acme.start_command and acme.stop_command.",
    )
