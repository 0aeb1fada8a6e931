# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs said is told to people: bounded, on one line, and without what is secret."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.engine import driver_problem
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.vendors.chaos.vrlctl import login
from seatkeeper_agent.vendors.processes import Outcome, Unended, run
from seatkeeper_agent.vendors.program_output import CHARACTERS_MAX, LINES_MAX, output_tail, reported

CANARY = 'Grüße "an" alle\\welt'


def test_the_last_lines_are_told_as_one() -> None:
    output = "".join(f"line {number}\r\n" for number in range(50)) + "\n\n"
    report = output_tail(output)
    assert report.startswith(f"line {50 - LINES_MAX} / ")
    assert report.endswith(" / line 49")
    assert len(output_tail("x" * 10_000)) == CHARACTERS_MAX


def test_control_characters_do_not_reach_a_terminal() -> None:
    drawn = "\x1b[2J\x1b]0;title\x07\x1b[31mIt is\x00 refused\x1b[0m\u202e\u200b\x9b1m\x08!\t\tok"
    report = output_tail(drawn)
    assert report.isprintable()
    assert report.startswith("It is refused")
    assert "\u202e" not in report


@pytest.mark.parametrize(
    "spelled",
    [
        CANARY,
        CANARY.upper(),
        json.dumps(CANARY),
        quote_plus(CANARY),
        CANARY.replace("\\", ""),
        f"\x1b[1m{CANARY[:7]}\x1b[0m{CANARY[7:]}",
    ],
)
def test_a_secret_is_found_however_it_is_spelled(spelled: str) -> None:
    report = output_tail(f"before\nlogging in with <{spelled}> now\nafter", [CANARY])
    assert "Grüße" not in report
    assert "alle" not in report
    assert report.startswith("before / ")
    assert report.endswith(" / after")


def test_the_end_is_told_even_where_nothing_was_said() -> None:
    assert str(reported(Outcome(3, ""))) == "the command ended with exit status 3 and said nothing"
    report = str(reported(Outcome(1, "It is refused.\n")))
    assert report == "the command ended with exit status 1 and said: It is refused"


def test_a_program_that_is_stopped_has_said_something_by_then() -> None:
    with pytest.raises(Unended) as caught:
        run(["/bin/sh", "-c", "echo Contacting the server; exec sleep 600"], {}, 2.0)
    assert caught.value.output == "Contacting the server\n"


@pytest.mark.parametrize(
    ("rest", "code"), [("exit 5", 5), ("exit 6", 6), ("exit 1", 1), ("exit 3", 3), ("exit 0", 0)]
)
def test_what_vrlctl_said_stands_in_the_problem(tmp_path: Path, rest: str, code: int) -> None:
    """Whatever it meant by it: the person who has to judge reads the program's own words."""
    path = tmp_path / "vrlctl"
    path.write_text(f'#!/bin/sh\ncat "$4"\necho\necho "Code 40: ask your reseller"\n{rest}\n')
    path.chmod(0o755)
    if code == 0:
        said = str(login(str(path), "admin@studio.example", Secret(CANARY), 20))
    else:
        with pytest.raises(DriverError) as caught:
            login(str(path), "admin@studio.example", Secret(CANARY), 20)
        said = caught.value.said or ""
        assert said in driver_problem("logging in", caught.value).detail
    assert said.endswith("Code 40: ask your reseller")
    assert f"exit status {code}" in said
    assert "alle" not in said
