# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an agent's answer is of the form that every host may go on with.

Looked at in the task of the host that answered: what one agent sends must not make the tasks of
other hosts fail.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import shapes

TEXT_OR_NONE: t.Final = (str, type(None))
_DOCUMENT: t.Final = (dict, type(None))
_LICENSES: t.Final = [{"number": str, "profiles": [str]}]


def check(value: t.Any, shape: shapes.Shape, place: str, host: str) -> None:
    """AnsibleFilterError where a value, found at ``place`` of an answer, is of another form."""
    try:
        shapes.check(value, shape, place, host)
    except shapes.UnreadableError as error:
        raise AnsibleFilterError(str(error)) from error


def check_moves(records: t.Any, host: str) -> None:
    """Moves of license servers as a journal lists them."""
    shape = {
        "name": str,
        "state": str,
        "documents": dict,
        "backup": {"licenses": _LICENSES},
    }
    check(records, [shape], "moves", host)
    for number, record in enumerate(records):
        for kind, document in record["documents"].items():
            check(document, _DOCUMENT, f"moves[{number}].documents.{kind}", host)


def check_backup(backup: t.Any, host: str) -> None:
    """The backup of a license server."""
    check(backup, {"licenses": _LICENSES}, "backup", host)
