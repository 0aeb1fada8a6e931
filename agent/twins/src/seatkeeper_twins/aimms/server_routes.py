# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine answers to licman and to control; all of it is made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seatkeeper_twins.aimms.server import Server
from seatkeeper_twins.parts.web import Routes, answering


def server_routes(server: Server) -> Routes:
    """Everything that the process answers."""
    verbs: dict[str, Callable[..., Any]] = {
        "activate": server.activate, "deactivate": server.deactivate,
        "add_profile": server.add_profile, "remove_profile": server.remove_profile,
        "maintenance": server.set_maintenance, "maintenance_state": server.maintenance_state,
        "list": server.listed, "version": server.version, "install": server.install,
        "remove": server.remove, "request": server.request, "response": server.response,
    }  # fmt: skip
    return {
        **{("POST", f"/_twin/do/{name}"): answering(verb) for name, verb in verbs.items()},
        **server.control_routes(),
    }
