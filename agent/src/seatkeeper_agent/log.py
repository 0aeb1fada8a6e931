# SPDX-License-Identifier: GPL-3.0-or-later
"""Structured logging to standard error; imported where there is something to say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def logger(**context: Any) -> FilteringBoundLogger:
    """A logger: one JSON line per event, or readable lines on a terminal."""
    if not structlog.is_configured():
        renderer: Any = (
            structlog.dev.ConsoleRenderer()
            if sys.stderr.isatty()
            else structlog.processors.JSONRenderer()
        )
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.dict_tracebacks
                if not sys.stderr.isatty()
                else structlog.processors.ExceptionPrettyPrinter(sys.stderr),
                renderer,
            ],
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
            cache_logger_on_first_use=True,
        )
    bound: FilteringBoundLogger = structlog.get_logger(**context)
    return bound
