# SPDX-License-Identifier: GPL-3.0-or-later
"""What every run of the tests has, wherever they lie; see docs/testing.md."""

from __future__ import annotations

pytest_plugins = ("reporting.heap", "reporting.order", "reporting.progress", "reporting.repeat")
