# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon in the package: a CodeMeter twin, made at its first start from the host's seed.

It runs as a user of its own, like the product's daemon; everybody may ask it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from pathlib import Path

from seatkeeper_twins.codemeter import engine, server_ini, wire
from seatkeeper_twins.codemeter.seed import parse_seed
from seatkeeper_twins.codemeter.store import DATABASE_NAME, create_store
from seatkeeper_twins.codemeter.twin import LIBRARY_NAME

STATE = Path("/var/lib/codemeter")
SEED = Path("/etc/codemeter-seed.json")
LIBRARY = Path(__file__).with_name(LIBRARY_NAME)
NOTHING: dict[str, object] = {"containers": []}


def make() -> None:
    """Put the twin where it is served, if it was not; its containers are those of the seed."""
    shutil.copyfile(LIBRARY, STATE / LIBRARY_NAME)
    if not (STATE / DATABASE_NAME).exists():
        seed = json.loads(SEED.read_text(encoding="utf-8")) if SEED.exists() else NOTHING
        server_ini.write(STATE, server_ini.DEFAULT)
        create_store(STATE, "current", parse_seed(seed))


def tell_ready(_line: str) -> None:
    """Let everybody ask, then have systemd know that it can be asked."""
    (STATE / wire.SOCKET_NAME).chmod(0o666)
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect(address.replace("@", "\0", 1))
            notify.send(b"READY=1")


if __name__ == "__main__":
    make()
    sys.exit(engine.main(STATE, tell_ready))
