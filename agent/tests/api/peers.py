# SPDX-License-Identifier: GPL-3.0-or-later
"""Real peers: requests from processes that run as another user and group."""

from __future__ import annotations

import grp
import json
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEER_SECONDS_MAX = 120

Request = tuple[str, str, str | None]
"""Method, path and body."""

# Becomes the peer before it connects, since the kernel keeps what a process was at that moment.
_PEER = """
import http.client, json, os, socket, sys
uid, gid, groups, path, requests = json.load(sys.stdin)
os.setgroups(groups)
os.setgid(gid)
os.setuid(uid)
answers = []
for method, target, body in requests:
    connection = http.client.HTTPConnection("localhost", timeout=100)
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(path)
        connection.request(method, target, body)
        answer = connection.getresponse()
        answers.append([answer.status, answer.read().decode()])
    except OSError as error:
        answers.append([0, error.strerror])
    finally:
        connection.close()
json.dump(answers, sys.stdout)
"""


@dataclass(frozen=True)
class User:
    """Somebody: a user, the primary group and further groups, by number."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    def ask(self, socket_path: Path, requests: list[Request]) -> list[tuple[int, str]]:
        """Status and body of each request; status 0 and the reason where nobody was reached."""
        reported: list[Any] = [self.uid, self.gid, list(self.groups), str(socket_path), requests]
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PEER],
            input=json.dumps(reported),
            capture_output=True,
            text=True,
            check=True,
            timeout=PEER_SECONDS_MAX,
        )
        return [(status, text) for status, text in json.loads(done.stdout)]


def stranger() -> User:
    """The system's unprivileged user."""
    entry = pwd.getpwnam("nobody")
    return User(entry.pw_uid, entry.pw_gid)


def spare_groups(number: int) -> list[grp.struct_group]:
    """Groups of this system that neither root nor the unprivileged user is in."""
    taken = {0, stranger().gid}
    found = [group for group in grp.getgrall() if group.gr_gid not in taken and not group.gr_mem]
    return found[:number]
