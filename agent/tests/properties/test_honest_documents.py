# SPDX-License-Identifier: GPL-3.0-or-later
"""Honest documents that are lost, repeated, late or out of order freeze nothing.

Two agents with real journals and keys sign and judge real documents; products have no part in
it. SEATKEEPER_EXAMPLES multiplies the number of sequences (200 gives 10,000).
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from seatkeeper_agent.domain.exchange import GIVES, TAKES
from seatkeeper_agent.domain.licenses import ItemKey, TransferType
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import DocumentKind, Envelope
from seatkeeper_agent.domain.transfers import Declaration, Leg, Mode, Place, Side, State
from seatkeeper_agent.domain.transfers import transfer_id as id_of
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.documents import seal_in
from seatkeeper_agent.operations.evidence import Evidence
from seatkeeper_agent.operations.legs import LegRequest

SEQUENCES = 50 * int(os.environ.get("SEATKEEPER_EXAMPLES", "1"))
TRANSFERS_MAX = 40
TRANSFERS = 4
NAMES = ("a", "b")


class NoProduct:
    """A host on which no product answers with any container."""

    vendor = "none"

    def containers(self) -> list[Any]:
        """None."""
        return []


@dataclass
class Agent:
    """One agent's journal and judgement, and what it has given for each transfer and leg."""

    name: str
    journal: Journal
    identity: Identity
    evidence: Evidence
    given: dict[tuple[str, Leg], Envelope] = field(default_factory=dict)
    taken: dict[tuple[str, Leg], Envelope] = field(default_factory=dict)


def make_agents(folder: Path) -> dict[str, Agent]:
    """Two agents that trust each other."""
    agents = {}
    for name in NAMES:
        place = folder / name
        (place / "trust").mkdir(parents=True)
        journal = Journal(place / "journal.db")
        identity = Identity(name, place / "agent.key", place / "trust")
        driver = cast(Any, NoProduct())
        agents[name] = Agent(name, journal, identity, Evidence(journal, driver, identity))
    for name, other in (NAMES, NAMES[::-1]):
        (folder / name / "trust" / f"{other}.pem").write_text(agents[other].identity.public_pem)
    return agents


FACTS: dict[DocumentKind, dict[str, Any]] = {
    DocumentKind.TRANSFER: {
        "amounts": {"seats": 1}, "vendor_transfer_id": "aa", "vendor_update_counter": 1,
    },
    DocumentKind.RECEIPT: {"decision": "installed"},
}  # fmt: skip


def declare(number: int, salt: int) -> Declaration:
    """A transfer, every second one in the other direction."""
    source, target = NAMES if number % 2 else NAMES[::-1]
    name = f"transfer {salt} {number}"
    return Declaration(
        id_of(name), name, ItemKey.parse("6000010:201"), TransferType.LICENSES, Mode.PUSH,
        Place(source, f"130-{source}"), Place(target, f"130-{target}"), quantity=1,
    )  # fmt: skip


def doer(agents: dict[str, Agent], declared: Declaration, leg: Leg) -> Agent:
    """On whose host a leg runs."""
    at_source = leg.side is Side.SOURCE
    return agents[(declared.source if at_source else declared.target).agent]


def answered_by(agent: Agent, declared: Declaration, leg: Leg) -> Envelope | None:
    """What this host gave in the leg before, which the leg's document should answer."""
    before = list(Leg).index(leg) - 2
    return None if before < 0 else agent.given.get((declared.id, list(Leg)[before]))


def deliver(
    agents: dict[str, Agent], declared: Declaration, leg: Leg, envelope: Envelope | None
) -> None:
    """Run a leg on a document, which may be for the first, the tenth time, or too early."""
    agent = doer(agents, declared, leg)
    request = LegRequest(leg, declared, "tester", document=envelope)
    agent.evidence.require(request, is_run=True)
    key = (declared.id, leg)
    document = None
    if envelope is not None:
        document = agent.evidence.take(request, answered_by(agent, declared, leg), True)
    is_remade = leg is Leg.REQUEST and (declared.id, Leg.INSTALL) not in agent.given
    if key in agent.given and not is_remade:
        return
    with agent.journal.transaction() as unit:
        if unit.transfers.get(declared.id, leg.side) is None:
            first = State.CREATED if leg.side is Side.SOURCE else State.REQUESTED
            unit.transfers.insert(declared, leg.side, first)
        if document is not None and key not in agent.taken:
            agent.evidence.keep(unit, unit.transfers.put_document, request, document)
            agent.taken[key] = request.given
        for _entry in range(random.randrange(4)):  # noqa: S311 - seeded by the test
            unit.audit.append("tester", "work", declared.name, {})
        if leg in GIVES:
            kind, taken = GIVES[leg], agent.taken.get(key)
            agent.given[key] = seal_in(
                unit, agent.identity, kind, declared, b"", taken, FACTS.get(kind, {})
            )


def run_sequence(agents: dict[str, Agent], salt: int) -> None:
    """Some transfers at once, carried by somebody who loses, repeats and shuffles."""
    transfers = [declare(number, salt) for number in range(TRANSFERS)]
    sent: list[tuple[Declaration, Leg, Envelope]] = []
    for _move in range(random.randrange(TRANSFERS_MAX)):  # noqa: S311
        if not sent or random.random() < 0.3:  # noqa: S311
            declared, leg, envelope = random.choice(transfers), Leg.REQUEST, None  # noqa: S311
            deliver(agents, declared, leg, envelope)
        else:
            declared, leg, envelope = random.choice(sent)  # noqa: S311
            deliver(agents, declared, leg, envelope)
        for following in Leg:
            kind = TAKES.get(following)
            giver = next((each for each, gives in GIVES.items() if gives is kind), None)
            made = giver and doer(agents, declared, giver).given.get((declared.id, giver))
            if made and (declared, following, made) not in sent:
                sent.append((declared, following, made))


def run_sequences(agents: dict[str, Agent], salts: range) -> None:
    """One after the other, on the same journals."""
    for salt in salts:
        run_sequence(agents, salt)


def test_honest_documents_never_freeze_an_exchange(tmp_path: Path) -> None:
    seed = int(os.environ.get("SEATKEEPER_SEED", random.randrange(2**32)))  # noqa: S311
    print(f"SEATKEEPER_SEED={seed}")
    random.seed(seed)
    agents = make_agents(tmp_path)
    run_sequences(agents, range(SEQUENCES))
    for agent in agents.values():
        with agent.journal.reading() as unit:
            assert unit.operations.in_doubt() == []
            assert unit.peers.names() == [name for name in NAMES if name != agent.name]
        agent.journal.close()


def test_the_same_sequences_notice_an_agent_that_was_restored(tmp_path: Path) -> None:
    """Otherwise the property would say nothing."""
    agents = make_agents(tmp_path)
    random.seed(7)
    run_sequences(agents, range(3))
    agents["a"].journal.close()
    kept = (tmp_path / "a" / "journal.db").read_bytes()
    run_sequences(agents, range(3, 5))
    agents["a"].journal.close()
    for path in (tmp_path / "a").glob("journal.db*"):
        path.unlink()
    (tmp_path / "a" / "journal.db").write_bytes(kept)
    agents["a"].journal = Journal(tmp_path / "a" / "journal.db")
    agents["a"].evidence._journal = agents["a"].journal
    with pytest.raises(Problem, match="snapshot"):
        run_sequences(agents, range(10, 60))
