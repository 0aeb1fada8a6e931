# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to ask an agent: as a well-behaved client, byte by byte, and through a whole transfer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from seatkeeper_agent.client import through
from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab, LabHost

from .contract import Contract

ANSWER_SECONDS_MAX = 120.0
LEGS = ("request", "issue", "install", "confirm", "acknowledge")
SERIALS = {"old-server": "130-1000000001", "new-server": "130-2000000002"}


class Asker:
    """One agent, asked over its socket; every answer is held against its description."""

    def __init__(self, socket_path: Path, contract: Contract | None = None) -> None:
        transport = through(socket_path)
        self.socket_path = socket_path
        self._client = httpx.Client(
            transport=transport, base_url="http://localhost", timeout=ANSWER_SECONDS_MAX
        )
        self.contract = contract or Contract(self._client.get("/openapi.json").json())

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request; the answer fits the description, whatever it is."""
        answer = self._client.request(method, path, **options)
        self.contract.check(answer)
        return answer

    def get(self, path: str, **query: str | int) -> Any:
        """What a successful GET gives."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def problem(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """What a refused request gives."""
        answer = self.ask(method, path, **options)
        assert answer.is_error, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def open_stream(self, path: str) -> httpx.Response:
        """An answer of which only the head has been read yet."""
        return self._client.send(self._client.build_request("GET", path), stream=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


@contextmanager
def asking(host: LabHost, contract: Contract | None = None) -> Iterator[Asker]:
    """An asker of one host, closed at the end."""
    asker = Asker(host.socket_path, contract)
    try:
        yield asker
    finally:
        asker.close()


def exchange(socket_path: Path, request: bytes, end: bool = False) -> bytes:
    """Send bytes as they are and give all that comes back until the agent closes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_SECONDS_MAX)
        connection.connect(str(socket_path))
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65_536):
            received += part
        return received


def declared(name: str, **values: Any) -> dict[str, Any]:
    """A declaration that moves one seat from the old server to the new one."""
    places = {
        side: {"agent": agent, "container": SERIALS[agent]}
        for side, agent in (("source", "old-server"), ("target", "new-server"))
    }
    usual = {"item": "6000010:201", "type": "licenses", "mode": "push", "quantity": 1}
    return {"name": name, **usual, **places, **values}


def agent_of(declaration: dict[str, Any], leg: str) -> str:
    """The name of the agent that a leg runs on."""
    side = "source" if leg in ("issue", "confirm") else "target"
    return str(declaration[side]["agent"])


def carry(
    askers: dict[str, Asker], declaration: dict[str, Any], until: str = "acknowledge"
) -> list[dict[str, Any]]:
    """Run the legs of a transfer up to and with ``until``, as a playbook does; their answers."""
    answers: list[dict[str, Any]] = []
    document = None
    for leg in LEGS[: LEGS.index(until) + 1]:
        body = {"transfer": declaration, "document": document}
        path = f"/v1/transfers/{transfer_id(declaration['name'])}/{leg}"
        answer = askers[agent_of(declaration, leg)].ask("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        answers.append(answer.json())
        document = answers[-1]["document"]
    return answers


def described(lab: Lab) -> dict[str, Any]:
    """What both twins say that they hold and did: what must not change when nothing is done."""
    return {name: host.twin("describe")["containers"] for name, host in lab.hosts.items()}
