# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for the vendors' products, with the same outward interfaces; none serves a license."""

from __future__ import annotations
