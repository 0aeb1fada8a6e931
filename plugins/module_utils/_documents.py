# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfer documents in files, for hosts that are never reachable together."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._files import (
    file_problem,
    read_file,
    write_file,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._strict_json import (
    JsonFault,
    read_json,
)


def read_document(path: str) -> dict[str, t.Any] | None:
    """The document in the file; None where the file is not there (yet)."""
    content = read_file(path)
    if content is None:
        return None
    try:
        document = read_json(content)
    except JsonFault as fault:
        raise file_problem(path, f"does not hold a transfer document: it {fault}") from fault
    if not isinstance(document, dict):
        raise file_problem(path, "does not hold a transfer document")
    return document


def write_document(path: str, document: dict[str, t.Any], dry_run: bool) -> bool:
    """Have the document in the file, readable by its owner only; whether that is a change."""
    content = (json.dumps(document, indent=2, sort_keys=True) + "\n").encode("utf-8")
    return write_file(path, content, dry_run)
