# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that keeps a module from an answer is one clear sentence of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import typing as t
from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import (
    Answer,
    UnixSocketTransport,
)
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Hangup,
    Seen,
    problem,
    serving,
)

NOBODY = 65534


def ask(path: Path | str, timeout_seconds: float = 5.0) -> Answer:
    transport = UnixSocketTransport(str(path))
    return transport.exchange("GET", "/v1/agent", None, {}, timeout_seconds)


def refusal(path: Path | str, timeout_seconds: float = 5.0) -> dict[str, t.Any]:
    with pytest.raises(LicenseProblem) as caught:
        ask(path, timeout_seconds)
    assert "\n" not in str(caught.value)
    return caught.value.document


def test_an_answer_is_given_whatever_its_status() -> None:
    with serving(lambda _seen: problem("item-unknown", 404)) as server:
        answer = ask(server.path)
    assert answer.status == 404
    assert answer.media_type == "application/problem+json"
    assert b"item-unknown" in answer.body


def test_proxy_settings_of_the_user_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(lambda _seen: {"here": True}) as server:
        assert ask(server.path).status == 200


def test_a_missing_socket_says_how_to_start_the_agent() -> None:
    reported = refusal("/nowhere/agent.sock")
    assert reported["code"] == "agent-missing"
    assert "There is no socket /nowhere/agent.sock" in reported["detail"]
    assert "seatkeeper-agent serve" in reported["next_action"]


def test_a_path_too_long_for_a_socket_says_so() -> None:
    reported = refusal("/tmp/" + "x" * 120)
    assert reported["code"] == "agent-missing"
    assert "longer than the 107 bytes" in reported["detail"]


def test_a_stale_socket_says_that_nobody_listens(short_folder: Path) -> None:
    path = short_folder / "agent.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    assert refusal(path)["code"] == "agent-stopped"


def test_a_plain_file_says_that_nobody_listens(short_folder: Path) -> None:
    path = short_folder / "agent.sock"
    path.touch()
    assert refusal(path)["code"] == "agent-stopped"


def test_no_permission_names_user_and_group(short_folder: Path) -> None:
    path = short_folder / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        reported = _refusal_as_nobody(path) if os.geteuid() == 0 else str(refusal(path))
    assert "may not use the socket" in reported
    assert "which is for the group" in reported
    assert "become: true" in reported


def _refusal_as_nobody(path: Path) -> str:
    """Root may use every socket, so ask as somebody else."""
    path.parent.chmod(0o755)
    program = textwrap.dedent(
        f"""
        import os
        from ansible_collections.seatkeeper.licensing.plugins.module_utils import _transport
        transport = _transport.UnixSocketTransport({str(path)!r})
        os.setgid({NOBODY}); os.setuid({NOBODY})
        try:
            transport.exchange("GET", "/", None, {{}}, 5)
        except _transport.LicenseProblem as problem:
            print(problem)
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_agent_that_is_silent_is_given_up(short_folder: Path) -> None:
    path = short_folder / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        reported = refusal(path, timeout_seconds=0.2)
    assert reported["code"] == "agent-timeout"


def test_a_full_queue_is_told_apart(short_folder: Path) -> None:
    path = short_folder / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))
        reported = refusal(path, timeout_seconds=1)
    assert reported["code"] == "agent-overloaded"


def test_a_connection_that_breaks_is_told_apart() -> None:
    def hang_up(_seen: Seen) -> t.Any:
        raise Hangup

    with serving(hang_up) as server:
        assert refusal(server.path)["code"] == "agent-lost"


def test_half_an_answer_is_no_answer() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    with serving(lambda _seen: half) as server:
        assert refusal(server.path)["code"] == "agent-lost"


def test_something_else_on_the_socket_is_told_apart() -> None:
    with serving(lambda _seen: b"220 mail.example ESMTP\r\n") as server:
        reported = refusal(server.path)
    assert reported["code"] == "agent-unknown"
    assert "does not speak HTTP" in reported["detail"]
