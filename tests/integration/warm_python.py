# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python of a lab's hosts, in which Ansible's own code is loaded already.

Ansible sends with every module a copy of its library, which a host compiles each time: most of
what a module takes. Run as a program, this file has imported that library, and forks for each
module that ``asking_python.py`` hands on: the same file, arguments, environment, folder and output,
the collection's part still from what was sent. What else is asked of a Python is done by the real
one. That all that is needed is sent is seen where hosts have their own Python: by the report in
``test_migration.py``, by ``make demo`` and on the hosts of ``molecule``.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import gc
import importlib
import marshal
import os
import runpy
import select
import shlex
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

LOADED = (
    "ansible.module_utils._internal._ansiballz._loader",
    "ansible.module_utils.basic",
    "ansible.module_utils.urls",
    # What the sent file itself needs.
    "base64",
    "shutil",
    "tempfile",
    "zipfile",
)
ORDER_BYTES_MAX = 1 << 20
CLIENT = Path(__file__).with_name("asking_python.py")


PROGRAM = """#!/bin/sh
case "$1" in
    */AnsiballZ_*.py) exec {python} -ISE {client} {path} "$@" ;;
    *) exec {python} "$@" ;;
esac
"""


@functools.cache
def interpreter() -> str:
    """The path for ``ansible_python_interpreter``; what is behind it ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="python-")
    path, program = Path(folder.name, "asked"), Path(folder.name, "python")
    words = {"python": sys.executable, "client": str(CLIENT), "path": str(path)}
    quoted = {name: shlex.quote(word) for name, word in words.items()}
    program.write_text(PROGRAM.format(**quoted), encoding="utf-8")
    program.chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen(socket.SOMAXCONN)
        server = subprocess.Popen(
            [sys.executable, "-P", __file__, str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
    atexit.register(folder.cleanup)
    # Whoever is killed closes what the server waits for, unless a fork of it goes on.
    atexit.register(server.communicate)
    atexit.register(server.terminate)
    return str(program)


def main(descriptor: int) -> None:
    """Fork whenever asked, until nobody is left who could ask."""
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    listener = socket.socket(fileno=descriptor)
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            return
        asking, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            become(asking)
        asking.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def become(asking: socket.socket) -> None:
    """Be what was asked for, to its end, which comes at once when who asked has ended."""
    order, (folder, *files), _, _ = socket.recv_fds(asking, ORDER_BYTES_MAX, 4)
    os.fchdir(folder)
    os.close(folder)
    for standard, file in enumerate(files):
        os.dup2(file, standard)
        os.close(file)
    # Of a socket that is closed at its other end comes SIGIO, and that ends this process.
    fcntl.fcntl(asking, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(asking, fcntl.F_SETFL, os.O_ASYNC)
    with suppress(BlockingIOError):
        asking.recv(1, socket.MSG_DONTWAIT)
        os._exit(1)  # it was closed before
    words, environment = marshal.loads(order)  # noqa: S302 - from our own program
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = words
    sys.path[0:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    me, code = os.getpid(), run(words[0])
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.getpid() == me:  # and not one that it has forked
        asking.sendall(bytes([code]))
    os._exit(code)


def run(path: str) -> int:
    """Run the file as Python would; its exit code."""
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001 - as Python itself ends
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]))
