# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of a printed line, as an operator writes it: text with {license}, {state}, {profile}.

What ``licman`` prints is not documented, so only who has seen it can tell the form.
"""

from __future__ import annotations

import re

from seatkeeper_agent.domain.moves import LICENSE_NUMBER

FORM_LENGTH_MAX = 200
ANY_MAX = 3
_PLACE = re.compile(r"\{(\w*)\}")
_PATTERNS = {
    "license": rf"(?P<license>{LICENSE_NUMBER.pattern})",
    "state": r"(?P<state>\S.*?|)",
    "profile": r"(?P<profile>\S*)",
    "any": r".*?",
}
_NEEDED = ("license", "state")


def parse_line_form(form: str) -> re.Pattern[str]:
    """The pattern for a whole line; ValueError says in one clause why it is refused.

    White space stands for any white space. Matching costs at most a small power of the line's
    length, since few parts vary.
    """
    if not 0 < len(form) <= FORM_LENGTH_MAX or not form.isprintable():
        raise ValueError(f"must be one line of 1 to {FORM_LENGTH_MAX} characters")
    names = _PLACE.findall(form)
    for name in names:
        if name not in _PATTERNS:
            known = ", ".join(f"{{{known}}}" for known in _PATTERNS)
            raise ValueError(f"holds {{{name}}}; known are {known}")
        if names.count(name) > (ANY_MAX if name == "any" else 1):
            raise ValueError(f"holds {{{name}}} too often")
    for name in _NEEDED:
        if name not in names:
            raise ValueError(f"must hold {{{name}}}")
    if "}{" in form:
        raise ValueError("must have something between two places in braces")
    parts = _PLACE.split(form)
    return re.compile(
        "".join(
            _PATTERNS[part] if number % 2 else _literal(part) for number, part in enumerate(parts)
        )
    )


def _literal(text: str) -> str:
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))
