# SPDX-License-Identifier: GPL-3.0-or-later
"""License transfer with the CodeMeter runtime on this host."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, overload

from seatkeeper_agent.domain.licenses import (
    Container,
    ContainerClock,
    HistoryRow,
    Item,
    ItemKey,
    TransferOption,
    TransferType,
)
from seatkeeper_agent.domain.transfers import Mode
from seatkeeper_agent.operations.ports import (
    Description,
    DriverError,
    DriverRefused,
    DriverUnsupported,
    TransferCommand,
)
from seatkeeper_agent.vendors.codemeter import constants as cm
from seatkeeper_agent.vendors.codemeter.capabilities import capabilities
from seatkeeper_agent.vendors.codemeter.cmu import Cmu
from seatkeeper_agent.vendors.codemeter.library import Library
from seatkeeper_agent.vendors.codemeter.messages import Box, Entry, History, Option
from seatkeeper_agent.vendors.codemeter.serials import parse_serial
from seatkeeper_agent.vendors.codemeter.settings import CodeMeterSettings, found_on_this_host
from seatkeeper_agent.vendors.codemeter.translate import (
    REQUEST_FLAGS,
    TRANSFER_FLAGS,
    TYPE_NUMBERS,
    container_of,
    history_row_of,
    item_of,
    options_of,
)
from seatkeeper_agent.vendors.codemeter.versions import (
    SECURE_SINCE,
    Version,
    runtime_types,
    security_floor_met,
    transfer_refusal,
)

ITEMS_PER_CALL = 200
"""Items whose options are read in one call, so that each call stays well inside its limit."""

ARTEFACT_BYTES_MAX = 256 * 1024
NUMBER_MAX = 0xFFFFFFFF
UNTIL_MAX = 946_684_800 + NUMBER_MAX
"""The last moment that the runtime's record of a time can hold, in seconds since 1970."""

LISTED_OPTIONS_SECONDS_MAX = 3600.0
"""How long a listing shows options that were read before the container's counter moved."""


_Codes = tuple[int, int, int]

_MAY_BE_CLOSED = (cm.STATUS_DELETED, cm.STATUS_EXPIRED)
"""Items of which the runtime need not give the history any more."""


@dataclass(frozen=True, slots=True)
class _ReadOptions:
    """An item's options, its entry when they were read, and when that was by the steady clock."""

    entry: Entry
    read_at: float
    options: tuple[TransferOption, ...]

    def hold_for(self, entry: Entry) -> bool:
        """Whether nothing was programmed since: each programming moves the update counter."""
        return self.entry == entry

    def may_be_listed(self, entry: Entry) -> bool:
        """Whether a listing may show them: the item itself is as it was, not long ago.

        A transfer of another item of the firm code moves the counter as a programming does.
        """
        is_same = self.entry.without_counter == entry.without_counter
        return is_same and time.monotonic() - self.read_at < LISTED_OPTIONS_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class MovableTypes:
    """The types of transfer that a container can send, and those that it can receive."""

    sent: tuple[TransferType, ...]
    received: tuple[TransferType, ...]


UNMOVABLE = MovableTypes((), ())


class _Items(Sequence[Item]):
    """All items of a container; the options of each are read when it is looked at."""

    def __init__(self, entries: list[Entry], read: Callable[[list[Entry]], list[Item]]) -> None:
        self._entries = entries
        self._read = read

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return self._read(self._entries[index])
        return self._read([self._entries[index]])[0]

    def __iter__(self) -> Iterator[Item]:
        return iter(self[:])


