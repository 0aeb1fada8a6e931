# SPDX-License-Identifier: GPL-3.0-or-later
"""A real agent in this process, asked through its API, with nothing that runs beside requests."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx

from seatkeeper_agent.agent import build
from seatkeeper_agent.api.app import create_app
from seatkeeper_agent.api.bounds import WithPeer
from seatkeeper_agent.api.jobs import JobRunner
from seatkeeper_agent.host import Peer
from seatkeeper_agent.settings import Roles, load

WAIT = {"Prefer": "wait=300"}
"""As long as an agent waits at all: a loaded machine must not turn one request into two."""


class InProcess:
    """One agent; its watcher and its recovery do not run, so what is counted was asked for."""

    def __init__(self, settings_path: Path, roles: Roles | None = None) -> None:
        self.agent = build(load(settings_path))
        self._app = create_app(self.agent, roles or self.agent.settings.roles)
        self._workshop = self._app.state.job_runner = JobRunner()
        self._runner = asyncio.Runner()
        # It is made once in the life of a host, and belongs to no request.
        assert self.agent.identity.key_id

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What a successful request gives."""
        answer = self.answer(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.headers["content-type"] == "application/json" else None

    def answer(
        self, method: str, path: str, body: Any = None, peer: Peer | None = None
    ) -> httpx.Response:
        """What a request gives, refused or not; asked by a peer, or by the agent's own user."""
        asking = Peer(os.geteuid(), os.getegid()) if peer is None else peer
        return self._runner.run(self._answer(method, path, body, asking))

    async def _answer(self, method: str, path: str, body: Any, peer: Peer) -> httpx.Response:
        transport = httpx.ASGITransport(WithPeer(self._app, peer))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, json=body, headers=WAIT, timeout=None)

    def close(self) -> None:
        """Let go of products, files and threads."""
        self.agent.end_waiting()
        self._workshop.close()
        self._runner.close()
        self.agent.close()
