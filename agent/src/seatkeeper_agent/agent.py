# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: one agent made of its journal, its driver and its services."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

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
from seatkeeper_agent.settings import Settings, SettingsError


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
    lock: IO[str]

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
        self.journal.close()
        self.lock.close()


def build(settings: Settings) -> Agent:
    """Open the state folder and put the parts together.

    SettingsError if it cannot be had; JournalError and JournalTooNew as Journal.
    """
    folder = _state_folder(settings.state_folder)
    lock = _only_process(folder)
    identity = Identity(settings.name, folder / "agent.key", folder / "trust")
    try:
        journal = Journal(folder / "journal.db")
    except BaseException:
        lock.close()
        raise
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
        lock=lock,
    )


def _state_folder(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "trust").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The state folder {folder} cannot be made: {error.strerror}."
            " Set agent.state_folder to a folder that the agent's user may write."
        ) from error
    return folder


def _only_process(folder: Path) -> IO[str]:
    path = folder / "agent.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be used: {error.strerror}. The agent's user must be able to write"
            " the state folder."
        ) from error
    file = os.fdopen(descriptor, "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise SettingsError(
            f"Another agent uses the state folder {folder}. Stop it first."
        ) from error
    return file
