# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules ask of an agent: requests, pages, and long work followed to its end."""

from __future__ import annotations

import json
import time
import typing as t
from urllib.parse import quote, urlencode

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    AGENT_LOST,
    AGENT_MISSING,
    AGENT_OVERLOADED,
    AGENT_STOPPED,
    AGENT_TIMEOUT,
    AGENT_UNKNOWN,
    AGENT_VERSION,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._strict_json import read_json
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import (
    Answer,
    Transport,
)

API_VERSION = 1
"""The version of the agent's API that this collection speaks."""

PAGES_MAX = 10_000
PAGE_LIMIT = 500
REQUESTS_MAX = 5
WAIT_SECONDS = 30.0
ANSWER_SECONDS = 15.0
"""How much longer than the asked wait an answer may take."""

UNAVAILABLE = 503
RECONNECT_PAUSE_SECONDS = 0.2
_RECONNECT_SECONDS: t.Final = {AGENT_LOST: 5.0, AGENT_OVERLOADED: 5.0, AGENT_STOPPED: 2.0}
"""How long an agent is given to restart, by the first sign of its being away."""
_RESTARTING = (AGENT_LOST, AGENT_OVERLOADED, AGENT_STOPPED, AGENT_MISSING)


def silent(_line: str) -> None:
    """Where nobody looks on."""


