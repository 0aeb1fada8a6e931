# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed of a lab's host: which products it has, and what each starts with.

Either the seed of a CodeMeter twin alone (see codemeter/seed.py), or an object of sections, of
which a host has at least one:

{"codemeter": {"containers": []},
 "chaos": {
    "profile": "6",                     optional; a version of the license server
    "performer": "person",              optional; or "browser": who works on the server's page
    "server": {"dongle_service": true}, optional; see chaos/seed.py
    "dongles": [{"port": "1-1.4", "serial": "90000001", "ids": "064f:0bd8"}]},   optional
 "altigen": {},                         see lab/altigen.py
 "aimms": {}}                           see lab/aimms.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatkeeper_twins.chaos import usb_folder
from seatkeeper_twins.lab.aimms import AimmsSeed, aimms_seed
from seatkeeper_twins.lab.altigen import AltiGenSeed, altigen_seed
from seatkeeper_twins.parts.seed import SeedError, table, text

SECTIONS = frozenset({"codemeter", "chaos", "altigen", "aimms"})
PERFORMERS = ("person", "browser")
PROFILE = "6"


@dataclass(frozen=True, slots=True)
class SeedDongle:
    """A dongle that is plugged in from the beginning; ``serial`` None: it tells none."""

    port: str
    serial: str | None
    vendor_id: int
    product_id: int


@dataclass(frozen=True, slots=True)
class ChaosSeed:
    """A host's Chaos license server; ``server`` is its twin's own seed."""

    profile: str
    performer: str
    server: dict[str, Any]
    dongles: tuple[SeedDongle, ...]

    def plug(self, folder: Path) -> None:
        """Plug its dongles into a recorded bus; SeedError for a port that is none or taken."""
        for dongle in self.dongles:
            try:
                usb_folder.plug(
                    folder, dongle.port, dongle.vendor_id, dongle.product_id, dongle.serial
                )
            except (ValueError, FileExistsError) as error:
                raise SeedError(f"chaos.dongles: {str(error).rstrip('.')}") from error


@dataclass(frozen=True, slots=True)
class HostSeed:
    """What a host has; ``codemeter`` is its twin's own seed, None for a host without it."""

    codemeter: dict[str, Any] | None
    chaos: ChaosSeed | None
    altigen: AltiGenSeed | None = None
    aimms: AimmsSeed | None = None


def host_seed(seed: object) -> HostSeed:
    """The seed of one host; SeedError says what is wrong with the parts that are the lab's."""
    entry = table(seed, "the seed", None)
    if not entry or not SECTIONS.issuperset(entry):
        return HostSeed(entry, None)
    codemeter = table(entry["codemeter"], "codemeter", None) if "codemeter" in entry else None
    return HostSeed(
        codemeter,
        _chaos(entry["chaos"]) if "chaos" in entry else None,
        altigen_seed(entry["altigen"]) if "altigen" in entry else None,
        aimms_seed(entry["aimms"]) if "aimms" in entry else None,
    )


def _chaos(entry: object) -> ChaosSeed:
    found = table(entry, "chaos", {"profile", "performer", "server", "dongles"})
    performer = found.get("performer", PERFORMERS[0])
    if performer not in PERFORMERS:
        raise SeedError(f"chaos.performer must be one of {', '.join(PERFORMERS)}")
    dongles = found.get("dongles", [])
    if not isinstance(dongles, list):
        raise SeedError("chaos.dongles must be a list")
    return ChaosSeed(
        profile=text(found.get("profile", PROFILE), "chaos.profile"),
        performer=performer,
        server=table(found.get("server", {}), "chaos.server", None),
        dongles=tuple(_dongle(each, f"chaos.dongles[{n}]") for n, each in enumerate(dongles)),
    )


def _dongle(entry: object, where: str) -> SeedDongle:
    found = table(entry, where, {"port", "serial", "ids"})
    serial = found.get("serial")
    default = f"{usb_folder.WIBU:04x}:{usb_folder.WIBUKEY_BOX_RU:04x}"
    vendor, _, product = text(found.get("ids", default), f"{where}.ids").partition(":")
    try:
        ids = int(vendor, 16), int(product, 16)
    except ValueError as error:
        raise SeedError(f"{where}.ids must look like {default}") from error
    return SeedDongle(
        text(found.get("port"), f"{where}.port"),
        None if serial is None else text(serial, f"{where}.serial"),
        *ids,
    )
