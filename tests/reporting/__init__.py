# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the tests prints besides, and in which order it runs them."""

from __future__ import annotations
