# SPDX-License-Identifier: GPL-3.0-or-later
"""The Chaos License Server and the vendor's cloud, as two processes on loopback."""

from __future__ import annotations
