# SPDX-License-Identifier: GPL-3.0-or-later
"""The Chaos License Server: its HTTP interface, its command line and its page."""

from __future__ import annotations
