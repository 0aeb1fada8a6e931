# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: one agent made of its journal, its driver and its services."""

from __future__ import annotations

from dataclasses import dataclass

from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.drivers.codemeter.driver import CodeMeterDriver
from seatkeeper_agent.drivers.codemeter.server_settings import CodeMeterServerSettings
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.borrows import BorrowService
from seatkeeper_agent.operations.checks import Checks
from seatkeeper_agent.operations.engine import Engine
from seatkeeper_agent.operations.inventory import Inventory
from seatkeeper_agent.operations.recovery import Recovery
from seatkeeper_agent.operations.server_settings import ServerSettingsService
from seatkeeper_agent.operations.transfers import TransferService
from seatkeeper_agent.operations.works import Works
from seatkeeper_agent.settings import Settings
from seatkeeper_agent.state import State, open_state


@dataclass
class Agent:
    """Everything that answers requests on one host."""

    settings: Settings
    identity: Identity
    journal: Journal
    driver: CodeMeterDriver
    inventory: Inventory
    transfers: TransferService
    borrows: BorrowService
    recovery: Recovery
    servers: ServerSettingsService
    state: State

    def resume_all(self, actor: str) -> tuple[list[str], list[Problem]]:
        """Take up everything interrupted; what cannot go on does not stop the others."""
        resumed, problems = self.recovery.resume_all(actor)
        try:
            resumed += self.servers.resume(actor)
        except Problem as problem:
            problems.append(problem)
        return resumed, problems

    def close(self) -> None:
        """Let go of the product and of the files."""
        self.driver.close()
        self.state.close()


def build(settings: Settings, opened: State | None = None) -> Agent:
    """Put the parts together on a state folder, opening it if that was not done before.

    SettingsError if it cannot be had; JournalError and JournalTooNew as Journal.
    """
    state = open_state(settings) if opened is None else opened
    journal, identity = state.journal, state.identity
    driver = CodeMeterDriver(settings.codemeter)
    settle = settings.settle_seconds
    engine = Engine(journal, driver.call_seconds_max if settle is None else settle)
    works = Works(journal, driver, identity, engine)
    checks = Checks(driver, settings.policy)
    server = CodeMeterServerSettings(settings.codemeter, driver.is_running)
    recovery = Recovery(journal, driver, works)
    return Agent(
        settings=settings,
        identity=identity,
        journal=journal,
        driver=driver,
        inventory=Inventory(driver),
        transfers=TransferService(journal, driver, identity, checks, works),
        borrows=BorrowService(journal, driver, identity),
        recovery=recovery,
        servers=ServerSettingsService(journal, server, engine),
        state=state,
    )
