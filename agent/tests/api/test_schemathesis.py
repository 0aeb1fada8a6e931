# SPDX-License-Identifier: GPL-3.0-or-later
"""What the description allows is taken, what it does not is refused, and nothing is ever a 5xx.

Schemathesis makes requests of the description that an agent gives of itself: valid ones, and ones
with something wrong. Where a path names what is there, it names what is there on this host.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

from seatkeeper_agent.client import through
from seatkeeper_agent.domain.server_move_legs import move_id
from seatkeeper_agent.domain.transfers import NAMESPACE
from seatkeeper_agent.operations.orders.requests import order_id
from seatkeeper_twins.lab.lab import Lab

from .asking import ANSWER_SECONDS_MAX
from .conftest import CHAOS_CLOUD, SEEDS
from .server_move_routes import MOVE_SEEDS

CASES = 3
"""Of each route, valid and invalid, on each host."""

CODEMETER = SEEDS["old-server"]
HOSTS: dict[str, dict[str, Any]] = {
    "codemeter": {},
    "chaos": {"chaos": {"server": {"visible_seconds": 0}}},
    "altigen": {"altigen": {}},
    "aimms": MOVE_SEEDS["old-server"],
}
"""Each also has CodeMeter: of a product that is not there is told that it does not answer."""

BEYOND = {
    "day is out of range": "a pattern does not know how long a month is",
    "is not within the years 1970 to 9999": "a zone may carry a time out of them",
    "has a code above 4294967295": "a pattern counts digits, not what 32 bits hold",
    "The order .* cannot be used": "what rules and systems may say is the policy's own to tell",
    "The request's body has a number beyond": "a rule of a policy may hold any number that fits",
    "the confirmation given is missing": "whether one is needed the plan tells",
    "The vendor knows no account": "which accounts there are only the vendor knows",
    "The settings cannot be made so": "what may be set only the vendor's product knows",
    "has a text with control characters": "the names of a table's members have no pattern",
    "may hold the number of a payment card": "a pattern has no check digits",
}
"""Why a request is refused that fits its schema, and what the schema cannot say."""

OTHERS = {
    GenerationMode.POSITIVE: AcceptedNegativeData,
    GenerationMode.NEGATIVE: RejectedPositiveData,
}
"""What a path that was aimed seems to be, as it is judged anew in its encoded form."""

Named = Callable[[dict[str, Any]], str]
NAMED: dict[str, Named] = {
    "move": lambda body: move_id(body["move"]["name"]),
    "order": lambda body: order_id(body["name"]),
    "migration": lambda body: str(uuid.uuid5(NAMESPACE, f"migration/chaos/{body['dongle']}")),
}
"""Ids that are made of what the request names."""


def aimed(case: Case, vendor: str) -> None:
    """Have the path name what is there, and the id that belongs to the request.

    No server is declared to be stopped: what it would tell later is that it does not answer.
    """
    if isinstance(case.body, dict):
        case.body.pop("running", None)
    for name in case.path_parameters or {}:
        if name == "vendor":
            case.path_parameters[name] = vendor
        elif name == "serial":
            case.path_parameters[name] = CODEMETER["containers"][0]["serial"]
        elif name in NAMED and case.method in ("PUT", "POST") and isinstance(case.body, dict):
            try:
                case.path_parameters[name] = NAMED[name](case.body)
            except (KeyError, TypeError):
                continue


class Faults:
    """What was not as described, each kind once, with an example."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, ...], str] = {}
        self.requested: Counter[int] = Counter()

    def check(self, case: Case, answer: httpx.Response, mode: GenerationMode) -> None:
        """Hold an answer against the description."""
        self.requested[answer.status_code] += 1
        code, reported = "", ""
        if answer.is_error and answer.content:
            code, reported = answer.json()["code"], answer.json()["detail"]
        if answer.status_code >= 500:
            self._note(case, mode, f"{answer.status_code} {code}", reported)
        try:
            case.validate_response(answer)
        except BaseExceptionGroup as group:
            for fault in group.exceptions:
                if not (isinstance(fault, OTHERS[mode]) or _is_beyond(reported)):
                    self._note(case, mode, f"{type(fault).__name__} {code}", reported)

    def _note(self, case: Case, mode: GenerationMode, what: str, reported: str) -> None:
        shown = f"{reported} <- {case.path_parameters} {case.query} {case.body!r}"
        self.found.setdefault((case.operation.label, mode.value, what), shown[:600])


def _is_beyond(reported: str) -> bool:
    return any(re.search(pattern, reported) for pattern in BEYOND)


def send(client: httpx.Client, case: Case) -> httpx.Response | None:
    """Ask; None for what HTTP itself cannot carry."""
    requested = case.as_transport_kwargs(base_url="http://localhost")
    content = {key: requested[key] for key in ("json", "params") if requested.get(key) is not None}
    if requested.get("data") is not None:
        content["content"] = requested["data"]
    headers = {**dict(requested.get("headers") or {}), "Prefer": "wait=60"}
    try:
        return client.request(requested["method"], requested["url"], headers=headers, **content)
    except (httpx.LocalProtocolError, httpx.InvalidURL, ValueError, TypeError):
        return None


def try_out(client: httpx.Client, operation: Any, mode: GenerationMode, vendor: str) -> Faults:
    """Some requests of one route."""
    faults = Faults()

    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        aimed(case, vendor)
        answer = send(client, case)
        if answer is not None:
            faults.check(case, answer, mode)

    try:
        ask()
    except Unsatisfiable:
        # Nothing can be wrong with a request that has nothing in it.
        assert mode is GenerationMode.NEGATIVE
    return faults


@pytest.mark.slow
@pytest.mark.parametrize("vendor", HOSTS)
def test_every_route_of_every_vendors_host(vendor: str) -> None:
    """In a process whose sets have one order, so that everybody sends the same requests."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from api.{Path(__file__).stem} import try_host as t; t({vendor!r})",
        ],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]


def try_host(vendor: str) -> None:
    """Every route of a host that has this vendor's product."""
    seeds = {"old-server": {"codemeter": CODEMETER, **HOSTS[vendor]}}
    with Lab.create(seeds, cloud_seed=CHAOS_CLOUD if vendor == "chaos" else None) as lab:
        transport = through(lab["old-server"].socket_path)
        with httpx.Client(
            transport=transport, base_url="http://localhost", timeout=ANSWER_SECONDS_MAX
        ) as client:
            description = client.get("/openapi.json").json()
            found: dict[tuple[str, ...], str] = {}
            requested: Counter[int] = Counter()
            for result in schemathesis.openapi.from_dict(description).get_all_operations():
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    faults = try_out(client, result.ok(), mode, vendor)
                    found |= faults.found
                    requested += faults.requested
        log = (lab["old-server"].folder / "agent.log").read_text("utf-8")
    assert not found, "\n".join(f"{what}: {reported}" for what, reported in found.items())
    # How many can be sent differs a little: what HTTP cannot carry is left out.
    assert requested.total() > 150, requested
    assert min(requested[200], requested[400]) > 15, requested
    assert "defect" not in log
