# SPDX-License-Identifier: GPL-3.0-or-later
"""Papers of orders, which the controller keeps where the operator wants them."""

from __future__ import annotations

import base64
import binascii
import os
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._file_names import (
    as_on_disk,
    file_stem,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import (
    file_problem,
    write_file,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import order_id

_FOLDER_MODE: t.Final = 0o700


def keep_papers(
    folder: str, order: str, papers: t.Sequence[t.Dict[str, t.Any]], check_mode: bool
) -> t.Tuple[t.List[str], bool]:
    """The paths of an order's papers in the folder, and whether one was, or would be, written.

    LicenseProblem where one cannot be written.
    """
    if papers and not check_mode:
        _make(folder)
    # Papers of all orders are called alike, and two orders may have one folder.
    before = os.path.join(as_on_disk(folder), f"{file_stem(order)}-{order_id(order)[:8]}")
    written, paths = False, []
    for paper in papers:
        # The name is the agent's: none of it leads out of the folder.
        paths.append(f"{before}.{os.path.basename(paper['name'])}")
        try:
            content = base64.b64decode(paper["content"], validate=True)
        except binascii.Error as error:
            raise file_problem(paths[-1], "did not arrive as it was sent") from error
        written |= write_file(paths[-1], content, check_mode)
    return paths, written


def _make(folder: str) -> None:
    try:
        os.makedirs(as_on_disk(folder), mode=_FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise file_problem(folder, f"cannot be made a folder: {error.strerror}") from error
