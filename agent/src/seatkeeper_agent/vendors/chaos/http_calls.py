# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of the license server's HTTP interface, each bounded in time and size.

Proxies of the environment are not used and redirects are not followed: the server is one
local service, and its answers are judged where the routes are known. The client library is
loaded with the first call, so that an agent on a host without this product does without it.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
)

if TYPE_CHECKING:
    import httpx

ANSWER_BYTES_MAX = 4 * 1024 * 1024
_REPORTED_LENGTH_MAX = 200
_SENDING = ".send_request_headers.started"


class NotListening(DriverUnavailable):
    """Nothing takes connections at the server's address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; ``content`` ends after ANSWER_BYTES_MAX, ``whole`` is false then."""

    status: int
    content: bytes
    content_type: str
    whole: bool

    def reported(self) -> str:
        """What a short answer in plain text or JSON says, for the end of a sentence."""
        if not self.content_type.startswith(("text/plain", "application/json")):
            return ""
        text = " ".join(self.content[: 4 * _REPORTED_LENGTH_MAX].decode("utf-8", "replace").split())
        shown = "".join(letter for letter in text[:_REPORTED_LENGTH_MAX] if letter.isprintable())
        return f": {shown}" if shown else ""


class HttpCalls:
    """Calls of one server; usable from several threads, none of them running an event loop."""

    def __init__(self, address: str, seconds_max: float) -> None:
        self._address = address.rstrip("/")
        self._seconds_max = seconds_max

    def read(self, path: str) -> Answer:
        """GET; gives an answer with status 200.

        NotListening, DriverUnavailable also for a server that fails, DriverUnfinished when it
        takes too long, DriverRefused with the status for everything else.
        """
        answer = self._call("GET", path)
        if answer.status == 200 and answer.whole:
            return answer
        if answer.status == 200:
            raise DriverRefused(f"GET {path} gave more than {ANSWER_BYTES_MAX} bytes.")
        sentence = (
            f"The license server answered GET {path} with {answer.status}{answer.reported()}."
        )
        if answer.status >= 500:
            raise DriverUnavailable(sentence)
        raise DriverRefused(sentence, answer.status)

    def effect(
        self,
        path: str,
        content: bytes = b"",
        content_type: str | None = None,
        also_good: int | None = None,
    ) -> None:
        """POST, once; returns for 2xx and ``also_good``, which proves nothing.

        DriverRefused with the status for 4xx, DriverUnfinished where the effect is unknown.
        """
        answer = self._call("POST", path, content, content_type)
        if answer.status in range(200, 300) or answer.status == also_good:
            return
        sentence = (
            f"The license server answered POST {path} with {answer.status}{answer.reported()}."
        )
        if answer.status in range(400, 500):
            raise DriverRefused(sentence, answer.status)
        raise DriverUnfinished(sentence)

    def _call(
        self, method: str, path: str, content: bytes = b"", content_type: str | None = None
    ) -> Answer:
        import httpx

        # An event loop of its own gives one deadline for the whole call. A deadline for each
        # read, which is all that a blocking client has, never ends with a server that drips.
        exchange = _Exchange(method, path)
        headers = {"Accept-Encoding": "identity"}
        if content_type is not None:
            headers["Content-Type"] = content_type
        request = httpx.Request(
            method,
            self._address + path,
            headers=headers,
            content=content if method == "POST" else None,
            extensions={"trace": exchange.trace},
        )
        try:
            return asyncio.run(exchange.run(request, self._seconds_max))
        except TimeoutError:
            raise exchange.late(self._address, self._seconds_max) from None
        except (httpx.HTTPError, OSError) as error:
            raise exchange.broken(self._address, error) from error


class _Exchange:
    """One request and what became of it."""

    def __init__(self, method: str, path: str) -> None:
        self._title = f"{method} {path}"
        self._is_effect = method == "POST"
        self._sent = False

    async def trace(self, event: str, _info: dict[str, Any]) -> None:
        """Told by the client what it is about to do."""
        if event.endswith(_SENDING):
            self._sent = True

    async def run(self, request: httpx.Request, seconds_max: float) -> Answer:
        """Send it and read the answer; TimeoutError when the whole takes too long."""
        import httpx

        async with (
            asyncio.timeout(seconds_max),
            httpx.AsyncClient(verify=_no_tls(), trust_env=False, timeout=seconds_max) as client,
        ):
            response = await client.send(request, stream=True)
            try:
                content = bytearray()
                async for part in response.aiter_raw():
                    content += part
                    if len(content) > ANSWER_BYTES_MAX:
                        break
            finally:
                await response.aclose()
        kind = response.headers.get("content-type", "").lower()
        whole = len(content) <= ANSWER_BYTES_MAX
        return Answer(response.status_code, bytes(content), kind, whole)

    def late(self, address: str, seconds_max: float) -> DriverError:
        """What it means that the time is over."""
        if not self._sent:
            return DriverUnavailable(
                f"The license server at {address} was not reached within {seconds_max:g} seconds."
            )
        return DriverUnfinished(
            f"The license server did not answer {self._title} within {seconds_max:g} seconds."
        )

    def broken(self, address: str, error: Exception) -> DriverError:
        """What it means that the connection did not come or broke."""
        import httpx

        if isinstance(error, httpx.ConnectError) and not self._sent:
            return NotListening(f"No license server can be reached at {address}.")
        sentence = (
            f"The connection to the license server broke during {self._title}"
            f" ({type(error).__name__})."
        )
        if self._sent and self._is_effect:
            return DriverUnfinished(sentence)
        return DriverUnavailable(sentence)


@functools.cache
def _no_tls() -> ssl.SSLContext:
    # The product speaks plain HTTP. The client wants a context all the same, and loading the
    # authorities for its default one takes longer than a call; this one trusts nobody.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
