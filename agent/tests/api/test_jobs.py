# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of requests are remembered; what they were asked with is not."""

from __future__ import annotations

import asyncio
import gc
import weakref

from starlette.requests import Request

from seatkeeper_agent.api.bounds import Bodies
from seatkeeper_agent.api.jobs import Job, JobRunner
from seatkeeper_agent.host import Peer


class Held:
    """Something that a request holds, as a password is."""

    def answer(self) -> dict[str, str]:
        """What the work gives back."""
        return {"state": "done"}


def test_nothing_of_a_request_stays_when_it_is_done() -> None:
    job_runner = JobRunner()

    async def ask() -> weakref.ref[Held]:
        held = Held()
        job = Job("an-id", "a kind", "a subject", held.answer)
        body = Bodies().take(Peer(1000, 1000), 1)
        await job_runner.run(Request({"type": "http", "headers": [], "state": {"body": body}}), job)
        return weakref.ref(held)

    async def through() -> None:
        held = await ask()
        gc.collect()
        assert held() is None
        followed = await job_runner.follow("an-id", 1.0)
        assert followed is not None
        assert (followed["state"], followed["subject"]) == ("done", "a subject")

    try:
        asyncio.run(through())
    finally:
        job_runner.close()
