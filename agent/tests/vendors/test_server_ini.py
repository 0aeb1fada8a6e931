# SPDX-License-Identifier: GPL-3.0-or-later
"""Editing Server.ini changes what was asked and not one byte more."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seatkeeper_agent.operations.ports import DriverRefused
from seatkeeper_agent.vendors.codemeter.server_ini import edited, parse

NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=6)
VALUES = st.text(string.ascii_letters + string.digits + " =;#[]\\.:/-", max_size=12).map(str.strip)
BLANKS = st.sampled_from(["", " ", "\t", "  "])
ENDS = st.sampled_from(["\n", "\r\n"])
COMMENTS = st.sampled_from(
    ["", "  ", "; a comment = x", "# [no section]", "no key here", "; Größe"]
)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, dict[str, dict[str, str]]]:
    """A text with its settings, in any of the shapes that a person may have given it."""
    end = draw(ENDS)
    settings = draw(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=4), max_size=4))
    lines = [draw(COMMENTS)]
    for section, entries in settings.items():
        lines.append(f"{draw(BLANKS)}[{section}]{draw(BLANKS)}")
        for key, value in entries.items():
            lines += draw(st.lists(COMMENTS, max_size=2))
            blanks = [draw(BLANKS) for _ in range(4)]
            lines.append(f"{blanks[0]}{key}{blanks[1]}={blanks[2]}{value}{blanks[3]}")
        lines += draw(st.lists(COMMENTS, max_size=2))
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    mark = draw(st.sampled_from([b"", BYTE_ORDER_MARK]))
    encoding = draw(st.sampled_from(["utf-8", "latin-1"]))
    return mark + text.encode(encoding), settings


@given(files())
def test_reading_finds_every_setting(made: tuple[bytes, dict[str, dict[str, str]]]) -> None:
    content, settings = made
    assert parse(content) == settings


@given(files())
def test_setting_what_is_there_changes_no_byte(
    made: tuple[bytes, dict[str, dict[str, str]]],
) -> None:
    content, settings = made
    assert edited(content, settings) == content


@given(files(), NAMES, NAMES, VALUES)
def test_setting_a_key_changes_that_key_only(
    made: tuple[bytes, dict[str, dict[str, str]]], section: str, key: str, value: str
) -> None:
    content, settings = made
    after = edited(content, {section: {key: value}})
    assert parse(after) == {**settings, section: {**settings.get(section, {}), key: value}}
    before_lines, after_lines = (
        text.removeprefix(BYTE_ORDER_MARK).splitlines() for text in (content, after)
    )
    if key in settings.get(section, {}):
        changed = [pair for pair in zip(before_lines, after_lines, strict=True) if len({*pair}) > 1]
        assert len(changed) == (settings[section][key] != value)
    else:
        added = [f"{key}={value}".encode()]
        added = added if section in settings else [f"[{section}]".encode(), *added]
        size = len(added)
        assert any(
            after_lines[n : n + size] == added
            and after_lines[:n] + after_lines[n + size :] == before_lines
            for n in range(len(after_lines))
        )
    assert after.startswith(BYTE_ORDER_MARK) == content.startswith(BYTE_ORDER_MARK)
    assert (b"\r\n" in after) >= (b"\r\n" in content)
    assert edited(after, {section: {key: value}}) == after


VENDOR = b"""[General]\r
; kept\r
BindAddress=0.0.0.0\r
UnknownKey = something \r
ProxyUser=\r
\r
[ServerSearchList\\Server1]\r
Address=\r
ProxyPassword=hidden\r
"""


def test_a_file_like_the_vendors() -> None:
    after = edited(
        VENDOR,
        {
            "General": {"ProxyUser": "someone", "IsNetworkServer": "1"},
            "ServerSearchList\\Server1": {"Address": "192.0.2.7"},
            "Backup": {"Interval": "24"},
        },
    )
    assert after == (
        VENDOR.replace(b"ProxyUser=\r\n", b"ProxyUser=someone\r\nIsNetworkServer=1\r\n").replace(
            b"Address=\r\n", b"Address=192.0.2.7\r\n"
        )
        + b"[Backup]\r\nInterval=24\r\n"
    )


def test_what_looks_like_a_password_is_neither_shown_nor_set() -> None:
    assert parse(VENDOR)["ServerSearchList\\Server1"] == {"Address": ""}
    with pytest.raises(DriverRefused, match="looks like a secret"):
        edited(VENDOR, {"General": {"ProxyPassword": "x"}})


@pytest.mark.parametrize(
    "value", ["%n", "a\nb", "a\rb", "\x00", "\x7f", "ö", " a", "a ", "x" * 1025]
)
def test_values_that_must_not_go_into_the_file(value: str) -> None:
    with pytest.raises(DriverRefused, match=r"The value for \[General\] ProxyServer"):
        edited(VENDOR, {"General": {"ProxyServer": value}})


@pytest.mark.parametrize("name", ["", "a=b", "a]b", "%s", "a\nb", ";a", " a", "ö", "x" * 101])
def test_names_that_must_not_go_into_the_file(name: str) -> None:
    with pytest.raises(DriverRefused, match="is not a name"):
        edited(VENDOR, {"General": {name: "1"}})
    with pytest.raises(DriverRefused, match="is not a name"):
        edited(VENDOR, {name: {"Key": "1"}})


def test_another_spelling_and_a_key_that_stands_twice() -> None:
    with pytest.raises(DriverRefused, match="spells bindaddress as BindAddress"):
        edited(VENDOR, {"General": {"bindaddress": "127.0.0.1"}})
    with pytest.raises(DriverRefused, match="spells GENERAL as General"):
        edited(VENDOR, {"GENERAL": {"Logging": "1"}})
    repeated = VENDOR + b"[General]\r\nBindAddress=::\r\n"
    twice = r"\[General\] BindAddress stands .* different values, in line 3 and in line 11,"
    with pytest.raises(DriverRefused, match=twice):
        parse(repeated)
    with pytest.raises(DriverRefused, match=twice):
        edited(repeated, {"HTTP": {"RemoteRead": "1"}})


REPEATED = b"""[General]
IsNetworkServer=0

