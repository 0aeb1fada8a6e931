# SPDX-License-Identifier: GPL-3.0-or-later
"""Dry runs that plan what the run right after them refuses, found in what is recorded."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from answers.script import Lines

DRY_RUN, RUN = ", dry run", ", run"


class Exempt(NamedTuple):
    """Titles, in the patterns of a shell, that a dry run may plan, and why it cannot know."""

    titles: tuple[str, ...]
    why: str
    planned: str = ""
    """What the answer of the dry run has to say all the same."""


UNKNOWABLE = {
    "428 confirmation-required": Exempt(
        ("*",), "the plan is what is to be confirmed", "; plan to be confirmed: "
    ),
    "403 forbidden": Exempt(
        ("*, confirmed by operator", "* by observer"),
        "whoever may look may plan; who does it and who confirms is asked with the run",
    ),
    "409 leg-out-of-order": Exempt(
        ("* before anything else", "transfer by *", "transfer, confirmed by *"),
        "without a document it runs ahead of legs that the play plans too",
    ),
    "422 credentials-refused": Exempt(
        ("activation by *",), "the vendor alone knows the password, and hears it in the run only"
    ),
    "409 runtime-refused": Exempt(
        ("profile of *",),
        "which profiles a license takes the vendor's product says when it is asked",
    ),
    "409 in-doubt": Exempt(
        ("Chaos, setting that is refused again and again",),
        "the product refuses during the run",
    ),
}
"""By what the run answers. Outcomes of effects, a vendor's refusal while it performs, a person's
word: all else that the run refuses the dry run refuses in the same words."""


def refusal_in(answer: str) -> str:
    """Status and problem code; empty for what was not refused."""
    said = answer.partition(";")[0]
    return said if said[0] in "45" else ""


def unforeseen(lines: Lines) -> dict[str, str]:
    """What the dry run did not refuse as the run did, by title what the run said."""
    found = {}
    for title, planned in lines.items():
        asked = title.removesuffix(DRY_RUN)
        said = refusal_in(lines.get(asked + RUN, "200")) if asked != title else ""
        if said and refusal_in(planned) != said:
            found[asked] = said
    return found


def is_exempt(lines: Lines, title: str, said: str) -> bool:
    """Whether the dry run cannot have known it."""
    exempt, planned = UNKNOWABLE.get(said), lines[title + DRY_RUN]
    if exempt is None or exempt.planned not in planned:
        return False
    return any(fnmatchcase(title, meant) for meant in exempt.titles)
