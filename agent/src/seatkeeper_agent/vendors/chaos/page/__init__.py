# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented page of the server, driven by its visible labels in a real browser."""

from __future__ import annotations
