# SPDX-License-Identifier: GPL-3.0-or-later
"""A vendor with two machines, drivers that know paths and ports only, and odd programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twins.aimms.world import World

from seatkeeper_agent.vendors.aimms.driver import AimmsDriver
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings

MakeDriver = Callable[..., AimmsDriver]
MAPPED: dict[str, Any] = {
    "deactivate_command": ("licman", "--twin-deactivate", "{license}"),
    "list_command": ("licman", "--twin-list"),
    "list_line": "{license} | {state} | {profile}",
    "list_states": ("Active=active", "Active for an emergency=active"),
    "list_ignored": ("License | State | Profile",),
    "maintenance_on_command": ("licman", "--twin-maintenance", "on"),
    "maintenance_off_command": ("licman", "--twin-maintenance", "off"),
    "maintenance_state_command": ("licman", "--twin-maintenance-state"),
    "maintenance_on_text": "mode: on",
    "version_command": ("licman", "--twin-version"),
}
"""What somebody maps who has read the help of the twin's fuller licman."""


@pytest.fixture(scope="package")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The processes that tests share; all end with them."""
    running = World(tmp_path_factory.mktemp("aimms"))
    yield running
    running.stop()


@pytest.fixture
def world(shared_world: World) -> World:
    """As it was made."""
    shared_world.reset()
    return shared_world


@pytest.fixture
def driver_of(world: World) -> MakeDriver:
    """A driver for one of the two machines."""
    return lambda name, **values: AimmsDriver(settings_of(world, name, **values))


def settings_of(world: World, name: str, **values: Any) -> AimmsSettings:
    """Settings that point at a machine of a world."""
    first, second = world.ports[name]
    usual = {
        "folder": str(world.folder / name), "first_port": first, "second_port": second,
        "call_seconds_max": 60.0,
    }  # fmt: skip
    return AimmsSettings(**{**usual, **values})


@pytest.fixture
def odd_licman(tmp_path: Path) -> Callable[..., AimmsDriver]:
    """A driver for a licman that is this shell script."""

    def make(script: str, **values: Any) -> AimmsDriver:
        program = tmp_path / "Aimms" / "Bin" / "licman"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        usual = {"folder": str(program.parent.parent), "call_seconds_max": 60.0}
        return AimmsDriver(AimmsSettings(**{**usual, **values}))

    return make
