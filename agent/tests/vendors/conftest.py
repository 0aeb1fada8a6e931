# SPDX-License-Identifier: GPL-3.0-or-later
"""A CodeMeter twin in a folder of its own, and a driver that knows only its paths."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from engines import engine_of

from seatkeeper_agent.vendors.codemeter.driver import CodeMeterDriver
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings
from seatkeeper_twins.codemeter import control
from seatkeeper_twins.codemeter.twin import create_twin

SOURCE = "130-1000000001"
TARGET = "130-1000000002"
DONGLE = "3-2000001"
FIRM = 6000010
SEATS, WHOLE, UNITS, BORROWED = 201, 202, 203, 204


def item(product_code: int, types: tuple[str, ...], **values: Any) -> dict[str, Any]:
    """One item of a seed that allows everything for the given transfer types."""
    options = [
        {
            "type": type_,
            "pull_allowed": True,
            "return_allowed": True,
            "firm_item_required": False,
            "transfer_depth": 3,
            "max_borrow_seconds": 2_592_000 if type_.startswith("borrow") else 0,
        }
        for type_ in types
    ]
    texts = {"firm_item_text": "Beispiel Größe", "name": f"Product {product_code}"}
    codes = {"firm_code": FIRM, "product_code": product_code}
    return {**codes, **texts, "options": options, **values}


SEED = {
    "containers": [
        {
            "serial": SOURCE,
            "items": [
                item(SEATS, ("licenses", "borrow_local"), license_quantity=25, feature_map=3),
                item(WHOLE, ("complete",), license_quantity=1),
                item(UNITS, ("units",), unit_counter=1000),
                item(BORROWED, ("borrow_local",), license_quantity=5),
            ],
        },
        {"serial": TARGET, "firm_items": [{"firm_code": FIRM, "text": "Beispiel Größe"}]},
        {"serial": DONGLE, "firmware": "2.9", "items": [item(SEATS, ("licenses",))]},
    ]
}


@dataclass
class Twin:
    """A twin directory and the engine that serves it."""

    directory: Path
    drivers: list[CodeMeterDriver] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.process = engine_of(self.directory)

    def start(self) -> None:
        """Serve the directory; returns when calls are answered."""
        self.process.start()

    def stop(self) -> None:
        """End the engine, if it runs."""
        self.process.stop()

    def fault(self, point: str, action: str, **values: int) -> None:
        """Arm a fault."""
        answer = control.send(
            self.directory, {"op": "_twin.fault", "point": point, "action": action, **values}
        )
        assert "error" not in answer, answer

    def shown(self, serial: str, product_code: int) -> list[dict[str, Any]]:
        """The items with this product code, as the twin itself tells them."""
        containers = control.send(self.directory, {"op": "describe"})["containers"]
        found = next(box for box in containers if box["serial"] == serial)["items"]
        return [entry for entry in found if entry["product_code"] == product_code]

    def settings(self, **values: Any) -> CodeMeterSettings:
        """Settings that point at this directory."""
        paths = {
            "library": str(self.directory / "libwibucm.so"),
            "cmu": str(self.directory / "cmu"),
            "server_ini": str(self.directory / "Server.ini"),
        }
        return CodeMeterSettings(**{**paths, **values})

    def driver(self, **values: Any) -> CodeMeterDriver:
        """A driver for this directory; it is closed after the test."""
        self.drivers.append(CodeMeterDriver(self.settings(**values)))
        return self.drivers[-1]


MakeTwin = Callable[..., Twin]


@contextmanager
def twins(folder: Path) -> Iterator[MakeTwin]:
    """Make and serve twins that end with the block."""
    made: list[Twin] = []

    def make(seed: dict[str, Any] | None = None, profile: str = "current") -> Twin:
        directory = create_twin(folder / f"twin{len(made)}", profile, seed or SEED)
        made.append(Twin(directory))
        made[-1].start()
        return made[-1]

    try:
        yield make
    finally:
        for twin in made:
            for driver in twin.drivers:
                driver.close()
            twin.stop()


@pytest.fixture
def make_twin(tmp_path: Path) -> Iterator[MakeTwin]:
    """Make twins that end with the test."""
    with twins(tmp_path) as make:
        yield make


@pytest.fixture
def twin(make_twin: MakeTwin) -> Twin:
    """A twin with the usual seed."""
    return make_twin()


@pytest.fixture
def driver(twin: Twin) -> CodeMeterDriver:
    """A driver for the usual twin."""
    return twin.driver()


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeMeterDriver]:
    """A driver for a twin that many tests share: they must change nothing."""
    with twins(tmp_path_factory.mktemp("shared")) as make:
        yield make().driver()


def build_library(folder: Path, source: str) -> Path:
    """A small library with some of the runtime's functions, to see what a bad one does."""
    code, library = folder / "bad.c", folder / "libbad.so"
    code.write_text(source, encoding="utf-8")
    compiler = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(code)]
    subprocess.run(compiler, check=True, timeout=60)
    return library
