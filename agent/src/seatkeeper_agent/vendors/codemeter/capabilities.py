# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver can do with CodeMeter, what it leaves to people, and what it refuses."""

from __future__ import annotations

from seatkeeper_agent.operations.ports import Capability, Grade
from seatkeeper_agent.vendors.codemeter.versions import (
    SECURE_SINCE,
    Version,
    security_floor_met,
)

_ALWAYS = (
    Capability(
        "containers_and_items",
        Grade.DOCUMENTED,
        "Read through the runtime library's public interface.",
    ),
    Capability(
        "license_transfer",
        Grade.DOCUMENTED,
        "Context, transfer, import, receipt and confirmation are public functions of the runtime"
        " library; which types exist depends on its version.",
    ),
    Capability(
        "pull",
        Grade.DOCUMENTED,
        "The interface names the flags INITPULL and PULL; how they follow each other is not"
        " described anywhere public.",
    ),
    Capability(
        "borrow_extension",
        Grade.DOCUMENTED,
        "The vendor says that a borrow can be extended and the interface names the flag"
        " RENEWBORROW; its exact use is not described anywhere public.",
    ),
    Capability(
        "offline_files",
        Grade.DOCUMENTED,
        "Requests, updates and receipts are carried as files that only CodeMeter reads.",
    ),
    Capability(
        "server_settings",
        Grade.DOCUMENTED,
        "Server.ini is edited while the service is stopped, because CodeMeter reads it only at"
        " its start and rewrites it.",
    ),
    Capability(
        "credit_back",
        Grade.REFUSED,
        "No documented function gives seats in transit back to their source; the vendor's support"
        " can.",
    ),
    Capability(
        "cmu_license_transfer",
        Grade.REFUSED,
        "The spelling of the license transfer options of cmu is not public; the runtime library"
        " is used instead.",
    ),
    Capability(
        "usage_tracking",
        Grade.REFUSED,
        "The tracking log is not read by this version.",
    ),
)


def capabilities(
    version: Version | None, trouble: str | None, update_is_repeatable: bool
) -> tuple[Capability, ...]:
    """All capabilities with their reasons; ``trouble`` is why the product does not answer."""
    runtime = Capability(
        "runtime",
        Grade.DOCUMENTED if trouble is None else Grade.REFUSED,
        "The license server answers." if trouble is None else trouble,
    )
    return (runtime, _security(version), *_ALWAYS, _repetition(update_is_repeatable))


def _security(version: Version | None) -> Capability:
    met = None if version is None else security_floor_met(version)
    if met:
        return Capability(
            "security_floor", Grade.DOCUMENTED, f"Version {version} has reached {SECURE_SINCE}."
        )
    if met is False:
        reason = (
            f"Version {version} is older than {SECURE_SINCE} and has published security holes:"
            " update the runtime."
        )
        return Capability("security_floor", Grade.REFUSED, reason)
    shown = "No version could be read" if version is None else f"Version {version}"
    reason = f"{shown}: whether it has reached {SECURE_SINCE} must be looked up by a person."
    return Capability("security_floor", Grade.ASSISTED, reason)


def _repetition(update_is_repeatable: bool) -> Capability:
    if update_is_repeatable:
        return Capability(
            "update_repeat",
            Grade.ASSISTED,
            "The operator has declared that a request may be served a second time; no document"
            " says so.",
        )
    return Capability(
        "update_repeat",
        Grade.REFUSED,
        "No document says what happens when the same request is served a second time, so a lost"
        " update is not asked for again.",
    )
