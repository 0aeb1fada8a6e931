# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared settings of a license server, each change observed: stop, edit, start, switch."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    DeclarationRecord,
)
from seatkeeper_agent.domain.servers import ServerStatus
from seatkeeper_agent.domain.versions import at_least
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.engine import Engine, driver_problem
from seatkeeper_agent.operations.in_the_way import require_unheld
from seatkeeper_agent.operations.ports import DriverError, DriverUnavailable, SettingsDriver
from seatkeeper_agent.operations.server_ports import LicenseServerDriver
from seatkeeper_agent.operations.servers.steps import ServerStep
from seatkeeper_agent.operations.steps import (
    Makers,
    OperationSpec,
    PlainStep,
    Probe,
    Step,
    Verdict,
    work_from,
)

Declared = dict[str, dict[str, str]]
KIND = "settings"


@dataclass(frozen=True)
class ServerRequest:
    """What is declared of a server; None for what is not declared."""

    settings: Declared
    dongle_service: bool | None = None
    version_min: str | None = None
    running: bool | None = None

    @property
    def needs_it_running(self) -> bool:
        """Whether something is declared that only a running server tells or takes."""
        return bool(self.settings or self.version_min or self.dongle_service is not None)


@dataclass(frozen=True)
class SettingsStep(PlainStep):
    """What the steps share."""

    driver: SettingsDriver
    settings: Declared

    @property
    def arguments(self) -> dict[str, Any]:
        """What is declared."""
        return {"settings": self.settings}


class Stop(SettingsStep):
    """The server must not run while its file is edited."""

    type, title = "stop", "stopping the license server"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Asked, never assumed."""
        return Probe(Verdict.NOT_DONE if self.driver.is_running() else Verdict.DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Stop it and wait until it no longer answers."""
        self.driver.stop()
        return b""


class Edit(SettingsStep):
    """Change the declared keys, keep all others."""

    type, title = "edit", "editing the license server's settings"

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

    type, title = "start", "starting the license server"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Asked, never assumed."""
        return Probe(Verdict.DONE if self.driver.is_running() else Verdict.NOT_DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Start it and wait until it answers."""
        self.driver.start()
        return b""


@dataclass(frozen=True)
class SwitchDongleService(ServerStep):
    """Dongles are served, or are not."""

    enabled: bool

    type = "dongle_service"

    @property
    def arguments(self) -> dict[str, Any]:
        """Which way."""
        return {"enabled": self.enabled}

    @property
    def title(self) -> str:
        """Says which way."""
        return f"switching the dongle service {'on' if self.enabled else 'off'}"

    def is_seen(self, status: ServerStatus) -> bool | None:
        """The status says it outright."""
        return None if status.dongle_service is None else status.dongle_service is self.enabled

    def effect(self) -> None:
        """The documented call."""
        self.driver.set_dongle_service(self.enabled)


def changes(present: Declared, declared: Declared) -> Declared:
    """The declared keys whose value is another one now."""
    differing = {
        section: {
            key: value for key, value in keys.items() if present.get(section, {}).get(key) != value
        }
        for section, keys in declared.items()
    }
    return {section: keys for section, keys in differing.items() if keys}


