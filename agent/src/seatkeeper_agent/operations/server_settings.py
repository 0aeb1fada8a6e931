# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared settings of a license server: stop, edit, start, each observed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationRecord, OperationState
from seatkeeper_agent.journal import Journal, Unit
from seatkeeper_agent.operations.engine import Engine, driver_problem
from seatkeeper_agent.operations.ports import DriverError, SettingsDriver
from seatkeeper_agent.operations.steps import Probe, Step, Verdict, Work

Declared = dict[str, dict[str, str]]
KIND = "settings"


@dataclass(frozen=True)
class SettingsStep:
    """What the three steps share; the declared settings travel in the baseline."""

    driver: SettingsDriver
    settings: Declared

    name = ""
    title = ""
    reversible = True

    def baseline(self) -> dict[str, Any]:
        """The declaration, so that an interrupted operation can be taken up from the journal."""
        return {"settings": self.settings}

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Nothing besides the intent."""

    def withdraw(self, unit: Unit) -> None:
        """Nothing to take back."""

    def collect(self, evidence: dict[str, Any], returned: bytes | None) -> bytes:
        """Nothing besides."""
        return b""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Nothing besides the outcome."""


class Stop(SettingsStep):
    """The server must not run while its file is edited."""

    name, title = "stop", "stopping the license server"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Asked, never assumed."""
        return Probe(Verdict.NOT_DONE if self.driver.is_running() else Verdict.DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Stop it and wait until it no longer answers."""
        self.driver.stop()
        return b""


class Edit(SettingsStep):
    """Change the declared keys, keep all others."""

    name, title = "edit", "editing the license server's settings"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Read the file back."""
        missing = changes(self.driver.read_settings(), self.settings)
        return Probe(Verdict.NOT_DONE if missing else Verdict.DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Write the file in one piece."""
        self.driver.write_settings(self.settings)
        return b""


class Start(SettingsStep):
    """The server reads the file at its start only."""

    name, title = "start", "starting the license server"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Asked, never assumed."""
        return Probe(Verdict.DONE if self.driver.is_running() else Verdict.NOT_DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Start it and wait until it answers."""
        self.driver.start()
        return b""


_STEPS = {"stop": Stop, "edit": Edit, "start": Start}


def changes(present: Declared, declared: Declared) -> Declared:
    """The declared keys whose value is another one now."""
    differing = {
        section: {
            key: value for key, value in keys.items() if present.get(section, {}).get(key) != value
        }
        for section, keys in declared.items()
    }
    return {section: keys for section, keys in differing.items() if keys}


class ServerSettingsService:
    """Settings of one vendor's license server on this host. All failures are Problems."""

    def __init__(self, journal: Journal, driver: SettingsDriver, engine: Engine) -> None:
        self._journal = journal
        self._driver = driver
        self._engine = engine
        self._holder = f"server/{driver.vendor}"

    def read(self) -> dict[str, Any]:
        """The settings and whether the server runs."""
        try:
            return {
                "vendor": self._driver.vendor,
                "running": self._driver.is_running(),
                "settings": self._driver.read_settings(),
            }
        except DriverError as error:
            raise driver_problem("reading the license server's settings", error) from error

    def put(self, declared: Declared, actor: str, dry_run: bool) -> dict[str, Any]:
        """Make the declared keys true; keys that are not named stay as they are."""
        present = self.read()
        try:
            # Before anything is stopped, and in a dry run as well.
            self._driver.check_settings(declared)
        except DriverError as error:
            raise Problem(
                ProblemCode.REQUEST_INVALID,
                f"The settings cannot be made so: {error}",
                "Correct the declared settings; nothing was touched.",
            ) from error
        missing = changes(present["settings"], declared)
        names = ["stop", "edit", "start"] if present["running"] else ["edit"]
        steps = [_STEPS[name](self._driver, declared) for name in names] if missing else []
        before = {
            section: {key: present["settings"].get(section, {}).get(key) for key in keys}
            for section, keys in missing.items()
        }
        answer = {
            "changed": bool(missing),
            "before": before,
            "after": missing,
            "plan": {
                "steps": [
                    {
                        "name": step.name,
                        "title": step.title,
                        "reversible": True,
                        "performer": "agent",
                        "state": "planned" if dry_run else "done",
                    }
                    for step in steps
                ]
            },
        }
        if dry_run or not missing:
            return answer
        operation_id = str(uuid.uuid4())
        try:
            self._run(operation_id, steps, actor)
        except Problem:
            self._start_again(steps, actor)
            raise
        self._verify(declared)
        return {**answer, "operation": {"id": operation_id, "state": "done"}}

    def resume(self, actor: str) -> list[str]:
        """Take up an interrupted change; one that had no intent yet is closed."""
        with self._journal.reading() as unit:
            operation = unit.operations.holding(self._holder)
        if operation is None:
            return []
        declared = _declared(operation)
        if declared is None:
            with self._journal.transaction() as unit:
                problem = Problem(
                    ProblemCode.RUNTIME_UNFINISHED,
                    "A change of settings was interrupted before it did anything.",
                    "Declare the settings again.",
                )
                unit.operations.set_state(
                    operation.id, OperationState.FAILED, problem.as_document()
                )
            return []
        steps = [_STEPS[step.name](self._driver, declared) for step in operation.steps]
        self._run(operation.id, steps, actor)
        return [operation.id]

    def _run(self, operation_id: str, steps: list[Any], actor: str) -> None:
        made: tuple[Step, ...] = tuple(steps)
        subject = f"settings of {self._driver.vendor}"
        self._engine.run(Work(operation_id, KIND, subject, None, self._holder, actor, made))

    def _start_again(self, steps: list[Any], actor: str) -> None:
        """A refused edit must not leave a server stopped that ran before."""
        with self._journal.reading() as unit:
            held = unit.operations.holding(self._holder)
        start = [step for step in steps if step.name == Start.name]
        if start and held is None and not self._driver.is_running():
            self._run(str(uuid.uuid4()), start, actor)

    def _verify(self, declared: Declared) -> None:
        # The server rewrites its file: what counts is what stands there once it runs.
        left = changes(self.read()["settings"], declared)
        if left:
            section, keys = next(iter(left.items()))
            raise Problem(
                ProblemCode.RUNTIME_REFUSED,
                f"The license server did not keep [{section}] {next(iter(keys))}: its file shows"
                " another value after the start.",
                "Look the key up in the vendor's documentation.",
            )


def _declared(operation: OperationRecord) -> Declared | None:
    stored = [step.baseline["settings"] for step in operation.steps if step.baseline]
    return stored[0] if stored else None
