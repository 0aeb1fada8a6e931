# SPDX-License-Identifier: GPL-3.0-or-later
"""One of four dongles for the vendor's driver, on a real kernel."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .bed import NOBODY, Bed, path_of, serial_of

# Making the guest is part of the first test; the rest is for a machine that is busy otherwise.
pytestmark = pytest.mark.timeout(2400)

PORTS = (1, 2, 3, 4)
PATHS = tuple(path_of(port) for port in PORTS)
KEPT = PATHS[3]
HIDDEN = PATHS[:3]
REFUSED = 3
NOTICED_SECONDS_PROMISED = 1.0
SLOWNESS_MAX = 10.0
"""How much slower than a real machine the emulated one may be, on a busy machine."""


def usable(bed: Bed) -> set[str]:
    """The paths of the dongles that a driver can claim."""
    return {path for path, row in bed.ask("drivers_view").items() if row["claimed"]}


def interfaces(bed: Bed) -> list[str]:
    """The lines of lsusb's tree that are interfaces of dongles, for instance ``Port 4: Dev 5``."""
    lines = bed.machine.shell("lsusb -t").splitlines()
    return [line for line in lines if "Class=Vendor Specific Class" in line]


def test_of_four_listed_dongles_a_driver_gets_only_the_one_that_is_not_hidden(bed: Bed) -> None:
    bed.plug(*PORTS)
    dongles = bed.ask("inventory")
    assert [(each["path"], each["serial"]) for each in dongles] == [
        (path_of(port), serial_of(port)) for port in PORTS
    ]
    for dongle in dongles:
        assert (dongle["vendor_id"], dongle["product_id"]) == (0x064F, 0x0BD8)
        assert dongle["family"] == "wibukey"
        assert dongle["authorized"] is True
    assert usable(bed) == set(PATHS)
    bed.begin("hide", *HIDDEN).lines(1)
    assert bed.authorized() == {path: path == KEPT for path in PATHS}
    # The kernel's promise is smaller than the word: whoever only lists devices sees all of them.
    listed = bed.ask("drivers_view")
    assert {path for path, row in listed.items() if row["claimed"]} == {KEPT}
    assert {path: row["ids"] for path, row in listed.items()} == dict.fromkeys(PATHS, "064f:0bd8")
    assert bed.machine.shell("lsusb -d 064f:0bd8").count("\n") == len(PORTS)
    (line,) = interfaces(bed)
    assert "Port 4:" in line
    # The agent still knows all of them: it has to give them back.
    reported = {each["serial"]: each["authorized"] for each in bed.ask("inventory")}
    assert reported == {serial_of(port): path_of(port) == KEPT for port in PORTS}
    bed.ask("give_back", *HIDDEN)
    assert usable(bed) == set(PATHS)
    assert len(interfaces(bed)) == len(PORTS)


def test_a_driver_loses_a_dongle_that_it_holds(bed: Bed) -> None:
    bed.plug(1)
    driver = bed.begin("hold", PATHS[0])
    assert driver.lines(1) == [{"held": PATHS[0]}]
    bed.begin("hide", PATHS[0]).lines(1)
    assert "lost" in driver.lines(2)[1]
    assert usable(bed) == set()


def test_what_a_killed_process_hid_is_given_back_by_another(bed: Bed) -> None:
    bed.plug(*PORTS)
    isolating = bed.begin("hide", *HIDDEN)
    assert isolating.lines(1) == [{"hidden": list(HIDDEN)}]
    isolating.kill()
    # The kernel keeps it: nothing comes back unless somebody gives it back.
    assert bed.authorized() == {path: path == KEPT for path in PATHS}
    assert usable(bed) == {KEPT}
    # Those never hidden and those no longer there do not stand in the way.
    bed.ask("give_back", *PATHS, "1-8")
    assert all(bed.authorized().values())
    assert usable(bed) == set(PATHS)


def test_plugging_and_unplugging_is_noticed_within_a_second(
    bed: Bed, record_property: Callable[[str, object], None]
) -> None:
    bed.plug(1)
    watching = bed.begin("watch", "2")
    watching.lines(1)
    bed.plug(2)
    watching.lines(3)
    bed.unplug(1)
    events = watching.lines(5)[1:]
    at = {(each["source"], each["action"], each["path"]): each["at"] for each in events}
    for action, path in (("add", PATHS[1]), ("remove", PATHS[0])):
        # The watch may even look before the kernel's own telling has been read.
        noticed = max(0.0, at["agent", action, path] - at["kernel", action, path])
        record_property(f"{action} noticed", f"after {noticed:.2f} s")
        assert noticed < NOTICED_SECONDS_PROMISED * SLOWNESS_MAX
    added = next(each["dongle"] for each in events if "dongle" in each)
    assert (added["path"], added["serial"]) == (PATHS[1], serial_of(2))


def test_a_hidden_dongle_that_is_replugged_is_back_and_noticed(bed: Bed) -> None:
    bed.plug(1, 2)
    bed.begin("hide", PATHS[0]).lines(1)
    watching = bed.begin("watch", "2")
    watching.lines(1)
    bed.unplug(1)
    watching.lines(3)
    bed.plug(1)
    reported = [each for each in watching.lines(5) if each["source"] == "agent"]
    assert [(each["action"], each.get("path")) for each in reported[1:]] == [
        ("remove", PATHS[0]),
        ("add", PATHS[0]),
    ]
    assert reported[2]["dongle"]["authorized"] is True
    assert usable(bed) == set(PATHS[:2])


def test_without_permission_nothing_is_hidden_or_given_back_and_it_says_why(bed: Bed) -> None:
    bed.plug(*PORTS)
    refused = bed.run("hide", *HIDDEN, prefix=NOBODY)
    assert refused.status == REFUSED
    (sentence,) = refused.errors.splitlines()
    assert f"The device at {PATHS[0]} cannot be hidden" in sentence
    assert f"/sys/bus/usb/devices/{PATHS[0]}/authorized cannot be written" in sentence
    assert "Permission denied" in sentence
    assert all(bed.authorized().values())
    assert usable(bed) == set(PATHS)
    # Looking needs no permission: the serial numbers are the kernel's then.
    dongles = bed.ask("inventory", prefix=NOBODY)
    assert [each["serial"] for each in dongles] == [serial_of(port) for port in PORTS]
    bed.begin("hide", *HIDDEN).lines(1)
    refused = bed.run("give_back", *HIDDEN, prefix=NOBODY)
    assert refused.status == REFUSED
    assert all(f"The device at {path} cannot be given back" in refused.errors for path in HIDDEN)
    assert usable(bed) == {KEPT}
