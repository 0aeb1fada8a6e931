# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an address is this host."""

from __future__ import annotations

import socket


def is_this_host(host: str) -> bool:
    """Whether every address of the name is one of this host's own; no for an unknown name.

    Asked of the kernel: only an own address can be bound. A loopback address that somebody
    forwards to another machine looks like this host.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(_is_own(family, address) for family, _, _, _, address in found)


def _is_own(family: int, address: tuple[object, ...]) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
