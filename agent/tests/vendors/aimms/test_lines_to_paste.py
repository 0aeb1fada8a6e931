# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that a person is to paste is read by a shell as it was meant, whatever a name has."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from seatkeeper_agent.vendors.aimms.instructions import AimmsInstructions
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings

NUMBER = "15.90.10.1"
LINE, END = "As root, run ", " as it is quoted here."


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1))
def test_the_name_of_a_profile_is_one_word_of_the_command(name: str) -> None:
    for folder in ("/opt/aimms", "/opt/AIMMS PRO's"):
        reported = AimmsInstructions(AimmsSettings(folder=folder), False, False, False)
        (line,) = reported.add_profile(name, NUMBER).steps
        assert line.startswith(LINE)
        words = shlex.split(line.removeprefix(LINE).removesuffix(END))
        licman = f"{folder}/Bin/licman"
        assert words == [licman, "--profile-add", name, "--license", NUMBER]


def test_a_name_that_a_shell_would_run_is_quoted() -> None:
    reported = AimmsInstructions(AimmsSettings(), False, False, False)
    (line,) = reported.add_profile("$(touch /root/here)", NUMBER).steps
    assert "'$(touch /root/here)'" in line
