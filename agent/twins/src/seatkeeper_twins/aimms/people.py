# SPDX-License-Identifier: GPL-3.0-or-later
"""Do what people do on machines, and at the vendor's.

Addresses are URLs without a slash at the end, of the activation service or of a machine. All of it
is made up and never to be used by a driver.
"""

from __future__ import annotations

from typing import Any

from seatkeeper_twins.parts.control import ask, describe


def holders(vendor: str) -> dict[str, str | None]:
    """The machine that has each license for good, None for one that is active nowhere."""
    return {number: each["machine"] for number, each in describe(vendor)["licenses"].items()}


def activate(server: str, number: str, code: str) -> None:
    """Activate a license as machine nodelock; TwinRefused."""
    _do(server, "activate", number=number, kind="machine", code=code)


def deactivate(server: str, number: str) -> None:
    """What a person does in License Configuration; needs maintenance mode."""
    _do(server, "deactivate", number=number)


def add_profile(server: str, name: str, number: str) -> None:
    """Link a profile to a license."""
    _do(server, "add_profile", name=name, number=number)


def remove_profile(server: str, name: str) -> None:
    """Unlink a profile."""
    _do(server, "remove_profile", name=name)


def maintenance(server: str, enabled: bool) -> None:
    """Switch maintenance mode; leaving it restarts the server and kills jobs."""
    _do(server, "maintenance", enabled=enabled)


def install(server: str) -> None:
    """Install the product on a machine."""
    _do(server, "install")


def remove(server: str) -> None:
    """Remove the product from a machine; refused while licenses are there."""
    _do(server, "remove")


def request(server: str, number: str, code: str) -> str:
    """Begin an offline activation; the request file."""
    return str(_do(server, "request", number=number, code=code)["request"])


def answer(vendor: str, request_file: str) -> str:
    """Upload a request file on the vendor's page; the response file."""
    return str(ask(vendor, "POST", "/_twin/page/answer", {"request": request_file})["response"])


def respond(server: str, response_file: str) -> None:
    """End an offline activation."""
    _do(server, "response", response=response_file)


def release(vendor: str, number: str) -> None:
    """The vendor's support deactivates a license whose machine is lost."""
    ask(vendor, "POST", "/_twin/support/release", {"number": number})


def emergency(vendor: str, number: str, server: str) -> None:
    """The vendor lets a machine use a license for seven days."""
    machine = describe(server)["machine"]
    ask(vendor, "POST", "/_twin/support/emergency", {"number": number, "machine": machine})


def _do(server: str, verb: str, **values: Any) -> dict[str, Any]:
    return ask(server, "POST", f"/_twin/do/{verb}", values)