class CodeMeterDriver:
    """LicenseDriver for the runtime library; safe to use from several threads.

    Numbers, records and flags are of grade H, rules about versions and containers of grade D;
    README.md beside this file lists what is unproven.
    """

    vendor = "codemeter"

    def __init__(self, settings: CodeMeterSettings) -> None:
        self._settings = settings
        self.call_seconds_max = settings.call_seconds_max
        self.update_is_repeatable = settings.update_is_repeatable
        self._library = Library(
            settings.library,
            settings.environment(),
            settings.call_seconds_max,
            settings.idle_seconds_max,
        )
        self._cmu = Cmu(settings.cmu, settings.environment(), settings.call_seconds_max)
        self._options: dict[str, dict[_Codes, _ReadOptions]] = {}

    def close(self) -> None:
        """End the worker process; the driver can be used again afterwards."""
        self._library.close()

    def describe(self) -> Description:
        """Version and capabilities of what is installed here; never raises."""
        version, running, trouble = None, False, None
        try:
            version = self._version()
            reached = self._library.read("reach")
            running, trouble = reached["running"], reached["text"] or None
        except DriverError as error:
            trouble = str(error)
        return Description(
            vendor=self.vendor,
            product="CodeMeter",
            version=None if version is None else str(version),
            running=running,
            security_floor=SECURE_SINCE,
            security_floor_met=None if version is None else security_floor_met(version),
            transfer_types=() if version is None else runtime_types(version),
            capabilities=capabilities(version, trouble, self.update_is_repeatable),
        )

    def is_here(self, found: Description) -> bool:
        """Whether this host has the product, as described: its library answers or its files lie
        here. A product that is here and answers nothing is a fault, one that is not is none."""
        return found.version is not None or found_on_this_host(self._settings)

    def is_running(self) -> bool:
        """Whether the license server answers, be it with a refusal; asked, never assumed.

        DriverError where that cannot be told, so that nobody takes silence for a stopped server.
        """
        return bool(self._library.read("reach")["running"])

    def cross_check(self) -> list[str]:
        """Where the library and ``cmu`` disagree, a sentence each; never raises."""
        try:
            running = self.is_running()
            listing = self._cmu.containers()
            shown = {container.serial for container in self.containers()} if running else set()
        except DriverError as error:
            return [f"Library and cmu could not be compared: {error}"]
        if listing.running != running:
            first, second = ("running" if it else "stopped" for it in (running, listing.running))
            return [f"The library finds the license server {first}, cmu finds it {second}."]
        # CmCloud containers have a third part in cmu that the library does not show.
        listed = {"-".join(serial.split("-")[:2]) for serial in listing.serials}
        only = sorted(shown ^ listed)
        return [f"Only one of library and cmu lists container {serial}." for serial in only]

    def containers(self) -> list[Container]:
        """All local containers, in the order of their serial numbers."""
        boxes = sorted(self._boxes(), key=lambda box: (box.mask, box.serial))
        return [container_of(box) for box in boxes]

    def items(self, serial: str, key: ItemKey | None = None) -> Sequence[Item]:
        """The items of a container, deleted ones included, by codes and reference.

        With ``key`` only those that it names, as they are now. Without it the options of an item
        are read when it is looked at, and may be as old as LISTED_OPTIONS_SECONDS_MAX where the
        item's entry is as it was.
        """
        entries = self._product_items(serial, key)
        if key is None:
            listed = partial(self._items_of, serial, is_current=_ReadOptions.may_be_listed)
            return _Items(entries, listed)
        return self._items_of(serial, entries, _ReadOptions.hold_for)

    def _items_of(
        self, serial: str, entries: list[Entry], is_current: Callable[[_ReadOptions, Entry], bool]
    ) -> list[Item]:
        options = self._options_of(serial, entries, is_current)
        return [item_of(entry, options.get(entry.codes, ())) for entry in entries]

    def firm_items(self, serial: str) -> dict[int, int]:
        """The firm codes of the container's firm items and their update counters."""
        firm_items = self._contents(serial, cm.CONTENTS_FIRM_ITEMS)
        return {entry.firm_code: entry.update_counter for entry in firm_items}

    def history(self, serial: str, firm_code: int, product_code: int) -> list[HistoryRow]:
        """The transfer history of all items of these codes, oldest first.

        A deleted item that the runtime no longer gives access to has no readable history.
        """
        entries = self._product_items(serial, ItemKey(firm_code, product_code))
        return sorted(self._histories(serial, entries), key=lambda row: (row.at, row.index))

    def all_history(self, serial: str) -> list[HistoryRow]:
        """The history of every item, item by item in the order of the container.

        Only items whose entry says that they have one are asked (grade H).
        """
        entries = self._product_items(serial, None)
        having = [entry for entry in entries if entry.set_options & cm.ENTRY_HISTORY]
        return self._histories(serial, having)

    def _histories(self, serial: str, entries: list[Entry]) -> list[HistoryRow]:
        mask, number = parse_serial(serial)
        rows: list[HistoryRow] = []
        for start in range(0, len(entries), ITEMS_PER_CALL):
            part = entries[start : start + ITEMS_PER_CALL]
            items = [entry.codes for entry in part]
            found = self._library.read("history", mask=mask, serial=number, items=items)
            for entry, raw in zip(part, found, strict=True):
                if raw is None and entry.status not in _MAY_BE_CLOSED:
                    raise DriverRefused(
                        f"Item {_key(entry)} of {serial} could not be accessed, Error"
                        f" {cm.ERROR_ENTRY_NOT_FOUND}",
                        cm.ERROR_ENTRY_NOT_FOUND,
                    )
                rows += [history_row_of(entry, History(*row)) for row in raw or ()]
        return rows

    def clock(self, serial: str) -> ContainerClock:
        """The container's times; ``certified_at`` is None before the first certified update."""
        mask, number = parse_serial(serial)
        times = self._library.read("clock", mask=mask, serial=number)
        if times["box"] is None or times["system"] is None:
            raise DriverUnsupported(f"Container {serial} shows no time.")
        return ContainerClock(times["certified"], times["box"], times["system"])

    def require_transfer(self, serial: str, type_: TransferType, sends: bool) -> None:
        """DriverUnsupported by the rules about runtime, container and firmware, before anything."""
        mask, number = parse_serial(serial)
        version = self._version()
        if type_ not in runtime_types(version):
            raise DriverUnsupported(
                f"Runtime {version} is not documented to transfer by type {type_.value}."
            )
        for box in self._boxes():
            if (box.mask, box.serial) == (mask, number):
                firmware = (box.major, box.minor)
                reason = transfer_refusal(mask, firmware, version, type_, sends)
                if reason is not None:
                    raise DriverUnsupported(f"Container {serial} cannot transfer: {reason}.")
                return
        raise DriverRefused(f"There is no container {serial} on this host.")

    def movable_types(self, containers: Iterable[Container]) -> dict[str, MovableTypes]:
        """By serial number, what ``require_transfer`` lets each of these containers do."""
        version = self._version()
        return {entry.serial: _movable(entry, version) for entry in containers}

    def create_request(self, serial: str, firm_code: int, mode: Mode) -> bytes:
        """The receiving container's context for a transfer; moves nothing."""
        mask, number = parse_serial(serial)
        made = self._library.read(
            "create_context",
            mask=mask,
            serial=number,
            firm_code=_number(firm_code, "firm code"),
            flags=REQUEST_FLAGS[mode],
        )
        return base64.b64decode(made)

    def do_transfer(
        self, serial: str, item: Item, command: TransferCommand, request: bytes
    ) -> bytes:
        """EFFECT at the sending side: debit the item and give the update, in one single call."""
        wanted = _wanted(command)
        given = _artefact(request, "request")
        mask, number = parse_serial(serial)
        made = self._library.effect(
            "do_transfer",
            mask=mask,
            serial=number,
            item=[item.key.firm_code, item.key.product_code, item.key.reference or 0],
            flags=TRANSFER_FLAGS[command.mode],
            command=wanted,
            request=given,
        )
        return base64.b64decode(made)

    def import_update(self, serial: str, update: bytes) -> None:
        """EFFECT at the receiving side: credit what the update brings."""
        mask, number = parse_serial(serial)
        self._library.effect(
            "import_update", mask=mask, serial=number, update=_artefact(update, "update")
        )

    def create_receipt(self, serial: str, firm_code: int) -> bytes:
        """The receiving container's receipt for the sender; moves nothing."""
        mask, number = parse_serial(serial)
        made = self._library.read(
            "create_receipt",
            mask=mask,
            serial=number,
            firm_code=_number(firm_code, "firm code"),
        )
        return base64.b64decode(made)

    def confirm_transfer(self, serial: str, receipt: bytes) -> None:
        """EFFECT at the sending side: close the history row."""
        mask, number = parse_serial(serial)
        self._library.effect(
            "confirm_transfer", mask=mask, serial=number, receipt=_artefact(receipt, "receipt")
        )

    def _version(self) -> Version:
        found = self._library.read("version")
        return Version.from_number(found["server"] or found["library"])

    def _boxes(self) -> list[Box]:
        return [Box(*row) for row in self._library.read("boxes")]

    def _contents(self, serial: str, flags: int, key: ItemKey | None = None) -> list[Entry]:
        mask, number = parse_serial(serial)
        rows = self._library.read(
            "contents",
            mask=mask,
            serial=number,
            flags=flags,
            firm_code=0 if key is None else key.firm_code,
            product_code=None if key is None else key.product_code,
        )
        return [Entry._make(row) for row in rows]

    def _product_items(self, serial: str, key: ItemKey | None = None) -> list[Entry]:
        # An entry without a product code is a firm item that holds no product item.
        found = self._contents(serial, cm.CONTENTS_ALL, key)
        items = (entry for entry in found if entry.set_options & cm.ENTRY_PRODUCT_CODE)
        named = (entry for entry in items if key is None or key.matches(_key(entry)))
        return sorted(named, key=attrgetter("codes"))

    def _options_of(
        self, serial: str, entries: list[Entry], is_current: Callable[[_ReadOptions, Entry], bool]
    ) -> dict[_Codes, tuple[TransferOption, ...]]:
        mask, number = parse_serial(serial)
        known = self._options.setdefault(serial, {})
        having = [entry for entry in entries if entry.set_options & cm.ENTRY_TRANSFER_OPTIONS]
        shown: dict[_Codes, tuple[TransferOption, ...]] = {}
        missing = []
        for entry in having:
            before = known.get(entry.codes)
            if before is not None and is_current(before, entry):
                shown[entry.codes] = before.options
            else:
                missing.append(entry)
        for start in range(0, len(missing), ITEMS_PER_CALL):
            part = missing[start : start + ITEMS_PER_CALL]
            found = self._library.read(
                "options", mask=mask, serial=number, items=[entry.codes for entry in part]
            )
            for entry, rows in zip(part, found, strict=True):
                options = options_of([Option(*row) for row in rows or ()])
                known[entry.codes] = _ReadOptions(entry, time.monotonic(), options)
                shown[entry.codes] = options
        return shown


