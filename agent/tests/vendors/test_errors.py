# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's error numbers become what operations understand, by what they leave open."""

from __future__ import annotations

import pytest

from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverPending,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.vendors.codemeter.errors import error_of
from seatkeeper_agent.vendors.codemeter.messages import vendor_text


def reported(number: int, request: str, function: str) -> DriverError:
    answer = {"error": number, "text": f"Some text, Error {number}", "function": function}
    return error_of(answer, request)


@pytest.mark.parametrize("number", [101, 110, 111, 238])
@pytest.mark.parametrize(
    ("request_name", "function"), [("items", "CmAccess2"), ("do_transfer", "CmLtDoTransfer")]
)
def test_a_server_that_was_not_reached_had_no_effect(
    number: int, request_name: str, function: str
) -> None:
    assert type(reported(number, request_name, function)) is DriverUnavailable


def test_a_network_fault_leaves_only_an_effect_open() -> None:
    assert type(reported(100, "contents", "CmGetBoxContents2")) is DriverUnavailable
    assert type(reported(100, "do_transfer", "CmAccess2")) is DriverUnavailable
    assert type(reported(100, "do_transfer", "CmLtDoTransfer")) is DriverUnfinished
    assert type(reported(0, "import_update", "CmLtImportUpdate")) is DriverUnfinished


def test_pending_is_told_as_such() -> None:
    assert type(reported(235, "do_transfer", "CmLtDoTransfer")) is DriverPending


@pytest.mark.parametrize("number", [105, 200, 212, 226, 229, 233, 311, 999])
def test_everything_else_is_a_refusal_with_its_number(number: int) -> None:
    error = reported(number, "import_update", "CmLtImportUpdate")
    assert isinstance(error, DriverRefused)
    assert error.number == number
    assert str(error).endswith(f", Error {number}")


def test_an_old_runtime_and_an_unreadable_answer() -> None:
    assert type(error_of({"missing": "CmLtDoTransfer"}, "do_transfer")) is DriverUnsupported
    assert type(error_of({"fault": "too long"}, "contents")) is DriverUnsupported
    assert type(error_of({"fault": "too long"}, "do_transfer")) is DriverUnfinished


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Entry not found, Error 200", "Entry not found, Error 200"),
        ("Entry\r\nnot\tfound\x1b[0m", "Entry not found [0m, Error 200"),
        ("", "CodeMeter gave no text, Error 200"),
        ("x" * 5000, "x" * 300 + ", Error 200"),
    ],
)
def test_the_text_is_one_line_that_ends_with_the_number(text: str, line: str) -> None:
    assert vendor_text(text, 200) == line
