# SPDX-License-Identifier: GPL-3.0-or-later
"""What each host of a run is asked or told next, from what all of them answered.

First every host is asked what is declared for it: a dry run, which changes nothing. In check mode
the plans are then carried on as the courier carries documents. In a run those hosts that have
something to do are told, round by round until no document is left, and asked once more at the end:
what is reported as done was seen done.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import claims
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.claims import Claim
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import (
    Brought,
    Courier,
    Document,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Declaration,
    Entry,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.folder import Folder
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.hosts import (
    ROLLED_BACK,
    Host,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import Run
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import (
    KINDS,
    PARTS,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.transfers import (
    carried,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.matters import Matter
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.sums import differences

Order = t.Dict[str, t.Any]
"""The body of a request to one agent."""
Orders = t.Dict[str, Order]

_FOLLOWING: t.Final = {"ask": "carry", "carry": "verify", "verify": "done", "done": "done"}


class Plan:
    """One run of all hosts of a play, by the names that the inventory gives to their agents."""

    def __init__(
        self,
        agents: t.Collection[str],
        is_check: bool,
        folder: t.Optional[Folder] = None,
        parts: t.Collection[str] = PARTS,
    ) -> None:
        """``folder`` is where documents of hosts lie that are not in this play.

        Of ``parts`` alone it is known what the inventory declares.
        """
        self.hosts = {agent: Host(agent) for agent in agents}
        self.matters: t.Dict[str, Matter] = {}
        self.is_check = is_check
        self.stage = "begin"
        self.round = 0
        self.to_set_up: t.List[str] = []
        """Whose license servers are to be installed, fenced or opened before they are asked."""
        self.courier = Courier()
        self.folder = folder
        self.parts = list(parts)

    def as_kept(self) -> Entry:
        """As a task keeps it for the next."""
        return {
            "hosts": [dataclasses.asdict(host) for host in self.hosts.values()],
            "matters": [matter.as_kept() for matter in self.matters.values()],
            "is_check": self.is_check,
            "stage": self.stage,
            "round": self.round,
            "courier": self.courier.as_kept(),
            "parts": self.parts,
        }

    @classmethod
    def from_kept(cls, kept: Entry, folder: t.Optional[Folder] = None) -> Plan:
        """What a task before has kept."""
        plan = cls((), kept["is_check"], folder, kept["parts"])
        plan.hosts = {host["agent"]: Host.from_kept(host) for host in kept["hosts"]}
        matters = [Matter.from_kept(matter) for matter in kept["matters"]]
        plan.matters = {matter.key: matter for matter in matters}
        plan.stage, plan.round = kept["stage"], kept["round"]
        plan.courier = Courier.from_kept(kept["courier"])
        return plan

    # What comes in ---------------------------------------------------------------------

    def declare(self, declarations: t.Iterable[Declaration]) -> None:
        """What the inventory has one host have a part in; the others say the same of it."""
        for declaration in declarations:
            if any(agent in self.hosts for agent in declaration.agents):
                matter = self.matters.setdefault(declaration.key, Matter(declaration))
                if matter.declaration != declaration:
                    matter.refused = _twice(declaration)

    def take(self, agent: str, answer: Entry) -> None:
        """What came back from one host, be it an answer or that there is none."""
        host = self.hosts[agent]
        if not host.take(answer):
            return
        if self.stage == "ask":
            self._leave_out(host)
        own = [matter for matter in self.matters.values() if agent in matter.agents]
        known = {(matter.declaration.kind, matter.id): matter for matter in own}
        found = [
            (known[each["kind"], each["id"]], each)
            for each in answer["results"]
            if (each["kind"], each["id"]) in known
        ]
        documents = [each for each in answer["documents"] if self._is_for_other(agent, each)]
        for matter, result in found:
            if agent in matter.unasked:
                matter.unasked.remove(agent)
            given = [each for each in documents if each["declaration"] == matter.id]
            matter.take(agent, result, given, self._asked_to())
            if self.stage == "ask":
                self._take_lots(agent, matter, result)
        if self.stage == "carry":
            joint = [result for matter, result in found if matter.is_joint]
            self._hand_over(agent, joint, documents)
        if self.stage == "ask":
            # What comes up later nobody could be asked about any more: the next run does.
            for record in host.open_transfers:
                self._take_open(agent, record)

    def _leave_out(self, host: Host) -> None:
        """What names no host and is of a product that this one does not have, or, in a check, not
        yet.
        """
        for matter in list(self.matters.values()):
            declaration = matter.declaration
            if declaration.agents != (host.agent,):
                continue
            is_there = host.can_be_told(declaration.kind, declaration.vendor)
            if declaration.vendor in host.only_planned or (
                declaration.is_optional and not is_there
            ):
                del self.matters[matter.key]

    def _asked_to(self) -> str:
        """What the answers that come in are answers to."""
        if self.stage == "carry":
            return "ask" if self.is_check else "tell"
        return self.stage

    def _is_for_other(self, agent: str, document: Entry) -> bool:
        """A document answers what is declared to the other end, and goes nowhere else."""
        matter = self.matters.get(document["declaration"])
        return matter is not None and document["to"] in {*matter.agents} - {agent}

    def _take_open(self, agent: str, record: Entry) -> None:
        if claims.is_driven(record) and record["id"] not in self.matters:
            self._add_claim(Claim(record, agent, None))

    def _take_lots(self, agent: str, matter: Matter, result: Entry) -> None:
        borrower = matter.declaration.declared.get("target", {}).get("agent")
        if matter.declaration.kind != "borrow" or agent != borrower:
            return
        for lot in result["details"].get("transfers", ()):
            known, claim = self.matters.get(lot["id"]), Claim(lot, agent, matter.id)
            if known is None or (known.claim is not None and known.claim.borrow is None):
                self._add_claim(claim)
            elif known.claim is None:
                self.hosts[agent].refused.append(claims.refusal(claim, "it is another declaration"))

    def _add_claim(self, claim: Claim) -> None:
        record = claim.record
        transfer = {name: record[name] for name in (*claims.DEFINING, "source", "target")}
        declaration = carried(record["id"], transfer, is_declared=False)
        matter = Matter(declaration, claim=claim, is_vouched=False)
        matter.unasked = list(declaration.agents)
        self.matters[matter.id] = matter

    # What goes out ---------------------------------------------------------------------

    def next(self) -> Orders:
        """The request of each agent that is to be asked or told now; empty when all is done."""
        if self.stage == "begin":
            self.stage = "ask"
            return self._begin()
        stages = {"ask": self._ask, "carry": self._carry, "verify": self._verify}
        while self.stage in stages:
            orders = {**self._open_up(), **stages[self.stage]()}
            if orders:
                self.round += 1
                return orders
            self.stage = _FOLLOWING[self.stage]
            if self.stage == "carry":
                self._begin_to_carry()
        return {}

    def _open_up(self) -> Orders:
        """Hosts whose ports are limited and need not be are set up first, and asked again."""
        self.to_set_up = [agent for agent, host in self.hosts.items() if host.is_to_be_opened()]
        for agent in self.to_set_up:
            self.hosts[agent].is_set_up = True
        return {agent: self._order(agent, [], True, []) for agent in self.to_set_up}

    def _begin(self) -> Orders:
        """Everybody is looked at, and asked for what is declared of him."""
        orders = {}
        for agent in self.hosts:
            if self.is_there(agent):
                matters = [matter for matter in self._going_on() if agent in matter.agents]
                orders[agent] = {**self._order(agent, matters, True, []), "look": True}
        return orders

    def _ask(self) -> Orders:
        self._complete()
        wanted = self._judge()
        orders = self._orders(lambda matter, agent: agent in matter.unasked, is_dry_run=True)
        for agent, ids in wanted.items():
            order = orders.setdefault(agent, self._order(agent, [], True, []))
            order["records"] = ids
            self.hosts[agent].records.update(dict.fromkeys(ids))
        return orders

    def _complete(self) -> None:
        """What the answers so far add to what is declared; those whom it concerns hear it anew."""
        run = Run(self.hosts, list(self.matters.values()), self.is_check)
        for matter in self._going_on():
            try:
                declaration = KINDS[matter.declaration.kind].completed(matter, run)
            except LicenseProblem as problem:
                matter.refused = str(problem)
                continue
            if declaration == matter.declaration:
                continue
            answers = (matter.last(agent) for agent in matter.agents)
            if all(last is None or last["outcome"] == "same" for last in answers):
                matter.declaration = declaration
            else:
                matter.declared_anew(declaration)

    def _judge(self) -> t.Dict[str, t.List[str]]:
        """Whether each claim is covered; by agent, of what its journal has to be known for that."""
        wanted: t.Dict[str, t.List[str]] = {}
        for matter in self.matters.values():
            if matter.declaration.kind == "borrow":
                self._judge_lots(matter)
        for matter in self.matters.values():
            claim = matter.claim
            if claim is None or claim.borrow is not None or matter.is_vouched or matter.refused:
                continue
            other = claims.other_agent(claim.record, claim.agent)
            if other is None:
                self._settle(matter, claims.why_not_open(claim, None))
            elif not self.is_there(other):
                # Nobody is there who could be asked for anything.
                matter.is_vouched = True
            elif matter.id in self.hosts[other].records:
                known = self.hosts[other].records[matter.id]
                self._settle(matter, claims.why_not_open(claim, known))
            else:
                wanted.setdefault(other, []).append(matter.id)
        return wanted

    def _judge_lots(self, borrow: Matter) -> None:
        lender = borrow.declaration.declared["source"]["agent"]
        if self.is_there(lender) and lender in borrow.unasked:
            return
        present = (borrow.asked.get(lender) or {}).get("present") or {}
        lots = claims.Lots(borrow.declaration, present.get("lent"), self.is_there(lender))
        for matter in self.matters.values():
            claim = matter.claim
            is_open = not (matter.is_vouched or matter.refused)
            if claim is not None and claim.borrow == borrow.id and is_open:
                self._settle(matter, lots.why_not(claim.record))

    def _settle(self, matter: Matter, why: t.Optional[str]) -> None:
        matter.is_vouched = why is None
        if why is not None and matter.claim is not None:
            matter.refused = claims.refusal(matter.claim, why)

    def _begin_to_carry(self) -> None:
        """The courier knows what everybody awaits and, in check mode, what each plan would give."""
        for matter in self._going_on():
            for agent, result in matter.asked.items():
                if matter.is_joint:
                    self._hand_over(agent, [result], matter.given.get(agent, ()))
                if not self.is_check and _has_to_be_told(matter, agent):
                    matter.unasked.append(agent)

    def _hand_over(
        self, agent: str, results: t.List[Entry], documents: t.Iterable[Document]
    ) -> None:
        """To the courier: in a run nothing that is only planned travels, whoever gives it."""
        travels = [each for each in documents if self.is_check or not each["planned"]]
        self.courier.take(agent, {"results": results, "documents": travels})

    def _carry(self) -> Orders:
        self._by_folder()
        self._complete()
        reached = self._deliveries()
        for agent in reached:
            self.courier.brought(reached, agent)
        named = {
            agent: {document["declaration"] for document in brought}
            for agent, brought in reached.items()
        }

        def is_due(matter: Matter, agent: str) -> bool:
            if self.is_check and agent in named:
                # One plan counts what the others take.
                return True
            return matter.id in named.get(agent, ()) or agent in matter.unasked

        return self._orders(is_due, self.is_check, reached)

    def _deliveries(self) -> t.Dict[str, t.List[Brought]]:
        """What there is for those who are there, of what goes on."""
        going_on = {matter.id for matter in self._going_on()}
        found = self.courier.deliveries(going_on)
        return {agent: brought for agent, brought in found.items() if self.is_there(agent)}

    def _by_folder(self) -> None:
        """Leave in the folder what is for others, and take from it what is awaited of them."""
        if self.folder is None:
            return
        for matter in self._going_on():
            others = [agent for agent in matter.agents if agent not in self.hosts]
            for agent in others:
                for document in self.courier.given_to(agent, matter.id):
                    self.folder.write(matter.declaration, document)
            awaited = self.courier.awaited_of(matter.id) if others else {}
            for agent, kind in awaited.items():
                found = self.folder.read(matter.declaration, kind)
                if found is not None:
                    self.courier.bring(agent, matter.id, kind, *found)

    def _verify(self) -> Orders:
        if self.is_check:
            return {}
        return self._orders(
            lambda matter, agent: agent in matter.told and agent not in matter.seen, is_dry_run=True
        )

    def _orders(
        self,
        is_due: t.Callable[[Matter, str], bool],
        is_dry_run: bool,
        deliveries: t.Optional[t.Mapping[str, t.List[Brought]]] = None,
    ) -> Orders:
        """Requests to those who are there; of what is refused nobody hears."""
        orders: Orders = {}
        for agent in self.hosts:
            matters = [
                matter
                for matter in self._going_on()
                if agent in matter.agents and self.is_there(agent) and is_due(matter, agent)
            ]
            if matters:
                brought = (deliveries or {}).get(agent, [])
                orders[agent] = self._order(agent, matters, is_dry_run, brought)
        return orders

    def _order(
        self, agent: str, matters: t.List[Matter], is_dry_run: bool, brought: t.List[Brought]
    ) -> Order:
        for matter in matters:
            if not is_dry_run and agent in matter.unasked:
                matter.unasked.remove(agent)
        peers = {other for matter in matters for other in matter.agents if other in self.hosts}
        kept = {peer: self.hosts[peer].evidence.get(agent) for peer in sorted(peers - {agent})}
        return {
            "dry_run": is_dry_run,
            "look": self.stage == "verify",
            "records": [],
            "declarations": [matter.declaration.told(agent) for matter in matters],
            "files": {m.id: m.declaration.files for m in matters if m.declaration.files},
            "documents": brought,
            "evidence": [
                {"agent": peer, "envelope": envelope}
                for peer, envelope in kept.items()
                if envelope is not None
            ],
        }

    def _going_on(self) -> t.Iterator[Matter]:
        """What is covered; in the stages that do something, what can be done by everybody."""
        for matter in self.matters.values():
            if matter.refused is not None or not matter.is_vouched:
                continue
            may_be_done = not _is_refused_beforehand(matter) and self._is_reachable(matter)
            if self.stage == "ask" or (may_be_done and (self.is_check or matter.is_confirmed())):
                yield matter

    def _is_reachable(self, matter: Matter) -> bool:
        """Whether it can come to its end: all are there, or a folder stands for the others."""
        return self.folder is not None or all(self.is_there(agent) for agent in matter.agents)

    def concerned(self) -> t.Set[str]:
        """Who has more to hear of this run than that nothing differs."""
        found = {agent for agent, host in self.hosts.items() if host.has_to_say()}
        for matter in self.matters.values():
            lasts = [matter.last(agent) for agent in matter.agents]
            is_same = all(last is None or last["outcome"] == "same" for last in lasts)
            if matter.refused or matter.unasked or matter.changed() or not is_same:
                found.update(matter.agents)
        return found

    def lost_or_doubled(self) -> t.List[str]:
        """A sentence for each item of which a run has left more or less than there was."""
        pairs = [
            (host.before, host.after)
            for host in self.hosts.values()
            if host.before is not None and host.after is not None
        ]
        looked_at = {agent for agent, host in self.hosts.items() if host.after is not None}
        items = [
            matter.declaration.declared["transfer"]["item"]
            for matter in self.matters.values()
            if matter.declaration.kind == "transfer" and not looked_at.issuperset(matter.agents)
        ]
        return differences([was for was, _now in pairs], [now for _was, now in pairs], items)

    def is_there(self, agent: str) -> bool:
        """Whether an agent is one of this play and has answered so far."""
        return agent in self.hosts and self.hosts[agent].problem is None


def _is_refused_beforehand(matter: Matter) -> bool:
    """Whether somebody said before anything was done that it cannot be done.

    What concerns one host alone may become possible by what is declared of it before that.
    """
    if not matter.is_joint:
        return False
    problems = [result["problem"] for result in matter.asked.values() if result["problem"]]
    return not matter.told and any(problem["code"] != ROLLED_BACK for problem in problems)


def _twice(declaration: Declaration) -> str:
    """What is wrong with something that is declared twice, and differently."""
    if len(declaration.agents) == 1:
        what = f"{declaration.kind.replace('_', ' ')} {declaration.name}".rstrip()
        return (
            f"The {what} is declared twice for {declaration.agents[0]}, and differently. Keep one"
            " entry that is for it."
        )
    return (
        f"The hosts of {declaration.name} have it declared differently. Declare it once for all of"
        " them, in the variables of their group."
    )


def _has_to_be_told(matter: Matter, agent: str) -> bool:
    """Whether an agent has something to do by itself, without a document from another one."""
    result = matter.asked[agent]
    if any(each["problem"] for each in matter.asked.values()):
        # It freezes what was rolled back, which a dry run does not; nobody else does anything.
        return result["problem"] is not None
    plans = any(document["planned"] for document in matter.given.get(agent, ()))
    awaits = (result["next"] or {}).get("awaits")
    return plans or (awaits is None and result["outcome"] != "same")
