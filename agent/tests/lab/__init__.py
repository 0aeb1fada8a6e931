# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the lab: real agents and twins that come up, can be killed and leave nothing."""

from __future__ import annotations
