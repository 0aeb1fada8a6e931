# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for AltiGen's support: its mailbox, its desk, and the phone systems of a fleet."""

from __future__ import annotations
