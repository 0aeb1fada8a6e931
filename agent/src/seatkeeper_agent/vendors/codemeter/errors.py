# SPDX-License-Identifier: GPL-3.0-or-later
"""From the runtime's error numbers (grade H) to what operations understand."""

from __future__ import annotations

from typing import Any

from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverPending,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.vendors.codemeter import constants as cm
from seatkeeper_agent.vendors.codemeter.messages import EFFECTS, vendor_text


class NumberedRefusal(DriverRefused):
    """A refusal by one of the numbers that the vendor's header publishes (grade H)."""

    advice = "Look the number up in the vendor's documentation, mend the cause, run again."


NOT_REACHED = cm.ERRORS_NOT_RUNNING | {cm.ERROR_SERVER_START_PENDING}
"""With these numbers the license server was never asked."""


def error_of(answer: dict[str, Any], request: str) -> DriverError:
    """What an answer without a value means.

    After the function that has the effect was called, a network fault (100) and a failure
    without a number leave it open whether the effect happened. 229 is not read as "already
    applied": that meaning is only a guess, so the caller looks at the container.
    """
    if "missing" in answer:
        return DriverUnsupported(
            f"The installed CodeMeter runtime has no function {answer['missing']}; a newer"
            " runtime is needed."
        )
    effect_called = answer.get("function") == EFFECTS.get(request)
    if "fault" in answer:
        sentence = f"The CodeMeter library gave an answer that cannot be read: {answer['fault']}."
        return DriverUnfinished(sentence) if request in EFFECTS else DriverUnsupported(sentence)
    number, text = int(answer["error"]), vendor_text(answer["text"], int(answer["error"]))
    if number == cm.ERROR_COMMAND_PENDING:
        return DriverPending(text)
    if number in NOT_REACHED:
        return DriverUnavailable(text)
    if number in (0, cm.ERROR_NETWORK_FAULT):
        return DriverUnfinished(text) if effect_called else DriverUnavailable(text)
    return NumberedRefusal(text, number)
