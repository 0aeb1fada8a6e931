# SPDX-License-Identifier: GPL-3.0-or-later
"""One run, as the role makes it: resume, then all legs, with documents from the agents' records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seatkeeper_agent.domain.transfers import Leg
from seatkeeper_agent.operations import legs

from .client import NoAnswerError, RefusedError
from .scenarios import Goal, Transfer
from .world import NEW, World

TAKES = {leg: kind.value for leg, kind in legs.TAKES.items()}
GIVES = {leg: kind.value for leg, kind in legs.GIVES.items()}


@dataclass(frozen=True)
class Run:
    """How a run ended: whether anything changed, and what stopped it, if something did."""

    changed: bool
    trouble: str | None = None


class Carrier:
    """Remembers nothing between runs but ``borrowed``: which transfers a borrow has led to."""

    def __init__(
        self,
        world: World,
        goal: Goal,
        today: datetime,
        borrowed: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        self._world = world
        self._goal = goal
        self._today = today
        self.borrowed = dict(borrowed or {})
        self._given: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._changed = False

    def run(self, inspect: Callable[[], None]) -> Run:
        """Start what is dead, then do everything once more from the beginning."""
        self._world.revive(inspect)
        self._given.clear()
        self._changed = False
        try:
            for host in self._world.hosts.values():
                self._changed |= host.ask("POST", "/v1/resume", {})["changed"]
            for declaration in self._declarations():
                self._carry(declaration)
        except (NoAnswerError, RefusedError) as error:
            return Run(self._changed, str(error))
        finally:
            self._world.bury()
            inspect()
        return Run(self._changed)

    def _declarations(self) -> list[dict[str, Any]]:
        if isinstance(self._goal, Transfer):
            return [self._goal.declaration()]
        answer = self._world.hosts[NEW].ask(
            "PUT", f"/v1/borrows/{self._goal.id}", self._goal.declaration(self._today)
        )
        self._changed |= answer["changed"]
        self.borrowed |= {entry["id"]: entry for entry in answer["transfers"]}
        return list(self.borrowed.values())

    def _carry(self, declaration: dict[str, Any]) -> None:
        if isinstance(self._goal, Transfer) and self._goal.refused:
            self._carry_in_vain(declaration, self._goal.beforehand)
            return
        for leg in Leg:
            self._do(declaration, leg)

    def _carry_in_vain(self, declaration: dict[str, Any], beforehand: bool) -> None:
        """The target refuses; what was refused is delivered again, and refused still."""
        identity = declaration["id"]
        states = self._states(identity)
        if "refused" not in states:
            self._do(declaration, Leg.REQUEST)
            if not beforehand:
                self._do(declaration, Leg.ISSUE)
            self._do(declaration, Leg.INSTALL, "refuse")
        if "void" not in states:
            self._do(declaration, Leg.ISSUE)
            try:
                self._do(declaration, Leg.CONFIRM)
            except RefusedError as error:
                if error.code != "credit-back-not-documented":
                    raise
                self._have_licensor_give_back(identity)
                self._do(declaration, Leg.CONFIRM)
        self._do(declaration, Leg.INSTALL)

    def _do(self, declaration: dict[str, Any], leg: Leg, decision: str = "install") -> None:
        identity = declaration["id"]
        request = {
            "transfer": {key: value for key, value in declaration.items() if key != "id"},
            "document": self._document(identity, leg),
            "decision": decision,
        }
        host = self._world.hosts[declaration[leg.side.value]["agent"]]
        answer = host.ask("POST", f"/v1/transfers/{identity}/{leg.value}", request)
        if leg in GIVES:
            self._given[identity, GIVES[leg]] = answer["document"]
        self._changed |= answer["changed"]

    def _records(self, identity: str) -> list[dict[str, Any]]:
        found = []
        for host in self._world.hosts.values():
            try:
                found.append(host.ask("GET", f"/v1/transfers/{identity}"))
            except RefusedError as error:
                if error.code != "transfer-unknown":
                    raise
        return found

    def _states(self, identity: str) -> set[str]:
        return {record["state"] for record in self._records(identity)}

    def _document(self, identity: str, leg: Leg) -> dict[str, Any] | None:
        """From a leg of this run, else from a record of either agent."""
        kind = TAKES.get(leg)
        if kind is None:
            return None
        if (given := self._given.get((identity, kind))) is not None:
            return given
        documents = (record["documents"].get(kind) for record in self._records(identity))
        return next((document for document in documents if document is not None), None)

    def _have_licensor_give_back(self, identity: str) -> None:
        """What no documented function does: a person asks the licensor, who corrects it."""
        for record in self._records(identity):
            if record["side"] == "source":
                host = self._world.hosts[record["source"]["agent"]]
                host.twin(
                    "_twin.restore",
                    serial=host.container,
                    transfer_id=record["vendor_transfer_id"],
                )


def settled(world: World) -> str | None:
    """What is not at its end on either host, None when all is."""
    left = []
    for host in world.hosts.values():
        for kind in ("transfers", "operations"):
            entries = host.ask("GET", f"/v1/{kind}?state=open")[kind]
            left += [f"{entry.get('name', entry['id'])} at {host.name}" for entry in entries]
    return ", ".join(left) or None
