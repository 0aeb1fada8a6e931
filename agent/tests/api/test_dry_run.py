# SPDX-License-Identifier: GPL-3.0-or-later
"""A dry run refuses the documents that the run refuses, in the same words, and writes nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope as DsseEnvelope

from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.operations.documents import PAYLOAD_TYPE
from seatkeeper_twins.lab.lab import Lab

from .asking import LEGS, Asker, agent_of, carry, declared, described

DOCUMENT_OF = {
    "issue": "request",
    "install": "transfer",
    "confirm": "receipt",
    "acknowledge": "acknowledgement",
}
Payload = dict[str, Any]


def payload_of(envelope: dict[str, Any]) -> Payload:
    """What an envelope says."""
    return dict(json.loads(base64.b64decode(envelope["payload"])))


def sealed(identity: Identity, payload: Payload) -> dict[str, Any]:
    """The payload as this identity signs it."""
    content = json.dumps(payload).encode()
    envelope = DsseEnvelope(content, PAYLOAD_TYPE.format(kind=payload["kind"]), {})
    envelope.sign(identity.signer)
    return dict(envelope.to_dict())


def changed(payload: Payload, **values: Any) -> Payload:
    return {**payload, **values}


FAULTS: dict[str, tuple[str, Callable[[Payload, Identity, Identity], dict[str, Any]]]] = {
    "of a stranger": (
        "document-foreign",
        lambda reported, _peer, stranger: sealed(stranger, changed(reported, sender="stranger")),
    ),
    "in another's name": (
        "document-altered",
        lambda reported, _peer, stranger: sealed(stranger, reported),
    ),
    "of another transfer": (
        "document-misaddressed",
        lambda reported, peer, _stranger: sealed(
            peer, changed(reported, transfer=changed(reported["transfer"], name="another"))
        ),
    ),
    "without a part": (
        "document-invalid",
        lambda reported, peer, _stranger: sealed(
            peer, {k: v for k, v in reported.items() if k != "audit"}
        ),
    ),
    "with another artefact": (
        "document-altered",
        lambda reported, peer, _stranger: sealed(
            peer, changed(reported, artefact=changed(reported["artefact"], data="AAAA"))
        ),
    ),
    "that answers another one": (
        "document-replayed",
        lambda reported, peer, _stranger: sealed(peer, changed(reported, answers="00" * 32)),
    ),
}


def facts_of_fault(kind: str) -> list[Payload]:
    """Facts that are well-formed, or not, and are not what was declared."""
    return {
        "transfer": [{"amounts": {"seats": 2}}, {"amounts": {}}, {"amounts": {"apples": 1}}],
        "receipt": [{"decision": "perhaps"}],
        "request": [{"box_at": -1}],
    }.get(kind, [])


def audited(asker: Asker) -> Any:
    """What the journal has come to."""
    return asker.get("/v1/agent")["journal"]


@pytest.mark.parametrize("leg", DOCUMENT_OF)
def test_what_the_run_refuses_the_dry_run_refuses(
    lab: Lab, askers: dict[str, Asker], tmp_path: Path, leg: str
) -> None:
    declaration = declared(f"dry-document-{leg}")
    before = LEGS[LEGS.index(leg) - 1]
    document = carry(askers, declaration, until=before)[-1]["document"]
    reported = payload_of(document)
    folder = lab[reported["sender"]].state_folder
    peer = Identity(reported["sender"], folder / "agent.key", folder / "trust")
    stranger = Identity("stranger", tmp_path / "agent.key", tmp_path)
    asker = askers[agent_of(declaration, leg)]
    path = f"/v1/transfers/{transfer_id(declaration['name'])}/{leg}"
    sent = [(code, make(reported, peer, stranger)) for code, make in FAULTS.values()]
    if leg == "issue":
        # A request answers nothing that the source has sent: whatever it names is passed over.
        sent = [entry for entry in sent if entry[0] != "document-replayed"]
    for facts in facts_of_fault(DOCUMENT_OF[leg]):
        odd = sealed(peer, changed(reported, facts={**reported["facts"], **facts}))
        sent.append(("document-invalid", odd))
    held = described(lab)
    for code, odd in sent:
        body = {"transfer": declaration, "document": odd}
        journal = audited(asker)
        planned = asker.problem("POST", f"{path}?dry_run=true", json=body)
        assert audited(asker) == journal, "the dry run wrote"
        done = asker.problem("POST", path, json=body)
        assert (planned["code"], planned["detail"]) == (done["code"], done["detail"])
        assert planned["code"] == code
    assert described(lab) == held
    body = {"transfer": declaration, "document": document}
    assert asker.ask("POST", f"{path}?dry_run=true", json=body).json()["changed"] is True
    assert asker.ask("POST", path, json=body).json()["changed"] is True
    past(asker, path, declaration, sealed(peer, changed(reported, answers="00" * 32)), leg)


def past(asker: Asker, path: str, declaration: Payload, other: Payload, leg: str) -> None:
    """A leg that was done takes no other document, planned or not."""
    body = {"transfer": declaration, "document": other}
    answers = [asker.ask("POST", f"{path}{query}", json=body) for query in ("?dry_run=true", "")]
    codes = [answer.json().get("code") for answer in answers]
    assert codes == ([None] * 2 if leg == "issue" else ["document-replayed"] * 2)


@pytest.mark.parametrize("leg", ["install", "confirm", "acknowledge"])
def test_a_document_that_comes_too_early_is_refused_by_both(
    lab: Lab, askers: dict[str, Asker], leg: str
) -> None:
    """A plan may run ahead of the legs before it, but then it is brought nothing."""
    name = f"early-document-{leg}"
    declaration, other = declared(name), declared(f"{name}-done")
    document = carry(askers, other, until=LEGS[LEGS.index(leg) - 1])[-1]["document"]
    reported = payload_of(document)
    folder = lab[reported["sender"]].state_folder
    peer = Identity(reported["sender"], folder / "agent.key", folder / "trust")
    addressed = {**reported["transfer"], "name": name, "id": transfer_id(name)}
    early = sealed(peer, changed(reported, transfer=addressed))
    asker = askers[agent_of(declaration, leg)]
    path = f"/v1/transfers/{transfer_id(name)}/{leg}"
    body = {"transfer": declaration, "document": early}
    problems = [asker.problem("POST", f"{path}{q}", json=body) for q in ("?dry_run=true", "")]
    assert [entry["code"] for entry in problems] == ["leg-out-of-order"] * 2
    ahead = asker.ask("POST", f"{path}?dry_run=true", json={"transfer": declaration})
    assert ahead.json()["changed"] is True


def test_a_refusal_is_planned_as_it_is_done(askers: dict[str, Asker]) -> None:
    """The target's no is checked as its yes; nothing that has arrived can be refused."""
    declaration = declared("dry-refusal")
    carry(askers, declaration)
    body = {"transfer": declared("dry-refusal"), "decision": "refuse"}
    new = askers["new-server"]
    path = f"/v1/transfers/{transfer_id('dry-refusal')}/install"
    answers = [new.ask("POST", f"{path}{query}", json=body) for query in ("?dry_run=true", "")]
    assert [answer.json()["changed"] for answer in answers] == [False, False]
    requested = declared("dry-refusal-2")
    document = carry(askers, requested, until="issue")[-1]["document"]
    path = f"/v1/transfers/{transfer_id('dry-refusal-2')}/install"
    broken = {**document, "signatures": [{"keyid": "a", "sig": "b"}]}
    for sent, code in ((broken, "document-altered"), (document, None)):
        body = {"transfer": requested, "document": sent, "decision": "refuse"}
        codes = [
            new.ask("POST", f"{path}{query}", json=body).json().get("code")
            for query in ("?dry_run=true", "")
        ]
        assert codes == [code, code]
    assert new.get(f"/v1/transfers/{transfer_id('dry-refusal-2')}")["state"] == "refused"


def test_a_proof_of_a_rollback_is_planned_without_freezing(
    lab: Lab, askers: dict[str, Asker]
) -> None:
    declaration = declared("dry-rollback")
    document = carry(askers, declaration, until="issue")[-1]["document"]
    reported = payload_of(document)
    folder = lab[reported["sender"]].state_folder
    peer = Identity(reported["sender"], folder / "agent.key", folder / "trust")
    quoted = sealed(peer, changed(reported, peer={"sequence": 10**9, "head": "ab" * 32}))
    path = f"/v1/transfers/{transfer_id('dry-rollback')}/install?dry_run=true"
    new = askers["new-server"]
    problem = new.problem("POST", path, json={"transfer": declaration, "document": quoted})
    assert problem["code"] == "snapshot-rolled-back"
    assert "The run refuses this as well and freezes the exchange" in problem["next_action"]
    assert new.get("/v1/agent")["frozen"] == []
