# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CodeMeter twin does with connections that are slow, silent, or end within a call."""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seatkeeper_twins.codemeter import create_twin, engine, wire

END_SECONDS_MAX = 60.0
VERSION_OF_NOTHING = struct.pack("<IIIQ", 16, 1, 8, 0)
"""A whole call: CmGetVersion with a handle that nobody has."""


@contextmanager
def connected(directory: Path, log: io.StringIO) -> Iterator[socket.socket]:
    """A connection to an engine that serves nothing else."""
    made = engine.Engine(directory, log)
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        with wire.socket_address(directory) as address:
            listener.bind(address)
            listener.listen()
            client.settimeout(END_SECONDS_MAX)
            client.connect(address)
        made.accept(listener)
        yield client
        client.close()
        for thread in threading.enumerate():
            if getattr(thread, "_target", None) == made._serve:
                thread.join(END_SECONDS_MAX)
    made.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return create_twin(tmp_path / "twin", "current", {"containers": []})


def test_one_that_asks_nothing_for_long_is_closed_without_a_word(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_CONNECTION_TIME_MAX", struct.pack("@ll", 0, 50_000))
    log = io.StringIO()
    with connected(directory, log) as client:
        assert client.recv(1) == b""
    assert log.getvalue() == ""


def test_a_call_that_comes_in_pieces_is_answered(directory: Path) -> None:
    with connected(directory, io.StringIO()) as client:
        for byte in VERSION_OF_NOTHING:
            client.sendall(bytes([byte]))
        assert wire.receive_reply(client).error == 105


def test_two_calls_that_come_at_once_are_both_answered(directory: Path) -> None:
    with connected(directory, io.StringIO()) as client:
        client.sendall(2 * VERSION_OF_NOTHING)
        assert [wire.receive_reply(client).error for _ in range(2)] == [105, 105]


@pytest.mark.parametrize("sent", [2, 10])
def test_one_that_ends_within_a_call_is_noted(directory: Path, sent: int) -> None:
    log = io.StringIO()
    with connected(directory, log) as client:
        client.sendall(VERSION_OF_NOTHING[:sent])
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert "the connection ended within a frame" in log.getvalue()
