# SPDX-License-Identifier: GPL-3.0-or-later
"""Which role each route of the agent needs, written down by hand, one row for each.

A route without a row fails the tests, and so does one whose body takes a confirmation and that
does not say so here. Nobody: it tells that the agent lives and nothing else.
"""

from __future__ import annotations

from seatkeeper_agent.api.roles import Role

NOBODY, OBSERVER, OPERATOR, MIGRATOR = Role

ROUTES: dict[tuple[str, str], Role] = {
    ("GET", "/livez"): NOBODY,
    ("GET", "/readyz"): NOBODY,
    ("GET", "/"): OBSERVER,
    ("GET", "/metrics"): OBSERVER,
    ("GET", "/v1/agent"): OBSERVER,
    ("GET", "/v1/audit"): OBSERVER,
    ("GET", "/v1/borrows"): OBSERVER,
    ("GET", "/v1/borrows/{borrow}"): OBSERVER,
    ("GET", "/v1/containers"): OBSERVER,
    ("GET", "/v1/containers/{serial}/history"): OBSERVER,
    ("GET", "/v1/containers/{serial}/items"): OBSERVER,
    ("GET", "/v1/dongles"): OBSERVER,
    ("GET", "/v1/dongles/{dongle}/eligibility"): OBSERVER,
    ("GET", "/v1/ledger"): OBSERVER,
    ("GET", "/v1/migrations"): OBSERVER,
    ("GET", "/v1/migrations/{migration}"): OBSERVER,
    ("GET", "/v1/moves"): OBSERVER,
    ("GET", "/v1/moves/{move}"): OBSERVER,
    ("GET", "/v1/operations"): OBSERVER,
    ("GET", "/v1/operations/{operation}"): OBSERVER,
    ("GET", "/v1/operations/{operation}/events"): OBSERVER,
    ("GET", "/v1/orders"): OBSERVER,
    ("GET", "/v1/orders/{order}"): OBSERVER,
    ("GET", "/v1/orders/{order}/documents"): OBSERVER,
    ("GET", "/v1/dependencies"): OBSERVER,
    ("GET", "/v1/peers"): OBSERVER,
    ("GET", "/v1/servers/{vendor}"): OBSERVER,
    ("GET", "/v1/servers/{vendor}/activation"): OBSERVER,
    ("GET", "/v1/servers/{vendor}/backup"): OBSERVER,
    ("GET", "/v1/servers/{vendor}/borrows"): OBSERVER,
    ("GET", "/v1/servers/{vendor}/borrows/{borrow}"): OBSERVER,
    ("GET", "/v1/transfers"): OBSERVER,
    ("GET", "/v1/transfers/{transfer}"): OBSERVER,
    ("GET", "/v1/waiting"): OBSERVER,
    ("GET", "/v2/look"): OBSERVER,
    ("PUT", "/v2/state"): OBSERVER,
    ("DELETE", "/v1/migrations/{migration}"): OPERATOR,
    ("DELETE", "/v1/moves/{move}"): OPERATOR,
    ("DELETE", "/v1/servers/{vendor}/activation"): OPERATOR,
    ("DELETE", "/v1/transfers/{transfer}"): OPERATOR,
    ("POST", "/v1/moves/{move}/legs/{leg}"): OPERATOR,
    ("POST", "/v1/resume"): OPERATOR,
    ("POST", "/v1/servers/{vendor}/activation/request"): OPERATOR,
    ("POST", "/v1/servers/{vendor}/activation/response"): OPERATOR,
    ("POST", "/v1/transfers/{transfer}/resume"): OPERATOR,
    ("POST", "/v1/transfers/{transfer}/{leg}"): OPERATOR,
    ("PUT", "/v1/borrows/{borrow}"): OPERATOR,
    ("PUT", "/v1/migrations/{migration}"): OPERATOR,
    ("PUT", "/v1/orders/{order}"): OPERATOR,
    ("PUT", "/v1/servers/{vendor}"): OPERATOR,
    ("PUT", "/v1/servers/{vendor}/activation"): OPERATOR,
    ("PUT", "/v1/servers/{vendor}/backup"): OPERATOR,
    ("PUT", "/v1/servers/{vendor}/borrows/{borrow}"): OPERATOR,
    ("PUT", "/v1/servers/{vendor}/profiles/{name}"): OPERATOR,
    ("POST", "/v1/operations/{operation}/attest"): MIGRATOR,
}

UNDESCRIBED: dict[tuple[str, str], Role] = {("GET", "/openapi.json"): OBSERVER}
"""What the agent answers beside what its description lists."""

CONFIRMED: frozenset[tuple[str, str]] = frozenset(
    {
        ("POST", "/v1/moves/{move}/legs/{leg}"),
        ("POST", "/v1/transfers/{transfer}/{leg}"),
        ("PUT", "/v1/migrations/{migration}"),
        ("PUT", "/v1/orders/{order}"),
    }
)
"""An operator may ask for the plan; with a confirmation in the body only a migrator may."""
