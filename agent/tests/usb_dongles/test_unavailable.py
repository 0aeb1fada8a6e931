# SPDX-License-Identifier: GPL-3.0-or-later
"""A host without libusb says so in a sentence that tells what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROCESS_SECONDS_MAX = 60

_LIST = """
import sys
from seatkeeper_agent.domain.servers import UsbUnavailable
from seatkeeper_agent.usb.inventory import UsbInventory
from seatkeeper_agent.usb.settings import UsbSettings
try:
    UsbInventory(UsbSettings(sys.argv[1])).dongles()
except UsbUnavailable as error:
    print(error)
"""


def test_libusb_that_cannot_be_loaded(tmp_path: Path) -> None:
    libraries, devices = tmp_path / "libraries", tmp_path / "devices"
    libraries.mkdir()
    devices.mkdir()
    (libraries / "libusb-1.0.so.0").write_text("no library", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _LIST, str(devices)],
        env=os.environ | {"LD_LIBRARY_PATH": str(libraries)},
        capture_output=True,
        text=True,
        timeout=PROCESS_SECONDS_MAX,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("libusb 1.0 cannot be loaded (")
    assert done.stdout.endswith(
        "). Install it: Debian's package libusb-1.0-0, Red Hat's libusb1.\n"
    )
