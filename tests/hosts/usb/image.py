# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest of the USB tests: built once, booted once, kept where it can go on at once."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hosts.kept import (
    CACHE,
    ImageUnavailable,
    kept,
    key_of,
    missing_programs,
    run_build_script,
)

from .machine import QEMU, Machine, MachineError, make_disk, qemu_command

BUILD_SCRIPT = Path(__file__).with_name("build-guest.sh")
READY_SECONDS_MAX = 1800.0
PROGRAMS = (QEMU, "qemu-img", "mmdebstrap", "mke2fs", "unshare")
# One of the eight virtual controllers is enough: listing the others' hubs costs time at each look.
# What every test reads from the disk is kept in the saved memory.
PREPARE = """
udevadm settle
for number in 1 2 3 4 5 6 7; do
    echo vhci_hcd.$number >/sys/bus/platform/drivers/vhci_hcd/unbind
done
lsusb -t
setpriv --version
tar --version
python3 -c 'import ctypes, dataclasses, importlib.resources, json, logging, re, socket, tempfile'
python3 -c 'import ctypes; ctypes.CDLL("libusb-1.0.so.0")'
udevadm settle
sync
test -d /sys/devices/platform/vhci_hcd.0/usb1
"""


@dataclass(frozen=True, slots=True)
class Image:
    """A folder with a guest that is up, its memory and its disk included; nothing changes it."""

    folder: Path

    @contextmanager
    def clone(self) -> Iterator[Machine]:
        """A machine of its own that goes on where the image was made; it ends with the block."""
        with tempfile.TemporaryDirectory(prefix="seatkeeper-vm-") as name:
            folder = Path(name)
            disk = folder / "disk.qcow2"
            make_disk(disk, self.folder / "ready.qcow2", "qcow2")
            with Machine(folder, self.folder, disk, self.folder / "ready.state") as machine:
                yield machine


def get() -> Image:
    """The guest, built now if it was not; ImageUnavailable when it cannot be."""
    missing = missing_programs(PROGRAMS)
    if missing:
        raise ImageUnavailable(
            f"{', '.join(missing)} missing: run tests/hosts/install.sh as root on Debian."
        )
    return Image(kept(CACHE, "usb", _key(), _make))


def _key() -> str:
    """Changes with whatever makes a kept guest unusable."""
    version = subprocess.run([QEMU, "--version"], capture_output=True, check=True, timeout=600)
    machine = qemu_command(Path("/"), Path("/"), Path("/"))
    return key_of(version.stdout, BUILD_SCRIPT, PREPARE, *machine)


def _make(folder: Path) -> None:
    run_build_script(BUILD_SCRIPT, folder)
    _boot(folder)


def _boot(folder: Path) -> None:
    """Let the guest start, settle and stop in the middle of doing nothing."""
    disk = folder / "ready.qcow2"
    # A name without a folder: the image is moved when it is done.
    make_disk(disk, Path("root.ext4"), "raw")
    with (
        tempfile.TemporaryDirectory(prefix="seatkeeper-vm-") as name,
        Machine(Path(name), folder, disk) as machine,
    ):
        waiting = "systemctl", "is-system-running", "--wait"
        state = machine.run(*waiting, seconds_max=READY_SECONDS_MAX).output.strip()
        if state != "running":
            failed = machine.run("systemctl", "--failed", "--no-legend").output
            raise MachineError(f"The guest is {state}: {failed}")
        machine.shell(PREPARE)
        machine.save(folder / "ready.state")
