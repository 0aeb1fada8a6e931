# SPDX-License-Identifier: GPL-3.0-or-later
"""The crash campaign: real agents and twins, killed wherever something becomes durable."""

from __future__ import annotations
