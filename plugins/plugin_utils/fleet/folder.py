# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents in a folder, for hosts that are never in one play.

Each file has one document. Its name says for what and which it is, so that people know it again;
what counts is its content.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.seatkeeper.licensing.plugins.module_utils._documents import (
    read_document,
    write_document,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._file_names import file_stem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.courier import Document
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.declarations import (
    Declaration,
    Entry,
)

Content = t.Tuple[t.Optional[Entry], Entry]
"""What is signed, and what is told without a signature: one of the two."""


class Folder:
    """A folder of the controller, from which somebody carries files to another one."""

    def __init__(self, path: str, is_check: bool) -> None:
        self._path = Path(path)
        self._is_check = is_check

    def file_of(self, declaration: Declaration, kind: str) -> str:
        """The file of one document: no two declarations share it."""
        return str(self._path / f"{file_stem(declaration.name)}-{declaration.id[:8]}.{kind}.json")

    def read(self, declaration: Declaration, kind: str) -> t.Optional[Content]:
        """What was brought; None where it is not there yet. LicenseProblem for another file."""
        found = read_document(self.file_of(declaration, kind))
        if found is None:
            return None
        return (found, {}) if "signatures" in found else (None, found)

    def write(self, declaration: Declaration, document: Document) -> bool:
        """Have the document there, for its owner only; whether that is a change."""
        path = self.file_of(declaration, document["kind"])
        return write_document(path, document["envelope"] or document["facts"], self._is_check)
