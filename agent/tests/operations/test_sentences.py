# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice that can be followed: numbers where a vendor publishes them, addresses that open."""

from __future__ import annotations

import importlib
import pkgutil
import socket
from collections.abc import Iterator

import pytest

from seatkeeper_agent import operations, vendors
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.ports import DriverRefused
from seatkeeper_agent.vendors.chaos.instructions import ChaosInstructions
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings
from seatkeeper_agent.vendors.codemeter.errors import NumberedRefusal, error_of


def refusals(kind: type[DriverRefused] = DriverRefused) -> Iterator[type[DriverRefused]]:
    """Every refusal of every driver."""
    for package in (operations, vendors):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "page.worker" not in module.name:
                importlib.import_module(module.name)
    yield kind
    for each in kind.__subclasses__():
        yield from refusals(each)


def test_only_a_vendor_that_publishes_numbers_has_them_looked_up() -> None:
    reported = {kind for kind in refusals() if "number" in kind.advice}
    assert reported == {NumberedRefusal}
    problem = driver_problem("a move", DriverRefused("licman said no", 1))
    assert problem.next_action == "Mend what it says, then run the playbook again."
    numbered = error_of({"error": 200, "text": "", "function": ""}, "items")
    assert "Look the number up" in driver_problem("a move", numbered).next_action
    assert "200" in str(numbered)


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("http://127.0.0.1:30304", f"Open http://{socket.gethostname()}:30304 in"),
        ("http://localhost:30304", f"Open http://{socket.gethostname()}:30304 in"),
        ("http://[::1]:30304", f"Open http://{socket.gethostname()}:30304 in"),
        ("http://render-1.studio.example:30304", "Open http://render-1.studio.example:30304 in"),
    ],
)
def test_a_person_elsewhere_can_open_the_page(address: str, opened: str) -> None:
    shown = ChaosInstructions.of(ChaosSettings(address=address)).release("V-Ray")
    assert shown.steps[0].startswith(opened)
    assert address in shown.steps[0]