class AgentClient:
    """One agent, asked within one total time limit.

    Every request of the API may be repeated: changes carry their own id, so a request whose
    answer was lost is sent again while the agent restarts.
    """

    def __init__(
        self,
        transport: Transport,
        timeout_seconds: float,
        report: t.Callable[[str], None] = silent,
    ) -> None:
        """``report`` shows a line to whoever looks on while a task goes on."""
        self.report = report
        self._transport = transport
        self._timeout_seconds = timeout_seconds
        self._deadline = time.monotonic() + timeout_seconds

    def get(self, path: str, query: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Read one resource."""
        return self._answered("GET", path + _query(query), None)

    def find(self, path: str) -> dict[str, t.Any] | None:
        """Read one resource; None where the agent does not know it."""
        try:
            return self.get(path)
        except LicenseProblem as problem:
            if problem.code.endswith("-unknown") and problem.document.get("status") == 404:
                return None
            raise

    def pages(
        self, path: str, member: str, query: dict[str, t.Any] | None = None
    ) -> list[dict[str, t.Any]]:
        """All entries of a paged resource, read page by page."""
        entries: list[dict[str, t.Any]] = []
        requested = {**(query or {}), "limit": PAGE_LIMIT}
        for _page in range(PAGES_MAX):
            page = self.get(path, requested)
            entries.extend(self._member(page, member))
            if page.get("next") is None:
                return entries
            requested["after"] = page["next"]
        raise self._not_understood(f"{path} has no end after {PAGES_MAX} pages")

    def change(
        self,
        method: str,
        path: str,
        body: dict[str, t.Any] | None,
        dry_run: bool,
        plan_digest: str | None = None,
    ) -> dict[str, t.Any]:
        """Ask for a change, or with ``dry_run`` for what it would be; follow long work."""
        query = {"dry_run": "true"} if dry_run else {}
        if plan_digest is not None:
            query["plan_digest"] = plan_digest
        requested = path + _query(query or None)
        return self._answered(method, requested, {} if body is None else body)

    def follow_waiting(self, operation: str, seconds: float) -> None:
        """Wait until an operation no longer waits for somebody, or the seconds are over.

        This is time of its own: the client's time limit starts anew afterwards.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._deadline = time.monotonic() + self._timeout_seconds
            wait = max(1, int(min(WAIT_SECONDS, end - time.monotonic())))
            standing = self.get(path_of("operations", operation), {"wait": wait})
            if standing.get("state") != "waiting":
                break
            # An agent that answers at once must not be asked without a pause.
            time.sleep(RECONNECT_PAUSE_SECONDS)
        self._deadline = time.monotonic() + self._timeout_seconds

    def _answered(self, method: str, path: str, body: dict[str, t.Any] | None) -> dict[str, t.Any]:
        for _requested in range(REQUESTS_MAX):
            answer = self._exchange(method, path, body, min(WAIT_SECONDS, self._remaining()))
            document = self._decoded(answer)
            if answer.status >= 400:
                raise self._refused(document)
            if answer.status != 202:
                return document
            result = self._followed(self._member(document, "operation"))
            if result is not None:
                return result
        raise self._not_understood(f"{path} has no result after being asked {REQUESTS_MAX} times")

    def _followed(self, operation: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Wait for an operation until it no longer runs, then give its result.

        None if the agent has restarted meanwhile and no longer knows, or if somebody is
        awaited: asking for the same thing again tells how it stands.
        """
        while operation.get("state") == "running":
            wait = min(WAIT_SECONDS, self._remaining())
            if wait <= 0:
                raise self._unfinished(operation)
            path = f"/v1/operations/{quote(str(operation['id']), safe='')}"
            answer = self._exchange("GET", f"{path}?wait={max(1, int(wait))}", None, wait)
            operation = self._decoded(answer)
            if operation.get("code") == "operation-unknown":
                return None
            if answer.status >= 400:
                raise self._refused(operation)
        if operation.get("state") == "waiting":
            return None
        if operation.get("problem") is not None:
            raise self._refused(operation["problem"])
        result: dict[str, t.Any] | None = operation.get("result")
        return result

    def _exchange(
        self, method: str, path: str, body: dict[str, t.Any] | None, wait_seconds: float
    ) -> Answer:
        """One request, repeated for a while when the connection breaks under it."""
        content = None if body is None else json.dumps(body).encode("utf-8")
        headers = {
            "Accept": "application/json, application/problem+json",
            "Prefer": f"wait={max(1, int(wait_seconds))}",
        }
        if content is not None:
            headers["Content-Type"] = "application/json"
        give_up_at: float | None = None
        while True:
            limit = min(wait_seconds, max(self._remaining(), 0.0)) + ANSWER_SECONDS
            try:
                answer = self._transport.exchange(method, path, content, headers, limit)
                if answer.status != UNAVAILABLE:
                    return answer
                # An agent that is overloaded may say so itself.
                raise self._refused(self._decoded(answer))
            except LicenseProblem as problem:
                give_up_at = self._reconnect_until(problem, give_up_at)
            time.sleep(RECONNECT_PAUSE_SECONDS)

    def _reconnect_until(self, problem: LicenseProblem, give_up_at: float | None) -> float:
        """When to stop trying again; raises the problem if it is no matter of time."""
        now = time.monotonic()
        if give_up_at is None:
            if problem.code not in _RECONNECT_SECONDS:
                raise problem
            return min(now + _RECONNECT_SECONDS[problem.code], self._deadline)
        if problem.code not in _RESTARTING or now >= give_up_at:
            raise problem
        return give_up_at

    def _remaining(self) -> float:
        return self._deadline - time.monotonic()

    def _decoded(self, answer: Answer) -> dict[str, t.Any]:
        if answer.media_type in ("application/json", "application/problem+json"):
            try:
                document = read_json(answer.body)
            except ValueError:
                document = None
            if isinstance(document, dict):
                return document
        raise LicenseProblem.of(
            AGENT_UNKNOWN,
            f"What answers at {self._transport.place} is no agent: it sent {answer.media_type}"
            f" with status {answer.status}.",
            "Set agent_socket to the socket of seatkeeper-agent.",
        )

    def _member(self, document: dict[str, t.Any], name: str) -> t.Any:
        if name not in document:
            raise self._version_problem() or self._not_understood(f"no {name!r} was sent")
        return document[name]

    def _refused(self, document: dict[str, t.Any]) -> LicenseProblem:
        """The agent's own problem, unless a difference in versions is behind it."""
        code = document.get("code")
        if code is None or "detail" not in document:
            return self._version_problem() or self._not_understood("a problem without its code")
        if code in ("route-unknown", "method-not-allowed", "request-invalid"):
            return self._version_problem() or LicenseProblem(document)
        return LicenseProblem(document)

    def _version_problem(self) -> LicenseProblem | None:
        """Why agent and collection do not understand each other; None if versions agree."""
        answer = self._exchange("GET", "/v1/agent", None, WAIT_SECONDS)
        document = self._decoded(answer)
        agent = document.get("agent")
        version = agent.get("api_version") if isinstance(agent, dict) else None
        if version == API_VERSION:
            return None
        older = isinstance(version, int) and version < API_VERSION
        shown = "another API" if version is None else f"version {version} of the API"
        return LicenseProblem.of(
            AGENT_VERSION,
            f"The agent at {self._transport.place} is too {'old' if older else 'new'}: it speaks"
            f" {shown}, this collection version {API_VERSION}.",
            f"Update {'seatkeeper-agent on the host' if older else 'the collection'}.",
        )

    def _not_understood(self, what: str) -> LicenseProblem:
        return LicenseProblem.of(
            AGENT_UNKNOWN,
            f"The answer of the agent at {self._transport.place} is not understood: {what}.",
            "Update seatkeeper-agent and the collection to the same release.",
        )

    def _unfinished(self, operation: dict[str, t.Any]) -> LicenseProblem:
        return LicenseProblem.of(
            AGENT_TIMEOUT,
            f"The agent still works on operation {operation.get('id')} after"
            f" {self._timeout_seconds:.0f} seconds; it goes on without the playbook.",
            "Run the playbook again to see its end, or set timeout to more seconds.",
        )


def path_of(*parts: str) -> str:
    """A path below /v1 with each part quoted."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _query(members: dict[str, t.Any] | None) -> str:
    given = {name: value for name, value in (members or {}).items() if value is not None}
    return f"?{urlencode(given)}" if given else ""
