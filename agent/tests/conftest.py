# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests of the agent share: properties are judged by what they find, not by how fast.

What repeats a failing example is printed with it, as nobody else has the examples of this machine.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "agent", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("agent")
