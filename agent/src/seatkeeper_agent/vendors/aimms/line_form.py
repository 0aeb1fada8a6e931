# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of a printed line, as an operator writes it: text with {license}, {state}, {profile}.

What ``licman`` prints is not documented, so only who has seen it can tell the form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from seatkeeper_agent.domain.server_moves import LICENSE_NUMBER

FORM_LENGTH_MAX = 200
ANY_MAX = 3
_PLACE = re.compile(r"\{(\w*)\}")
_PATTERNS = {
    "license": rf"(?P<license>{LICENSE_NUMBER.pattern})",
    "state": r"(?P<state>\S.*?|)",
    "profile": r"(?P<profile>\S*)",
    "any": r".*?",
}
_SPACED_PROFILE = r"(?P<profile>\S.*?|)"
_NEEDED = ("license", "state")


@dataclass(frozen=True)
class LineForm:
    """The patterns for a whole line: by the known states, first to last, or by white space alone.

    A profile's name may have spaces. Where the states are known, they say where it begins; a line
    that can be read in two ways so is read by white space, where a name has none.
    """

    has_profile: bool
    by_states: tuple[re.Pattern[str], ...]
    by_space: re.Pattern[str]

    def match(self, line: str) -> re.Match[str] | None:
        """What a line says; None where it has another form."""
        found = [pattern.fullmatch(line) for pattern in self.by_states]
        read = {None if each is None else (each["state"], each["profile"]) for each in found}
        if found and found[0] is not None and len(read) == 1:
            return found[0]
        return self.by_space.fullmatch(line)


def parse_line_form(form: str, states: Iterable[str] = ()) -> LineForm:
    """What reads a whole line; ValueError says in one clause why the form is refused.

    ``states`` are the texts of states that are known. White space stands for any white space.
    Matching costs at most a small power of the line's length, since few parts vary.
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
    patterns = _PATTERNS | ({"profile": _SPACED_PROFILE} if _stands_apart(parts) else {})
    by_states = _by_states(parts, states) if "profile" in names else ()
    return LineForm("profile" in names, by_states, _compiled(parts, patterns))


def _by_states(parts: list[str], states: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """With as little as possible before the state, and with as much."""
    texts = [re.escape(text) for text in sorted(states, key=len, reverse=True) if text]
    if not texts:
        return ()
    known = {"state": f"(?P<state>{'|'.join(texts)})", "profile": _SPACED_PROFILE}
    return tuple(_compiled(parts, {**_PATTERNS, **known, "any": any_}) for any_ in (".*?", ".*"))


def _compiled(parts: list[str], patterns: dict[str, str]) -> re.Pattern[str]:
    return re.compile(
        "".join(
            patterns[part] if number % 2 else _literal(part) for number, part in enumerate(parts)
        )
    )


def _stands_apart(parts: list[str]) -> bool:
    """Whether more than white space divides the profile from the places beside it."""
    places = parts[1::2]
    if "profile" not in places:
        return False
    place = 1 + 2 * places.index("profile")
    before, after = parts[place - 1].strip(), parts[place + 1].strip()
    return (bool(before) or place == 1) and (bool(after) or place == len(parts) - 2)


def _literal(text: str) -> str:
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))
