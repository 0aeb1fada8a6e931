# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed's process and the code under test in its own, both ended with the test."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
SYSTEM_PYTHON = "/usr/bin/python3"
PRELOAD = "libumockdev-preload.so.0"
ANSWER_SECONDS_MAX = 120
END_SECONDS_MAX = 120

_LOOK = """
import ctypes, gi
ctypes.CDLL("libusb-1.0.so.0")
gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev
raise SystemExit("libumockdev-preload" not in open("/proc/self/maps").read())
"""


@cache
def bed_is_missing() -> str | None:
    """Why no bed can be made here; None when one can."""
    reason = (
        "umockdev is not installed: apt-get install umockdev gir1.2-umockdev-1.0 python3-gi"
        " libusb-1.0-0"
    )
    if not Path(SYSTEM_PYTHON).exists():
        return reason
    looked = subprocess.run(
        [SYSTEM_PYTHON, "-c", _LOOK],
        env=os.environ | {"LD_PRELOAD": PRELOAD},
        capture_output=True,
        timeout=ANSWER_SECONDS_MAX,
        check=False,
    )
    return reason if looked.returncode else None


def without_override() -> list[str]:
    """A prefix that takes from root the right to open any file; empty for everybody else."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    assert setpriv is not None, "setpriv of util-linux is missing"
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search"]


class Program:
    """A process that answers one line per line and ends with its standard input.

    When the test is killed its end of the pipe closes, so nothing outlives it.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines = queue.Queue[str]()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.first = self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Give an order and wait for its answer."""
        self.request(do, **request)
        return self.answer()

    def request(self, do: str, **request: Any) -> None:
        """Give an order without waiting."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the next answer."""
        line = self._lines.get(timeout=ANSWER_SECONDS_MAX)
        assert line, f"the process ended: {self._process.wait(END_SECONDS_MAX)}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait(END_SECONDS_MAX)

    def end(self) -> int:
        """Close its input and wait for its end; its exit code."""
        with self._process as process:
            assert process.stdin is not None
            if process.returncode is None:
                process.stdin.close()
            try:
                process.wait(END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
            self._reader.join(END_SECONDS_MAX)
        return process.returncode

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")


class Bed:
    """Dongles that the real libusb sees in the clients of this bed."""

    def __init__(self, folder: Path) -> None:
        environment = {"LD_PRELOAD": PRELOAD, "TMPDIR": str(folder)}
        self.program = Program([SYSTEM_PYTHON, str(HERE / "bed.py")], environment)
        self.folder = Path(self.program.first["folder"])
        self._number = 1

    def plug(self, port: int, serial: str | None = "", **request: Any) -> None:
        """Plug a WibuKey, or what the order says, into a port; the default serial is WK-PORT.

        The kernel tells the same serial number, unless the order says otherwise.
        """
        self._number += 1
        reported = f"WK-{port}" if serial == "" else serial
        given = {"serial": reported, "kernel_serial": reported} | request
        self.program.ask("plug", port=port, number=self._number, **given)

    def unplug(self, port: int, **request: Any) -> None:
        """Take out what is in a port, whoever uses it."""
        self.program.ask("unplug", port=port, **request)

    def transfers(self, port: int) -> int:
        """How many transfers the device in a port was asked for."""
        return int(self.program.ask("transfers", port=port)["transfers"])

    def client(self, prefix: Sequence[str] = ()) -> Program:
        """The code under test in a process that sees this bed."""
        environment = {"LD_PRELOAD": PRELOAD, "UMOCKDEV_DIR": str(self.folder)}
        return Program([*prefix, sys.executable, str(HERE / "bed_client.py")], environment)