[ServerSearchList]
UseBroadcast=1
[ServerSearchList\\Server1]
Address=192.0.2.8
[ServerSearchList\\Server1]
Address=192.0.2.8
Address = 192.0.2.8
"""


def test_what_stands_twice_with_one_value_is_no_doubt() -> None:
    """Sections and lines; nothing is tidied up, and a change reaches every such line."""
    server, other = "ServerSearchList\\Server1", {"General": {"IsNetworkServer": "1"}}
    assert parse(REPEATED)[server] == {"Address": "192.0.2.8"}
    assert edited(REPEATED, {server: {"Address": "192.0.2.8"}}) == REPEATED
    assert edited(REPEATED, other) == REPEATED.replace(b"Server=0", b"Server=1")
    changed = edited(REPEATED, {server: {"Address": "192.0.2.9"}})
    assert changed == REPEATED.replace(b"192.0.2.8", b"192.0.2.9")
    assert edited(REPEATED, {server: {"Port": "1"}}) == REPEATED + b"Port=1\n"


@given(files(), st.data())
def test_repeating_what_is_there_changes_no_setting(
    made: tuple[bytes, dict[str, dict[str, str]]], data: st.DataObject
) -> None:
    """Any section again at the end, with some of its lines: read as before, changed everywhere."""
    content, settings = made
    assume(any(settings.values()))
    section = data.draw(st.sampled_from(sorted(name for name in settings if settings[name])))
    again = data.draw(st.lists(st.sampled_from(sorted(settings[section]))))
    lines = [f"[{section}]", *(f"{key}={settings[section][key]}" for key in again)]
    repeated = content + ("\n" + "\n".join(lines) + "\n").encode()
    assert parse(repeated) == settings
    assert edited(repeated, settings) == repeated
    for key in again:
        after = edited(repeated, {section: {key: "another"}})
        assert parse(after) == {**settings, section: {**settings[section], key: "another"}}


def test_an_encoding_that_is_not_understood() -> None:
    with pytest.raises(DriverRefused, match="not a text in an encoding"):
        parse("[General]".encode("utf-16"))
