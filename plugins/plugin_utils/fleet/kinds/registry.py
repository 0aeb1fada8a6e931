# SPDX-License-Identifier: GPL-3.0-or-later
"""All kinds of declarations, in the order in which an agent is told of them."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    AgentOf,
    Declaration,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds import (
    activations,
    dongles,
    orders,
    server_borrows,
    server_moves,
    servers,
    transfers,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import (
    Kind,
    Secrets,
    Variables,
)

KINDS: t.Final[t.Dict[str, Kind]] = {
    "server": servers.SERVER,
    "activation": activations.ONLINE,
    "offline_activation": activations.OFFLINE,
    "dongle_migration": dongles.DONGLE_MIGRATION,
    "transfer": transfers.TRANSFER,
    "borrow": transfers.BORROW,
    "server_borrow": server_borrows.SERVER_BORROW,
    # What was taken by an activation has been given back before.
    "deactivation": activations.GIVEN_UP,
    "order": orders.ORDER,
    "server_move": server_moves.SERVER_MOVE,
}
"""By the name that the agents know it by."""
PARTS: t.Final = tuple(dict.fromkeys(kind.part for kind in KINDS.values()))


def read_declarations(
    variables: Variables, host: str, agent_of: AgentOf, parts: t.Collection[str] = PARTS
) -> t.List[Declaration]:
    """All that concerns one host, in the order in which it is done.

    ``variables`` are those of the host as ``inventory`` has read them, and found right.
    """
    agent = agent_of(host)
    return [
        declaration
        for kind in KINDS.values()
        if kind.part in parts
        for declaration in kind.read(variables, host, agent_of)
        if agent in declaration.agents
    ]


def secrets_of(
    variables: Variables, host: str, parts: t.Collection[str] = PARTS
) -> t.Dict[str, Secrets]:
    """By kind, what the agent of one host is told besides, which is kept nowhere."""
    kinds = {name: kind for name, kind in KINDS.items() if kind.part in parts}
    found = {name: kind.secrets(variables, host) for name, kind in kinds.items()}
    return {name: secrets for name, secrets in found.items() if secrets}
