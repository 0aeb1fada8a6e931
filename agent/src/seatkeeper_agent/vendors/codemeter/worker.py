# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that loads the runtime library, so that a fault in it does not take the agent down.

It is started with a socket to the agent as an inherited descriptor and ends as soon as the
agent does, also in the middle of a call: an agent that starts again must not meet the late
effect of a call that an earlier one made. Standard library only, no site-packages, so that it
starts in a few hundredths of a second.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from contextlib import suppress
from typing import Any

from seatkeeper_agent.host import host
from seatkeeper_agent.vendors.codemeter.binding import (
    CallFailedError,
    FunctionMissingError,
    Runtime,
)
from seatkeeper_agent.vendors.codemeter.calls import REQUESTS
from seatkeeper_agent.vendors.codemeter.messages import receive_message, send_message


def main(descriptor: str, agent_process_id: str, library: str) -> None:
    """Serve requests on the inherited socket until the agent closes it or dies."""
    connection = socket.socket(fileno=int(descriptor))
    connection.set_inheritable(False)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    reader = threading.Thread(
        target=_read_requests, args=(connection, int(agent_process_id), requests), daemon=True
    )
    reader.start()
    try:
        runtime = Runtime(library)
    except OSError as error:
        send_message(connection, {"unavailable": str(error)})
        return
    send_message(connection, {"ready": True})
    while True:
        send_message(connection, _answer(runtime, requests.get()))


def _read_requests(
    connection: socket.socket, agent_process_id: int, requests: queue.SimpleQueue[Any]
) -> None:
    with suppress(EOFError, OSError):
        for _ in host().arrivals(connection, agent_process_id):
            requests.put(receive_message(connection))
    os._exit(0)


def _answer(runtime: Runtime, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": REQUESTS[request["name"]](runtime, **request["arguments"])}
    except CallFailedError as error:
        return {"error": error.number, "text": error.text, "function": error.function}
    except FunctionMissingError as error:
        return {"missing": str(error)}
    except (ValueError, MemoryError) as error:
        return {"fault": str(error) or type(error).__name__}
