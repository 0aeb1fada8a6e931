# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent's process on Linux denies itself and whatever it starts, before it does anything.

A program that the agent starts, a vendor's or the browser, gets none of the agent's capabilities,
also where the agent is root: what the agent may do beyond a usual user is for its own code.
"""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_DUMP_FILTER = Path("/proc/self/coredump_filter")
_LAST_CAPABILITY = Path("/proc/sys/kernel/cap_last_cap")
_LAST_CAPABILITY_KNOWN = 40

# linux/prctl.h, linux/securebits.h, linux/capability.h
_PR_CAPBSET_DROP = 24
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_SECBIT_NOROOT_AND_LOCKED = 0b11
_CAP_SETPCAP = 8
_CAPABILITY_VERSION_3 = 0x20080522


def confine() -> None:
    """For this process from now on. Call it before there is a second thread: these are a thread's.

    OSError where a filter of system calls does not let it.
    """
    _leave_no_core()
    _pass_no_capability_on()


def _leave_no_core() -> None:
    """A core would hold passwords and keys, wherever the host has it put."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A host that pipes cores into a program passes over that limit; then there is nothing in it.
    with suppress(OSError):
        _DUMP_FILTER.write_text("0")


def _pass_no_capability_on() -> None:
    libc = ctypes.CDLL(None, use_errno=True)

    def call(function: Callable[..., int], *arguments: object) -> None:
        if function(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    # This keeps what the process may do itself, and takes it from what it starts.
    call(libc.prctl, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    # Version and process; then effective, permitted and inheritable, twice.
    header, sets = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    call(libc.capget, header, sets)
    # Asked for only where there are some: a unit without capabilities need not allow the call.
    if sets[2] or sets[5]:
        sets[2] = sets[5] = 0
        call(libc.capset, header, sets)
    if not sets[0] & (1 << _CAP_SETPCAP):
        return
    # Only root gets here: without these, whatever root starts has all capabilities again.
    call(libc.prctl, _PR_SET_SECUREBITS, _SECBIT_NOROOT_AND_LOCKED, 0, 0, 0)
    for capability in range(_last_capability() + 1):
        call(libc.prctl, _PR_CAPBSET_DROP, capability, 0, 0, 0)


def _last_capability() -> int:
    try:
        return int(_LAST_CAPABILITY.read_text())
    except OSError:
        return _LAST_CAPABILITY_KNOWN
