# SPDX-License-Identifier: GPL-3.0-or-later
"""A person without a browser: reads a page's visible labels and sends the forms of its buttons."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

_BOUNDARY = "twin-test-boundary"


@dataclass
class Form:
    """One form: where it goes, its fields with their values, and its button's label."""

    method: str
    action: str
    is_multipart: bool
    fields: dict[str, str] = field(default_factory=dict)
    label: str = ""
    disabled: bool = False


class _Reader(HTMLParser):
    """Finds forms, links and the text; scripts and styles are no text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.texts: list[str] = []
        self._open: list[str] = []
        self._link: str | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        reported = {name: value or "" for name, value in attrs}
        if tag == "form":
            multipart = reported.get("enctype", "").startswith("multipart")
            self.forms.append(Form(reported["method"], reported["action"], multipart))
        elif tag == "input":
            if reported.get("type") != "checkbox" or "checked" in reported:
                self.forms[-1].fields[reported["name"]] = reported.get("value", "on")
        elif tag == "button":
            self.forms[-1].disabled = "disabled" in reported
        elif tag == "a":
            self._link = reported["href"]
        if tag not in ("input", "meta", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        if (self._open and self._open[-1] in ("script", "style")) or not data.strip():
            return
        self.texts.append(data.strip())
        if self._open[-1] == "button":
            self.forms[-1].label = data.strip()
        if self._link is not None:
            self.links[data.strip()] = self._link


class Person:
    """Looks at one page at a time."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookie = ""
        self.where = ""
        self.page = _Reader()
        self.go("/")

    @property
    def labels(self) -> set[str]:
        """Texts of buttons and links."""
        return {form.label for form in self.page.forms} | set(self.page.links)

    @property
    def text(self) -> str:
        """All that is to be read."""
        return " ".join(self.page.texts)

    def go(self, path: str) -> None:
        """Open a page."""
        self._show("GET", path)

    def follow(self, label: str) -> bytes:
        """Click a link; the content, which may be a file."""
        return self._send("GET", self.page.links[label])

    def click(self, label: str, **fields: str | bytes) -> None:
        """Click a button after filling its form's fields; also a disabled one, as force would."""
        form = next(form for form in self.page.forms if form.label == label)
        self.submit(form, **fields)

    def submit(self, form: Form, **fields: str | bytes) -> None:
        """Send a form."""
        values: dict[str, Any] = {**form.fields, **fields}
        if form.method == "get":
            self._show("GET", f"{form.action}?{urlencode(values)}")
        elif form.is_multipart:
            self._show(
                "POST",
                form.action,
                _multipart(values),
                f"multipart/form-data; boundary={_BOUNDARY}",
            )
        else:
            kind = "application/x-www-form-urlencoded"
            self._show("POST", form.action, urlencode(values).encode(), kind)

    def _show(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> None:
        content = self._send(method, path, body, kind)
        self.page = _Reader()
        self.page.feed(content.decode())

    def _send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self._address).netloc, timeout=30)
        headers = {"Cookie": self._cookie, "Content-Type": kind}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
        if answer.status == 303:
            return self._send("GET", urljoin(path, answer.getheader("Location") or ""))
        assert answer.status == 200, (path, content)
        self.where = path
        return content


def _multipart(values: dict[str, Any]) -> bytes:
    parts = []
    for name, value in values.items():
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        is_file = isinstance(value, bytes)
        more = f'; filename="{name}"\r\nContent-Type: application/octet-stream' if is_file else ""
        content = value if is_file else value.encode()
        parts.append(f"{head}{more}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
