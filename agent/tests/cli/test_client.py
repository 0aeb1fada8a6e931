# SPDX-License-Identifier: GPL-3.0-or-later
"""A command asks the agent at once: nothing is loaded for connections that are not encrypted."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.client import AgentClient


def test_no_authority_is_loaded_for_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def noted(name: str) -> Any:
        real = getattr(ssl.SSLContext, name)
        return lambda *given, **named: (loaded.append(name), real(*given, **named))[1]

    for name in ("load_verify_locations", "load_default_certs", "set_default_verify_paths"):
        monkeypatch.setattr(ssl.SSLContext, name, noted(name))
    ssl.create_default_context()
    assert loaded, "this test would see it"
    loaded.clear()
    AgentClient(tmp_path / "agent.sock").__exit__()
    assert loaded == []
