# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the Chaos twin: two real processes on loopback, asked as a product and as a page."""

from __future__ import annotations
