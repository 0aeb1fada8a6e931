# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's command line ``cmu``, for what is documented of it (grades D and T).

The driver only lists with it, as a second opinion on what the library says. Its license
transfer options exist, but their spelling is not public, so none is ever passed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from seatkeeper_agent.operations.ports import DriverRefused
from seatkeeper_agent.vendors.processes import run

_ROW = re.compile(r"CmContainer with Serial Number\s+(\d{1,5}-\d{1,10}(?:-\d{1,10})?)\b")
_RESULT = re.compile(r"Result:\s*(\d{1,6}) CmContainer")
_VERSION = re.compile(r"\b(\d{1,3}\.\d{1,3}[0-9a-z.]{0,20})")
_NOT_RUNNING = "not running"


@dataclass(frozen=True, slots=True)
class CmuListing:
    """What ``cmu --list`` shows; ``running`` is the server's, told by a text (grade T)."""

    running: bool
    serials: tuple[str, ...]


class Cmu:
    """Calls of one ``cmu``; errors as in processes.run."""

    def __init__(self, path: str, environment: Mapping[str, str], seconds_max: float) -> None:
        self._path = path
        self._environment = dict(environment)
        self._seconds_max = seconds_max

    def version(self) -> str | None:
        """The version it tells, None where its text holds none."""
        outcome = run([self._path, "--version"], self._environment, self._seconds_max)
        found = _VERSION.search(outcome.output)
        return None if found is None else found.group(1).rstrip(".")

    def containers(self) -> CmuListing:
        """The local containers; DriverRefused where the text is not the documented one.

        The exit code does not tell whether the server runs, and no container is a success.
        """
        outcome = run([self._path, "--list"], self._environment, self._seconds_max)
        if _NOT_RUNNING in outcome.output.lower():
            return CmuListing(running=False, serials=())
        serials = tuple(dict.fromkeys(_ROW.findall(outcome.output)))
        result = _RESULT.search(outcome.output)
        if result is None or int(result.group(1)) != len(serials):
            raise DriverRefused(
                f"The listing of {self._path} is not understood: it shows {len(serials)}"
                f" containers and {'no result' if result is None else result.group(0)!r}."
            )
        return CmuListing(running=True, serials=serials)
