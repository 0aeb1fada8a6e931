# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk to a running engine: `cmu`, the command line of the twin, and test harnesses."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from seatkeeper_twins.codemeter import wire

TIMEOUT_SECONDS = 60


class NotRunning(ConnectionError):
    """No engine answers in this twin directory."""


def send(directory: Path | str, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the engine for one operation, such as {"op": "_twin.set", "clock_offset_seconds": 60}.

    The answer has `error` and `reason` when it was refused. NotRunning: no engine there;
    ConnectionError: it ended without an answer.
    """
    answer, _ = exchange(directory, request, None)
    return answer


def exchange(
    directory: Path | str, request: dict[str, Any], attachment: bytes | None
) -> tuple[dict[str, Any], bytes]:
    """As `send`, with a file's content to go along and another to come back."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        try:
            with wire.socket_address(Path(directory)) as address:
                connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning(f"no engine is running in {directory}") from error
        wire.send_call(connection, wire.OPERATION, [json.dumps(request).encode(), attachment])
        reply = wire.receive_reply(connection)
    if reply.error:
        raise ConnectionError(f"the engine could not read the operation, Error {reply.error}")
    answer: dict[str, Any] = json.loads(reply.data[: reply.result])
    return answer, reply.data[reply.result :]
