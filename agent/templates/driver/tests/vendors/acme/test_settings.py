# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings are checked when they are read, each with a sentence that names it."""

from __future__ import annotations

from typing import Any

import pytest

from seatkeeper_agent.vendors.acme.settings import AcmeSettings


def test_the_defaults_name_nothing_that_is_not_known() -> None:
    settings = AcmeSettings()
    assert settings.status_command == settings.start_command == settings.stop_command == ()


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        ({"start_command": ("service", "%s")}, "start_command: '%s' must not hold %"),
        ({"stop_command": ("service\n",)}, "stop_command: .* control characters"),
        ({"call_seconds_max": 0.0}, "call_seconds_max must be above 0"),
        ({"service_seconds_max": 3601.0}, "service_seconds_max must be .* at most 3600"),
    ],
)
def test_what_cannot_be_used_is_told(values: dict[str, Any], reported: str) -> None:
    with pytest.raises(ValueError, match=f"^acme: {reported}"):
        AcmeSettings(**values)
