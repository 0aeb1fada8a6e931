# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud, a license server and a recorded USB bus, and ways to ask and to end them."""

from __future__ import annotations

import copy
import http.client
import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from seatkeeper_twins.chaos import twin, usb_folder
from seatkeeper_twins.lab.process import LabProcess
from seatkeeper_twins.parts import control, listening

ADMIN, ARTIST = "admin@studio-a.example", "artist@studio-a.example"
STRANGER = "admin@studio-b.example"
PASSWORD = "canary-3f1c9b-password"  # noqa: S105 - made up, and looked for where it must not be
WRONG = "not this one"
DONGLE, OLD_DONGLE, FOREIGN_DONGLE = "90000001", "90000002", "90000005"
PORT = "1-1.4"
DAY = 86_400
WAIT_SECONDS_MAX = 120


def _license(product: str, version: str, expires: str | None = None, **seats: int) -> Any:
    return {"product": product, "version": version, "expires": expires, "seats": seats}


CLOUD: dict[str, Any] = {
    "companies": {
        "Studio A": {
            "users": {ADMIN: PASSWORD, ARTIST: "another password"},
            "licenses": [
                _license("V-Ray", "6.2", interface=4, render=10),
                _license("Phoenix", "5.1", "2031-12-31", render=2),
            ],
            "dongles": {
                DONGLE: {"licenses": [_license("V-Ray", "3.6", interface=1, render=5)]},
                OLD_DONGLE: {"licenses": [_license("V-Ray", "2.4", interface=1)]},
            },
        },
        "Studio B": {
            "users": {STRANGER: PASSWORD},
            "licenses": [],
            "dongles": {FOREIGN_DONGLE: {"licenses": [_license("V-Ray", "3.4", network=1)]}},
        },
    },
    "migration_seconds": 0.2,
    "arrival_seconds": 0.2,
    "workstation_seconds": 0.1,
}


class World:
    """Everything of one test run, in one folder."""

    def __init__(self, folder: Path, profile: str = "6", **server_seed: Any) -> None:
        self.folder = folder
        self.usb = folder / "usb"
        self.cloud_folder = twin.create_cloud(folder / "cloud", copy.deepcopy(CLOUD))
        self.cloud_process = self._process("cloud", twin.cloud_command(self.cloud_folder))
        self.cloud_process.start()
        self.cloud = listening.address(self.cloud_folder) or ""
        self.server_folder = twin.create_server(
            folder / "server", profile, {"visible_seconds": 0, **server_seed}, self.cloud, self.usb
        )
        self.server_process = self._process("server", twin.server_command(self.server_folder))
        self.server_process.start()
        self.server = listening.address(self.server_folder) or ""

    def _process(self, name: str, command: list[str]) -> LabProcess:
        folder = self.folder / name
        return LabProcess(
            f"The {name}", command, folder, self.folder / f"{name}.log", dict(os.environ),
            lambda: control.is_ready(folder),
        )  # fmt: skip

    def process(self, name: str) -> LabProcess:
        """The process called cloud or server."""
        return self.cloud_process if name == "cloud" else self.server_process

    def address(self, name: str) -> str:
        """Where the cloud or the server listens."""
        return self.cloud if name == "cloud" else self.server

    def stop(self) -> None:
        """End both in order, also when one is dead."""
        for process in (self.server_process, self.cloud_process):
            process.stop()

    def reset(self) -> None:
        """Start what is dead, go back to the seeds, and leave the bus empty."""
        for process in (self.cloud_process, self.server_process):
            if process.pid is None:
                process.start()
        control.reset(self.cloud, self.server)
        usb_folder.unplug_all(self.usb)

    def make_eligible(self, serial: str = DONGLE) -> None:
        """Everything that a transfer of this dongle needs."""
        control.set_values(
            self.server, activation_method="online", user=ADMIN, logged_in=True, dongle_service=True
        )
        usb_folder.plug(self.usb, PORT, serial=serial)

    def raw(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes, str | None]:
        """Status, body and Location of one request to the server."""
        connection = http.client.HTTPConnection(urlsplit(self.server).netloc, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Location")
        finally:
            connection.close()

    def status(self) -> Any:
        """What GET /status answers."""
        return json.loads(self.raw("GET", "/status")[1])

    def vrlctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return subprocess.run(
            [self.server_folder / twin.VRLCTL_NAME, *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def log_in(self, user: str = ADMIN, password: str = PASSWORD) -> int:
        """Enable online licensing by a credentials file; the exit code."""
        path = self.folder / "credentials.json"
        path.write_text(json.dumps({"username": user, "password": password}))
        try:
            return self.vrlctl("online", "login", "--credentials", str(path)).returncode
        finally:
            path.unlink()

    def seats(self) -> Counter[str]:
        """All seats that there are, wherever they are; a migration changes nothing of it."""
        reported = control.describe(self.cloud)
        under_way_ids = [
            each["licenses"] for each in reported["migrations"]
            if each["state"] == "done" and not each["arrived"]
        ]  # fmt: skip
        held = [
            *reported["licenses"].values(),
            *(dongle["licenses"] for dongle in reported["dongles"].values()),
            *under_way_ids,
        ]
        total = Counter[str]()
        for licenses in held:
            for each in licenses:
                for key, count in each["seats"].items():
                    total[f"{each['product']} {key}"] += count
        return total


def until(observed: Callable[[], bool]) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not observed():
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.02)
