# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the checkout's playbooks for the demo, and show what matters of what they say."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from seatkeeper_twins.demo.report import Report, report_lines
from seatkeeper_twins.demo.screen import DemoError, Screen
from seatkeeper_twins.lab.lab import MARK, Lab
from seatkeeper_twins.lab.process import spawn

CHECKOUT = Path(__file__).resolve().parents[5]
RUN_SECONDS_MAX = 900.0
END_SECONDS_MAX = 60.0

_HEADER = re.compile(r"^(PLAY|TASK|RUNNING HANDLER|PLAY RECAP|NO MORE HOSTS LEFT)\b.*?\*{3,}$")
_RECAP = re.compile(r"^(\S+)\s*:((?:\s+\w+=\d+)+)\s*$")
_REPORTED = re.compile(
    r"^(changed|fatal|failed|ERROR|\[ERROR\]|\[WARNING\]|\[DEPRECATION WARNING\])"
)
_DIFFERENCE = re.compile(r"^(---|\+\+\+|[-+] )")
_ERROR, _ERROR_END = "[ERROR]", "Origin:"
_ROLE = re.compile(r"seatkeeper\.licensing\.\w+ : ")


@dataclass(frozen=True)
class PlaybookRun:
    """How a run ended: its exit code, the recap's numbers for each host, and what it printed."""

    exit_code: int
    recap: dict[str, dict[str, int]]
    blocks: list[tuple[str, list[str]]]

    @classmethod
    def read(cls, exit_code: int, printed: list[tuple[str, list[str]]]) -> Self:
        """A run from what it printed; DemoError when there is no recap in it."""
        recap = _recap(printed)
        if not recap:
            said = [line for _, body in printed for line in body if line]
            raise DemoError(
                f"ansible-playbook ended without a recap, exit code {exit_code}:"
                f" {said[-1] if said else 'it said nothing'}"
            )
        return cls(exit_code, recap, printed)

    def counted(self, word: str) -> int:
        """One number of the recap, such as changed, over all hosts."""
        return sum(numbers[word] for numbers in self.recap.values())

    def report(self) -> Report:
        """What the run told at its end of everything that is declared."""
        found = [lines for _, body in self.blocks if (lines := report_lines(body))]
        return Report(found[-1] if found else [])


class Playbook:
    """The checkout's playbooks with one of its inventories, pointed at a lab."""

    def __init__(
        self, lab: Lab, screen: Screen, inventory: str, environment: Mapping[str, str]
    ) -> None:
        self._screen = screen
        self._inventory = inventory
        self._environment = _environment(lab) | dict(environment)

    def run(self, playbook: str, *arguments: str) -> PlaybookRun:
        """Run one with more arguments; DemoError when it takes too long or shows no recap."""
        words = [playbook, "-i", self._inventory, *arguments]
        self._screen.line(f"  $ ansible-playbook {shlex.join(words)}")
        program = Path(sys.executable).with_name("ansible-playbook")
        printed: list[tuple[str, list[str]]] = []
        with _running([str(program), *words], self._environment) as (process, lines):
            for header, body in blocks(lines):
                printed.append((header, body))
                for line in condensed(header, body):
                    self._screen.output(line)
            exit_code = process.wait()
        return PlaybookRun.read(exit_code, printed)

    def run_well(self, playbook: str, *arguments: str) -> PlaybookRun:
        """As ``run``; DemoError also when anything of it fails."""
        run = self.run(playbook, *arguments)
        if run.exit_code or run.counted("failed") or run.counted("unreachable"):
            raise DemoError(f"The playbook failed, exit code {run.exit_code}; see above.")
        return run


def blocks(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """What ansible-playbook prints, as headers without their stars and what follows each."""
    header, body = "", list[str]()
    for line in lines:
        if _HEADER.match(line):
            if header or body:
                yield header, body
            header, body = line.rstrip("* "), []
        else:
            body.append(line)
    yield header, body


def condensed(header: str, body: list[str]) -> Iterator[str]:
    """The lines worth showing: reports, differences, changes, failures and the recap."""
    failed = failure(body) or [line for line in body if _is_worth(line)]
    reported = report_lines(body) + failed
    if reported:
        yield _ROLE.sub("", header)
        yield from (f"  {line}" for line in reported)


def failure(body: list[str]) -> list[str]:
    """What a failed task says, without where it stands and without the same as JSON."""
    starts = [number for number, line in enumerate(body) if line.startswith(_ERROR)]
    said = []
    for start in starts:
        for line in body[start:]:
            if line.startswith(_ERROR_END):
                break
            said.append(line)
    return said


def _is_worth(line: str) -> bool:
    return any(found.match(line) for found in (_REPORTED, _DIFFERENCE, _RECAP))


def _recap(printed: list[tuple[str, list[str]]]) -> dict[str, dict[str, int]]:
    recap = {}
    for header, body in printed:
        for line in body if header == "PLAY RECAP" else []:
            if found := _RECAP.match(line):
                pairs = (pair.split("=") for pair in found[2].split())
                recap[found[1]] = {word: int(number) for word, number in pairs}
    return recap


def _environment(lab: Lab) -> dict[str, str]:
    """The caller's environment, but none of its Ansible settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    scratch = str(lab.folder / "ansible")
    return kept | {
        MARK: str(lab.folder),
        "SEATKEEPER_DEMO": str(lab.folder),
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_HOME": scratch,
        "ANSIBLE_REMOTE_TEMP": f"{scratch}/remote",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def _running(
    command: list[str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Iterator[str]]]:
    """A program and the lines it prints; ended with the block, or when it takes too long."""
    process = spawn(command, CHECKOUT, environment, subprocess.PIPE)
    timer = threading.Timer(RUN_SECONDS_MAX, _end, (process,))
    timer.daemon = True
    timer.start()
    output: Iterable[bytes] = process.stdout or ()
    try:
        yield process, (line.decode(errors="replace").rstrip() for line in output)
    finally:
        timer.cancel()
        _end(process)
        if process.stdout is not None:
            process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that leads a session and all that is in it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS_MAX)
