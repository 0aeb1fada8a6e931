# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded files: one line for each request, its title and what was answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from answers.script import Lines
from answers.scripts import (
    activations,
    borrows,
    migrations,
    moves,
    orders,
    refused_transfers,
    roles,
    seats,
    servers,
    transfers,
)

SCRIPTS: dict[str, Callable[[Lines], None]] = {
    "transfers": transfers.run,
    "refused_transfers": refused_transfers.run,
    "borrows": borrows.run,
    "servers": servers.run,
    "activations": activations.run,
    "seats": seats.run,
    "migrations": migrations.run,
    "orders": orders.run,
    "moves": moves.run,
    "moves_whole": moves.run_whole,
    "moves_back": moves.run_back,
    "roles": roles.run,
}

QUICK = ("transfers", "borrows", "servers", "moves_back")
SLOW = SCRIPTS.keys() - QUICK
"""A kind of each sort is quick; these would take make test half a minute."""

ADVICE = """
Not meant: mend it. Meant: record it anew (`python -m answers {name}` in agent/tests), and say why
in the commit that changes the recorded file."""


def path_of(name: str) -> Path:
    """The recorded file of a script."""
    return Path(__file__).with_name("recorded") / f"{name}.txt"


def text_of(lines: Lines) -> str:
    """As it is written."""
    return "".join(f"{title}: {reported}\n" for title, reported in lines.items())


def recorded(name: str) -> Lines:
    """What a file says, by title."""
    rows = path_of(name).read_text(encoding="utf-8").splitlines()
    return {title: reported for title, _colon, reported in (row.partition(": ") for row in rows)}


def differences(was: Lines, found: Lines, is_whole: bool = True) -> list[str]:
    """Each request that is answered otherwise, in words; none when all are answered alike.

    Of a script that is not ``is_whole``, because an answer broke it, what is missing says nothing.
    """
    reported = [
        f"{title}\n    was  {was.get(title, 'not recorded')}\n    is   {line}"
        for title, line in found.items()
        if was.get(title) != line
    ]
    missing = [title for title in was if title not in found] if is_whole else []
    reported += [f"{title}\n    was  {was[title]}\n    is   not requested" for title in missing]
    if is_whole and not reported and list(was) != list(found):
        reported.append("the same requests in another order")
    return reported


def compare(name: str) -> None:
    """AssertionError that names each request of a script that is answered otherwise."""
    was, lines = recorded(name), Lines()
    try:
        SCRIPTS[name](lines)
    except Exception as error:
        # The answers before it tell why it cannot go on.
        title = f"The script stopped after {next(reversed(lines), None)!r}: {error!r}"
        raise AssertionError(_reported(name, title, differences(was, lines, False))) from error
    differing = differences(was, lines)
    assert not differing, _reported(name, "Requests are answered otherwise.", differing)


def _reported(name: str, title: str, differing: list[str]) -> str:
    return "\n".join([title, *differing, ADVICE.format(name=name)])
