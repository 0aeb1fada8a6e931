# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's rules, which come with the agent, and those that the operator adds in a file."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from pathlib import Path

from seatkeeper_agent.domain.card_data import has_card_number
from seatkeeper_agent.domain.policies import Policy, parse
from seatkeeper_agent.domain.strict_json import JsonFault, read

POLICY_BYTES_MAX = 1_048_576


@cache
def vendor_policy() -> Policy:
    """The vendor's rules of license moves (knowledge base article 799, grade D)."""
    text = resources.files(__package__).joinpath("policy.json").read_text("utf-8")
    return parse(json.loads(text))


def policy_with(path: str | None) -> Policy:
    """The vendor's rules and those of the operator's file, which can add rules and change none.

    ValueError says in one sentence what is wrong with the file.
    """
    if path is None:
        return vendor_policy()
    try:
        with Path(path).open("rb") as file:
            content = file.read(POLICY_BYTES_MAX + 1)
    except OSError as error:
        raise ValueError(f"the policy {path} cannot be read: {error.strerror}") from error
    if len(content) > POLICY_BYTES_MAX:
        raise ValueError(f"the policy {path} is larger than {POLICY_BYTES_MAX} bytes")
    if has_card_number(content.decode("utf-8", "replace")):
        raise ValueError(f"the policy {path} may hold the number of a payment card")
    try:
        return vendor_policy().with_more(parse(read(content)))
    except JsonFault as error:
        raise ValueError(f"the policy {path} {error}") from error
    except ValueError as error:
        raise ValueError(f"the policy {path} cannot be used: {error}") from error
