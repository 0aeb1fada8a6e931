# SPDX-License-Identifier: GPL-3.0-or-later
"""What JSON from outside is taken: the same as by any reader, or one clause that says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.strict_json import (
    NESTING_MAX,
    NUMBER_MAX,
    PARTS_MAX,
    PROGRAMS_NESTING_MAX,
    JsonFault,
    read,
    read_document,
)

ODD = {
    "NaN": "has Infinity or NaN",
    "Infinity": "has Infinity or NaN",
    "-Infinity": "has Infinity or NaN",
    "1e400": "has a number beyond",
    "-1e400": "has a number beyond",
    "1e30": "has a number beyond",
    str(10**30): "has a number beyond",
    str(NUMBER_MAX + 1): "has a number beyond",
    str(-NUMBER_MAX - 1): "has a number beyond",
    "9" * 5000: "has a number beyond",
    "9.5e18": "has a number beyond",
    '{"a": 1, "a": 1}': "has the same member twice",
    "[" * 90_000: "is nested deeper than",
    "[" * PROGRAMS_NESTING_MAX + "]" * PROGRAMS_NESTING_MAX: "is nested deeper than",
    "[" + "[]," * PARTS_MAX + "[]]": f"has more than {PARTS_MAX} parts",
    "01": "is not JSON",
    "": "is not JSON",
    '"\t"': "is not JSON",
    "[1,]": "is not JSON",
}


@pytest.mark.parametrize("reader", [read, read_document])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[:20])
def test_what_is_odd_is_refused_with_a_clause(reader: Any, odd: str) -> None:
    for content in (f'{{"a": {odd}}}', f'{{"a": {odd}}}'.encode()):
        with pytest.raises(JsonFault, match=ODD[odd]):
            reader(content)


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "\x9b31m", "\ud800", "\x7f"])
def test_control_characters_are_no_line(text: str) -> None:
    content = json.dumps({"a": [text]})
    assert read(content) == {"a": [text]}
    for place in ({"a": [text]}, {text: 1}):
        with pytest.raises(JsonFault, match="control characters"):
            read_document(json.dumps(place))


def test_the_limits_themselves_are_taken() -> None:
    assert read(str(NUMBER_MAX)) == NUMBER_MAX
    assert read_document(f"[{-NUMBER_MAX}, 2.0, 2.5, 1e3, -0.0]") == [-NUMBER_MAX, 2, 2.5, 1000, 0]
    assert [type(value) for value in read("[2.0, 1e3]")] == [float, float]
    for reader, deepest in ((read, PROGRAMS_NESTING_MAX), (read_document, NESTING_MAX)):
        assert reader("[" * deepest + "]" * deepest)
        with pytest.raises(JsonFault, match=f"deeper than {deepest}"):
            reader("[" * (deepest + 1) + "]" * (deepest + 1))
    assert read(b'\xef\xbb\xbf{"a": "\xc3\xa4"}') == {"a": "ä"}
    with pytest.raises(JsonFault, match="is not JSON"):
        read('{"a": 1}'.encode("utf-16"))


ORDINARY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-NUMBER_MAX, NUMBER_MAX)
    | st.floats(-1e18, 1e18)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(document=ORDINARY)
def test_what_is_ordinary_is_read_as_by_anybody(document: Any) -> None:
    assert read(json.dumps(document)) == json.loads(json.dumps(document))
