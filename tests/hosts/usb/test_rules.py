# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for udev that the role `seatkeeper_agent` writes, with a real udev and real nodes."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from .bed import NOBODY, Bed, path_of

pytestmark = pytest.mark.timeout(2400)

TEMPLATES = Path(__file__).resolve().parents[3] / "roles" / "seatkeeper_agent" / "templates"
RULES = "70-seatkeeper.rules"
GROUP, GROUP_ID = "seatkeeper-agent", 4711
# Nobody's user and nothing of root, but the group that the rules name.
AGENT = ("/usr/bin/setpriv", "--reuid=65534", f"--regid={GROUP_ID}", "--clear-groups", "--")
PORTS = (1, 2)


def rendered(**variables: object) -> str:
    """The rules as the role writes them; Ansible trims blocks."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        autoescape=False,  # noqa: S701 - no web page
    )
    reported = {"ansible_managed": "by a test", "seatkeeper_agent_user": GROUP, **variables}
    return templates.get_template(f"{RULES}.j2").render(reported) + "\n"


def install_rules(bed: Bed, rules: str) -> None:
    """Have udev use the rules from now on."""
    bed.machine.shell(f"echo {GROUP}:x:{GROUP_ID}: >>/etc/group")
    written = bed.machine.run(
        "/bin/sh", "-c", f"cat >/etc/udev/rules.d/{RULES}", given=rules.encode()
    )
    assert written.status == 0, written.errors
    bed.machine.shell("udevadm control --reload")


def claimed(bed: Bed) -> set[str]:
    """The dongles that the agent's group can have."""
    rows = bed.ask("drivers_view", prefix=AGENT)
    return {path for path, row in rows.items() if row["claimed"]}


def may_write(bed: Bed, prefix: tuple[str, ...], path: str, value: str) -> bool:
    """Whether somebody can hide a dongle (0) or give it back (1); tried."""
    attribute = f"/sys/bus/usb/devices/{path}/authorized"
    return bed.machine.run(*prefix, "/bin/sh", "-c", f"echo {value} >{attribute}").status == 0


def test_the_agents_group_may_open_and_hide_dongles_and_others_may_not(bed: Bed) -> None:
    install_rules(
        bed, rendered(seatkeeper_agent_dongle_ids=["064f"], seatkeeper_agent_dongle_isolation=True)
    )
    bed.plug(*PORTS)
    bed.machine.shell("udevadm settle")
    first, second = (path_of(port) for port in PORTS)
    assert claimed(bed) == {first, second}
    assert not may_write(bed, NOBODY, first, "0")
    assert may_write(bed, AGENT, first, "0")
    assert bed.authorized() == {first: False, second: True}
    assert claimed(bed) == {second}
    assert may_write(bed, AGENT, first, "1")
    assert claimed(bed) == {first, second}


def test_without_isolation_the_agents_group_may_hide_nothing(bed: Bed) -> None:
    install_rules(
        bed, rendered(seatkeeper_agent_dongle_ids=["064f"], seatkeeper_agent_dongle_isolation=False)
    )
    bed.plug(*PORTS)
    bed.machine.shell("udevadm settle")
    assert claimed(bed) == {path_of(port) for port in PORTS}
    assert not may_write(bed, AGENT, path_of(1), "0")


def test_other_dongles_stay_closed(bed: Bed) -> None:
    install_rules(
        bed,
        rendered(seatkeeper_agent_dongle_ids=["064f:0bd7"], seatkeeper_agent_dongle_isolation=True),
    )
    bed.plug(1)
    bed.machine.shell("udevadm settle")
    assert claimed(bed) == set()
    assert not may_write(bed, AGENT, path_of(1), "0")
