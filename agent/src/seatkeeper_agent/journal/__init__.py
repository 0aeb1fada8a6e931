# SPDX-License-Identifier: GPL-3.0-or-later
"""The durable memory of an agent: one SQLite file, one process, one writer."""

from __future__ import annotations

from seatkeeper_agent.journal.store import Journal, JournalError, JournalMalformed, Unit

__all__ = ["Journal", "JournalError", "JournalMalformed", "Unit"]
