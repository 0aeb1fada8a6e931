# SPDX-License-Identifier: GPL-3.0-or-later
"""The private key and what looks like a password stay where they belong."""

from __future__ import annotations

import base64
import stat
import sys
from pathlib import Path

import pytest

from seatkeeper_agent.domain.transfers import transfer_id
from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.lab.process import marked_processes

from .asking import Asker, carry, declared, exchange

CANARY = "canary-7f3a9c-never-to-be-seen-again"


def mode_of(path: Path) -> str:
    """The permission bits, in octal."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


def needles(pem: bytes) -> list[bytes]:
    """Forms in which a private key could leak: its text, its bytes, their other spellings."""
    lines = [line for line in pem.splitlines() if line and not line.startswith(b"-")]
    seed = base64.b64decode(b"".join(lines))[-32:]
    assert len(seed) == 32
    return [*lines, seed, seed.hex().encode(), repr(seed).encode(), base64.b64encode(seed)]


def test_the_private_key_is_in_its_file_and_nowhere_else(
    lab: Lab, askers: dict[str, Asker]
) -> None:
    carry(askers, declared("secrets"))
    for name, host in lab.hosts.items():
        key = host.state_folder / "agent.key"
        assert (mode_of(key), mode_of(host.state_folder)) == ("600", "700")
        secrets = needles(key.read_bytes())
        asker = askers[name]
        paths = [path for method, path in asker.contract.operations() if method == "GET"]
        answers = [asker.ask("GET", path).content for path in paths if "{" not in path]
        assert any(b"BEGIN PUBLIC KEY" in answer for answer in answers)
        seen = [*answers, (host.folder / "agent.log").read_bytes()]
        seen += [path.read_bytes() for path in host.state_folder.glob("journal.db*")]
        for pid in marked_processes("SEATKEEPER_LAB", str(lab.folder)):
            process = Path(f"/proc/{pid}")
            seen += [(process / file).read_bytes() for file in ("cmdline", "environ")]
        for text in seen:
            assert not any(secret in text for secret in secrets)
        others = [path for path in host.state_folder.rglob("*") if path != key and path.is_file()]
        assert {mode_of(path) for path in others if "trust" not in path.parts} == {"600"}


def test_a_password_in_a_request_is_neither_stored_nor_logged_nor_sent_back(
    lab: Lab, old: Asker
) -> None:
    host = lab["old-server"]
    sent = {"settings": {"General": {"ProxyPassword": CANARY}}}
    for path in ("/v1/servers/codemeter", "/v1/servers/codemeter?dry_run=true"):
        assert CANARY not in old.ask("PUT", path, json=sent).text
    broken = f'{{"settings": {{"General": {{"ProxyPassword": "{CANARY}"'.encode()
    assert CANARY not in old.ask("PUT", "/v1/servers/codemeter", content=broken).text
    exchange(host.socket_path, f"GET /{CANARY}\r\n\r\n".encode())
    stored = [path.read_bytes() for path in host.folder.rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in content for content in stored)


def test_a_defect_is_logged_without_the_values_of_its_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import structlog

    from seatkeeper_agent.log import logger

    def fail() -> None:
        password = CANARY
        raise ZeroDivisionError(f"with a secret of {len(password)} characters")

    structlog.reset_defaults()
    try:
        fail()
    except ZeroDivisionError as error:
        logger().error("defect", path=f"/v1/{transfer_id('x')}", exc_info=error)
    finally:
        structlog.reset_defaults()
    logged = capsys.readouterr().err
    assert "ZeroDivisionError" in logged
    assert CANARY not in logged
    assert logged.count("\n") == 1
    assert "fail" in logged, sys.version
