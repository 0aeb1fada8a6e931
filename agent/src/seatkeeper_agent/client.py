# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a running agent over its unix socket; the one place that uses httpx."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Self

import httpx

SECONDS_MAX = 30.0
PAGES_MAX = 1_000


class AgentUnreachable(Exception):
    """No agent answers; the text says where and what to do."""


class AgentRefused(AgentUnreachable):
    """The agent answers, but not this; the text is its own."""


def through(socket_path: Path) -> httpx.HTTPTransport:
    """What carries requests to the agent behind a unix socket."""
    # Nothing is encrypted there, but a context is wanted, and loading the authorities for the
    # default one takes longer than a request; this one trusts nobody.
    trusts_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.HTTPTransport(uds=str(socket_path), verify=trusts_nobody)


class AgentClient:
    """Asks one agent. AgentUnreachable when it does not answer or refuses."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        self._client = httpx.Client(
            transport=through(socket_path), base_url="http://localhost", timeout=SECONDS_MAX
        )

    def __enter__(self) -> Self:
        """Usable at once; connects with the first request."""
        return self

    def __exit__(self, *_unused: object) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Read one resource; AgentRefused with the agent's own sentence."""
        return self._answered("GET", path, params=query)

    def post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """Ask for a change; AgentRefused with the agent's own sentence."""
        return self._answered("POST", path, json=document)

    def readiness(self) -> dict[str, Any]:
        """What /readyz says, also where nothing is ready; AgentRefused where it cannot tell."""
        return self._answered("GET", "/readyz")

    def _answered(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, **more)
            document = answer.json()
        except httpx.ConnectError as error:
            raise AgentUnreachable(
                f"No agent answers at {self._socket_path} ({error})."
                " Start it, or give its settings with --config."
            ) from error
        except (httpx.HTTPError, ValueError) as error:
            raise AgentUnreachable(
                f"The agent at {self._socket_path} did not answer: {error}."
            ) from error
        if answer.is_error and "detail" in document:
            raise AgentRefused(f"{document.get('detail')} {document.get('next_action')}")
        return dict(document)

    def pages(self, path: str, member: str, **query: Any) -> list[dict[str, Any]]:
        """All entries of a paged resource, bounded."""
        entries: list[dict[str, Any]] = []
        for _page in range(PAGES_MAX):
            page = self.get(path, **query)
            entries += page[member]
            if page.get("next") is None:
                break
            query["after"] = page["next"]
        return entries
