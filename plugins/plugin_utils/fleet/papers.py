# SPDX-License-Identifier: GPL-3.0-or-later
"""Papers of orders, which the controller keeps where the operator wants them."""

from __future__ import annotations

import base64
import binascii
import os
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import (
    file_problem,
    write_file,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import Entry

_FOLDER_MODE: t.Final = 0o700


def keep_papers(folder: str, papers: t.Sequence[Entry]) -> None:
    """Have the papers in the folder; LicenseProblem where one cannot be written."""
    if not papers:
        return
    try:
        os.makedirs(folder, mode=_FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise file_problem(folder, f"cannot be made a folder: {error.strerror}") from error
    for paper in papers:
        # The name is the agent's: none of it leads out of the folder.
        path = os.path.join(folder, os.path.basename(paper["name"]) or "paper")
        try:
            content = base64.b64decode(paper["content"], validate=True)
        except binascii.Error as error:
            raise file_problem(path, "did not arrive as it was sent") from error
        write_file(path, content, False)
