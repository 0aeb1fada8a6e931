# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent starts has none of its capabilities, and nothing leaves a core."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from seatkeeper_twins.lab.lab import Lab

from .conftest import CHAOS_CLOUD, CHAOS_SEED, SEEDS

NONE = 0
CHOWN, FOWNER = 1 << 0, 1 << 3
INHERITED = ("CapInh", "CapPrm", "CapEff", "CapAmb")
PROGRAM_SECONDS_MAX = 120

# As the agent's unit starts it where it may replace settings files of license servers. It becomes
# the other user once all is loaded: what it was started from may be closed to that user.
_AS_THE_UNIT = """
import ctypes, json, os, subprocess, sys
from seatkeeper_agent.host import host, linux_confinement
confined = host().confine
uid, wanted = int(sys.argv[1]), int(sys.argv[2])
subprocess.run(["/bin/true"], check=True)
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2
def done(answer):
    assert answer == 0, os.strerror(ctypes.get_errno())
done(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
os.setgroups([])
os.setresuid(uid, uid, uid)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
done(libc.capset(header, (ctypes.c_uint32 * 6)(wanted, wanted, wanted, 0, 0, 0)))
for number in range(32):
    if wanted >> number & 1:
        done(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0))
cat = ["/bin/cat", "/proc/self/status"]
told = [subprocess.run(cat, capture_output=True, text=True, check=True).stdout]
confined()
told += [open("/proc/self/status").read()]
told += [subprocess.run(cat, capture_output=True, text=True, check=True).stdout]
print(json.dumps(told))
"""


def capabilities(status: str) -> dict[str, int]:
    """The sets of capabilities that the kernel tells of a process."""
    rows = dict(line.split(":", 1) for line in status.splitlines())
    return {name: int(rows[name], 16) for name in (*INHERITED, "CapBnd")}


def assert_has_none(status: str) -> None:
    """None in any set; a root agent takes them from the bounding set as well."""
    sets = capabilities(status)
    assert {name: sets[name] for name in INHERITED} == dict.fromkeys(INHERITED, NONE)
    if os.geteuid() == 0:
        assert sets["CapBnd"] == NONE


def test_vendor_programs_and_workers_get_no_capability(tmp_path: Path) -> None:
    reported = tmp_path / "told"
    seed = {"codemeter": SEEDS["old-server"], **CHAOS_SEED}
    with Lab.create({"old-server": seed}, cloud_seed=CHAOS_CLOUD) as lab:
        host = lab["old-server"]
        # In the place of a vendor's program: what the kernel says of it.
        program = host.chaos.wibukey_version
        program.write_text(f"#!/bin/sh\ncat /proc/self/status >> {reported}\necho 1.0\n", "utf-8")
        host.client.get("/v1/containers")
        host.client.get("/v1/dongles/90000001/eligibility", target_user="a@studio.example")
        assert_has_none(reported.read_text("utf-8"))
        (worker,) = [
            entry
            for entry in Path("/proc").glob("[0-9]*")
            if "codemeter.worker import main" in cmdline(entry)
            and str(host.folder) in cmdline(entry)
        ]
        assert_has_none((worker / "status").read_text("utf-8"))


def cmdline(entry: Path) -> str:
    """The words of a process; none of one that has ended."""
    try:
        return (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a process capabilities")
def test_the_agent_keeps_what_its_unit_gives_it_and_passes_nothing_on() -> None:
    uid = pwd.getpwnam("nobody").pw_uid
    done = subprocess.run(
        [sys.executable, "-c", _AS_THE_UNIT, str(uid), str(CHOWN | FOWNER)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PROGRAM_SECONDS_MAX,
    )
    assert done.returncode == 0, done.stderr
    before, agent, after = map(capabilities, json.loads(done.stdout))
    assert before["CapEff"] == CHOWN | FOWNER
    assert (agent["CapEff"], agent["CapPrm"]) == (CHOWN | FOWNER, CHOWN | FOWNER)
    assert {name: after[name] for name in INHERITED} == dict.fromkeys(INHERITED, NONE)
