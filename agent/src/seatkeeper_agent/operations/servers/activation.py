# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation of a license server's account: online by password, offline by two files."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from seatkeeper_agent.domain.dependencies import GivingUp, confirmation_of, require_free
from seatkeeper_agent.domain.planned_steps import Performer
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import (
    DeclarationKey,
    OperationRecord,
    OperationState,
    StepState,
)
from seatkeeper_agent.domain.servers import Secret, ServerStatus
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations import dependencies
from seatkeeper_agent.operations.engine import Engine, driver_problem
from seatkeeper_agent.operations.in_the_way import require_unheld
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.operations.server_ports import LicenseServerDriver
from seatkeeper_agent.operations.servers.activation_steps import (
    ActivateOffline,
    ActivateOnline,
    Deactivate,
)
from seatkeeper_agent.operations.servers.settings import holder_of, status_view
from seatkeeper_agent.operations.servers.steps import ServerStep
from seatkeeper_agent.operations.steps import Makers, OperationSpec, work_from
from seatkeeper_agent.operations.views import moment

KIND = "activation"
EXCHANGE = "exchange"
ANSWER_BYTES_MAX = 1_048_576


@dataclass(frozen=True)
class AccountRequest:
    """An online account; ``is_active`` states that others activated the server with it before."""

    account: str
    password: Secret
    is_active: bool = False


@dataclass(frozen=True)
class AnswerRequest:
    """An answer file, and the digest of the request it answers where the bringer knows it."""

    answer: bytes
    request_digest: str | None


