# SPDX-License-Identifier: GPL-3.0-or-later
"""Role agent, which release it takes: signed by the declared key, or of the declared digest."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatkeeper_twins.lab.lab import Lab

from .runs import ROOT, play
from .warm_python import interpreter

# Whole runs of ansible-playbook on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SIGN = ROOT / "agent" / "sign.py"
COMMAND_SECONDS_MAX = 120
NAME = "seatkeeper-agent-0.2.0"
RELEASE: dict[str, Any] = {
    "ansible.builtin.include_role": {
        "name": "seatkeeper.licensing.seatkeeper_agent",
        "tasks_from": "release",
        "public": True,
    }
}
TAKEN: dict[str, Any] = {"ansible.builtin.debug": {"msg": "taken: {{ seatkeeper_agent_release }}"}}


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
    )


def make_key(file: Path) -> str:
    """A key as docs/operations.md has it made; its public half."""
    made = command("openssl", "genpkey", "-algorithm", "ed25519", "-out", file)
    assert made.returncode == 0, made.stderr
    reported = command("openssl", "pkey", "-in", file, "-pubout")
    assert reported.returncode == 0, reported.stderr
    return reported.stdout


def make_release(folder: Path, content: str, key: Path | None = None) -> Path:
    """A release with a content of its own, signed if there is a key."""
    folder.mkdir()
    for ending in (".tar", ".txt", ".cdx.json"):
        (folder / f"{NAME}{ending}").write_text(f"{content} {ending}")
    release = folder / f"{NAME}.tar"
    if key is not None:
        done = command(sys.executable, SIGN, key, release)
        assert (done.returncode, done.stderr) == (0, "")
    return release


def checksum(release: Path) -> str:
    """As the inventory declares it."""
    return f"sha256:{hashlib.sha256(release.read_bytes()).hexdigest()}"


def releases(folder: Path) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """What hosts declare, some of it well; and why the others are refused."""
    mine, other = make_key(folder / "mine.key"), make_key(folder / "other.key")
    signed = make_release(folder / "signed", "good", folder / "mine.key")
    unsigned = make_release(folder / "unsigned", "good")
    altered = make_release(folder / "altered", "good", folder / "mine.key")
    altered.write_text("bad .tar")
    older = make_release(folder / "older", "old")
    foreign = make_release(folder / "foreign", "good", folder / "other.key")
    for name in ("older", "torn"):
        source = signed.with_suffix(".dsse.json").read_text()
        release = older if name == "older" else make_release(folder / name, "good")
        envelope = json.loads(source)
        if name == "torn":
            payload = base64.b64decode(envelope["payload"]).replace(b"sha256", b"sha512")
            envelope["payload"] = base64.b64encode(payload).decode()
        release.with_suffix(".dsse.json").write_text(json.dumps(envelope))
    torn = folder / "torn" / f"{NAME}.tar"
    taken = {
        "by-key": {"seatkeeper_agent_bundle": str(signed), "seatkeeper_agent_bundle_key": mine},
        "by-both": {
            "seatkeeper_agent_bundle": str(signed),
            "seatkeeper_agent_bundle_key": mine,
            "seatkeeper_agent_bundle_checksum": checksum(signed),
        },
        "by-digest": {
            "seatkeeper_agent_bundle": str(unsigned),
            "seatkeeper_agent_bundle_checksum": checksum(unsigned),
        },
        "list-by-key": {
            "seatkeeper_agent_requirements": str(signed.with_suffix(".txt")),
            "seatkeeper_agent_bundle_key": mine,
        },
    }
    refused = {
        "by-nobody": ({"seatkeeper_agent_bundle": str(unsigned)}, "Nobody vouches for"),
        "unsigned": (
            {
                "seatkeeper_agent_bundle": str(unsigned),
                "seatkeeper_agent_bundle_key": mine,
                "seatkeeper_agent_bundle_checksum": checksum(unsigned),
            },
            "is not signed",
        ),
        "foreign": (
            {"seatkeeper_agent_bundle": str(foreign), "seatkeeper_agent_bundle_key": mine},
            "was not signed by",
        ),
        "other-key": (
            {"seatkeeper_agent_bundle": str(signed), "seatkeeper_agent_bundle_key": other},
            "was not signed",
        ),
        "altered": (
            {"seatkeeper_agent_bundle": str(altered), "seatkeeper_agent_bundle_key": mine},
            "but not for",
        ),
        "older": (
            {"seatkeeper_agent_bundle": str(older), "seatkeeper_agent_bundle_key": mine},
            "but not for",
        ),
        "torn": (
            {"seatkeeper_agent_bundle": str(torn), "seatkeeper_agent_bundle_key": mine},
            "was not signed by",
        ),
        "digest": (
            {
                "seatkeeper_agent_bundle": str(signed),
                "seatkeeper_agent_bundle_key": mine,
                "seatkeeper_agent_bundle_checksum": checksum(altered),
            },
            "is not the file that seatkeeper_agent_bundle_checksum declares",
        ),
        "short": (
            {
                "seatkeeper_agent_bundle": str(unsigned),
                "seatkeeper_agent_bundle_checksum": "sha256:0a1b",
            },
            "is not sha256: and 64 hexadecimal digits",
        ),
        "private": (
            {
                "seatkeeper_agent_bundle": str(signed),
                "seatkeeper_agent_bundle_key": (folder / "mine.key").read_text(),
            },
            "is no Ed25519 public key",
        ),
    }
    declared = {host: variables for host, (variables, _because) in refused.items()}
    return {**taken, **declared}, {host: because for host, (_, because) in refused.items()}


def test_only_a_release_that_is_vouched_for_is_taken(tmp_path: Path) -> None:
    hosts, refused = releases(tmp_path)
    inventory = tmp_path / "hosts.yml"
    local = {
        "ansible_connection": "local",
        "ansible_python_interpreter": interpreter(),
        "seatkeeper_agent_python": sys.executable,
    }
    inventory.write_text(yaml.safe_dump({"license_servers": {"hosts": hosts, "vars": local}}))
    playbook = tmp_path / "agents.yml"
    head = {"hosts": "license_servers", "gather_facts": False, "tasks": [RELEASE, TAKEN]}
    playbook.write_text(yaml.safe_dump([head]))
    with Lab.create({}) as nothing:
        reported = play(nothing, tmp_path, playbook, inventory=inventory)
    assert reported.changed == 0
    for host, declared in hosts.items():
        assert reported.recap[host]["failed"] == int(host in refused), reported.output
        if host in refused:
            said = reported.output.partition(f"fatal: [{host}]")[2].partition("fatal: [")[0]
            assert refused[host] in re.sub(r"\s+", " ", said), said
            assert "Nothing was changed on this host." in re.sub(r"\s+", " ", said)
            continue
        release = Path(
            declared.get("seatkeeper_agent_bundle") or declared["seatkeeper_agent_requirements"]
        )
        whole = f"taken: 0.2.0-{checksum(release).removeprefix('sha256:')}"
        assert re.search(rf"ok: \[{host}\] => \{{\s+\"msg\": \"{whole}\"", reported.output), (
            reported.output
        )
    # Only where no key is declared is it said that nobody asked for a signature.
    assert reported.output.count("no seatkeeper_agent_bundle_key is declared") == 1
    assert "PRIVATE KEY" not in reported.output


def test_nothing_is_signed_by_a_key_that_is_none_or_open_to_others(tmp_path: Path) -> None:
    release = make_release(tmp_path / "release", "good")
    make_key(tmp_path / "open.key")
    (tmp_path / "open.key").chmod(0o644)
    command("openssl", "genpkey", "-algorithm", "x25519", "-out", tmp_path / "x.key")
    locked = ("-aes256", "-pass", "pass:secret", "-out", str(tmp_path / "locked.key"))
    command("openssl", "genpkey", "-algorithm", "ed25519", *locked)
    (tmp_path / "no.key").write_text("no key")
    (tmp_path / "no.key").chmod(0o600)
    for name in ("open", "x", "locked", "no", "absent"):
        done = command(sys.executable, SIGN, tmp_path / f"{name}.key", release)
        assert (done.returncode, done.stdout) == (1, ""), name
        assert re.fullmatch(r"sign: .*\. Nothing was signed\.\n", done.stderr), done.stderr
        assert not release.with_suffix(".dsse.json").exists()
    make_key(tmp_path / "good.key")
    release.with_suffix(".txt").unlink()
    done = command(sys.executable, SIGN, tmp_path / "good.key", release)
    assert done.returncode == 1
    assert f"{NAME}.txt" in done.stderr
