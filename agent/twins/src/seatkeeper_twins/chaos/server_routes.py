# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's HTTP routes (grade T unless chaos.md says otherwise); the texts are the twin's."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

from seatkeeper_twins.chaos.rules import version_numbers
from seatkeeper_twins.chaos.server import CLOUD_SILENT, Server
from seatkeeper_twins.chaos.server_page import page_routes
from seatkeeper_twins.parts.process import check
from seatkeeper_twins.parts.vendor_client import VendorUnreachable
from seatkeeper_twins.parts.web import Answer, Handler, Refusal, Request, Routes

FILE = "application/octet-stream"
UPLOAD_WITHOUT_REDIRECT = (6,)


def server_routes(server: Server) -> Routes:
    """Everything that the server answers."""
    return {
        **_documented(server),
        **page_routes(server),
        **server.control_routes(),
        **_made_up(server),
    }


def _documented(server: Server) -> dict[tuple[str, str], Handler]:
    def json_of(read: Callable[[], object]) -> Handler:
        return lambda _request: Answer.of_json(read())

    def activate(request: Request) -> Answer:
        # Whether the product takes JSON or a form is not public: the twin takes either.
        is_json = request.content_type.startswith("application/json")
        reported = request.json() if is_json else request.form()
        server.activate(str(reported.get("username", "")), str(reported.get("password", "")))
        return Answer()

    def deactivate(_request: Request) -> Answer:
        server.deactivate()
        return Answer()

    def upload(request: Request) -> Answer:
        server.upload(request.body)
        if version_numbers(server.state["version"]) >= UPLOAD_WITHOUT_REDIRECT:
            return Answer()
        return Answer(status=302, headers={"Location": "/"})

    def write_config(request: Request) -> Answer:
        server.write_config(request.json())
        return Answer()

    def dongle(enabled: bool) -> Handler:
        def handler(_request: Request) -> Answer:
            server.set_dongle_service(enabled)
            return Answer()

        return handler

    return {
        ("GET", "/status"): json_of(server.status),
        ("GET", "/sessions/online"): json_of(server.sessions),
        ("GET", "/config"): json_of(server.read_config),
        ("POST", "/config"): write_config,
        ("GET", "/csr"): lambda _request: _file(server.request_file(), "cert.csr"),
        ("POST", "/crt"): upload,
        ("POST", "/activate"): activate,
        ("POST", "/deactivate"): deactivate,
        ("POST", "/dongle/enable"): dongle(enabled=True),
        ("POST", "/dongle/disable"): dongle(enabled=False),
        ("GET", "/logs/download"): lambda _request: _file(_diagnostics(server), "diagnostics.zip"),
    }


def _made_up(server: Server) -> dict[tuple[str, str], Handler]:
    def eligibility(request: Request) -> Answer:
        with server.lock:
            server.settle()
            try:
                reported = server.judge(request.query.get("dongle"), request.query.get("target"))
            except VendorUnreachable as error:
                raise Refusal(503, CLOUD_SILENT) from error
            return Answer.of_json({**reported, "shown": server.can_transfer()})

    def transfer(request: Request) -> Answer:
        """The page's TRANSFER >> with its refusal as a status; also when the page lacks it."""
        target = request.json().get("target")
        check(isinstance(target, str), 400, "target must be a user's name")
        server.transfer(str(target))
        return Answer.of_json({})

    return {
        ("GET", "/_twin/eligibility"): eligibility,
        ("POST", "/_twin/transfer"): transfer,
    }


def _file(content: bytes, name: str) -> Answer:
    disposition = f'attachment; filename="{name}"'
    return Answer(content, content_type=FILE, headers={"Content-Disposition": disposition})


def _diagnostics(server: Server) -> bytes:
    with server.passing("logs"):
        reported = {"version": server.state["version"], "config": server.state["config"]}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("diagnostics.json", json.dumps(reported, indent=1))
    return packed.getvalue()
