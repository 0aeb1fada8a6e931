# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the twins: through their outward interfaces, against real processes."""

from __future__ import annotations
