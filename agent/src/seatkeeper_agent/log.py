# SPDX-License-Identifier: GPL-3.0-or-later
"""Structured logging to standard error; imported where there is something to say."""

from __future__ import annotations

import sys
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer

if TYPE_CHECKING:
    from structlog.typing import EventDict, ExcInfo, FilteringBoundLogger


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
        from seatkeeper_agent.printable import one_line, printable

        def traceback(to: TextIO, error: ExcInfo) -> None:
            text = StringIO()
            structlog.dev.plain_traceback(text, error)
            # A message in it may be anybody's.
            to.write(printable(text.getvalue()))

        def made_printable(_logger: object, _method: str, event: EventDict) -> EventDict:
            # JSON, for programs, escapes by itself.
            return {
                name: one_line(value) if isinstance(value, str) else value
                for name, value in event.items()
            }

        return [made_printable, structlog.dev.ConsoleRenderer(exception_formatter=traceback)]
    transformer = ExceptionDictTransformer(show_locals=False)
    return [
        structlog.processors.ExceptionRenderer(transformer),
        structlog.processors.JSONRenderer(),
    ]
