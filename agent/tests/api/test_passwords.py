# SPDX-License-Identifier: GPL-3.0-or-later
"""A password that logs a server in is nowhere: no file, process, answer, log or problem."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seatkeeper_twins.lab.lab import Lab
from seatkeeper_twins.lab.process import marked_processes
from seatkeeper_twins.parts import control

from .asking import Asker, asking
from .chaos_routes import ACTIVATION, USER
from .conftest import CHAOS_CLOUD, CHAOS_HOST, CHAOS_SEED
from .contract import Contract

CANARY = "canary-52c1e07d-password"
SLOW_MILLISECONDS = 400
LOOK_SECONDS = 0.01


class Processes:
    """All command lines and environments of a lab that were seen while something went on."""

    def __init__(self, lab: Lab) -> None:
        self.seen: set[bytes] = set()
        self._mark = str(lab.folder)
        self._ended = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look again and again while the block runs."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            for pid in marked_processes("SEATKEEPER_LAB", self._mark):
                for name in ("cmdline", "environ"):
                    try:
                        self.seen.add((Path("/proc") / str(pid) / name).read_bytes())
                    except OSError:
                        continue
            time.sleep(LOOK_SECONDS)


def files_with_canary(folder: Path) -> list[str]:
    """Files of a lab that hold it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [str(path) for path in files if CANARY.encode() in path.read_bytes()]


def ask(asker: Asker, server: str) -> list[str]:
    """Refused, taken, taken again, for somebody else, as a dry run; all answers."""
    body = {"account": USER, "password": CANARY}
    texts = []
    for path, sent in (
        (f"{ACTIVATION}?dry_run=true", body),
        (ACTIVATION, {**body, "password": f"{CANARY}-wrong"}),
        (ACTIVATION, {**body, "account": "nobody@studio-a.example"}),
        (ACTIVATION, {**body, "extra": 1}),
        (ACTIVATION, {"password": CANARY}),
        (ACTIVATION, {**body, "password": [CANARY]}),
        (ACTIVATION, body),
        (ACTIVATION, body),
        (ACTIVATION, {**body, "account": "artist@studio-a.example"}),
    ):
        control.set_fault(server, "activate.before", "slow", SLOW_MILLISECONDS)
        texts.append(asker.ask("PUT", path, json=sent).text)
        control.clear_faults(server)
    assert '"method":"online"' in texts[6].replace(" ", "")
    shown = ("/v1/audit?limit=1000", "/v1/operations?state=all", ACTIVATION, "/metrics", "/")
    return texts + [asker.ask("GET", path).text for path in shown]


def test_a_password_is_used_and_is_nowhere(contract: Contract) -> None:
    cloud = copy.deepcopy(CHAOS_CLOUD)
    cloud["companies"]["Studio A"]["users"][USER] = CANARY
    with Lab.create({CHAOS_HOST: CHAOS_SEED}, cloud_seed=cloud) as lab:
        host = lab[CHAOS_HOST]
        processes = Processes(lab)
        with asking(host, contract) as asker, processes.watched():
            texts = ask(asker, host.chaos.address)
        assert files_with_canary(lab.folder) == []
        # The program that logs in was seen, and so was nothing of what it was given.
        assert any(b"login" in text for text in processes.seen)
        assert not any(CANARY.encode() in text for text in processes.seen)
        assert not any(CANARY in text for text in texts)
        assert "nobody@studio-a.example" in texts[2]
