# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging a server in, handing it an answer file, and giving the activation up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from seatkeeper_agent.domain.servers import Secret, ServerStatus
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.operations.ports import CommandReport, DriverInterrupted
from seatkeeper_agent.operations.servers.steps import ServerStep
from seatkeeper_agent.operations.steps import Probe


@dataclass(frozen=True)
class ActivateOnline(ServerStep):
    """With the account's password, which nobody keeps: None after an interruption."""

    account: str
    password: Secret | None

    type = "activate_online"

    @property
    def title(self) -> str:
        """Names the account, never more."""
        return f"activating online licensing for {self.account}"

    @property
    def arguments(self) -> dict[str, Any]:
        """Which account it is for."""
        return {"account": self.account}

    def is_seen(self, status: ServerStatus) -> bool | None:
        """Online licensing is available."""
        return status.activated

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """What shows before anything was done is the work of others, for whomever."""
        seen = super().probe(baseline)
        return replace(seen, evidence={"by_others": True}) if baseline is None else seen

    def effect(self) -> CommandReport:
        """The documented command."""
        if self.password is None:
            raise DriverInterrupted("the password is not kept")
        return self.driver.activate_online(self.account, self.password)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Remember for whom, and that an offline exchange that was open is over."""
        if not evidence.get("by_others"):
            activation = {"method": "online", "account": self.account}
            unit.declarations.put("activation", self.driver.vendor, activation)
        _close_exchange(unit, self.driver.vendor, None)


@dataclass(frozen=True)
class ActivateOffline(ServerStep):
    """With the answer file, which is not kept: None after an interruption."""

    answer: bytes | None
    digest: str

    type, title = "activate_offline", "activating online licensing by the answer file"

    @property
    def arguments(self) -> dict[str, Any]:
        """Which answer it was."""
        return {"digest": self.digest}

    def is_seen(self, status: ServerStatus) -> bool | None:
        """Online licensing is available."""
        return status.activated

    def effect(self) -> None:
        """The documented upload."""
        if self.answer is None:
            raise DriverInterrupted("the answer file is not kept")
        self.driver.activate_offline(self.answer)

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Remember how, and that the request was used."""
        activation = {"method": "offline", "account": None}
        unit.declarations.put("activation", self.driver.vendor, activation)
        _close_exchange(unit, self.driver.vendor, self.digest)


@dataclass(frozen=True)
class Deactivate(ServerStep):
    """Online licensing off, however it was activated; ``only_look`` after a doubt."""

    only_look: bool

    type, title = "deactivate", "deactivating online licensing"

    def is_seen(self, status: ServerStatus) -> bool | None:
        """Online licensing is not available."""
        return None if status.activated is None else not status.activated

    def effect(self) -> None:
        """The documented call."""
        if self.only_look:
            raise DriverInterrupted("it shows no effect, and is not tried again unasked")
        self.driver.deactivate()

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Forget for whom it was."""
        unit.declarations.remove("activation", self.driver.vendor)


def _close_exchange(unit: Unit, vendor: str, answer_digest: str | None) -> None:
    """The request was used, or is no longer wanted; used answers are not taken again."""
    found = unit.declarations.get("exchange", vendor)
    if found is None or found.document["answered"] is not None:
        return
    used = [*found.document["used"], *([answer_digest] if answer_digest else [])]
    document = {**found.document, "answered": answer_digest or "", "used": used}
    unit.declarations.put("exchange", vendor, document)