def _key(entry: Entry) -> ItemKey:
    return ItemKey(entry.firm_code, entry.product_code, entry.reference)


def _movable(container: Container, version: Version) -> MovableTypes:
    mask, _number = parse_serial(container.serial)
    major, minor = (int(part) for part in container.firmware.split("."))

    def able(sends: bool) -> tuple[TransferType, ...]:
        return tuple(
            type_
            for type_ in runtime_types(version)
            if transfer_refusal(mask, (major, minor), version, type_, sends) is None
        )

    return MovableTypes(sent=able(sends=True), received=able(sends=False))


def _wanted(command: TransferCommand) -> dict[str, Any]:
    quantity = 0
    if command.type.is_partial:
        quantity = _number(command.quantity or 0, "quantity")
        if quantity == 0:
            raise DriverRefused(f"A transfer of type {command.type.value} needs a quantity.")
    if command.until is not None and not UNTIL_MAX - NUMBER_MAX < command.until <= UNTIL_MAX:
        raise DriverRefused(f"The end {command.until} is outside of what the runtime can hold.")
    return {
        "type": TYPE_NUMBERS[command.type],
        "units": quantity if command.type is TransferType.UNITS else 0,
        "licenses": quantity if command.type is TransferType.LICENSES else 0,
        "until": command.until,
        "history_index": command.history_index or 0,
    }


def _number(value: int, what: str) -> int:
    if not 0 <= value <= NUMBER_MAX:
        raise DriverRefused(f"The {what} {value} is outside of 0 to {NUMBER_MAX}.")
    return value


def _artefact(content: bytes, what: str) -> str:
    if not 0 < len(content) <= ARTEFACT_BYTES_MAX:
        raise DriverRefused(
            f"The {what} has {len(content)} bytes; it must have 1 to {ARTEFACT_BYTES_MAX}."
        )
    return base64.b64encode(content).decode("ascii")
