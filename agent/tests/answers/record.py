# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded files: one line for each request, its title and what was answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

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

SCRIPTS: dict[str, Callable[[], dict[str, str]]] = {
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

SLOW = {"moves_whole"}
"""Those that start a program of the product for each of hundreds of calls."""

ADVICE = """
Not meant: mend it. Meant: record it anew (`python -m answers {name}` in agent/tests), and say why
in the commit that changes the recorded file."""


def path_of(name: str) -> Path:
    """The recorded file of a script."""
    return Path(__file__).with_name("recorded") / f"{name}.txt"


def text_of(lines: Mapping[str, str]) -> str:
    """As it is written."""
    return "".join(f"{title}: {told}\n" for title, told in lines.items())


def recorded(name: str) -> dict[str, str]:
    """What a file says, by title."""
    rows = path_of(name).read_text(encoding="utf-8").splitlines()
    return {title: told for title, _colon, told in (row.partition(": ") for row in rows)}


def differences(was: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Each request that is answered otherwise, in words; none when all are answered alike."""
    told = [
        f"{title}\n    was  {was.get(title, 'not recorded')}\n    is   {line}"
        for title, line in found.items()
        if was.get(title) != line
    ]
    told += [
        f"{title}\n    was  {was[title]}\n    is   not requested"
        for title in was.keys() - found.keys()
    ]
    if not told and list(was) != list(found):
        told.append("the same requests in another order")
    return told