class ServerService:
    """One vendor's license server on this host. All failures are Problems.

    ``server`` is None for a vendor whose server has neither account nor dongle service.
    ``reason_to_stay_off`` says why a dongle service that is declared on is to be left off.
    """

    def __init__(
        self,
        journal: Journal,
        driver: SettingsDriver,
        engine: Engine,
        server: LicenseServerDriver | None = None,
        reason_to_stay_off: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._driver = driver
        self._engine = engine
        self._server = server
        self._reason_to_stay_off = reason_to_stay_off
        self._holder = holder_of(driver.vendor)

    @property
    def vendor(self) -> str:
        """Whose server it is."""
        return self._driver.vendor

    def read(self) -> dict[str, Any]:
        """The settings, whether the server runs, and what its status tells."""
        try:
            running = self._driver.is_running()
            if not running and self._server is not None:
                return {"vendor": self.vendor, "running": False, "settings": {}}
            shown: dict[str, Any] = {
                "vendor": self.vendor,
                "running": running,
                "settings": self._driver.read_settings(),
            }
            status = None if self._server is None else self._server.status()
        except DriverError as error:
            raise driver_problem("reading the license server's settings", error) from error
        if status is None:
            return shown
        with self._journal.reading() as unit:
            activation = unit.declarations.get("activation", self._driver.vendor)
        return {**shown, **status_view(status, activation)}

    def put(self, request: ServerRequest, actor: str, dry_run: bool) -> dict[str, Any]:
        """Make what is declared true; what is not named stays as it is."""
        present = self.read()
        if not present["running"] and request.running:
            return self._put_up(request, actor, dry_run)
        if not present["running"] and self._server is not None and request.needs_it_running:
            down = DriverUnavailable("it does not run")
            raise driver_problem("setting the license server up", down)
        answer = self._put(request, present, actor, dry_run)
        if present["running"] and request.running is False:
            stop = self._switch_service(Stop(self._driver, {}), False, actor, dry_run)
            return _joined(answer, stop)
        return answer

    def _put_up(self, request: ServerRequest, actor: str, dry_run: bool) -> dict[str, Any]:
        """Start it, with the rest made true before or after, as the product takes it."""
        start = Start(self._driver, {})
        if self._server is None:
            answer = self._put(request, self.read(), actor, dry_run)
            return _joined(answer, self._switch_service(start, True, actor, dry_run))
        begun = self._switch_service(start, True, actor, dry_run)
        if not dry_run:
            return _joined(begun, self._put(request, self.read(), actor, dry_run))
        if request.needs_it_running:
            begun["notes"] = ["What else has to change can be seen only when the server runs."]
        return begun

    def _switch_service(
        self, step: SettingsStep, running: bool, actor: str, dry_run: bool
    ) -> dict[str, Any]:
        words = {True: "started", False: "stopped"}
        answer = {
            "changed": True,
            "before": {"service": {"state": words[not running]}},
            "after": {"service": {"state": words[running]}},
            "notes": [],
            "plan": {"steps": [_planned(step, dry_run)]},
        }
        if dry_run:
            self._require_unheld()
            return answer
        operation_id = str(uuid.uuid4())
        self._run(operation_id, [step], actor)
        return {**answer, "operation": {"id": operation_id, "state": "done"}}

    def _put(
        self, request: ServerRequest, present: dict[str, Any], actor: str, dry_run: bool
    ) -> dict[str, Any]:
        if self._server is not None and not present["running"]:
            return {"changed": False, "before": {}, "after": {}, "notes": [], "plan": {"steps": []}}
        doubts = self._check(request, present)
        missing = changes(present["settings"], request.settings)
        steps = self._edits(request.settings, present["running"]) if missing else []
        switch, notes = self._switch(request, present)
        steps += switch
        answer = {
            **_difference(present, missing, switch),
            "notes": doubts + notes,
            "plan": {"steps": [_planned(step, dry_run) for step in steps]},
        }
        if not steps:
            return answer
        if dry_run:
            self._require_unheld()
            return answer
        operation_id = str(uuid.uuid4())
        try:
            self._run(operation_id, steps, actor)
        except Problem:
            self._start_again(steps, actor)
            raise
        self._verify(request.settings)
        return {**answer, "operation": {"id": operation_id, "state": "done"}}

    def resume(self, actor: str) -> list[str]:
        """Take up an interrupted change."""
        with self._journal.reading() as unit:
            operation = unit.operations.holding(self._holder)
        if operation is None or operation.kind != KIND:
            return []
        resumed = self._engine.resume(work_from(operation, self._makers(), actor))
        return [] if resumed is None else [operation.id]

    def _check(self, request: ServerRequest, present: dict[str, Any]) -> list[str]:
        """Before anything is stopped, and in a dry run as well; gives what is doubtful."""
        try:
            doubts = self._driver.check_settings(request.settings)
        except DriverError as error:
            raise Problem(
                ProblemCode.REQUEST_INVALID,
                f"The settings cannot be made so: {error}",
                "Correct the declared settings; nothing was touched.",
            ) from error
        if self._server is None and (request.dongle_service is not None or request.version_min):
            raise Problem(
                ProblemCode.CAPABILITY_REFUSED,
                f"The server of {self.vendor} has no dongle service to switch and no version that"
                " can be asked for here.",
                "Leave dongle_service and version_min out.",
            )
        version = present.get("version")
        if request.version_min and not at_least(version, request.version_min):
            raise Problem(
                ProblemCode.VERSION_TOO_OLD,
                f"The license server has version {version or 'unknown'}, declared is at least"
                f" {request.version_min}.",
                "Update the server with the vendor's installer.",
            )
        return doubts

    def _edits(self, settings: Declared, running: bool) -> list[Any]:
        whole = running and self._driver.restarts_to_apply
        steps = [Stop, Edit, Start] if whole else [Edit]
        return [step(self._driver, settings) for step in steps]

    def _switch(
        self, request: ServerRequest, present: dict[str, Any]
    ) -> tuple[list[Any], list[str]]:
        wanted = request.dongle_service
        if self._server is None or wanted is None or present["dongle_service"] is wanted:
            return [], []
        reason = self._reason_to_stay_off() if wanted else None
        if reason is not None:
            return [], [reason]
        return [SwitchDongleService(self._server, wanted)], []

    def _makers(self) -> Makers:
        driver, server = self._driver, self._server
        makers: dict[str, Callable[[dict[str, Any]], Step]] = {
            Stop.type: lambda given: Stop(driver, **given),
            Edit.type: lambda given: Edit(driver, **given),
            Start.type: lambda given: Start(driver, **given),
        }
        if server is not None:
            makers[SwitchDongleService.type] = lambda given: SwitchDongleService(server, **given)
        return makers

    def _run(self, operation_id: str, steps: list[Any], actor: str) -> None:
        self._engine.run(
            OperationSpec(
                operation_id,
                KIND,
                f"settings of {self.vendor}",
                None,
                self._holder,
                actor,
                tuple(steps),
                DeclarationKey(KIND, self.vendor),
            )
        )

    def _require_unheld(self) -> None:
        """For plans: Problem while other work holds the server."""
        with self._journal.reading() as unit:
            require_unheld(unit, self._holder)

    def _start_again(self, steps: list[Any], actor: str) -> None:
        """A refused edit must not leave a server stopped that ran before."""
        with self._journal.reading() as unit:
            held = unit.operations.holding(self._holder)
        start = [step for step in steps if step.type == Start.type]
        if start and held is None and not self._driver.is_running():
            self._run(str(uuid.uuid4()), start, actor)

    def _verify(self, declared: Declared) -> None:
        # The server rewrites its settings: what counts is what stands there once it runs.
        left = changes(self.read()["settings"], declared)
        if left:
            section, keys = next(iter(left.items()))
            raise Problem(
                ProblemCode.RUNTIME_REFUSED,
                f"The license server did not keep [{section}] {next(iter(keys))}: another value"
                " shows after the change.",
                "Look the key up in the vendor's documentation.",
            )


def holder_of(vendor: str) -> str:
    """What an operation on a vendor's server holds, so that there is one at a time."""
    return f"server/{vendor}"


def status_view(status: ServerStatus, activation: DeclarationRecord | None) -> dict[str, Any]:
    """What a server tells, and what this agent remembers of its activation."""
    known = {} if activation is None or status.activated is False else activation.document
    return {
        "version": status.version,
        "dongle_service": status.dongle_service,
        "dongles_served": len(status.dongle_keys),
        "activation": {
            "activated": status.activated,
            "method": known.get("method"),
            "account": known.get("account"),
        },
        "licenses": [entry.as_document() for entry in status.licenses],
        "offline_products": list(status.offline_products),
    }


def _difference(present: dict[str, Any], missing: Declared, switch: list[Any]) -> dict[str, Any]:
    before: dict[str, Any] = {
        section: {key: present["settings"].get(section, {}).get(key) for key in keys}
        for section, keys in missing.items()
    }
    after: dict[str, Any] = dict(missing)
    for step in switch:
        before["dongle"] = {"service": _word(present["dongle_service"])}
        after["dongle"] = {"service": _word(step.enabled)}
    return {"changed": bool(missing or switch), "before": before, "after": after}


def _joined(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Two changes as one answer; the operation is the later one that there was."""
    operations = [part["operation"] for part in (first, then) if "operation" in part]
    joined = {
        "changed": first["changed"] or then["changed"],
        "before": {**first["before"], **then["before"]},
        "after": {**first["after"], **then["after"]},
        "notes": [*first["notes"], *then["notes"]],
        "plan": {"steps": [*first["plan"]["steps"], *then["plan"]["steps"]]},
    }
    return {**joined, "operation": operations[-1]} if operations else joined


def _word(enabled: bool | None) -> str | None:
    return None if enabled is None else "enabled" if enabled else "disabled"


def _planned(step: Step, dry_run: bool) -> dict[str, Any]:
    return {
        "name": step.name,
        "title": step.title,
        "reversible": step.reversible,
        "performer": step.performer.value,
        "state": "planned" if dry_run else "done",
    }
