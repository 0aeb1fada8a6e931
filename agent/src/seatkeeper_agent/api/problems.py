# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems as RFC 9457 answers."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.identity import IdentityError
from seatkeeper_agent.journal import JournalError, JournalMalformed

MEDIA_TYPE = "application/problem+json"

_NOT_FOUND = {
    ProblemCode.CONTAINER_UNKNOWN,
    ProblemCode.ITEM_UNKNOWN,
    ProblemCode.TRANSFER_UNKNOWN,
    ProblemCode.OPERATION_UNKNOWN,
    ProblemCode.BORROW_UNKNOWN,
    ProblemCode.DONGLE_UNKNOWN,
    ProblemCode.MIGRATION_UNKNOWN,
    ProblemCode.ORDER_UNKNOWN,
    ProblemCode.MOVE_UNKNOWN,
    ProblemCode.VENDOR_UNKNOWN,
    ProblemCode.ROUTE_UNKNOWN,
}
_BAD_REQUEST = {
    ProblemCode.REQUEST_INVALID,
    ProblemCode.AMOUNT_INVALID,
    ProblemCode.DOCUMENT_INVALID,
}
_UNAVAILABLE = {
    ProblemCode.AGENT_OVERLOADED,
    ProblemCode.RUNTIME_UNAVAILABLE,
    ProblemCode.USB_UNAVAILABLE,
    ProblemCode.JOURNAL_UNAVAILABLE,
}
_STATUS = {
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.METHOD_NOT_ALLOWED: 405,
    ProblemCode.UPDATE_COUNTER_STALE: 412,
    ProblemCode.REQUEST_TOO_LARGE: 413,
    ProblemCode.CONFIRMATION_REQUIRED: 428,
    ProblemCode.ACKNOWLEDGEMENT_REQUIRED: 428,
    ProblemCode.CREDENTIALS_REFUSED: 422,
    ProblemCode.PAGE_DIFFERS: 502,
    ProblemCode.RUNTIME_UNFINISHED: 504,
    ProblemCode.INTERNAL: 500,
}


def status_of(code: ProblemCode) -> int:
    """The HTTP status of a problem; a refusal by rule, by state or by the product is a conflict."""
    if code in _NOT_FOUND:
        return 404
    if code in _BAD_REQUEST:
        return 400
    if code in _UNAVAILABLE:
        return 503
    return _STATUS.get(code, 409)


def problem_of(error: BaseException) -> Problem | None:
    """What an expected failure is to the client; None for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, JournalMalformed):
        return Problem(
            ProblemCode.JOURNAL_UNAVAILABLE,
            f"The journal cannot be used: {error}",
            "Stop the agent, keep a copy of its state folder, and mend the disk. If the file stays"
            " damaged, go on as docs/operations.md says of a journal that is damaged.",
        )
    if isinstance(error, JournalError):
        return Problem(
            ProblemCode.JOURNAL_UNAVAILABLE,
            f"The journal cannot be used: {error}",
            "Look at the disk and the state folder's permissions, then run again: what was begun"
            " is taken up.",
        )
    if isinstance(error, IdentityError):
        return Problem(ProblemCode.REQUEST_INVALID, str(error), "Mend or replace that file.")
    return None


def problem_document(problem: Problem) -> dict[str, Any]:
    """All members of the answer."""
    title = problem.code.value.replace("-", " ").capitalize()
    return {**problem.as_document(), "title": title, "status": status_of(problem.code)}


def problem_response(problem: Problem, more: dict[str, str] | None = None) -> Response:
    """The answer with ``more`` headers; what may be tried again says so in a header too."""
    document = problem_document(problem)
    headers = {**(more or {}), **({"Retry-After": "5"} if problem.retryable else {})}
    return Response(
        json.dumps(document).encode(), document["status"], headers, media_type=MEDIA_TYPE
    )
