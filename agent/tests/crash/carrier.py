# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: resume, then tell both hosts what is declared and carry what they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import Courier

from .client import NoAnswerError, RefusedError
from .scenarios import Goal, Transfer
from .world import NEW, World

DELIVERED = {"source": ("request", "receipt"), "target": ("transfer", "acknowledgement")}
"""What each side is brought."""


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
        self._changed = False

    def run(self, inspect: Callable[[], None]) -> Run:
        """Start what is dead, then do everything once more from the beginning."""
        self._world.revive(inspect)
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
        self._carry_all(declaration)

    def _carry_in_vain(self, declaration: dict[str, Any], beforehand: bool) -> None:
        """The target refuses; what was refused is delivered again, and refused still."""
        identity = declaration["id"]
        source, target = (declaration[side]["agent"] for side in ("source", "target"))
        if "refused" not in self._states(identity):
            self._tell(target, declaration, [])
            if not beforehand:
                self._to_its_end(identity, lambda: self._ask(source, declaration))
            arriving = self._kept(identity, "transfer")
            self._tell(target, declaration, arriving, decision="refuse")
        if "void" not in self._states(identity):
            # The request was on its way before the refusal.
            self._to_its_end(identity, lambda: self._ask(source, declaration))
            self._to_its_end(identity, lambda: self._carry_all(declaration, decision="refuse"))
        with suppress(RefusedError):
            self._tell(target, declaration, self._kept(identity, "transfer"))

    def _ask(self, source: str, declaration: dict[str, Any]) -> None:
        self._tell(source, declaration, self._kept(declaration["id"], "request"))

    def _to_its_end(self, identity: str, work: Callable[[], Any]) -> None:
        """Have the licensor give back what no documented function does, and go on."""
        try:
            work()
        except RefusedError as error:
            if error.code != "credit-back-not-documented":
                raise
            self._have_licensor_give_back(identity)
            work()

    def _kept(self, identity: str, kind: str) -> list[dict[str, Any]]:
        """A document that either host has kept, as it is brought; nothing where there is none."""
        kept = (record["documents"].get(kind) for record in self._records(identity))
        document = next((each for each in kept if each is not None), None)
        brought = {"declaration": identity, "kind": kind, "envelope": document}
        return [] if document is None else [brought]

    def _carry_all(self, declaration: dict[str, Any], decision: str = "install") -> None:
        """Tell both hosts, and carry what they give until nothing is left."""
        courier = Courier()
        for side in ("source", "target"):
            agent = declaration[side]["agent"]
            courier.take(agent, self._tell(agent, declaration, [], decision))
        while deliveries := courier.deliveries():
            for agent, documents in deliveries.items():
                answer = self._tell(agent, declaration, documents, decision)
                courier.brought(deliveries, agent)
                courier.take(agent, answer)
        if decision == "install":
            self._deliver_again(declaration)

    def _deliver_again(self, declaration: dict[str, Any]) -> None:
        """A document that comes twice does nothing the second time."""
        for side, kinds in DELIVERED.items():
            agent, identity = declaration[side]["agent"], declaration["id"]
            documents = [entry for kind in kinds for entry in self._kept(identity, kind)]
            self._tell(agent, declaration, documents)

    def _tell(
        self,
        agent: str,
        declaration: dict[str, Any],
        documents: list[dict[str, Any]],
        decision: str = "install",
    ) -> dict[str, Any]:
        """One declaration to one host; RefusedError where it has a problem with it."""
        transfer = {key: value for key, value in declaration.items() if key != "id"}
        is_target = agent == declaration["target"]["agent"]
        declared = {"transfer": transfer, **({"decision": decision} if is_target else {})}
        entry = {"kind": "transfer", "id": declaration["id"], "declared": declared}
        body = {"dry_run": False, "declarations": [entry], "documents": documents}
        answer = self._world.hosts[agent].ask("PUT", "/v2/state", body)
        (result,) = answer["results"]
        self._changed |= result["changed"]
        problem = result["problem"]
        is_given_up = result["present"] is not None and result["present"]["state"] == "void"
        if problem is not None and not (decision == "refuse" and is_given_up and not is_target):
            raise RefusedError(problem)
        return answer

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
