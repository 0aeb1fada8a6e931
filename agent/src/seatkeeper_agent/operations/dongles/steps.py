# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a dongle's migration; only one of them cannot be undone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from seatkeeper_agent.domain.arrivals import compared
from seatkeeper_agent.domain.eligibility import HeldLicense
from seatkeeper_agent.domain.planned_steps import Instructions, Performer
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.servers import (
    Dongle,
    IsolationError,
    ProductSeats,
    ServerStatus,
    gained,
)
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.journal.declarations import ISOLATION
from seatkeeper_agent.operations.dongles.page_task import PageTask
from seatkeeper_agent.operations.ports import DriverError, DriverRefused, DriverUnfinished
from seatkeeper_agent.operations.server_ports import (
    IsolationPort,
    LicenseServerDriver,
    PageDriver,
)
from seatkeeper_agent.operations.servers.steps import wait_until
from seatkeeper_agent.operations.steps import HandedOver, PlainStep, Probe, Verdict

MIGRATION = "migration"
TRANSFER = "transfer"


@dataclass(frozen=True)
class Isolate(PlainStep):
    """Hide all other dongles from the vendor's driver; what is hidden is owed back."""

    isolation: IsolationPort
    operation_id: str
    paths: Sequence[str]

    type = "isolate"

    @property
    def arguments(self) -> dict[str, Any]:
        """Which ones."""
        return {"paths": list(self.paths)}

    @property
    def title(self) -> str:
        """How many."""
        number = len(self.paths)
        return f"hiding {number} other dongle{'' if number == 1 else 's'} from the driver"

    def intend(self, unit: Unit, baseline: dict[str, Any]) -> None:
        """Owed from before the first one is hidden."""
        unit.declarations.put(ISOLATION, self.operation_id, self.arguments)

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Read back from the kernel; one that was unplugged is hidden well enough."""
        left = [path for path in self.paths if self.isolation.authorized(path)]
        return Probe(Verdict.NOT_DONE if left else Verdict.DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """The kernel's switch."""
        try:
            self.isolation.hide(list(self.paths))
        except IsolationError as error:
            raise DriverRefused(str(error)) from error
        return b""


@dataclass(frozen=True)
class GiveBack(PlainStep):
    """Let the driver have the other dongles again."""

    isolation: IsolationPort
    operation_id: str
    paths: Sequence[str]

    type, title = "give_back", "giving the other dongles back to the driver"

    @property
    def arguments(self) -> dict[str, Any]:
        """Which ones."""
        return {"paths": list(self.paths)}

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Read back from the kernel."""
        hidden = [path for path in self.paths if self.isolation.authorized(path) is False]
        return Probe(Verdict.NOT_DONE if hidden else Verdict.DONE)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """The kernel's switch."""
        try:
            self.isolation.give_back(list(self.paths))
        except IsolationError as error:
            raise DriverRefused(str(error)) from error
        return b""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """Nothing is owed any more."""
        unit.declarations.remove(ISOLATION, self.operation_id)


class NotAlone(DriverRefused):
    """The page would act on another dongle than the declared one, or might."""

    advice = "Nothing was clicked: plug the dongle in, alone, then plan and confirm it anew."


