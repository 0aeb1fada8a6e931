# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python of a lab's hosts is as any other to whoever starts it."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .warm_python import interpreter

SECONDS_MAX = 300
TELLING = """
import atexit, json, os, sys
atexit.register(print, "at the end")
print(json.dumps([sys.argv, os.getcwd(), dict(os.environ), sys.stdin.read(), __name__]))
print("beside", file=sys.stderr)
sys.exit({end})
"""
WAITING = """
import os, signal
print(os.getpid(), flush=True)
signal.pause()
"""


@pytest.mark.parametrize(("end", "code"), [("3", 3), ("'why'", 1), ("None", 0), ("1 // 0", 1)])
@pytest.mark.parametrize("name", ["AnsiballZ_a.py", "other.py"])
def test_what_it_runs_has_all_that_it_was_given(
    tmp_path: Path, name: str, end: str, code: int
) -> None:
    program = tmp_path / name
    program.write_text(TELLING.format(end=end))
    done = subprocess.run(
        [interpreter(), str(program), "a word", "another"],
        cwd=tmp_path,
        env={"ALONE": "here", "LC_CTYPE": "C.UTF-8"},
        input="what comes in",
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    reported, at_the_end = done.stdout.splitlines()
    words = [str(program), "a word", "another"]
    argv, folder, environment, came_in, ran_as = json.loads(reported)
    assert (argv, folder, came_in, ran_as) == (words, str(tmp_path), "what comes in", "__main__")
    assert environment.pop("PWD", str(tmp_path)) == str(tmp_path)
    assert environment.items() >= {"ALONE": "here", "LC_CTYPE": "C.UTF-8"}.items()
    assert "HOME" not in environment
    assert (at_the_end, done.returncode) == ("at the end", code)
    assert done.stderr.startswith("beside\n")
    assert done.stderr.endswith("why\n") == (end == "'why'")
    assert ("ZeroDivisionError" in done.stderr) == ("//" in end)


def test_it_ends_with_what_started_it(tmp_path: Path) -> None:
    program = tmp_path / "AnsiballZ_a.py"
    program.write_text(WAITING)
    with subprocess.Popen(
        [interpreter(), str(program)], stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        first = started.stdout.readline()
        started.send_signal(signal.SIGKILL)
        assert int(first) != started.pid
        # The other end of the pipe is closed once it has ended.
        assert select.select([started.stdout], [], [], SECONDS_MAX)[0]
        assert started.stdout.read() == ""


def test_ansibles_library_is_there_already(tmp_path: Path) -> None:
    program = tmp_path / "AnsiballZ_a.py"
    program.write_text("import sys; print('ansible.module_utils.basic' in sys.modules)")
    for python, there in ((interpreter(), "True\n"), (sys.executable, "False\n")):
        done = subprocess.run(
            [python, str(program)],
            capture_output=True, text=True, timeout=SECONDS_MAX, check=True,
        )  # fmt: skip
        assert done.stdout == there
