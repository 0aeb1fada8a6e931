# SPDX-License-Identifier: GPL-3.0-or-later
"""No text of a product, a vendor or a person acts on the terminal that shows it."""

from __future__ import annotations

import json
import socketserver
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper_agent import log
from seatkeeper_agent.printable import one_line, printable

from .conftest import run
from .test_colours import at_a_terminal

FALSE_OK = "\rok      journal  is whole"
EVIL = f"\x1b[2K{FALSE_OK}\x9b1m\u202edezirohtua\u202c\u2066\u200b\nfaked: second line"
SEEN = r"\x1b[2K\rok      journal  is whole\x9b1m\u202edezirohtua\u202c\u2066\u200b"
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
WAITING = {
    "operation": EVIL,
    "who": "person",
    "since": "2026-11-20T10:00:00Z",
    "until": None,
    "overdue": False,
    "title": EVIL,
    "instructions": [EVIL],
    "verified_by": EVIL,
    "step": EVIL,
}


@given(st.text())
def test_what_is_printable_has_nothing_hidden_and_loses_nothing(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(each) for each in shown if each not in "\n\t"} & HIDDEN
    assert not {unicodedata.category(each) for each in one_line(text)} & HIDDEN
    assert printable(shown) == shown
    kept = [each for each in text if unicodedata.category(each) not in HIDDEN]
    rest = iter(shown)
    assert all(each in rest for each in kept)


@pytest.mark.parametrize("text", ["plain", "Zürich, 東京, Ünïcode\u00a0 ☂", "two\nlines\tof it"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


class _Answers(BaseHTTPRequestHandler):
    """An agent that says what it likes."""

    def do_GET(self) -> None:
        """The steps that wait, or a refusal."""
        self._answer(200, {"waiting": [WAITING], "next": None})

    def do_POST(self) -> None:
        """Refused, in evil words."""
        self._answer(409, {"detail": EVIL, "next_action": EVIL})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_about: object) -> None:
        """Nothing: there is no address of a client."""

    def address_string(self) -> str:
        """The name of a client, which has none."""
        return "client"


@contextmanager
def hostile_agent(folder: Path) -> Iterator[Path]:
    """The settings of an agent that says what it likes."""
    path = folder / "agent.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        settings = folder / "agent.toml"
        settings.write_text(f'[agent]\nsocket = "{path}"\nstate_folder = "{folder}/state"\n')
        yield settings
        server.shutdown()


def test_a_terminal_shows_hidden_characters_as_what_they_are(tmp_path: Path) -> None:
    with hostile_agent(tmp_path) as settings:
        reported = at_a_terminal("--config", str(settings), "waiting")
        refused = run("--config", str(settings), "attest", "x", "done", "Seen.")
        as_json = run("--config", str(settings), "waiting", "--json")
    # The terminal's own line ends aside, nothing of it acts.
    lines = reported.replace("\r\n", "\n").split("\n")
    assert not {unicodedata.category(each) for line in lines for each in line} & HIDDEN
    assert f"waiting     person since 2026-11-20T10:00:00Z: {SEEN}" in reported
    assert not any(line.startswith("faked:") for line in lines)
    assert SEEN in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert json.loads(as_json.stdout) == [WAITING]
    assert as_json.stdout.isascii()


def test_a_log_that_people_read_has_nothing_that_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stream)
    structlog.reset_defaults()
    try:
        try:
            int(EVIL)
        except ValueError:
            log.logger(subject="\x1b[2K\u202e").error(EVIL, said=EVIL, exc_info=True)
    finally:
        structlog.reset_defaults()
    written = stream.getvalue()
    assert "\x1b[2K" not in written
    assert not set("\r\x9b\u202e\u2066\u200b") & set(written)
    assert SEEN in written
