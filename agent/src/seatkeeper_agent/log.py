# SPDX-License-Identifier: GPL-3.0-or-later
"""Structured logging to standard error; imported where there is something to say."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def logger(**context: Any) -> FilteringBoundLogger:
    """A logger: one JSON line per event, or readable lines on a terminal."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                *_renderers(sys.stderr.isatty()),
            ],
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
            cache_logger_on_first_use=True,
        )
    bound: FilteringBoundLogger = structlog.get_logger(**context)
    return bound


def _renderers(for_people: bool) -> list[Any]:
    # Never the local variables of a traceback: among them may be keys, passwords, documents.
    if for_people:
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    transformer = ExceptionDictTransformer(show_locals=False)
    return [
        structlog.processors.ExceptionRenderer(transformer),
        structlog.processors.JSONRenderer(),
    ]
