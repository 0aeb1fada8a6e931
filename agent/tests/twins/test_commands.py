# SPDX-License-Identifier: GPL-3.0-or-later
"""`cmu`, Server.ini, seeds, the command line, the build and a big container."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatkeeper_twins.codemeter import engine
from seatkeeper_twins.codemeter.__main__ import main
from seatkeeper_twins.codemeter.build import BuildError, build_library
from seatkeeper_twins.codemeter.seed import parse_seed
from seatkeeper_twins.parts.seed import SeedError

from .client import FIRM, LICENSES
from .conftest import SOURCE, TARGET, Host, item, option

_BEFORE_IT_WAITS_SECONDS = 0.2


def cmu(host: Host, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the twin's cmu as a script would."""
    command = [str(host.directory / "cmu"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_documented_texts_of_cmu(source: Host, target: Host) -> None:
    """What scripts rely on, and no more."""
    listed = cmu(source, "-l").stdout
    assert "List all locally connected CmContainers:" in listed
    assert f"CmContainer with Serial Number {SOURCE} and " in listed
    assert "Result: 1 CmContainer(s) listed." in listed
    content = cmu(source, "--list-content").stdout
    for text in ("PC=201", "Name: Product 201", "Certified Time:"):
        assert text in content
    assert "Used=0" in cmu(source, "-n", "--firmcode", str(FIRM)).stdout
    assert "localhost" in cmu(source, "-k").stdout
    assert "9.10" in cmu(source, "-v").stdout
    options = re.findall(r"^ +--(\S+)", cmu(source, "--help").stdout, re.MULTILINE)
    assert {"list", "context", "import", "serial"} <= set(options)
    assert cmu(source, "--no-such").returncode == 1
    target.stop()
    down = cmu(target, "-l")
    assert (down.returncode, "not running" in down.stdout) == (0, True)


def test_a_transfer_by_files(source: Host, target: Host, tmp_path: Path) -> None:
    """Context, update, receipt: the same command writes context and receipt."""
    context, update, receipt = (
        tmp_path / name for name in ("a.WibuCmRaC", "a.WibuCmRaU", "b.WibuCmRaC")
    )
    write = ("-c", str(FIRM), "--serial", TARGET, "-f")
    assert cmu(target, *write, str(context)).returncode == 0
    handle = source.client.open(SOURCE, 201)
    update.write_bytes(source.client.transfer(handle, context.read_bytes(), LICENSES, licenses=10))
    assert cmu(target, "-i", "-f", str(update)).returncode == 0
    again = cmu(target, "--import", "--file", str(update))
    assert again.returncode != 0
    assert again.stdout.rstrip().endswith(", Error 229")
    assert cmu(target, *write, str(receipt)).returncode == 0
    assert cmu(source, "-i", "-f", str(receipt)).returncode == 0
    assert (source.in_transit(201), target.held(201)) == ({}, 10)
    assert cmu(target, "-i", "-f", str(tmp_path / "none")).returncode == 1


def test_an_edit_of_server_ini_while_it_runs_is_lost(source: Host) -> None:
    """Stop, edit, start is the only way."""
    path = source.directory / "Server.ini"
    original = path.read_text()
    path.write_text(original.replace("IsNetworkServer=0", "IsNetworkServer=1"))
    source.stop()
    assert path.read_text() == original
    path.write_text(original + "\n[Mine]\nKept=1\n")
    source.start()
    source.stop()
    assert path.read_text().endswith("Kept=1\n")


def test_ten_thousand_items(make_host: Any) -> None:
    """Made at once, listed in one call of ten megabytes."""
    begin = time.monotonic()
    items = [item(n, option("licenses"), license_quantity=5) for n in range(1, 10_001)]
    big = make_host(SOURCE, items)
    entries = big.client.entries(SOURCE)
    assert len(entries) == 10_000
    assert entries[-1].product_code == 10_000
    assert entries[-1].reference == 10_000
    assert time.monotonic() - begin < 60


def test_a_deep_directory_and_two_engines(
    make_host: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A socket path longer than an address; one engine per directory."""
    deep = make_host(SOURCE, [item(1, license_quantity=2)], folder="/".join(["a_long_name"] * 12))
    assert deep.held(1) == 2
    assert len(deep.client.boxes()) == 1
    assert main(["serve", "--dir", str(deep.directory)]) == 1
    assert "already" in capsys.readouterr().err


def test_serve_in_the_foreground(source: Host) -> None:
    """One ready line, SIGTERM ends it; then the socket is gone."""
    source.stop()
    command = [sys.executable, "-m", "seatkeeper_twins.codemeter", "serve", "--dir"]
    with subprocess.Popen(
        [*command, str(source.directory)], stdout=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == f"ready {source.directory}\n"
        assert source.held(201) == 25
        engine.terminate()
        assert engine.wait(120) == 0
    assert not (source.directory / "engine.sock").exists()


def test_a_signal_that_does_not_disturb_the_main_thread_ends_it(
    source: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does that comes just before it begins to wait: here another thread takes it."""
    source.stop()
    serve = engine.main

    def undisturbed(directory: Path, announce: Callable[[str], None]) -> int:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        return serve(directory, announce)

    monkeypatch.setattr(engine, "main", undisturbed)
    source.start()
    time.sleep(_BEFORE_IT_WAITS_SECONDS)
    source.stop()


@pytest.mark.parametrize(
    ("seed", "text"),
    [
        ([], "the seed must be an object"),
        ({"containers": {}}, "containers must be a list"),
        ({"containers": [{"serial": "x"}]}, "must look like 130-1000000001"),
        ({"containers": [{"serial": "130-1"}] * 2}, "occurs more than once"),
        ({"containers": [{"serial": "130-1", "colour": 1}]}, "unknown key 'colour'"),
        ({"containers": [{"serial": "130-1", "items": [{}]}]}, "firm_code must be a number"),
    ],
)
def test_bad_seeds(seed: object, text: str) -> None:
    """One sentence that names the place."""
    with pytest.raises(SeedError, match=re.escape(text)):
        parse_seed(seed)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"license_quantity": -1}, "license_quantity must be a number"),
        ({"expires_at": "soon"}, "expires_at must be null or a time"),
        ({"name": "a\nb"}, "printable"),
        ({"options": [option("gift")]}, "type must be one of"),
        ({"options": [option("licenses")] * 2}, "more than once"),
        ({"options": [option("borrow_local", max_borrow_seconds=0)]}, "at least 1"),
        ({"options": [option("licenses", pull_allowed=1)]}, "true or false"),
    ],
)
def test_bad_items(changes: dict[str, Any], text: str) -> None:
    """One sentence that names the place."""
    seed = {"containers": [{"serial": SOURCE, "items": [{**item(1), **changes}]}]}
    with pytest.raises(SeedError, match=rf"^containers\[0\]\.items\[0\].*{text}"):
        parse_seed(seed)


