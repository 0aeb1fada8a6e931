# SPDX-License-Identifier: GPL-3.0-or-later
"""The Acme license server."""

from __future__ import annotations
