# SPDX-License-Identifier: GPL-3.0-or-later
"""The mailbox: SMTP on loopback, in a thread of its own, with the desk behind it."""

from __future__ import annotations

import asyncio
import hmac
import ssl
import sys
import threading
from collections.abc import Callable
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from seatkeeper_twins.altigen.certificate import CERTIFICATE_NAME, KEY_NAME
from seatkeeper_twins.altigen.desk import Desk
from seatkeeper_twins.parts.web import LostAnswer, Refusal

MAIL_BYTES_MAX = 8 << 20
START_SECONDS_MAX = 30


class Mailbox:
    """Takes mail until the process ends."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._started = threading.Event()
        self._port: int | None = None
        self._trouble: OSError | None = None

    def start(self, port: int) -> int:
        """Listen; the port. OSError when that cannot be had."""
        threading.Thread(
            target=asyncio.run, args=(self._serve(port),), name="mailbox", daemon=True
        ).start()
        if not self._started.wait(START_SECONDS_MAX) or self._port is None:
            raise self._trouble or OSError("The mailbox did not start.")
        return self._port

    async def _serve(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(self._connection(), "127.0.0.1", port)
            self._port = server.sockets[0].getsockname()[1]
        except OSError as error:
            self._trouble = error
            return
        finally:
            self._started.set()
        async with server:
            await server.serve_forever()

    def _connection(self) -> Callable[[], SMTP]:
        wanted = self._desk.state["mailbox"]
        options: dict[str, Any] = {
            "data_size_limit": MAIL_BYTES_MAX, "hostname": "mailbox.invalid", "ident": "twin",
            "auth_require_tls": wanted["starttls"], "require_starttls": wanted["starttls"],
        }  # fmt: skip
        if wanted["starttls"]:
            options["tls_context"] = context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            folder = self._desk.folder
            context.load_cert_chain(folder / CERTIFICATE_NAME, folder / KEY_NAME)
        if wanted["user"] is not None:
            options |= {"auth_required": True, "authenticator": self._authenticate}
        handler = _Handler(self._desk)
        return lambda: SMTP(handler, **options)

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        wanted = self._desk.state["mailbox"]
        known = f"{wanted['user']}\0{wanted['password']}".encode()
        reported = (
            b"\0".join((given.login, given.password)) if isinstance(given, LoginPassword) else b""
        )
        return AuthResult(success=hmac.compare_digest(known, reported), handled=False)


class _Handler:
    """What the mail server asks at each stage; its method names are aiosmtpd's."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """The greeting: here a fault can make the server slow, or end the talk early."""

        def greet() -> None:
            with self._desk.passing("greeting"):
                session.host_name = hostname

        refusal = await _done(server, greet)
        return responses if refusal is None else [refusal]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """A recipient; every one is known."""

        def take() -> None:
            with self._desk.passing("recipient"):
                envelope.rcpt_tos.append(address)

        return await _done(server, take) or "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """The text of a mail."""
        raw = envelope.original_content or b""

        def receive() -> None:
            self._desk.receive(envelope.mail_from or "", envelope.rcpt_tos, raw)

        refusal = await _done(server, receive)
        print(f"mail {len(raw)} bytes, {refusal or 'taken'}", file=sys.stderr, flush=True)
        return refusal or "250 OK, it has arrived"


async def _done(server: SMTP, action: Callable[[], None]) -> str | None:
    """Do what may wait; the refusal that a fault or the desk gives. A lost answer ends the talk."""
    try:
        await asyncio.to_thread(action)
    except Refusal as refusal:
        return f"{refusal.status} {refusal.text}"
    except LostAnswer:
        if isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        raise ConnectionResetError from None
    return None
