# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed list of what can go wrong, each with a stable code and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class ProblemCode(StrEnum):
    """Stable identifiers; the value is the last part of a problem's type."""

    # Refused before anything was touched: the rules of a transfer.
    FIRM_CODE_NOT_UNIVERSAL = "firm-code-not-universal"
    TYPE_NOT_OFFERED_BY_RUNTIME = "type-not-offered-by-runtime"
    TYPE_NOT_OFFERED_BY_ITEM = "type-not-offered-by-item"
    PULL_NOT_ALLOWED = "pull-not-allowed"
    RETURN_NOT_ALLOWED = "return-not-allowed"
    DEPTH_EXHAUSTED = "depth-exhausted"
    ITEM_BORROWED = "item-borrowed"
    FIRM_ITEM_MISSING = "firm-item-missing"
    NOT_ENOUGH = "not-enough"
    PERIOD_TOO_LONG = "period-too-long"
    PERIOD_IN_THE_PAST = "period-in-the-past"
    CLOCKS_APART = "clocks-apart"
    UNRECEIPTED_TRANSFER = "unreceipted-transfer"
    AMOUNT_INVALID = "amount-invalid"
    NOT_FROM_ORIGIN = "not-from-origin"
    # Naming something that is not there.
    CONTAINER_UNKNOWN = "container-unknown"
    CONTAINER_AMBIGUOUS = "container-ambiguous"
    ITEM_UNKNOWN = "item-unknown"
    ITEM_AMBIGUOUS = "item-ambiguous"
    TRANSFER_UNKNOWN = "transfer-unknown"
    OPERATION_UNKNOWN = "operation-unknown"
    BORROW_UNKNOWN = "borrow-unknown"
    VENDOR_UNKNOWN = "vendor-unknown"
    DONGLE_UNKNOWN = "dongle-unknown"
    MIGRATION_UNKNOWN = "migration-unknown"
    ROUTE_UNKNOWN = "route-unknown"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    # The protocol's fences.
    DECLARATION_DIFFERS = "declaration-differs"
    LEG_OUT_OF_ORDER = "leg-out-of-order"
    WRONG_HOST = "wrong-host"
    UPDATE_COUNTER_STALE = "update-counter-stale"
    CONTAINER_BUSY = "container-busy"
    CONFIRMATION_REQUIRED = "confirmation-required"
    IN_DOUBT = "in-doubt"
    SNAPSHOT_ROLLED_BACK = "snapshot-rolled-back"
    CREDIT_BACK_NOT_DOCUMENTED = "credit-back-not-documented"
    UPDATE_NOT_REPEATABLE = "update-not-repeatable"
    # License servers, their accounts and dongles.
    CREDENTIALS_REFUSED = "credentials-refused"
    ACTIVATED_OTHERWISE = "activated-otherwise"
    EXCHANGE_MISSING = "exchange-missing"
    ANSWER_FOREIGN = "answer-foreign"
    ANSWER_USED = "answer-used"
    DONGLE_NOT_ELIGIBLE = "dongle-not-eligible"
    DONGLE_MIGRATED = "dongle-migrated"
    ACKNOWLEDGEMENT_REQUIRED = "acknowledgement-required"
    ATTESTED_UNDONE = "attested-undone"
    STEP_OVER = "step-over"
    ISOLATION_FAILED = "isolation-failed"
    USB_UNAVAILABLE = "usb-unavailable"
    VERSION_TOO_OLD = "version-too-old"
    PAGE_DIFFERS = "page-differs"
    ORDER_NOT_ALLOWED = "order-not-allowed"
    ORDER_UNKNOWN = "order-unknown"
    MOVE_UNKNOWN = "move-unknown"
    TARGET_NOT_READY = "target-not-ready"
    BACKUP_CONTRADICTED = "backup-contradicted"
    CODES_MISSING = "codes-missing"
    ACTIVE_TWICE = "active-twice"
    LICENSE_NOT_ACTIVE = "license-not-active"
    LICENSE_NOT_RELEASED = "license-not-released"
    # Documents that travel.
    DOCUMENT_INVALID = "document-invalid"
    DOCUMENT_ALTERED = "document-altered"
    DOCUMENT_FOREIGN = "document-foreign"
    DOCUMENT_MISADDRESSED = "document-misaddressed"
    DOCUMENT_REPLAYED = "document-replayed"
    # Vendor product, host and agent.
    CLOCK_IMPLAUSIBLE = "clock-implausible"
    RUNTIME_UNAVAILABLE = "runtime-unavailable"
    RUNTIME_REFUSED = "runtime-refused"
    RUNTIME_UNFINISHED = "runtime-unfinished"
    CAPABILITY_REFUSED = "capability-refused"
    REQUEST_INVALID = "request-invalid"
    REQUEST_TOO_LARGE = "request-too-large"
    FORBIDDEN = "forbidden"
    AGENT_OVERLOADED = "agent-overloaded"
    JOURNAL_UNAVAILABLE = "journal-unavailable"
    INTERNAL = "internal"


TYPE_PREFIX = "urn:seatkeeper:problem:"

_RETRYABLE = frozenset(
    {
        ProblemCode.CLOCKS_APART,
        ProblemCode.UNRECEIPTED_TRANSFER,
        ProblemCode.UPDATE_COUNTER_STALE,
        ProblemCode.CONTAINER_BUSY,
        ProblemCode.IN_DOUBT,
        ProblemCode.USB_UNAVAILABLE,
        ProblemCode.AGENT_OVERLOADED,
        ProblemCode.RUNTIME_UNAVAILABLE,
        ProblemCode.RUNTIME_UNFINISHED,
        ProblemCode.JOURNAL_UNAVAILABLE,
    }
)


@dataclass(eq=False)
class Problem(Exception):
    """One refusal or failure, told in one sentence: what, where, what to do.

    ``detail`` names the item and the rule; ``next_action`` is an imperative sentence.
    ``facts`` are machine-readable members; they never hold secrets.
    """

    code: ProblemCode
    detail: str
    next_action: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later without a change by a person."""
        return self.code in _RETRYABLE

    @property
    def type(self) -> str:
        """The stable type of RFC 9457."""
        return TYPE_PREFIX + self.code.value

    def as_document(self) -> dict[str, Any]:
        """The members that are stored and sent; the API adds status and title."""
        return {
            "type": self.type,
            "code": self.code.value,
            "detail": self.detail,
            "next_action": self.next_action,
            "retryable": self.retryable,
            **self.facts,
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read back what ``as_document`` gave."""
        members = {"type", "code", "detail", "next_action", "retryable"}
        facts = {name: value for name, value in document.items() if name not in members}
        code = ProblemCode(document["code"])
        return cls(code, document["detail"], document["next_action"], facts)

    def __str__(self) -> str:
        return f"{self.detail} {self.next_action}"
