# SPDX-License-Identifier: GPL-3.0-or-later
"""What every call of the twin works on: the store, the clock, the open handles."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from seatkeeper_twins.codemeter import constants
from seatkeeper_twins.codemeter.constants import Error, Refusal, TransferStatus
from seatkeeper_twins.codemeter.faults import Faults
from seatkeeper_twins.codemeter.records import Access
from seatkeeper_twins.codemeter.store import Store

HANDLES_MAX = 65_536


class Session(NamedTuple):
    """What an access handle refers to; None where the access was not that precise."""

    pid: int
    container: int | None
    firm_code: int | None
    item: int | None


class Runtime:
    """One host's stand-in for the CodeMeter runtime."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = Store(directory)
        self.faults = Faults(self.store)
        self.store.at_point = self.faults.reach
        self.profile: str = self.store.meta("profile")
        self.sessions: dict[int, Session] = {}
        # Handles of an engine that died must mean nothing to the one started after it.
        self._next_handle = int.from_bytes(os.urandom(4), "little") << 16 | 0x10

    def system_time(self) -> int:
        """The host's clock as the twin sees it, in seconds since 1970."""
        return int(time.time()) + int(self.store.meta("clock_offset_seconds"))

    def box_time(self) -> int:
        """Seconds since 1970; moves forward with the host's clock and never back (grade D)."""
        return max(self.system_time(), int(self.store.meta("box_time")))

    def keep_box_time(self) -> None:
        """Make the box time durable, so that it does not go back over a restart."""
        self.store.set_meta("box_time", self.box_time())

    def open(self, session: Session) -> int:
        """A new handle; handles of processes that ended are given up when there are many."""
        if len(self.sessions) >= HANDLES_MAX:
            self.sessions = {
                handle: kept
                for handle, kept in self.sessions.items()
                if Path(f"/proc/{kept.pid}").exists()
            }
        if len(self.sessions) >= HANDLES_MAX:
            raise Refusal(Error.ACCESS_DENIED, "too many open handles")
        self._next_handle += 0x10
        self.sessions[self._next_handle] = session
        return self._next_handle

    def session(self, handle: int) -> Session:
        """The session of an open handle; Refusal 105 for any other."""
        session = self.sessions.get(handle)
        if session is None:
            raise Refusal(Error.INVALID_PARAMETER, "not an open handle")
        return session

    def container(self, session: Session) -> sqlite3.Row:
        """The container of a session; Refusal 105 when the access named none."""
        if session.container is None:
            raise Refusal(Error.INVALID_PARAMETER, "the handle refers to no container")
        return self.container_by_id(session.container)

    def container_by_id(self, identity: int) -> sqlite3.Row:
        """The container with this key of the store."""
        found = self.store.row("SELECT * FROM container WHERE id = ?", identity)
        if found is None:
            raise Refusal(Error.BOX_NOT_FOUND, "the container is gone")
        return found

    def item(self, session: Session) -> sqlite3.Row:
        """The product item of a session, as it is now; Refusal 105 or 200."""
        if session.item is None:
            raise Refusal(Error.INVALID_PARAMETER, "the handle refers to no product item")
        found = self.store.row("SELECT * FROM item WHERE id = ?", session.item)
        if found is None:
            raise Refusal(Error.ENTRY_NOT_FOUND, "the product item is gone")
        return found

    def update_counter(self, container: int, firm_code: int) -> int:
        """The firm item's counter, 0 when the container has no such firm item."""
        found = self.store.row(
            "SELECT update_counter FROM firm_item WHERE container = ? AND firm_code = ?",
            container,
            firm_code,
        )
        return 0 if found is None else int(found["update_counter"])

    def count_update(self, container: int, firm_code: int, text: str = "") -> None:
        """Note a durable change of a firm item; makes the firm item when it is missing."""
        self.store.write(
            "INSERT INTO firm_item VALUES (?, ?, ?, 1) ON CONFLICT (container, firm_code)"
            " DO UPDATE SET update_counter = update_counter + 1",
            container,
            firm_code,
            text,
        )


def access(runtime: Runtime, flags: int, wanted: Access, pid: int) -> int:
    """CmAccess2: the handle for what CMACCESS2 asks; Refusals 111, 200, 201, 231."""
    if flags & 0xF == constants.ACCESS_LAN_ONLY:
        raise Refusal(Error.NO_NETWORK_SERVER, "the twin is on no network")
    if wanted.firm_code == 0:
        return runtime.open(Session(pid, _find_container(runtime, wanted), None, None))
    if wanted.ctrl & constants.ACCESS_FIRM_ITEM:
        return runtime.open(Session(pid, *_find_firm_item(runtime, wanted), None))
    # Any other limit would take a seat into use, and a twin serves no usable license.
    if wanted.ctrl & constants.ACCESS_LIMIT_MASK != constants.ACCESS_NO_USER_LIMIT:
        raise Refusal(Error.ACCESS_DENIED, "the twin serves no seat, ask with no user limit")
    item = _find_item(runtime, wanted)
    return runtime.open(Session(pid, item["container"], item["firm_code"], item["id"]))


def _find_container(runtime: Runtime, wanted: Access) -> int | None:
    if not wanted.serial:
        return None
    found = runtime.store.row(
        "SELECT id FROM container WHERE mask = ? AND serial = ?", wanted.mask, wanted.serial
    )
    if found is None:
        raise Refusal(Error.BOX_NOT_FOUND, f"no container {wanted.mask}-{wanted.serial}")
    return int(found["id"])


def _find_firm_item(runtime: Runtime, wanted: Access) -> tuple[int, int]:
    _find_container(runtime, wanted)
    found = runtime.store.row(
        "SELECT f.container, f.firm_code FROM firm_item f JOIN container c ON c.id = f.container"
        " WHERE f.firm_code = ? AND (? = 0 OR (c.mask = ? AND c.serial = ?)) ORDER BY c.id",
        wanted.firm_code, wanted.serial, wanted.mask, wanted.serial,
    )  # fmt: skip
    if found is None:
        raise Refusal(Error.ENTRY_NOT_FOUND, f"no firm item {wanted.firm_code}")
    return int(found["container"]), int(found["firm_code"])


def _find_item(runtime: Runtime, wanted: Access) -> sqlite3.Row:
    # By its reference an entry is found even when deleted or disabled: so its history stays
    # readable until CmLtCleanup, which is the twin's choice.
    found = runtime.store.row(
        "SELECT i.* FROM item i JOIN container c ON c.id = i.container"
        " WHERE i.firm_code = ? AND i.product_code = ?"
        " AND (? = 0 OR (c.mask = ? AND c.serial = ?)) AND (i.feature_map & ?) = ?"
        " AND (i.reference = ? OR (? = 0 AND i.status = ?)) ORDER BY c.id, i.reference",
        wanted.firm_code, wanted.product_code, wanted.serial, wanted.mask, wanted.serial,
        wanted.feature_code, wanted.feature_code, wanted.item_reference, wanted.item_reference,
        TransferStatus.ENABLED,
    )  # fmt: skip
    if found is None:
        _find_container(runtime, wanted)
        raise Refusal(
            Error.ENTRY_NOT_FOUND,
            f"no product item {wanted.firm_code}:{wanted.product_code} there",
        )
    return found
