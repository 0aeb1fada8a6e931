# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud's routes. Of the vendor's cloud only a page is documented, so all is made up."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from seatkeeper_twins.chaos.cloud import Cloud
from seatkeeper_twins.chaos.cloud_page import page_routes
from seatkeeper_twins.parts.web import Answer, Handler, Request, Routes, answering


def cloud_routes(cloud: Cloud) -> Routes:
    """Everything that the cloud answers."""
    questions: dict[str, Callable[..., Any]] = {
        "server/login": cloud.login, "server/sync": cloud.sync, "server/judge": cloud.judge,
        "server/migrate": cloud.migrate, "server/borrow": cloud.borrow,
        "server/renew": cloud.renew, "server/auto_renew": cloud.set_auto_renew,
        "server/release": cloud.release,
    }  # fmt: skip
    return {
        **{("POST", f"/_twin/{name}"): answering(question) for name, question in questions.items()},
        ("POST", "/_twin/account/activate"): _logged_in(cloud, _activate),
        ("POST", "/_twin/account/answer"): _logged_in(cloud, _answer),
        **page_routes(cloud),
        **cloud.control_routes(),
    }


def _logged_in(
    cloud: Cloud, question: Callable[[Cloud, str, dict[str, Any]], dict[str, Any]]
) -> Handler:
    """The account page's steps for programs; each brings user and password."""

    def handler(request: Request) -> Answer:
        reported = request.json()
        cloud.login(str(reported["user"]), str(reported["password"]))
        return Answer.of_json(question(cloud, reported["user"], reported))

    return handler


def _activate(cloud: Cloud, user: str, reported: dict[str, Any]) -> dict[str, Any]:
    request = base64.b64decode(reported["request"], validate=True)
    return {"workstation": cloud.add_workstation(user, request, str(reported["name"]))["id"]}


def _answer(cloud: Cloud, user: str, reported: dict[str, Any]) -> dict[str, Any]:
    content = cloud.answer_of(user, str(reported["workstation"]))
    return {"answer": base64.b64encode(content).decode()}
