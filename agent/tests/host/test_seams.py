# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the folder ``host`` knows the operating system; all else is imported where it is missing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import seatkeeper_agent
from seatkeeper_agent.host import Host, HostUnsupported, host, linux

PACKAGE = Path(seatkeeper_agent.__file__).parent
MISSING = (
    "fcntl", "grp", "posix", "pty", "pwd", "resource", "spwd", "syslog", "systemd", "termios",
    "tty",
)  # fmt: skip
"""Modules that only a Unix has, and systemd's."""

OF_UNIX = frozenset(
    {"O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "SIGHUP", "SIGKILL"}
    | {"SO_PEERCRED", "chown", "chroot", "fchmod", "fchown", "fork", "forkpty", "getegid"}
    | {"geteuid", "getgid", "getgroups", "getpgid", "getuid", "initgroups", "killpg", "lchown"}
    | {"mkfifo", "pidfd_open", "setegid", "seteuid", "setgid", "setgroups", "setpgid", "setsid"}
    | {"setuid", "start_new_session", "statvfs", "sync"}
)
"""Members of modules that every platform has, and arguments of theirs, that only a Unix has."""

OF_SYSTEMD = ("LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "RUNTIME_DIRECTORY", "systemctl")

# A process in which neither these modules nor the platform are there; what is asked for is written
# down, and is refused as it would be: other distributions do without.
IMPORT_ALL = """
import importlib, json, sys
missing, modules, others = json.loads(sys.argv[1])
for name in others:
    importlib.import_module(name)
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
for name in missing:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
sys.platform = "win32"
for name in modules:
    importlib.import_module(name)
from seatkeeper_agent.host import HostUnsupported, host
try:
    host()
except HostUnsupported as error:
    print(error)
print(len([name for name in modules if name in sys.modules]))
"""


def sources() -> Iterator[Path]:
    """Every module of the agent but those of the folder ``host``."""
    return (path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE / "host")


def dotted(path: Path) -> str:
    """The name of a module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def outside(path: Path) -> set[str]:
    """The other distributions' modules that a file imports as it is imported itself."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if not name.startswith("seatkeeper_agent")} - {"__future__"}


def test_all_else_is_imported_where_there_is_no_unix() -> None:
    modules = [dotted(path) for path in sources() if path.name != "__main__.py"]
    others = sorted(set().union(*map(outside, sources())) - {"seatkeeper_agent"})
    words = json.dumps([MISSING, ["seatkeeper_agent.host", *modules], others])
    ended = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL, words], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    sentence, count = ended.stdout.splitlines()
    assert sentence == "The agent runs on Linux, and this is win32."
    assert int(count) == len(modules) + 1


def named(path: Path) -> list[str]:
    """What of a Unix or of systemd a file names, each with its line."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import():
                names = {alias.name.partition(".")[0] for alias in node.names} & {*MISSING}
            case ast.ImportFrom():
                names = {(node.module or "").partition(".")[0]} & {*MISSING}
            case ast.Attribute():
                names = {node.attr} & OF_UNIX
            case ast.keyword():
                names = {node.arg} & OF_UNIX
            case ast.Constant():
                names = {node.value} & {*OF_SYSTEMD}
            case _:
                continue
        found += [f"{path.relative_to(PACKAGE)}:{node.lineno}: {name}" for name in sorted(names)]
    return found


def test_no_other_file_names_what_only_a_unix_has() -> None:
    assert [place for path in sources() for place in named(path)] == []
    # Whoever looks must be able to find something.
    found = " ".join(named(PACKAGE / "host" / "linux.py"))
    assert all(name in found for name in ("fcntl", "pwd", "grp", "systemctl", "geteuid", "killpg"))


def test_the_implementation_has_what_the_interface_promises_and_nothing_else() -> None:
    promised = {name for name in vars(Host) if not name.startswith("_")}
    made = {
        name
        for name, value in vars(linux).items()
        if getattr(value, "__module__", "") == linux.__name__ and not name.startswith("_")
    }
    assert made == promised
    assert host() is linux


def test_another_platform_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(HostUnsupported, match=r"^The agent runs on Linux, and this is win32\.$"):
        host.__wrapped__()
