# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done while processes die: every type and mode of transfer, borrows and a refusal."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from seatkeeper_agent.domain.transfers import NAMESPACE, transfer_id

from .world import CONTAINERS, NEW, OLD

FIRM_CODE, PRODUCT_CODE = 6000010, 201
ITEM = f"{FIRM_CODE}:{PRODUCT_CODE}"
BORROW_DAYS_MAX = 30


@dataclass(frozen=True)
class Transfer:
    """A declared transfer; with ``refused`` the target says no, perhaps before it arrives."""

    name: str
    type: str
    mode: str = "push"
    source: str = OLD
    target: str = NEW
    quantity: int | None = None
    parent: str | None = None
    refused: bool = False
    beforehand: bool = False

    def declaration(self) -> dict[str, Any]:
        """As the API takes it, with its id."""
        return {
            "id": transfer_id(self.name),
            "name": self.name,
            "item": ITEM,
            "type": self.type,
            "mode": self.mode,
            "source": {"agent": self.source, "container": CONTAINERS[self.source]},
            "target": {"agent": self.target, "container": CONTAINERS[self.target]},
            "quantity": self.quantity,
            "until": None,
            "parent": None if self.parent is None else transfer_id(self.parent),
        }


@dataclass(frozen=True)
class Borrow:
    """A declared borrow of the new server from the old one."""

    type: str
    seats: int
    days: int = 7
    name: str = "desk"

    @property
    def id(self) -> str:
        """The same in every run."""
        return str(uuid.uuid5(NAMESPACE, f"borrow/{self.name}"))

    def declaration(self, today: datetime) -> dict[str, Any]:
        """As the API takes it."""
        until = today.replace(microsecond=0) + timedelta(days=self.days)
        return {
            "name": self.name,
            "item": ITEM,
            "type": self.type,
            "source": {"agent": OLD, "container": CONTAINERS[OLD]},
            "target": {"agent": NEW, "container": CONTAINERS[NEW]},
            "seats": self.seats,
            "until": until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


Goal = Transfer | Borrow


@dataclass(frozen=True)
class Scenario:
    """What happened before, what is disturbed, and who holds how much of it in the end."""

    name: str
    option: str
    total: int
    earlier: tuple[Goal, ...]
    goal: Goal
    ends: dict[str, int]
    pairs: bool = False

    @property
    def measure(self) -> str:
        """What is counted."""
        return "units" if self.option == "units" else "seats"

    def seeds(self) -> dict[str, object]:
        """The twins' seeds: all of it on the old server."""
        amount = {"unit_counter" if self.measure == "units" else "license_quantity": self.total}
        borrowed = self.option.startswith("borrow")
        option = {
            "type": self.option,
            "pull_allowed": not borrowed,
            "return_allowed": True,
            "firm_item_required": False,
            "transfer_depth": 2,
            "max_borrow_seconds": BORROW_DAYS_MAX * 86_400 if borrowed else 0,
        }
        item = {
            "firm_code": FIRM_CODE,
            "product_code": PRODUCT_CODE,
            "name": "Simulation",
            "options": [option],
            **amount,
        }
        return {
            OLD: {"containers": [{"serial": CONTAINERS[OLD], "items": [item]}]},
            NEW: {"containers": [{"serial": CONTAINERS[NEW], "items": []}]},
        }


def _ends(old: int, new: int) -> dict[str, int]:
    return {OLD: old, NEW: new}


_PUSH = Transfer("push", "licenses", quantity=10)
_PULL = Transfer("pull", "licenses", "pull", quantity=10)
_WHOLE = Transfer("whole", "complete")
_UNITS = Transfer("some", "units", quantity=40)
_BACK = Transfer("back", "licenses", "return", NEW, OLD, quantity=4, parent="push")
_UNWANTED = Transfer("unwanted", "licenses", quantity=10, refused=True)
_DECLINED = Transfer("declined", "licenses", quantity=10, refused=True, beforehand=True)
_LOCAL, _NONE = Borrow("borrow_local", 1), Borrow("borrow_local", 0)
_LONGER = Borrow("borrow_local", 1, days=14)
_ALL_BORROWED = Borrow("borrow_complete", 1)

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("push", "licenses", 25, (), _PUSH, _ends(15, 10), pairs=True),
        Scenario("pull", "licenses", 25, (), _PULL, _ends(15, 10)),
        Scenario("complete", "complete", 5, (), _WHOLE, _ends(0, 5)),
        Scenario("units", "units", 100, (), _UNITS, _ends(60, 40)),
        Scenario("return", "licenses", 25, (_PUSH,), _BACK, _ends(19, 6), pairs=True),
        Scenario("refusal", "licenses", 25, (), _UNWANTED, _ends(25, 0)),
        Scenario("early-refusal", "licenses", 25, (), _DECLINED, _ends(25, 0)),
        Scenario("borrow", "borrow_local", 5, (), _LOCAL, _ends(4, 1), pairs=True),
        Scenario("whole-borrow", "borrow_complete", 5, (), _ALL_BORROWED, _ends(0, 5)),
        Scenario("early-return", "borrow_local", 5, (_LOCAL,), _NONE, _ends(5, 0)),
        Scenario("extension", "borrow_local", 5, (_LOCAL,), _LONGER, _ends(4, 1)),
    )
}