@dataclass
class TransferDongle(PlainStep):
    """The vendor moves the licenses to the account. Irreversible.

    It happened when the account shows more than before and the server has switched its dongle
    service off, which is the documented end, and the dongle was there alone until then. Once the
    click may have been made, nothing but that is believed: the step is never tried a second time
    on a doubt. So it may have been made unless ``baseline``, which comes right before the intent,
    was asked of this very object.

    ``disturbance`` is given the dongle's number of the baseline and what shows of the service now,
    and says what was otherwise.
    """

    driver: LicenseServerDriver
    page: PageDriver | None
    dongle: Dongle
    target_user: str
    migration_id: str
    guidance: Instructions
    deadline_seconds: int | None
    check: Callable[[], int | None]
    difference: Callable[[int | None], str | None]
    disturbance: Callable[[int | None, bool | None], str | None]
    doubt_advice: str
    contradiction_advice: str
    seconds_max: float
    stopping: threading.Event
    may_have_clicked: bool = field(default=True, init=False)

    type = TRANSFER
    reversible: bool = field(default=False, init=False)

    @property
    def arguments(self) -> dict[str, Any]:
        """To whom; which dongle it is, its declaration says."""
        return {"target_user": self.target_user, "deadline_seconds": self.deadline_seconds}

    @property
    def title(self) -> str:
        """What it means."""
        return f"migrating the licenses of dongle {self.dongle.id} to {self.target_user}"

    @property
    def performer(self) -> Performer:
        """A browser where one is set up, else a person."""
        return Performer.PERSON if self.page is None else Performer.AGENT

    @property
    def instructions(self) -> Instructions | None:
        """What a person does on the page."""
        return self.guidance if self.page is None else None

    def baseline(self) -> dict[str, Any]:
        """The account before; refuses when something speaks against it by now."""
        number = self.check()
        before = [entry.as_document() for entry in self.driver.status().licenses]
        self.may_have_clicked = False
        return {"licenses": before, "number": number}

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """What the account has gained, whether the dongle service is off, and whose that is."""
        if baseline is None:
            return Probe(Verdict.NOT_DONE)
        try:
            status = self.driver.status()
        except DriverError:
            if self.may_have_clicked:
                raise
            return Probe(Verdict.NOT_DONE)
        more = gained(seats_from(baseline["licenses"]), status.licenses)
        if not self.may_have_clicked and not (more and status.dongle_service is False):
            return Probe(Verdict.NOT_DONE)
        try:
            other = self.disturbance(baseline.get("number"), status.dongle_service)
        except Problem as problem:
            return Probe(Verdict.UNKNOWN, reason=problem.detail, advice=self.doubt_advice)
        if other is not None and (more or status.dongle_service is False):
            reason = f"{other}, so what the server shows may be another dongle's end"
            return Probe(Verdict.CONTRADICTED, reason=reason, advice=self.contradiction_advice)
        if more and status.dongle_service is False:
            return Probe(Verdict.DONE, _evidence(status, more))
        reason = _half_seen(status, bool(more))
        return Probe(Verdict.UNKNOWN, reason=reason, advice=self.doubt_advice)

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Drive the page, then look a while whether the documented end is seen."""
        page = self.page
        if page is None:
            raise DriverRefused("a person does this step")

        def click(clicks: Callable[[], None]) -> None:
            page.transfer_dongle(self.target_user, lambda: self._about_to(baseline, clicks))

        work = PageTask(click)
        work.start()
        wait_until(lambda: work.has_ended or self.stopping.is_set(), self.seconds_max)
        # The browser's end is not the vendor's: what counts is what the server shows.
        if work.error is not None and not self._may_go_on(work.error):
            raise work.error
        ended = wait_until(lambda: self._is_over(baseline), self.seconds_max)
        if not ended or self.stopping.is_set():
            # The vendor may take minutes, and nobody else is to be kept off the server for them.
            raise HandedOver(Performer.VENDOR, _left_to_vendor(self.doubt_advice, work.error))
        return b""

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """What arrived, beside the declaration."""
        found = unit.declarations.get(MIGRATION, self.migration_id)
        document = {} if found is None else found.document
        outcome = {
            "gained": evidence.get("gained", []),
            "licenses_after": evidence.get("licenses_after"),
            "attested": evidence.get("attested"),
        }
        unit.declarations.put(MIGRATION, self.migration_id, {**document, "outcome": outcome})

    def _may_go_on(self, error: BaseException) -> bool:
        return self.may_have_clicked and isinstance(error, DriverUnfinished)

    def _about_to(self, baseline: dict[str, Any], clicks: Callable[[], None]) -> None:
        try:
            other = self.difference(baseline.get("number"))
        except Problem as problem:
            other = problem.detail.rstrip(".")
        if other is not None:
            raise NotAlone(
                f"the dongle {self.dongle.id} is not the only one that the driver can have: {other}"
            )
        self.may_have_clicked = True
        clicks()

    def _is_over(self, baseline: dict[str, Any]) -> bool:
        """Whether looking on makes no sense."""
        if self.stopping.is_set():
            return True
        return self.probe(baseline).verdict in (Verdict.DONE, Verdict.CONTRADICTED)


@dataclass(frozen=True)
class Arrive(PlainStep):
    """The vendor shows every license that the dongle is declared to have held."""

    driver: LicenseServerDriver
    before: Callable[[], tuple[ProductSeats, ...]]
    declared: tuple[HeldLicense, ...]
    migration_id: str

    type, title = "arrive", "all declared licenses showing in the account"
    performer = Performer.VENDOR

    @property
    def arguments(self) -> dict[str, Any]:
        """What was declared to be in the dongle."""
        return {"licenses": [asdict(entry) for entry in self.declared]}

    instructions = Instructions(
        (
            "Wait: the vendor says that it may take minutes until all licenses show.",
            "If one is still missing after a day, ask the vendor's support.",
        ),
        "The account shows as many more seats of every kind as were declared of each product.",
        attestable=True,
        seconds_max=24 * 3600,
    )

    def probe(self, baseline: dict[str, Any] | None) -> Probe:
        """Product by product, kind by kind."""
        status = self.driver.status()
        more = gained(self.before(), status.licenses)
        missing = compared(self.declared, more).missing
        if missing:
            return Probe(Verdict.NOT_DONE, reason=f"what shows so far: {'; '.join(missing)}")
        return Probe(Verdict.DONE, _evidence(status, more))

    def perform(self, baseline: dict[str, Any]) -> bytes:
        """Nobody can but the vendor."""
        raise DriverRefused("the vendor does this step")

    def conclude(self, unit: Unit, evidence: dict[str, Any], collected: bytes) -> None:
        """What has come by now, which may be more than at the migration's end."""
        found = unit.declarations.get(MIGRATION, self.migration_id)
        if found is None or "gained" not in evidence:
            return
        outcome = {**found.document["outcome"], **evidence}
        unit.declarations.put(MIGRATION, self.migration_id, {**found.document, "outcome": outcome})


def seats_from(documents: list[dict[str, Any]]) -> tuple[ProductSeats, ...]:
    """Read what ``ProductSeats.as_document`` wrote."""
    return tuple(ProductSeats(entry["product"], dict(entry["seats"])) for entry in documents)


def _left_to_vendor(advice: str, error: BaseException | None) -> Instructions:
    guidance = () if error is None else (f"What the page said last: {error}",)
    return Instructions(
        (
            *guidance,
            "Wait some minutes for the vendor; neither unplug the dongle nor plug another one in.",
            advice,
        ),
        "The server's status shows more seats in the account than before and the dongle service"
        " switched off.",
        attestable=True,
    )


def _evidence(status: ServerStatus, more: tuple[ProductSeats, ...]) -> dict[str, Any]:
    return {
        "gained": [entry.as_document() for entry in more],
        "licenses_after": [entry.as_document() for entry in status.licenses],
    }


def _half_seen(status: ServerStatus, has_gained: bool) -> str:
    if has_gained:
        return "the account has more licenses than before, but the dongle service is not off"
    if status.dongle_service is False:
        return "the dongle service is off, but the account shows nothing new; it may take minutes"
    return "the vendor's migration was begun, and neither its end nor its failure shows"
