# SPDX-License-Identifier: GPL-3.0-or-later
"""AIMMS license servers and the vendor's activation service, as processes on loopback."""

from __future__ import annotations
