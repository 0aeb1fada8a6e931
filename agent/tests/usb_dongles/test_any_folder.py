# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever lies in the folder of a bus, and however it changes, the inventory tells or refuses."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.servers import Dongle
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.settings import UsbSettings

from .recorded_bus import RecordedBus

CHURN_SECONDS = 2.0

Entry = tuple[str, bytes]

ATTRIBUTES = ["idVendor", "idProduct", "serial", "product", "devnum", "authorized", "bDeviceClass"]
NAMES = st.one_of(
    st.sampled_from(["1-1", "1-1.4", "2-3", "1-1.2.3.4.5.6", "1-1.2.3.4.5.6.7", "usb1", "1-1:1.0"]),
    st.from_regex(r"[0-9]{1,4}-[0-9]{1,4}(\.[0-9]{1,4}){0,3}", fullmatch=True),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
        lambda name: name not in {".", ".."} and len(name.encode()) < 250
    ),
)
CONTENT = st.one_of(
    st.sampled_from([b"064f\n", b"0bd7\n", b"0529", b"0001\n", b"1\n", b"0\n", b"WK-1\n", b""]),
    st.binary(max_size=300),
    st.text(max_size=140).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
ENTRIES = st.one_of(
    CONTENT.map(lambda content: ("file", content)),
    st.sampled_from([("folder", b""), ("pipe", b""), ("loop", b""), ("zero", b"")]),
)
DEVICES = st.one_of(
    st.dictionaries(st.sampled_from(ATTRIBUTES), ENTRIES),
    st.dictionaries(st.sampled_from(ATTRIBUTES), ENTRIES).map(
        lambda device: device | {"idVendor": ("file", b"064f\n"), "idProduct": ("file", b"0bd7\n")}
    ),
    ENTRIES,
)


def make(path: Path, what: Entry) -> None:
    """Make one entry of a folder."""
    kind, content = what
    match kind:
        case "file":
            path.write_bytes(content)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path.name)
        case "zero":
            path.symlink_to("/dev/zero")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, DEVICES, max_size=5))
def test_no_folder_makes_it_raise_anything_else(bus: dict[str, Entry | dict[str, Entry]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for device, content in bus.items():
            if isinstance(content, tuple):
                make(folder / device, content)
                continue
            (folder / device).mkdir()
            for attribute, entry in content.items():
                make(folder / device / attribute, entry)
        inventory = UsbInventory(UsbSettings(name, recording=True))
        for dongle in inventory.dongles():
            assert_presentable(dongle)
            assert dongle.path in bus


def assert_presentable(dongle: Dongle) -> None:
    """Nothing of a dongle can harm who shows it."""
    assert dongle.vendor_id in {0x064F, 0x0529}
    assert dongle.id
    assert dongle.id.isprintable()
    assert len(dongle.id) <= 126
    assert dongle.authorized in {True, False, None}


def test_a_dongle_has_its_name_while_others_come_and_go(bus: RecordedBus) -> None:
    """One that is unplugged while it is asked is left out: without serial it would be another."""
    ended = threading.Event()
    bus.plug("1-9", serial="STAYS")

    def churn() -> None:
        while not ended.wait(0):
            for path in ("1-1", "1-2"):
                bus.plug(path)
            for path in ("1-1", "1-2"):
                bus.unplug(path)

    inventory = bus.inventory()
    worker = threading.Thread(target=churn)
    worker.start()
    try:
        deadline = time.monotonic() + CHURN_SECONDS
        while time.monotonic() < deadline:
            found = [dongle.id for dongle in inventory.dongles()]
            assert "STAYS" in found
            assert set(found) <= {"STAYS", "WK-1-1", "WK-1-2"}
    finally:
        ended.set()
        worker.join(30)