def test_the_command_line(
    tmp_path: Path, source: Host, cache: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Create, show, fault, control; failures are one sentence."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    seed = tmp_path / "seed.json"
    seed.write_text('{"containers": [{"serial": "3-5000001"}]}')
    create = ["create", "--dir", str(tmp_path / "new"), "--seed", str(seed)]
    assert main(create) == 0
    assert main(create) == 1
    assert "holds a twin already" in capsys.readouterr().err
    assert main(["show", "--dir", str(tmp_path / "new")]) == 1
    assert "no engine is running" in capsys.readouterr().err
    there = ["--dir", str(source.directory)]
    assert main(["show", *there]) == 0
    assert "25 licenses" in capsys.readouterr().out
    assert main(["fault", *there, "--at", "debit.before", "--action", "lose"]) == 0
    assert main(["fault", *there, "--clear"]) == 0
    assert main(["fault", *there, "--points"]) == 0
    assert main(["control", *there, '{"op": "_twin.nothing"}']) == 1
    assert "there is no operation" in capsys.readouterr().err


def test_a_host_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear sentence; what was built before is not built again."""
    first = build_library("current", tmp_path)
    assert build_library("current", tmp_path) == first
    assert build_library("6.10", tmp_path) != first
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(BuildError, match="No C compiler was found"):
        build_library("current", tmp_path)
