# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules run one after the other or side by side, each in a fork of one process of its own.

What takes longest of a module is the import of Ansible's code. Run as a program, this file imports
it and all actions of the collection once, then forks for each request, which has its arguments,
environment, folder and standard output: what a module's action does, with a shell for a connection.
It ends when nobody can ask it any more.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PLUGINS = "ansible_collections.seatkeeper.licensing.plugins"
REQUEST_BYTES_MAX = 1 << 16
RUN_SECONDS_MAX = 300


def run_module(
    name: str, arguments: Mapping[str, Any], folder: Path, environment: Mapping[str, str]
) -> tuple[str, str]:
    """Run a module in a folder; what it wrote to its standard output and standard error."""
    _, asking = _started(environment["PYTHONPATH"])
    with tempfile.NamedTemporaryFile("w", dir=folder) as given, tempfile.TemporaryFile() as errors:
        json.dump(arguments, given)
        given.flush()
        wanted = {"argv": [name, given.name], "folder": str(folder), "environment": environment}
        reading, writing = os.pipe()
        try:
            socket.send_fds(asking, [json.dumps(wanted).encode()], [writing, errors.fileno()])
        finally:
            os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as output:
            reported = output.read()
        errors.seek(0)
        return reported, errors.read().decode(errors="replace")


@functools.cache
def _started(import_path: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start this file; it ends when this process does, and so the kernel closes its socket."""
    requested, asking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with requested:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__],
            stdin=requested,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONPATH": import_path},
        )
    return process, asking


def main() -> None:
    """Import everything, then fork for each request."""
    for path in Path(importlib.import_module(f"{PLUGINS}.action").__path__[0]).glob("[!_]*.py"):
        importlib.import_module(f"{PLUGINS}.action.{path.stem}")
    requested = socket.socket(fileno=os.dup(0))
    while True:
        request, files, _, _ = socket.recv_fds(requested, REQUEST_BYTES_MAX, 2)
        if not request:
            return
        if os.fork() == 0:
            requested.close()
            _become(json.loads(request), *files)
            return
        for file in files:
            os.close(file)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _become(wanted: dict[str, Any], output: int, errors: int) -> None:
    """Be a process that was started for one module; SystemExit at its end."""
    signal.alarm(RUN_SECONDS_MAX)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, standard in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(file, standard)
        os.close(file)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    name, given = wanted["argv"]
    arguments = json.loads(Path(given).read_text(encoding="utf-8"))
    print(json.dumps(_answered(name, arguments)))
    sys.stdout.flush()


def _answered(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The result of the action, with a relay for each request as on any host."""
    action = sys.modules[f"{PLUGINS}.action.{name}"].ActionModule
    check_mode = arguments.pop("_ansible_check_mode")
    asking = sys.modules[f"{PLUGINS}.module_utils._module"]

    def reach(options: dict[str, Any]) -> Any:
        relay = sys.modules[f"{PLUGINS}.module_utils._relay"]
        return relay.RelayTransport(_shell, options["agent_command"], options["agent_socket"])

    result: dict[str, Any] = asking.answered(action.spec, action.ask, arguments, check_mode, reach)
    return result


def _shell(command: str, given: bytes) -> Any:
    done = subprocess.run(["/bin/sh", "-c", command], input=given, capture_output=True, check=False)
    relay = sys.modules[f"{PLUGINS}.module_utils._relay"]
    return relay.Printed(done.returncode, done.stdout.decode(), done.stderr.decode())


if __name__ == "__main__":
    main()
