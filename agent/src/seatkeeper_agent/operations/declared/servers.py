# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of a license server where it is: settings, activation, seats for offline use."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.declared.kinds import LOOKED_AT_MAX, NOTHING, Asked, Outcome
from seatkeeper_agent.operations.declared.reading import moment_of, outcome_of
from seatkeeper_agent.operations.servers.activation import (
    ANSWER_BYTES_MAX,
    AccountRequest,
    ActivationService,
    AnswerRequest,
)
from seatkeeper_agent.operations.servers.borrows import ServerBorrowRequest, ServerBorrowService
from seatkeeper_agent.operations.servers.settings import ServerRequest, ServerService


def server_request(declared: dict[str, Any]) -> ServerRequest:
    """Named keys and services; all others are kept."""
    switch = declared.get("dongle_service")
    return ServerRequest(
        settings=declared.get("settings", {}),
        dongle_service=None if switch is None else switch == "enabled",
        version_min=declared.get("version_min"),
        running=declared.get("running"),
    )


def account_request(declared: dict[str, Any]) -> AccountRequest:
    """An online activation; the password is used and kept nowhere."""
    is_active = declared.get("already_active", False)
    return AccountRequest(declared["account"], Secret(declared["password"]), is_active)


def answer_request(declared: dict[str, Any]) -> AnswerRequest:
    """The answer file of an offline activation; Problem for one that did not arrive whole."""
    return AnswerRequest(_decoded(declared["answer"]), declared.get("request_digest"))


def server_borrow_request(borrow: str, declared: dict[str, Any]) -> ServerBorrowRequest:
    """Seats for offline use; Problem for a time that cannot be read."""
    return ServerBorrowRequest(
        id=borrow,
        name=declared["name"],
        product=declared["product"],
        seats=declared["seats"],
        until=moment_of(declared["until"]),
        auto_renew=declared.get("auto_renew", False),
    )


class ServerKind:
    """A server's settings; there is one server of a vendor, so that the id names the vendor."""

    name = "server"
    schema = "settings"
    confirms = None
    secrets: frozenset[str] = frozenset()
    brings = NOTHING

    def __init__(self, settings: ServerService) -> None:
        self._settings = settings

    def planning(self) -> ServerKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Make the named keys and services true."""
        request = server_request(asked.declared)
        return outcome_of(self._settings.put(request, asked.actor, asked.is_dry_run))

    def look(self) -> dict[str, Any]:
        """Its settings, and what else the server shows."""
        return self._settings.read()


class ActivationKind:
    """A server that is activated with an account."""

    name = "activation"
    schema = "activation-order"
    confirms = None
    secrets = frozenset({"password"})
    brings = NOTHING

    def __init__(self, activation: ActivationService) -> None:
        self._activation = activation

    def planning(self) -> ActivationKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Activate online."""
        request = account_request(asked.declared)
        return outcome_of(self._activation.activate(request, asked.actor, asked.is_dry_run))

    def look(self) -> dict[str, Any]:
        """Whether it is activated; how and for whom where this agent did it."""
        return self._activation.read()


class OfflineActivationKind:
    """A server that is activated with the answer file of the vendor's page.

    Without the answer, its request is made, which is in the details as long as it is open.
    """

    name = "offline_activation"
    schema = "offline-activation"
    confirms = None
    secrets = frozenset({"answer"})
    brings = NOTHING

    def __init__(self, activation: ActivationService) -> None:
        self._activation = activation

    def planning(self) -> OfflineActivationKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Hand the answer over; one that is seen not to fit does not reach the server."""
        if "answer" in asked.declared:
            request = answer_request(asked.declared)
            return outcome_of(self._activation.respond(request, asked.actor, asked.is_dry_run))
        before = self._activation.read()
        if before["activated"]:
            return Outcome(changed=False, before=before, after=before)
        made = self._activation.request(asked.actor, asked.is_dry_run)
        if made["request"] is None:
            # A dry run makes none.
            return Outcome(changed=made["changed"], before=before, after=before)
        return Outcome(
            changed=made["changed"],
            before=before,
            after=before,
            waits_for=_answer_awaited(made),
            details={"request": {"content": made["request"], "digest": made["digest"]}},
        )

    def look(self) -> dict[str, Any]:
        """The same that an online activation shows."""
        return self._activation.read()


def _answer_awaited(made: dict[str, Any]) -> dict[str, Any]:
    """In the form of a step that waits for a person, although no operation does."""
    return {
        "operation": "",
        "kind": "activation",
        "subject": "the license server's activation",
        "step": "answer",
        "title": "having its activation request answered",
        "reversible": True,
        "who": "person",
        "instructions": ["Have the request answered on the vendor's account page"],
        "verified_by": "The server's status shows online licensing once the answer is used.",
        "attestable": False,
        "since": made["requested_at"],
        "until": None,
        "overdue": False,
    }


class DeactivationKind:
    """A server whose activation is given up."""

    name = "deactivation"
    schema = "deactivation"
    confirms = "plan_digest"
    secrets: frozenset[str] = frozenset()
    brings = NOTHING

    def __init__(self, activation: ActivationService) -> None:
        self._activation = activation

    def planning(self) -> DeactivationKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Give it up, unless something depends on it and that was not confirmed."""
        digest = asked.declared.get("plan_digest")
        answer = self._activation.deactivate(asked.actor, asked.is_dry_run, digest)
        if answer.get("digest") is not None:
            confirms = f"What confirms giving it up all the same is plan_digest: {answer['digest']}"
            answer = {**answer, "notes": [*answer["notes"], confirms]}
        return outcome_of(answer)

    def look(self) -> dict[str, Any]:
        """The same that an activation shows."""
        return self._activation.read()


class ServerBorrowKind:
    """Seats that a server lends for offline use."""

    name = "server_borrow"
    schema = "server-borrow"
    confirms = None
    secrets: frozenset[str] = frozenset()
    brings = NOTHING

    def __init__(self, borrows: ServerBorrowService) -> None:
        self._borrows = borrows

    def planning(self) -> ServerBorrowKind:
        """Each plan of it is of what is there."""
        return self

    def put(self, asked: Asked) -> Outcome:
        """Borrow, renew or return on the server's page."""
        request = server_borrow_request(asked.id, asked.declared)
        return outcome_of(self._borrows.put(request, asked.actor, asked.is_dry_run), "borrow")

    def look(self) -> list[dict[str, Any]]:
        """What was declared at this server."""
        return self._borrows.page("", LOOKED_AT_MAX)


def _decoded(text: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            "The answer file did not arrive as it was written.",
            "Bring the file that the vendor's page gave again.",
        ) from error
    if not content or len(content) > ANSWER_BYTES_MAX:
        raise Problem(
            ProblemCode.REQUEST_INVALID,
            f"The answer file has {len(content)} bytes; it may have 1 to {ANSWER_BYTES_MAX}.",
            "Bring the file that the vendor's page gave.",
        )
    return content
