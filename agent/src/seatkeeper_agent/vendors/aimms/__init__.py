# SPDX-License-Identifier: GPL-3.0-or-later
"""AIMMS Network License Server."""

from __future__ import annotations
