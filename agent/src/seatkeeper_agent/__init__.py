# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent that owns license servers and dongles on one host."""

__version__ = "0.2.0"
