# SPDX-License-Identifier: GPL-3.0-or-later
"""The account page with its documented WORKSTATIONS steps (grade D); its traffic is made up."""

from __future__ import annotations

import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from seatkeeper_twins.chaos import page
from seatkeeper_twins.chaos.cloud import Cloud
from seatkeeper_twins.chaos.models import SEAT_KEYS
from seatkeeper_twins.chaos.page import button, escaped, section
from seatkeeper_twins.parts.web import Answer, Handler, Refusal, Request

TITLE = "Chaos account"
COOKIE = "_twin_session"
LOGINS_MAX = 1_000
_WORDS = {key: word for word, key in SEAT_KEYS.items()}


def page_routes(cloud: Cloud) -> dict[tuple[str, str], Handler]:
    """The page and what its forms send."""
    account = _Account(cloud)
    return {
        ("GET", "/"): account.licenses,
        ("GET", "/_twin/page/workstations"): account.workstations,
        ("GET", "/_twin/page/activate"): account.activate_form,
        ("GET", "/_twin/page/answer"): account.answer,
        ("POST", "/_twin/page/login"): account.login,
        ("POST", "/_twin/page/logout"): account.logout,
        ("POST", "/_twin/page/activate"): account.activate,
    }


class _Account:
    """The page for whoever is logged in; logins are forgotten when the process ends."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._logins: dict[str, str] = {}

    def login(self, request: Request) -> Answer:
        form = request.form()
        user = form.get("user", "").strip()
        try:
            self._cloud.login(user, form.get("password", ""))
        except Refusal as refusal:
            return Answer.see(f"/?problem={quote(refusal.text)}")
        if len(self._logins) >= LOGINS_MAX:
            self._logins.clear()
        token = secrets.token_hex(16)
        self._logins[token] = user
        cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
        return Answer(status=303, headers={"Location": "/", "Set-Cookie": cookie})

    def logout(self, request: Request) -> Answer:
        self._logins.pop(_token(request), None)
        return Answer.see("/")

    def licenses(self, request: Request) -> Answer:
        user = self._user(request)
        if user is None:
            return self._login_form(request)
        with self._cloud.passing("page"):
            company = self._cloud.company_of(user)
            rows = [
                [
                    escaped(each["product"]),
                    ", ".join(f"{count} {_WORDS[key]}" for key, count in each["seats"].items()),
                ]
                for each in self._cloud.free(company)
            ]
        return self._shown(section(company, page.table(["Product", "Seats"], rows)), here="/")

    def workstations(self, request: Request) -> Answer:
        user = self._user(request)
        if user is None:
            return Answer.see("/")
        with self._cloud.passing("page"):
            visible, more = self._cloud.workstations(user)
        rows = [
            [
                escaped(each["name"]),
                f'<a href="/_twin/page/answer?id={each["id"]}">Download .crt File</a>',
            ]
            for each in visible
        ]
        body = section(
            "Workstations",
            page.problem(request.query.get("problem", "")),
            page.table(["Name", "Answer"], rows) if rows else "<p>There is no workstation.</p>",
            button("Activate Workstation", "/_twin/page/activate", get=True),
        )
        return self._shown(
            body, here="/_twin/page/workstations", refresh_seconds=1 if more else None
        )

    def activate_form(self, request: Request) -> Answer:
        if self._user(request) is None:
            return Answer.see("/")
        body = section(
            "New workstation",
            page.form(
                "/_twin/page/activate", "Activate",
                page.field("Request file", "request", "file"),
                page.field("Workstation name", "name"), files=True,
            ),
        )  # fmt: skip
        return self._shown(body, here="/_twin/page/workstations")

    def activate(self, request: Request) -> Answer:
        user = self._user(request)
        if user is None:
            return Answer.see("/")
        parts = request.parts()
        try:
            name = parts.get("name", b"").decode(errors="replace")
            self._cloud.add_workstation(user, parts.get("request", b""), name)
        except Refusal as refusal:
            return Answer.see(f"/_twin/page/workstations?problem={quote(refusal.text)}")
        return Answer.see("/_twin/page/workstations")

    def answer(self, request: Request) -> Answer:
        user = self._user(request)
        if user is None:
            return Answer.see("/")
        return Answer(
            self._cloud.answer_of(user, request.query.get("id", "")),
            content_type="application/octet-stream",
            headers={"Content-Disposition": 'attachment; filename="cert.crt"'},
        )

    def _user(self, request: Request) -> str | None:
        return self._logins.get(_token(request))

    def _login_form(self, request: Request) -> Answer:
        body = section(
            "Log in",
            page.problem(request.query.get("problem", "")),
            page.form(
                "/_twin/page/login", "LOG IN",
                page.field("User name", "user"), page.field("Password", "password", "password"),
            ),
        )  # fmt: skip
        return Answer.of_html(page.layout(TITLE, "", body))

    def _shown(self, body: str, here: str, refresh_seconds: int | None = None) -> Answer:
        tabs = {"/": "LICENSES", "/_twin/page/workstations": "WORKSTATIONS"}
        links = "".join(
            f'<a href="{path}"{" aria-current=page" if path == here else ""}>{label}</a>'
            for path, label in tabs.items()
        )
        navigation = f"<nav>{links}</nav>{button('LOG OUT', '/_twin/page/logout', plain=True)}"
        return Answer.of_html(page.layout(TITLE, navigation, body, refresh_seconds))


def _token(request: Request) -> str:
    try:
        found = SimpleCookie(request.cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""
