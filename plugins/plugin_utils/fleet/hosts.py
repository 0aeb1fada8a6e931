# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host showed of itself in a run."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import Entry
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.places import (
    Items,
    containers_of,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.shapes import (
    UnreadableError,
    check_answer,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.sums import (
    Holding,
    holding_of,
)

ROLLED_BACK: t.Final = "snapshot-rolled-back"
_LOOKED_AT: t.Final = ("containers", "transfer", "server_move")


@dataclasses.dataclass
class Host:
    """The host of one agent; ``problem`` says why it does not answer, in the form of RFC 9457."""

    agent: str
    problem: t.Optional[Entry] = None
    containers: Items = dataclasses.field(default_factory=dict)
    open_transfers: t.List[Entry] = dataclasses.field(default_factory=list)
    orders: t.List[Entry] = dataclasses.field(default_factory=list)
    """What it has ordered of vendors."""
    moves: t.List[Entry] = dataclasses.field(default_factory=list)
    """What its journal has of moves of license servers."""
    kinds: t.Dict[str, t.List[str]] = dataclasses.field(default_factory=dict)
    """By the vendor of each product that it has: the kinds that can be declared of it."""
    records: t.Dict[str, t.Optional[Entry]] = dataclasses.field(default_factory=dict)
    """What its journal has of transfers that it was asked for; None where it has nothing."""
    is_new: bool = True
    """Whether it was not looked at yet."""
    before: t.Optional[Holding] = None
    after: t.Optional[Holding] = None
    """What it held when it was first looked at, and at the end of a run; None where not all of it
    was seen."""
    waiting: t.List[Entry] = dataclasses.field(default_factory=list)
    """The steps that wait for somebody, whoever declared them."""
    evidence: t.Dict[str, t.Optional[Entry]] = dataclasses.field(default_factory=dict)
    """By the name of a peer: its newest document that this host keeps."""
    broken: t.List[str] = dataclasses.field(default_factory=list)
    """What does not hold in its journal, or is frozen since it went back, by its own word."""
    unseen: t.List[str] = dataclasses.field(default_factory=list)
    """Why something of its products could not be seen, so that nobody knows what it has."""
    is_set_up: bool = False
    """Whether packages, units or ports of its license servers are declared, or were made true."""
    is_limited: bool = False
    """Whether an earlier run limited who reaches the ports of its license servers."""
    changes: t.List[Entry] = dataclasses.field(default_factory=list)
    """What was installed, started or fenced there before it was asked: what, declared, present."""
    only_planned: t.List[str] = dataclasses.field(default_factory=list)
    """Vendors whose servers a check would have installed."""
    failures: t.List[str] = dataclasses.field(default_factory=list)
    """Why something could not be installed, started or fenced."""
    refused: t.List[str] = dataclasses.field(default_factory=list)
    """What it claimed under the name of another declaration."""

    def take(self, answer: Entry) -> bool:
        """Whether the answer can be gone by."""
        try:
            self.problem = answer.get("problem")
            if self.problem is None:
                check_answer(answer, self.agent)
                if answer.get("look") is not None:
                    self._look(answer["look"])
                self.records.update({each["id"]: each for each in answer.get("records") or ()})
        except UnreadableError as error:
            self.problem = error.document
        return self.problem is None

    def is_to_be_opened(self) -> bool:
        """Whether its ports are limited although nothing of that is declared any more."""
        return self.is_limited and not self.is_set_up

    def can_be_told(self, kind: str, vendor: t.Optional[str]) -> bool:
        """Whether it has a product of which this kind can be declared."""
        return any(kind in found for name, found in self.kinds.items() if vendor in (None, name))

    def has_to_say(self) -> bool:
        """Whether there is more to report of it than what is declared."""
        found = (self.problem, self.broken, self.unseen, self.refused, self.changes, self.failures)
        return any(found)

    @classmethod
    def from_kept(cls, kept: Entry) -> Host:
        """What a task before has kept."""
        held = {
            name: None if kept[name] is None else Holding(**kept[name])
            for name in ("before", "after")
        }
        return cls(**{**kept, **held})

    def _look(self, look: Entry) -> None:
        called = look["agent"]["agent"]["name"]
        if called != self.agent:
            raise UnreadableError(
                f"The agent of {self.agent} is called {called}.",
                "Set seatkeeper_agent_name for this host to the name in the agent's settings.",
            )
        self.containers = containers_of(_seen(look, "containers"))
        self.open_transfers = _seen(look, "transfer")
        self.waiting = look["waiting"]
        self.is_limited = look["ports_limited"]
        self.orders = _seen(look, "order")
        self.moves = _seen(look, "server_move")
        there = {found["vendor"] for found in look["agent"]["vendors"]}
        self.kinds = {name: list(each) for name, each in look["products"].items() if name in there}
        self.records.update({each["id"]: each for each in self.open_transfers})
        self.unseen = _unseen(look, there)
        held = None if self.unseen else _held(look)
        if self.is_new:
            self.before = held
        else:
            self.after = held
        self.is_new = False
        self.evidence = {peer["agent"]: peer["evidence"] for peer in look["peers"]}
        agent = look["agent"]
        self.broken = [each["detail"] for each in agent["invariants"] if not each["holds"]]
        self.broken += [each["message"] for each in agent["frozen"] if each["code"] == ROLLED_BACK]


def _seen(look: Entry, name: str) -> t.List[Entry]:
    """What was seen of one thing, at whosever products."""
    looks = [product.get(name) or {} for product in look["products"].values()]
    return [entry for each in looks for entry in each.get("seen") or ()]


def _unseen(look: Entry, there: t.Collection[str]) -> t.List[str]:
    """Why something of a product that the host has could not be seen."""
    products = [product for vendor, product in look["products"].items() if vendor in there]
    looks = [product.get(name) or {} for product in products for name in _LOOKED_AT]
    problems = [each["problem"] for each in looks if each.get("problem") is not None]
    return list(dict.fromkeys(str(LicenseProblem(problem)) for problem in problems))


def _held(look: Entry) -> t.Optional[Holding]:
    containers = _seen(look, "containers")
    if any(container["more"] for container in containers):
        return None
    items = [item for container in containers for item in container["items"]]
    return holding_of(items, _seen(look, "transfer"))
