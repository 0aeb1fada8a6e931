# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs entry points, each in a fork of one interpreter that has imported none of their parts.

A fork costs a hundredth of a new interpreter. What is told of each: its exit code, how many
modules of ``own`` it has imported, and which heavy packages. Started as a program with a plan on
standard input: {"own": PREFIX, "shared": [MODULE, ...], "config": FILE, "socket": FILE,
"entries": [[TITLE, HOW, ...], ...]} where HOW is import (a module called TITLE), agent (a command
with the words that follow, to its end) or serve (the agent, until all others have ended). What
all entries share anyway is imported before the first fork.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

HEAVY = frozenset(
    {"ansible.module_utils.urls", "apsw", "asyncio", "cryptography", "ctypes", "fastapi", "httpx"}
    | {"jsonschema", "playwright", "prometheus_client", "pydantic", "securesystemslib", "shtab"}
    | {"sqlite3", "ssl", "starlette", "structlog", "usb", "uvicorn", "yaml"}
)
"""What costs time or memory; all others are small, or come with one of these."""

ASK_AGAIN_SECONDS = 0.02

Reported = dict[str, Any]


def main() -> None:
    """Run the whole plan; what is told, as JSON, on standard output."""
    plan = json.load(sys.stdin)
    for name in plan["shared"]:
        importlib.import_module(name)
    reported: Reported = {}
    servers = []
    for title, how, *words in plan["entries"]:
        work = partial(serve, plan, title) if how == "serve" else partial(once, plan, title, words)
        process, pipe = forked(work)
        with os.fdopen(pipe) as lines:
            reported |= json.loads(lines.readline())
        if how == "serve":
            servers.append(process)
        else:
            os.waitpid(process, 0)
    for process in servers:
        os.kill(process, signal.SIGTERM)
        os.waitpid(process, 0)
    print(json.dumps(reported))


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Do it in a fork, which writes to the pipe that is given back."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(reading)
            silent = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(silent, descriptor)
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    return process, reading


def once(plan: Reported, title: str, words: list[str], to: int) -> None:
    """A command to its end; without words only the module that the title names is imported."""
    code = ended(plan, words) if words else 0
    if not words:
        importlib.import_module(title)
    tell(to, {title: imported(plan, code)})


def ended(plan: Reported, words: list[str]) -> Any:
    """The exit code of a command of the agent."""
    from seatkeeper_agent.cli import main as agent

    try:
        return agent(["--config", plan["config"], *words])
    except SystemExit as end:
        return end.code or 0


def serve(plan: Reported, title: str, to: int) -> None:
    """The agent, before and after the first request that needs all of it."""

    def look() -> None:
        answered(plan["socket"], "/livez")
        idle = imported(plan, 0)
        answered(plan["socket"], "/v1/agent")
        tell(to, {title: idle, f"{title}, asked": imported(plan, 0)})

    threading.Thread(target=look).start()
    ended(plan, ["serve"])


def answered(path: str, route: str) -> None:
    """Ask until somebody answers; whoever started this ends it if nobody ever does."""
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                request = f"GET {route} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                connection.sendall(request.encode())
                with connection.makefile("rb") as answer:
                    assert b" 200 " in answer.readline()
                    answer.read()
                return
        except OSError:
            time.sleep(ASK_AGAIN_SECONDS)


def imported(plan: Reported, code: Any) -> Reported:
    """What this process has imported by now."""
    modules = list(sys.modules)
    own = [name for name in modules if name.startswith(plan["own"])]
    heavy = {*modules, *(name.partition(".")[0] for name in modules)} & HEAVY
    return {"code": code, "own": len(own), "heavy": sorted(heavy)}


def tell(to: int, what: Reported) -> None:
    """One line, whole."""
    with os.fdopen(to, "w") as pipe:
        pipe.write(json.dumps(what) + "\n")


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))  # its neighbours are called as real modules are
    main()
