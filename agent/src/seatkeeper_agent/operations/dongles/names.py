# SPDX-License-Identifier: GPL-3.0-or-later
"""Which plugged dongle a declared migration is about, and what a dongle is known by."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.domain.servers import Dongle


def name_of(dongle: Dongle, plugged: list[Dongle]) -> str:
    """What a dongle is known by: its serial number, its path where that does not tell it apart."""
    same = [entry for entry in plugged if dongle.serial and entry.serial == dongle.serial]
    return dongle.path if len(same) > 1 else dongle.id


def is_of(document: dict[str, Any], dongle: Dongle, plugged: list[Dongle]) -> bool:
    """Whether a plugged dongle is the one that a migration was declared for."""
    declared = dongle_from(document["dongle"])
    if dongle.serial != declared.serial:
        return False
    if dongle.path == declared.path:
        return True
    is_unique = name_kept(document) == declared.serial and name_of(dongle, plugged) == dongle.serial
    return dongle.serial is not None and is_unique


def dongle_from(document: dict[str, Any]) -> Dongle:
    """The dongle as it was declared."""
    return Dongle(**{key: value for key, value in document.items() if key != "id"})


def name_kept(document: dict[str, Any]) -> str:
    """What the dongle of a declared migration is known by."""
    return str(document.get("name", document["dongle"]["id"]))


def names_of(document: dict[str, Any]) -> list[str]:
    """What the dongle of a declared migration was declared by."""
    return list(document.get("names", [document["dongle"]["id"]]))
