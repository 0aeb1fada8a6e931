# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of an order: few are the agent's, most are people's and the vendor's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.operations.orders.ports import OrderDesk, OrderDocument, PlacedOrder
from seatkeeper_agent.operations.ports import DriverRefused, DriverUnavailable
from seatkeeper_agent.operations.steps import PlainStep, Probe, Verdict

FILE_MODE = 0o600

PAPERS = "papers"
CASE = "case"
PAPERS_WITH_CASE = "papers_with_case"
PURCHASE_ORDER = "purchase_order"
SEND = "send"
AUTHORIZE = "authorize"
MOVE = "move"
NEW_KEYS = "new_keys"
REGISTER_OLD = "register_old"
REGISTER_NEW = "register_new"


@dataclass(frozen=True)
class MakeDocuments(PlainStep):
    """Have the papers in the order's folder, exactly as the declaration makes them."""

    called: str
    folder: Path
    make: Callable[[], list[OrderDocument]]

    @property
    def type(self) -> str:
        """Without and with the case number they are two steps."""
        return self.called

    @property
    def title(self) -> str:
        """With or without the case number."""
        return "making the papers" if self.called == PAPERS else "making papers and cover mail"

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Every file is there with its content."""
        made = self.make()
        missing = [entry.name for entry in made if not self._is_there(entry)]
        if missing:
            return Probe(Verdict.NOT_DONE)
        digests = {entry.name: hashlib.sha256(entry.content).hexdigest() for entry in made}
        return Probe(Verdict.DONE, {"files": digests})

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Write them, each in one piece."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for entry in self.make():
                _write(self.folder / entry.name, entry.content)
        except OSError as error:
            raise DriverUnavailable(
                f"{error.filename} cannot be written: {error.strerror}"
            ) from error
        return b""

    def _is_there(self, entry: OrderDocument) -> bool:
        try:
            return (self.folder / entry.name).read_bytes() == entry.content
        except OSError:
            return False


@dataclass(frozen=True)
class Declared(PlainStep):
    """What somebody else does gives something that comes back in the declaration.

    ``found`` gives it as evidence, empty as long as it is not declared.
    """

    called: str
    what: str
    guidance: Instructions
    who: Performer
    found: Callable[[], dict[str, Any]]

    @property
    def type(self) -> str:
        """Each is made in its own way."""
        return self.called

    @property
    def title(self) -> str:
        """What people read."""
        return self.what

    @property
    def performer(self) -> Performer:
        """Whose step it is."""
        return self.who

    @property
    def instructions(self) -> Instructions:
        """What to do."""
        return self.guidance

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """It is declared."""
        evidence = self.found()
        return Probe(Verdict.DONE, evidence) if evidence else Probe(Verdict.NOT_DONE)


@dataclass
class SendMail(PlainStep):
    """The papers go to the vendor, who acts on them: it cannot be taken back.

    A mail server's word that it took the mail is all that can be seen of it. After an
    interruption nothing shows whether it was sent, and it is not sent twice on a doubt.
    """

    mail: Callable[[], bytes]
    send: Callable[[bytes], None] | None
    guidance: Instructions
    accepted: bool = field(default=False, init=False)
    refused: bool = field(default=False, init=False)

    type, title = SEND, "sending the papers to the vendor"
    reversible = False

    @property
    def arguments(self) -> dict[str, Any]:
        """Who sends it, as it was when the order was placed."""
        return {"by_agent": self.send is not None}

    @property
    def performer(self) -> Performer:
        """The agent where it was told of a mail server."""
        return Performer.PERSON if self.send is None else Performer.AGENT

    @property
    def instructions(self) -> Instructions | None:
        """What a person does."""
        return self.guidance if self.send is None else None

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Only the sender itself knows; once it was intended, that is whoever lived to see it."""
        if self.accepted:
            return Probe(Verdict.DONE)
        if self.send is None or baseline is None or self.refused:
            return Probe(Verdict.NOT_DONE)
        reason = "nothing shows whether the mail server took it; look into the mailbox"
        return Probe(Verdict.UNKNOWN, reason=reason)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Hand it to the mail server."""
        if self.send is None:
            raise DriverRefused("a person sends it")
        try:
            self.send(self.mail())
        except (DriverRefused, DriverUnavailable):
            # Only these say that the mail was not taken.
            self.refused = True
            raise
        self.accepted = True
        return b""


@dataclass(frozen=True)
class Attested(PlainStep):
    """What people and the vendor do where nothing can be observed: somebody says so."""

    called: str
    what: str
    guidance: Instructions
    who: Performer
    can_be_undone: bool = True

    @property
    def type(self) -> str:
        """Each is made in its own way."""
        return self.called

    @property
    def title(self) -> str:
        """What people read."""
        return self.what

    @property
    def reversible(self) -> bool:
        """What the vendor has moved, only the vendor can move back."""
        return self.can_be_undone

    @property
    def performer(self) -> Performer:
        """Whose step it is."""
        return self.who

    @property
    def instructions(self) -> Instructions:
        """What to do, and how long it may take."""
        return self.guidance

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Nothing shows it."""
        return Probe(Verdict.NOT_DONE)


def case_step(
    desk: OrderDesk, placed: PlacedOrder, case_number: Callable[[], str | None]
) -> Declared:
    """A person opens a support case, as the vendor takes cases on its page only."""

    def found() -> dict[str, Any]:
        number = case_number()
        return {} if number is None else {"case_number": number}

    return Declared(CASE, "opening a support case", desk.case(placed), Performer.PERSON, found)


def purchase_order_step(desk: OrderDesk, placed: PlacedOrder) -> Attested:
    """For licenses that the vendor issues anew."""
    return Attested(
        PURCHASE_ORDER,
        "sending the no-charge purchase order to the vendor's sales",
        desk.purchase_order(placed),
        Performer.PERSON,
    )


def new_keys_step(
    desk: OrderDesk, placed: PlacedOrder, new_keys: Callable[[], list[dict[str, Any]]]
) -> Declared:
    """The vendor issues them, and they are recorded."""

    def found() -> dict[str, Any]:
        keys = new_keys()
        return {"new_keys": keys} if keys else {}

    return Declared(
        NEW_KEYS,
        "recording the license keys that the vendor issues",
        desk.new_keys(placed),
        Performer.VENDOR,
        found,
    )


def authorize_step(desk: OrderDesk, placed: PlacedOrder) -> Attested:
    """A mail that the agent sent cannot hold what is filled in by hand."""
    return Attested(
        AUTHORIZE,
        "faxing the signed forms and the card authorization",
        desk.authorize(placed),
        Performer.PERSON,
    )


def vendor_step(desk: OrderDesk, placed: PlacedOrder) -> Attested:
    """What the fee is paid for."""
    return Attested(
        MOVE,
        "the vendor moving the licenses",
        desk.processing(placed),
        Performer.VENDOR,
        can_be_undone=False,
    )


def register_old_step(desk: OrderDesk, placed: PlacedOrder) -> Attested:
    """Comes first: that is what removes the licenses there."""
    return Attested(
        REGISTER_OLD,
        f"registering {placed.order.order_lines[0].source.name}, which the licenses left",
        desk.register_old(placed),
        Performer.PERSON,
    )


def register_new_step(desk: OrderDesk, placed: PlacedOrder) -> Attested:
    """Where the licenses are now."""
    return Attested(
        REGISTER_NEW,
        f"registering {placed.order.order_lines[0].target.name} with the moved keys",
        desk.register_new(placed),
        Performer.PERSON,
    )


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=FILE_MODE)
    beside.write_bytes(content)
    beside.replace(path)
