# SPDX-License-Identifier: GPL-3.0-or-later
"""A carried file that no agent wrote so is named with what is odd about it, and nothing is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.seatkeeper.licensing.plugins.module_utils._documents import (
    read_document,
    write_document,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem

ODD = {
    '{"a": NaN}': "it has Infinity or NaN where a number belongs",
    '{"a": -Infinity}': "it has Infinity or NaN where a number belongs",
    '{"a": 1e400}': "it has a number beyond 9223372036854775807",
    '{"a": 1000000000000000000000000000000}': "it has a number beyond 9223372036854775807",
    '{"a": ' + "9" * 5000 + "}": "it has a number beyond 9223372036854775807",
    '{"a": 1, "a": 2}': "it has the same member twice",
    '{"a": ' + "[" * 100_000: "it is nested too deeply",
    '{"a": ': "it is not JSON",
    "[]": "does not hold a transfer document.",
}


@pytest.mark.parametrize("content", ODD, ids=lambda content: content[:20])
def test_an_odd_file_is_told_in_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "seats.request.json"
    path.write_text(content)
    with pytest.raises(LicenseProblem) as caught:
        read_document(str(path))
    detail = caught.value.document["detail"]
    assert detail.startswith(f"The file {path} does not hold a transfer document")
    assert ODD[content] in detail
    assert len(detail) < 300 + len(str(path))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "seats.request.json")
    assert write_document(path, {"a": [1, 2.5, None]}, dry_run=False)
    assert read_document(path) == {"a": [1, 2.5, None]}
    assert read_document(f"{path}.absent") is None