class ActivationService:
    """The activation of one vendor's license server on this host. All failures are Problems."""

    def __init__(self, journal: Journal, driver: LicenseServerDriver, engine: Engine) -> None:
        self._journal = journal
        self._driver = driver
        self._engine = engine
        self._holder = holder_of(driver.vendor)

    def read(self) -> dict[str, Any]:
        """Whether it is activated, how and for whom as far as this agent knows."""
        return self._shown(self._status())

    def _shown(self, status: ServerStatus) -> dict[str, Any]:
        with self._journal.reading() as unit:
            known = unit.declarations.get(KIND, self._driver.vendor)
            exchange = unit.declarations.get(EXCHANGE, self._driver.vendor)
        shown: dict[str, Any] = status_view(status, known)["activation"]
        open_exchange = exchange is not None and exchange.document["answered"] is None
        shown["request_digest"] = (
            exchange.document["digest"] if exchange and open_exchange else None
        )
        return shown

    def activate(self, wanted: AccountRequest, actor: str, dry_run: bool) -> dict[str, Any]:
        """Log the server in, unless it is activated already."""
        account, before = wanted.account, self.read()
        self._require_stated(before)
        after = {**before, "activated": True, "method": "online", "account": account}
        if before["activated"]:
            if wanted.is_active and before["method"] is None:
                return self._stated(before, after, actor, dry_run)
            self._require_same(before, "online", account)
            return _unchanged(before)
        step = ActivateOnline(self._driver, account, wanted.password)
        answer = self._change(step, before, after, actor, dry_run)
        if not dry_run:
            # Others may have been first, for whomever.
            self._require_same(answer["after"], "online", account)
        return answer

    def _stated(
        self, before: dict[str, Any], after: dict[str, Any], actor: str, dry_run: bool
    ) -> dict[str, Any]:
        """A person has seen for whom others activated it; it is remembered as their word."""
        if not dry_run:
            with self._journal.transaction() as unit:
                document = {"method": "online", "account": after["account"]}
                unit.declarations.put(KIND, self._driver.vendor, document)
                unit.audit.append(actor, "activation_stated", self._subject, document)
        return {"changed": True, "before": before, "after": after, "plan": {"steps": []}}

    def deactivate(
        self, actor: str, dry_run: bool, confirmation: str | None = None
    ) -> dict[str, Any]:
        """Give the activation up, unless something depends on it and that was not confirmed."""
        status = self._status()
        before = self._shown(status)
        self._require_stated(before)
        if not before["activated"]:
            return _unchanged(before)
        notes, digest = self._required_free(status, confirmation, dry_run)
        after = {**before, "activated": False, "method": None, "account": None}
        done = self._change(Deactivate(self._driver, False), before, after, actor, dry_run)
        return {**done, "notes": notes, "digest": digest}

    def _required_free(
        self, status: ServerStatus, confirmation: str | None, dry_run: bool
    ) -> tuple[list[str], str | None]:
        """What whoever gives it up has to know, and what confirms it where something depends on it.

        A dry run says so and refuses nothing: what is returned in the same run is returned before.
        """
        with self._journal.reading() as unit:
            found = dependencies.of_account_server(unit, self._driver, status)
        what, subject = GivingUp.DEACTIVATION, f"the {self._driver.vendor} license server"
        if not dry_run:
            require_free(what, subject, found, confirmation)
        digest = confirmation_of(what, subject, found) if found.found else None
        return list(found.sentences()), digest

    def request(self, actor: str, dry_run: bool) -> dict[str, Any]:
        """The request of an offline activation: the same one until it was used."""
        before = self.read()
        self._require_stated(before)
        with self._journal.reading() as unit:
            found = unit.declarations.get(EXCHANGE, self._driver.vendor)
        if found is not None and found.document["answered"] is None:
            return _request_view(False, found.document)
        if before["activated"]:
            return _request_view(False, None)
        if dry_run:
            return _request_view(True, None)
        try:
            content = self._driver.activation_request()
        except DriverError as error:
            raise driver_problem("fetching the activation request", error) from error
        used = found.document["used"] if found else []
        with self._journal.transaction() as unit:
            document = {
                "request": base64.b64encode(content).decode(),
                "digest": _digest(content),
                "requested_at": moment(unit.now),
                "answered": None,
                "used": used,
            }
            unit.declarations.put(EXCHANGE, self._driver.vendor, document)
            detail = {"digest": document["digest"]}
            unit.audit.append(actor, "activation_requested", self._subject, detail)
        return _request_view(True, document)

    def respond(self, wanted: AnswerRequest, actor: str, dry_run: bool) -> dict[str, Any]:
        """Hand the answer file over, unless it was; refuse one that is seen not to fit."""
        before = self.read()
        self._require_stated(before)
        with self._journal.reading() as unit:
            found = unit.declarations.get(EXCHANGE, self._driver.vendor)
        exchange = None if found is None else found.document
        digest = _digest(wanted.answer)
        if before["activated"]:
            if exchange is not None and exchange["answered"] == digest:
                return _unchanged(before)
            self._require_same(before, "offline", None)
        self._check_answer(wanted, exchange, digest)
        step = ActivateOffline(self._driver, wanted.answer, digest)
        after = {**before, "activated": True, "method": "offline", "account": None}
        return self._change(step, before, {**after, "request_digest": None}, actor, dry_run)

    def resume(self, actor: str) -> list[str]:
        """Conclude what an interruption left open, or a doubt: by what the server shows.

        Neither password nor answer file is kept, so what did not happen is said to have failed.
        What is in doubt is never tried again, as nobody may want it any more.
        """
        with self._journal.reading() as unit:
            operation = unit.operations.holding(self._holder)
        if operation is None or operation.kind != KIND:
            return []
        if not _has_begun(operation):
            problem = Problem(
                ProblemCode.RUNTIME_UNFINISHED,
                f"The {self._subject} was interrupted before anything was done.",
                "Declare it again.",
            )
            self._engine.give_up(operation.id, self._holder, problem, actor, _has_begun)
            return []
        resumed = self._engine.resume(work_from(operation, self._makers(operation), actor))
        return [] if resumed is None else [operation.id]

    @property
    def _subject(self) -> str:
        return f"activation of {self._driver.vendor}"

    def _status(self) -> ServerStatus:
        try:
            return self._driver.status()
        except DriverError as error:
            raise driver_problem("reading the license server's status", error) from error

    def _require_stated(self, before: dict[str, Any]) -> None:
        if before["activated"] is None:
            raise Problem(
                ProblemCode.RUNTIME_REFUSED,
                "The license server's status does not tell whether it is activated.",
                "Look at the server's page; nothing was touched.",
            )

    def _require_same(self, before: dict[str, Any], method: str, account: str | None) -> None:
        """An activation by other means, or for another account, is a person's to give up.

        One that this agent did not make may be for any account, so it passes for none.
        """
        known = before["method"]
        if method == known == "online" and before["account"] == account:
            return
        if method == "online" and known is None:
            raise Problem(
                ProblemCode.ACTIVATED_OTHERWISE,
                "The license server is activated already, not by this agent, and it does not tell"
                " for which account.",
                f"Look at the server's page. If it is activated for {account}, state"
                " already_active: true; otherwise deactivate it first.",
            )
        how = {"online": f"online for {before['account']}", "offline": "offline, by another file"}
        raise Problem(
            ProblemCode.ACTIVATED_OTHERWISE,
            f"The license server is activated already: {how.get(known or '', 'by other means')}.",
            "Deactivate it first if the declared activation shall take its place.",
        )

    def _check_answer(
        self, wanted: AnswerRequest, exchange: dict[str, Any] | None, digest: str
    ) -> None:
        if exchange is None or exchange["answered"] is not None:
            if exchange is not None and digest in exchange["used"]:
                raise Problem(
                    ProblemCode.ANSWER_USED,
                    "This answer file was used before, and the server has been deactivated since.",
                    "Have a new request answered.",
                )
            raise Problem(
                ProblemCode.EXCHANGE_MISSING,
                "No activation request is open on this host, so this answer file belongs to"
                " another one or to an older request.",
                "Declare the activation as requested first, and have that request answered.",
            )
        if digest in exchange["used"]:
            raise Problem(
                ProblemCode.ANSWER_USED,
                "This answer file was used before; the open request is a newer one.",
                "Have the open request answered.",
            )
        foreign = wanted.request_digest not in (None, exchange["digest"])
        if foreign or digest == exchange["digest"]:
            raise Problem(
                ProblemCode.ANSWER_FOREIGN,
                "The answer file is the request itself."
                if digest == exchange["digest"]
                else "The answer file answers another request than the one that is open here.",
                f"Bring the answer to the request with the SHA-256 {exchange['digest']}.",
            )

    def _change(
        self,
        step: ServerStep,
        before: dict[str, Any],
        after: dict[str, Any],
        actor: str,
        dry_run: bool,
    ) -> dict[str, Any]:
        state = "planned" if dry_run else "done"
        planned = {
            "name": step.name,
            "title": step.title,
            "reversible": step.reversible,
            "performer": Performer.AGENT.value,
            "state": state,
        }
        answer = {"changed": True, "before": before, "after": after, "plan": {"steps": [planned]}}
        if dry_run:
            with self._journal.reading() as unit:
                require_unheld(unit, self._holder)
            return answer
        operation_id = str(uuid.uuid4())
        self._engine.run(
            OperationSpec(
                operation_id,
                KIND,
                self._subject,
                None,
                self._holder,
                actor,
                (step,),
                DeclarationKey(KIND, self._driver.vendor),
            )
        )
        return {
            **answer,
            "after": self.read(),
            "operation": {"id": operation_id, "state": OperationState.DONE.value},
        }

    def _makers(self, operation: OperationRecord) -> Makers:
        driver, only_look = self._driver, operation.state is OperationState.IN_DOUBT
        return {
            ActivateOnline.type: lambda given: ActivateOnline(driver, password=None, **given),
            ActivateOffline.type: lambda given: ActivateOffline(driver, answer=None, **given),
            Deactivate.type: lambda _: Deactivate(driver, only_look),
        }


def _has_begun(operation: OperationRecord) -> bool:
    return operation.steps[0].state is not StepState.PLANNED


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _unchanged(before: dict[str, Any]) -> dict[str, Any]:
    return {"changed": False, "before": before, "after": before, "plan": {"steps": []}}


def _request_view(changed: bool, exchange: dict[str, Any] | None) -> dict[str, Any]:
    shown = exchange or {"request": None, "digest": None, "requested_at": None}
    return {
        "changed": changed,
        "request": shown["request"],
        "digest": shown["digest"],
        "requested_at": shown["requested_at"],
    }
