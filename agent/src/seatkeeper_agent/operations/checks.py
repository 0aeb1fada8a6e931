# SPDX-License-Identifier: GPL-3.0-or-later
"""What both hosts check before a transfer touches anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from seatkeeper_agent.domain.dependencies import Dependencies, GivingUp, refusal
from seatkeeper_agent.domain.licenses import Item
from seatkeeper_agent.domain.planned_steps import plan_digest
from seatkeeper_agent.domain.preflight import (
    PeerFacts,
    Policy,
    SourceView,
    source_problems,
    target_problems,
)
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import TransferRecord
from seatkeeper_agent.domain.transfers import Declaration, Mode
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.leg_steps import leg_step
from seatkeeper_agent.operations.legs import LegRequest
from seatkeeper_agent.operations.observations import ItemObservation, the_item
from seatkeeper_agent.operations.ports import DriverError, LicenseDriver


class Checks:
    """The rules of the vendor and of the operator, applied to what this host shows now."""

    def __init__(
        self,
        driver: LicenseDriver,
        policy: Policy,
        clock: Callable[[], float] = time.time,
        sure_clock: Callable[[], float] | None = None,
    ) -> None:
        """``sure_clock`` raises a Problem while the host's clock cannot be right."""
        self._driver = driver
        self._policy = policy
        self._clock = clock
        self._sure_clock = sure_clock or clock

    def through(self, driver: LicenseDriver) -> Checks:
        """The same rules, applied to what another driver shows."""
        return Checks(driver, self._policy, self._clock, self._sure_clock)

    def target(self, declaration: Declaration) -> None:
        """Refuse what the receiving host can tell at once; DriverError by the vendor's rules."""
        types = self._driver.describe().transfer_types
        for problem in target_problems(declaration, types, self._policy):
            raise problem
        self._driver.require_transfer(declaration.target.container, declaration.type, sends=False)

    def target_facts(self, declaration: Declaration) -> dict[str, Any]:
        """What the source has to know about the target."""
        container = declaration.target.container
        try:
            present = declaration.firm_code in self._driver.firm_items(container)
            return {"firm_item_present": present, "box_at": self._driver.clock(container).box_at}
        except DriverError as error:
            raise driver_problem(f"reading {container}", error) from error

    def source(
        self,
        declaration: Declaration,
        observation: ItemObservation,
        peer: PeerFacts,
        parent_vendor_id: str | None,
        lending_nothing: frozenset[str],
    ) -> tuple[Item, bool]:
        """The source's item if every rule allows the transfer, and whether it may return."""
        clock = self._clock if declaration.until is None else self._sure_clock
        now = int(clock())
        try:
            types = self._driver.describe().transfer_types
            for problem in target_problems(declaration, types, self._policy):
                raise problem
            item = the_item(observation, declaration, parent_vendor_id)
            view = SourceView(
                declaration=declaration,
                item=item,
                parent_vendor_id=parent_vendor_id,
                history=tuple(
                    self._driver.history(
                        observation.container, item.key.firm_code, item.key.product_code
                    )
                ),
                runtime_types=types,
                clock=self._driver.clock(observation.container),
                now=now,
                policy=self._policy,
                peer=peer,
                lending_nothing=lending_nothing,
            )
        except DriverError as error:
            raise driver_problem(f"reading {observation.container}", error) from error
        for problem in source_problems(view):
            raise problem
        option = view.option
        returnable = declaration.type.is_borrow or declaration.mode in (Mode.RETURN, Mode.EXTEND)
        return item, returnable or (option is not None and option.return_allowed)

    def has_ended(self, declaration: Declaration) -> bool:
        """Whether the end of a borrow is past at its target, by the container's clock."""
        container = declaration.target.container
        try:
            box_at = self._driver.clock(container).box_at
        except DriverError as error:
            raise driver_problem(f"reading {container}", error) from error
        return declaration.until is not None and declaration.until <= box_at

    def is_installed(
        self, request: LegRequest, vendor_id: str | None, known: frozenset[str]
    ) -> bool:
        """Whether the container shows that the transfer was imported.

        Without the vendor's id any row of its source that is not ``known`` may be it.
        """
        here, item = request.here.container, request.declaration.item
        try:
            rows = self._driver.history(here, item.firm_code, item.product_code)
        except DriverError as error:
            doing = f"looking for {request.subject} before it is refused"
            raise driver_problem(doing, error) from error
        if vendor_id is not None:
            return any(row.transfer_id == vendor_id for row in rows)
        source = request.declaration.source.container
        return any(row.container == source and row.transfer_id not in known for row in rows)

    def not_installed(
        self, request: LegRequest, vendor_id: str | None, known: frozenset[str]
    ) -> None:
        """Look before the word is given: what the container shows is never refused."""
        if self.is_installed(request, vendor_id, known):
            here = request.here.container
            which = "an update of its source" if vendor_id is None else "its update"
            raise Problem(
                ProblemCode.LEG_OUT_OF_ORDER,
                f"The {request.subject} cannot be refused: the container {here} shows that {which}"
                " was imported.",
                "Bring the transfer document and run the leg install: it finds what is there and"
                " imports nothing again.",
            )

    def not_stale(self, request: LegRequest, item: Item) -> None:
        """Refuse what was planned for another state of the item."""
        if request.update_counter is not None and request.update_counter != item.update_counter:
            raise Problem(
                ProblemCode.UPDATE_COUNTER_STALE,
                f"The item {request.declaration.item} was at update counter"
                f" {request.update_counter} when {request.subject} was planned"
                f" and is at {item.update_counter} now.",
                "Read both hosts again and plan anew.",
                {"update_counter": item.update_counter},
            )

    def confirmed(
        self, request: LegRequest, item: Item, reversible: bool, depending: Dependencies
    ) -> None:
        """Refuse a plan that is irreversible or depended upon, and not confirmed."""
        step = leg_step(request.declaration, request.leg, reversible)
        expected = plan_digest(
            request.declaration.as_document(), [step], item.update_counter, depending.in_a_plan()
        )
        if request.confirmation == expected or (reversible and not depending.found):
            return
        if depending.found:
            subject = f"item {request.declaration.item}"
            raise refusal(GivingUp.LAST_TRANSFER, subject, depending, expected)
        raise Problem(
            ProblemCode.CONFIRMATION_REQUIRED,
            f"The {request.subject} cannot be undone: the licensor does not allow the item"
            f" {request.declaration.item} to return.",
            f"Confirm exactly this plan with plan_digest {expected} if it shall run.",
            {"digest": expected},
        )

    def request_is_stale(self, record: TransferRecord, facts: dict[str, Any]) -> bool:
        """Whether what a request that was never served told of the target is so no more.

        What the source refused it for may be mended by now. While the product does not answer,
        the request stays what it is.
        """
        container = record.declaration.target.container
        try:
            has_firm_item = facts.get("firm_item_present") is False and (
                record.declaration.firm_code in self._driver.firm_items(container)
            )
            return has_firm_item or (
                record.declaration.type.is_borrow and self._is_of_another_time(record, facts)
            )
        except DriverError:
            return False

    def _is_of_another_time(self, record: TransferRecord, facts: dict[str, Any]) -> bool:
        """Whether a request is too old, or was made with a clock that is set otherwise now.

        The vendor compares the clocks of both containers for a borrow; a request carries the
        time at which it was made.
        """
        limit, now = self._policy.clock_seconds_max / 2, self._clock()
        box_at = self._driver.clock(record.declaration.target.container).box_at
        apart = facts.get("box_at", record.updated_at) - record.updated_at
        return now - record.updated_at > limit or abs(box_at - now - apart) > limit
