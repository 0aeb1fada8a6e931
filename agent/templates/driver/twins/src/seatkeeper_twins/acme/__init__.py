# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for an Acme license server and for its operator's commands."""

from __future__ import annotations
