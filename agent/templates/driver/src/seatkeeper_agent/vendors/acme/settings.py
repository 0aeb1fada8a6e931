# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator tells the Acme driver."""

from __future__ import annotations

from dataclasses import dataclass

_COMMANDS = ("status_command", "start_command", "stop_command", "version_command")
_PERIODS = ("call_seconds_max", "service_seconds_max")
_PERIOD_MAX = 3600


@dataclass(frozen=True, slots=True)
class AcmeSettings:
    """The operator's own commands, since no document names any; empty means that there is none.

    ValueError tells what is wrong. ``status_command`` ends with 0 where the service runs and with 3
    where it does not. ``version_command`` prints the version among other text. Times are in
    seconds: ``call_seconds_max`` bounds one command, ``service_seconds_max`` starting or stopping
    until it shows.
    """

    status_command: tuple[str, ...] = ()
    start_command: tuple[str, ...] = ()
    stop_command: tuple[str, ...] = ()
    version_command: tuple[str, ...] = ()
    call_seconds_max: float = 20.0
    service_seconds_max: float = 60.0

    def __post_init__(self) -> None:
        for name in _COMMANDS:
            for word in getattr(self, name):
                clean = "%" not in word and word.isprintable()
                _require(clean, f"{name}: {word!r} must not hold % or control characters")
        for name in _PERIODS:
            period = getattr(self, name)
            _require(0 < period <= _PERIOD_MAX, f"{name} must be above 0 and at most {_PERIOD_MAX}")


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(f"acme: {rule}")
