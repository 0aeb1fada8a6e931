# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of one agent that work on the AIMMS license server."""

from __future__ import annotations

from seatkeeper_agent.operations.declared.server_moves import ServerMoveKind
from seatkeeper_agent.operations.dependencies import of_moving_server
from seatkeeper_agent.operations.server_moves.backups import BackupService
from seatkeeper_agent.operations.server_moves.profiles import ProfileService
from seatkeeper_agent.operations.server_moves.service import MoveService
from seatkeeper_agent.operations.vendors import Host, MovableServices, Product
from seatkeeper_agent.vendors.aimms.driver import AimmsDriver
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings


def product(host: Host, settings: AimmsSettings) -> Product:
    """Everything that can be declared of a license server that moves."""
    journal, driver = host.journal, AimmsDriver(settings)
    engine = host.engine(driver.call_seconds_max)
    backups = BackupService(journal, driver, host.name)
    moves = MoveService(journal, engine, driver, host.identity, backups)
    profiles = ProfileService(journal, engine, driver)
    return Product(
        vendor=moves.vendor,
        describe=moves.describe,
        dependencies=of_moving_server,
        resumes=(moves.resume, profiles.resume),
        attests={"server_move": moves.attest, "server_profile": profiles.attest},
        kinds=(ServerMoveKind(moves, host.name),),
        movable=MovableServices(moves, backups, profiles),
    )
