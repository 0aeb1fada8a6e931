# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids and dates in the one spelling that collection and agent share."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timezone

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
)

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:seatkeeper:licensing")


def transfer_id(name: str) -> str:
    """The id of a named transfer: the same on every host and in every run."""
    return str(uuid.uuid5(NAMESPACE, f"transfer/{name}"))


def borrow_id(name: str) -> str:
    """The id of a named borrow."""
    return str(uuid.uuid5(NAMESPACE, f"borrow/{name}"))


def migration_id(vendor: str, dongle: str) -> str:
    """The id of the migration of a dongle's licenses; there is one for each dongle."""
    return str(uuid.uuid5(NAMESPACE, f"migration/{vendor}/{dongle}"))


def order_id(name: str) -> str:
    """The id of a named order."""
    return str(uuid.uuid5(NAMESPACE, f"order/{name}"))


def move_id(name: str) -> str:
    """The id of a named move of a license server."""
    return str(uuid.uuid5(NAMESPACE, f"move/{name}"))


def transfer_reference(name_or_id: str) -> str:
    """The id of a transfer that is named by either."""
    try:
        return str(uuid.UUID(name_or_id))
    except ValueError:
        return transfer_id(name_or_id)


def day(option: str, text: str) -> str:
    """A day as the agent writes it; YAML turns an unquoted one into its own spelling."""
    try:
        return datetime.fromisoformat(text.strip()).date().isoformat()
    except ValueError:
        raise LicenseProblem.of(
            INPUT_INVALID,
            f"The value {text!r} of {option} is not a day such as 2026-11-28.",
            "Give a fixed day; a relative one would move with every run.",
        ) from None


def instant(option: str, text: str) -> str:
    """A date or a point in time as the agent writes it: RFC 3339, UTC, whole seconds.

    YAML turns an unquoted date into its own spelling, so both are read. A time without an
    offset is UTC. A relative time is refused: the second run would mean something else.
    """
    try:
        read = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
        moment = read.replace(tzinfo=timezone.utc) if read.tzinfo is None else read
        in_utc = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise LicenseProblem.of(
            INPUT_INVALID,
            f"The value {text!r} of {option} is not a date such as 2026-11-28 or"
            " 2026-11-28T18:00:00Z.",
            "Give a fixed date; a relative one would move with every run.",
        ) from None
    return in_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
