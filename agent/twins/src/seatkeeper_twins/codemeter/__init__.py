# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the CodeMeter runtime with its outward interface; see README.md."""

from __future__ import annotations

from seatkeeper_twins.codemeter.twin import create_twin

__all__ = ["create_twin"]
