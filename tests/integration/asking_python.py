# SPDX-License-Identifier: GPL-3.0-or-later
"""Has a module of Ansible run by ``warm_python.py``: asks, waits, and ends as it did."""

from __future__ import annotations

import marshal
import os
import socket
import sys

KILLED = 137


def main(path: str, words: list[str]) -> int:
    """Hand on all that a process is given; how what was run there has ended."""
    order = marshal.dumps((words, dict(os.environ)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as requested:
        requested.connect(path)
        socket.send_fds(requested, [order], [os.open(".", os.O_RDONLY), 0, 1, 2])
        code = requested.recv(1)
    return code[0] if code else KILLED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
