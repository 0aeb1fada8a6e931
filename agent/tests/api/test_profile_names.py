# SPDX-License-Identifier: GPL-3.0-or-later
"""People's names for profiles pass everywhere, and nothing that an option could be taken for."""

from __future__ import annotations

import pytest

from seatkeeper_agent.api import schemas
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.server_moves import PROFILE_NAME
from seatkeeper_agent.operations.ports import DriverError
from seatkeeper_agent.vendors.aimms.commands import Licman
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings


def order(name: str) -> dict[str, object]:
    """A backup with one profile."""
    return {"licenses": [{"number": "15.90.10.1", "profiles": [name], "has_code": True}]}


@pytest.mark.parametrize(
    "name", ["ProLicense", "Lizenz München Süd", "Größe_1.2", "Лицензия 1", "計画", "a", "a" * 64]
)
def test_a_name_of_any_script_passes(name: str) -> None:
    assert PROFILE_NAME.fullmatch(name)
    schemas.check("backup-order", order(name))


@pytest.mark.parametrize("name", ["", "-x", "--help", " x", "x ", ".x", "a/b", "a\nb", "a" * 65])
def test_what_could_be_an_option_or_a_path_is_refused(name: str) -> None:
    assert not PROFILE_NAME.fullmatch(name)
    with pytest.raises(Problem):
        schemas.check("backup-order", order(name))
    with pytest.raises(DriverError, match="begin with none of spaces, dots and dashes"):
        Licman(AimmsSettings()).add_profile(name, "15.90.10.1")
