# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts with a CodeMeter twin each, real engines and the real library."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.codemeter import control, create_twin, engine

from .client import FIRM, Client

END_SECONDS_MAX = 60.0
SOURCE, TARGET = "130-1000000001", "130-1000000002"


def option(kind: str, **changes: Any) -> dict[str, Any]:
    """A permissive transfer option of a seed."""
    return {
        "type": kind, "pull_allowed": not kind.startswith("borrow"), "return_allowed": True,
        "firm_item_required": False, "transfer_depth": 2, "max_borrow_seconds": 30 * 86400,
        **changes,
    }  # fmt: skip


def item(product_code: int, *options: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A product item of a seed."""
    return {
        "firm_code": FIRM, "firm_item_text": "Example", "product_code": product_code,
        "name": f"Product {product_code}", "options": list(options), **changes,
    }  # fmt: skip


ITEMS = [
    item(201, option("licenses"), option("borrow_local"), license_quantity=25),
    item(202, option("complete"), option("borrow_complete"), license_quantity=4),
    item(203, option("units"), unit_counter=1000),
    item(204, option("licenses", pull_allowed=False, return_allowed=False), license_quantity=3),
    item(205, option("licenses", transfer_depth=0), license_quantity=3),
    item(206, option("licenses", firm_item_required=True), license_quantity=3),
    item(
        207, option("licenses"), license_quantity=3, receipt_required_between_transfers=True
    ),
]  # fmt: skip


def _tell(descriptor: int, line: str) -> None:
    os.write(descriptor, line.encode())
    os.close(descriptor)


class Host:
    """One twin directory with its engine and a client of its library."""

    def __init__(self, directory: Path, serial: str) -> None:
        self.directory = directory
        self.serial = serial
        self.client = Client(directory)
        self.engine: int | None = None

    def start(self) -> None:
        """Fork an engine, which spares the start of an interpreter, and wait until it answers."""
        reading, writing = os.pipe()
        self.engine = os.fork()
        if self.engine == 0:
            code = 1
            try:
                os.close(reading)
                code = engine.main(self.directory, lambda line: _tell(writing, line))
            finally:
                os._exit(code)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            assert pipe.read().startswith(b"ready ")

    def wait_dead(self) -> int:
        """Wait until the engine has died; its exit code, or the signal's negated number."""
        assert self.engine is not None
        descriptor = os.pidfd_open(self.engine)
        dead, _, _ = select.select([descriptor], [], [], END_SECONDS_MAX)
        os.close(descriptor)
        if not dead:
            os.kill(self.engine, signal.SIGKILL)
        _, status = os.waitpid(self.engine, 0)
        self.engine = None
        assert dead, f"the engine did not end in {END_SECONDS_MAX:g} seconds"
        return os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """End the engine as a service manager would."""
        if self.engine is not None:
            os.kill(self.engine, signal.SIGTERM)
            assert self.wait_dead() == 0

    def ask(self, operation: str, **values: Any) -> dict[str, Any]:
        """One control operation of the twin, which must succeed."""
        answer = control.send(self.directory, {"op": operation, **values})
        assert "error" not in answer, answer
        return answer

    def items(self) -> list[dict[str, Any]]:
        """The product items of this host's container."""
        found: list[dict[str, Any]] = self.ask("describe")["containers"][0]["items"]
        return found

    def held(self, product_code: int, key: str = "license_quantity") -> int:
        """What all items of a product hold here."""
        return sum(
            found[key] or 0 for found in self.items() if found["product_code"] == product_code
        )

    def in_transit(self, product_code: int) -> dict[str, int]:
        """Licenses sent and not receipted, by transfer id."""
        return {
            row["transfer_id"]: row["licenses"]
            for found in self.items()
            if found["product_code"] == product_code
            for row in found["history"]
            if row["sent"] and row["status"].startswith("in_")
        }


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the library is built, once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make_host(tmp_path: Path, cache: Path) -> Iterator[Any]:
    """Make and start hosts; they are stopped in the end."""
    hosts: list[Host] = []

    def make(
        serial: str, items: list[dict[str, Any]], profile: str = "current", folder: str = "",
        firmware: str = "3.10",
    ) -> Host:  # fmt: skip
        seed = {"containers": [{"serial": serial, "firmware": firmware, "items": items}]}
        host = Host(create_twin(tmp_path / (folder or serial), profile, seed, cache), serial)
        host.start()
        hosts.append(host)
        return host

    yield make
    for host in hosts:
        host.stop()


@pytest.fixture
def source(make_host: Any) -> Host:
    """The host that holds all items."""
    host: Host = make_host(SOURCE, ITEMS)
    return host


@pytest.fixture
def target(make_host: Any) -> Host:
    """The host that holds none."""
    host: Host = make_host(TARGET, [])
    return host
