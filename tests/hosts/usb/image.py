# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest of the USB tests: built once, booted once, kept where it can go on at once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seatkeeper_twins.lab_process import spawn

from .machine import QEMU, Machine, MachineError, make_disk, qemu_command

CACHE = Path(__file__).resolve().parents[3] / ".cache" / "hosts"
BUILD_SCRIPT = Path(__file__).with_name("build-guest.sh")
BUILD_SECONDS_MAX = 900.0
READY_SECONDS_MAX = 600.0
END_SECONDS_MAX = 20.0
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
LOG_TAIL_CHARACTERS = 2000


class ImageUnavailable(Exception):
    """There is no guest and none can be made here; the text says why and what to do."""


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
    missing = [name for name in PROGRAMS if _find(name) is None]
    if missing:
        raise ImageUnavailable(
            f"{', '.join(missing)} missing: run tests/hosts/install.sh as root on Debian."
        )
    folder = CACHE / f"usb-{_key()}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            if os.geteuid() != 0:
                raise ImageUnavailable(
                    "Building the guest needs root: run make test-hosts as root."
                )
            # Nobody is at work on these: the lock is ours.
            for stale in (*CACHE.glob("usb-*"), *CACHE.glob("making-*")):
                shutil.rmtree(stale)
            with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as name:
                made = Path(name) / "image"
                made.mkdir()
                _build(made)
                _boot(made)
                made.rename(folder)
    return Image(folder)


def _key() -> str:
    """Changes with whatever makes a kept guest unusable."""
    version = subprocess.run([QEMU, "--version"], capture_output=True, check=True, timeout=60)
    digest = hashlib.sha256(version.stdout)
    digest.update(BUILD_SCRIPT.read_bytes() + PREPARE.encode())
    digest.update("\0".join(qemu_command(Path("/"), Path("/"), Path("/"))).encode())
    return digest.hexdigest()[:16]


def _build(folder: Path) -> None:
    # In namespaces of its own: however it ends, no process and no mount is left of it.
    isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    log = folder / "build.log"
    with log.open("wb") as output:
        command = ["nice", "-n", "10", *isolated, str(BUILD_SCRIPT), str(folder)]
        process = spawn(command, folder, os.environ, output)
        try:
            status = process.wait(BUILD_SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            raise ImageUnavailable(
                f"Building the guest took over {BUILD_SECONDS_MAX:.0f} s."
            ) from error
        finally:
            process.kill()
            process.wait(END_SECONDS_MAX)
    if status:
        told = log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
        raise ImageUnavailable(f"The guest could not be built: {told}")


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


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
