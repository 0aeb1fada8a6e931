# SPDX-License-Identifier: GPL-3.0-or-later
"""What the forms of the server's page do; each ends on another view."""

from __future__ import annotations

from urllib.parse import quote

from seatkeeper_twins.chaos.borrow_page import counts_of
from seatkeeper_twins.chaos.server import Server
from seatkeeper_twins.parts.web import Answer, Handler, Refusal, Request


def action_routes(server: Server) -> dict[tuple[str, str], Handler]:
    """The routes of all forms."""
    actions = _Actions(server)
    named = {
        "enable": actions.enable, "upload": actions.upload, "disable": actions.disable,
        "dongle": actions.dongle, "transfer": actions.transfer, "close": actions.close,
        "borrow": actions.borrow, "release": actions.release, "auto-renew": actions.auto_renew,
    }  # fmt: skip
    return {("POST", f"/_twin/page/{name}"): _or_reported(act) for name, act in named.items()}


def _or_reported(action: Handler) -> Handler:
    """Show a refusal on the page instead of as an error."""

    def handler(request: Request) -> Answer:
        try:
            return action(request)
        except Refusal as refusal:
            return Answer.see(f"/?problem={quote(refusal.text)}")

    return handler


class _Actions:
    """The forms of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def enable(self, request: Request) -> Answer:
        form = request.form()
        self._server.activate(form.get("user", "").strip(), form.get("password", ""))
        return Answer.see("/")

    def upload(self, request: Request) -> Answer:
        self._server.upload(request.parts().get("file", b""))
        return Answer.see("/")

    def disable(self, _request: Request) -> Answer:
        self._server.deactivate()
        return Answer.see("/")

    def dongle(self, request: Request) -> Answer:
        self._server.set_dongle_service(request.form().get("service") == "enabled")
        return Answer.see("/")

    def transfer(self, request: Request) -> Answer:
        self._server.transfer(request.form().get("user", "").strip())
        return Answer.see("/")

    def close(self, _request: Request) -> Answer:
        self._server.close_transfer()
        return Answer.see("/")

    def borrow(self, request: Request) -> Answer:
        self._server.borrow(counts_of(request.form()))
        return Answer.see("/_twin/page/borrowed")

    def release(self, request: Request) -> Answer:
        self._server.release(request.form().get("id", ""))
        return Answer.see("/")

    def auto_renew(self, request: Request) -> Answer:
        form = request.form()
        self._server.set_auto_renew(form.get("id", ""), form.get("enabled") == "on")
        return Answer.see("/")
