# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and editing the text of Server.ini, keeping every byte that is not asked to change.

Comments, unknown keys, order, line ends and the encoding stay as they are. The names of the
settings are the product's; nothing here knows their meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from seatkeeper_agent.operations.ports import DriverRefused

Settings = dict[str, dict[str, str]]

_SECTION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\\ -]{0,99}")
_KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_KNOWN_SECTION = re.compile(
    r"General|ServerSearchList(\\Server[0-9]+)?|HTTP|Backup|TripleModeRedundancy"
)
"""The sections of the package default of 7.30 (grade D) and of the entries of its server list."""
_SECRET_NAME = re.compile(r"password|passwd|secret", re.IGNORECASE)
_VALUE_LENGTH_MAX = 1024
_SECTION_LINE = re.compile(rb"\s*\[([^\]\r\n]*)\]\s*")
_COMMENT_STARTS = (b"#", b";")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse(content: bytes) -> Settings:
    """All sections with their keys and values; DriverRefused where the file is ambiguous.

    A line or a section that stands there twice with the same value is not. Keys that look like
    passwords are left out: secrets do not leave the host.
    """
    settings: Settings = {}
    first_lines: dict[tuple[str, str], int] = {}
    for number, (section, line) in enumerate(_lines(content), 1):
        entries = settings.setdefault(section, {})
        found = _key_and_value(line)
        if found is None:
            continue
        key, value = found
        if entries.setdefault(key, value) != value:
            raise DriverRefused(
                f"[{section}] {key} stands in Server.ini with different values, in line"
                f" {first_lines[section, key]} and in line {number}, and it is not documented which"
                " one counts: remove one."
            )
        first_lines.setdefault((section, key), number)
    settings = {section: _open_entries(entries) for section, entries in settings.items()}
    if not settings.get("", True):
        del settings[""]
    return settings


def edited(content: bytes, changes: Settings) -> bytes:
    """The text with the named keys set; a key or a section that is missing is added.

    DriverRefused for a name or a value that must not go into the file, and for a name that
    differs from one in the file only in upper and lower case.
    """
    present = parse(content)
    for section, entries in changes.items():
        _check_name(section, _SECTION_NAME, "section", list(present))
        for key, value in entries.items():
            _check_name(key, _KEY_NAME, f"key of [{section}]", list(present.get(section, {})))
            _check_value(section, key, value)
            if present.get(section, {}).get(key) != value:
                content = _with_key(content, section, key, value)
    return content


def unknown_sections(content: bytes, changes: Settings) -> list[str]:
    """The sections of the changes that neither the file nor the product's package has."""
    present = parse(content)
    return [
        section
        for section in changes
        if section not in present and _KNOWN_SECTION.fullmatch(section) is None
    ]


def _open_entries(entries: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if not _SECRET_NAME.search(key)}


def _lines(content: bytes) -> Iterator[tuple[str, bytes]]:
    # Each line with the section it stands in; the line of a section's name included.
    if b"\0" in content:
        raise DriverRefused("Server.ini is not a text in an encoding that the driver understands.")
    section = ""
    for line in content.removeprefix(_BYTE_ORDER_MARK).splitlines(keepends=True):
        found = _SECTION_LINE.fullmatch(line)
        if found is not None:
            section = _text(found.group(1).strip())
        yield section, line


def _key_and_value(line: bytes) -> tuple[str, str] | None:
    if line.lstrip().startswith(_COMMENT_STARTS) or _SECTION_LINE.fullmatch(line):
        return None
    key, equals, value = line.partition(b"=")
    if not equals or not key.strip():
        return None
    return _text(key.strip()), _text(value.strip())


def _text(raw: bytes) -> str:
    # What is not UTF-8 is shown with a mark; it is never written back from this form.
    return raw.decode("utf-8", "replace")


def _with_key(content: bytes, section: str, key: str, value: str) -> bytes:
    mark = _BYTE_ORDER_MARK if content.startswith(_BYTE_ORDER_MARK) else b""
    lines = list(_lines(content))
    raw = [line for _, line in lines]
    here = [number for number, (place, _) in enumerate(lines) if place == section]
    # A line that stands there more than once is changed everywhere, or its values would differ.
    same = [n for n in here if (found := _key_and_value(raw[n])) is not None and found[0] == key]
    for number in same:
        raw[number] = _with_value(raw[number], value)
    if same:
        return mark + b"".join(raw)
    filled = [number for number in here if raw[number].strip()]
    end = b"\r\n" if any(line.endswith(b"\r\n") for line in raw) else b"\n"
    added = f"{key}={value}".encode("ascii") + end
    if not filled:
        added = f"[{section}]".encode("ascii") + end + added
    position = filled[-1] + 1 if filled else len(raw)
    before = b"".join(raw[:position])
    if before and not before.endswith((b"\n", b"\r")):
        before += end
    return mark + before + added + b"".join(raw[position:])


def _with_value(line: bytes, value: str) -> bytes:
    body = line.rstrip(b"\r\n")
    key, equals, old = body.partition(b"=")
    leading = old[: len(old) - len(old.lstrip())]
    trailing = old[len(old.rstrip()) :] if old.strip() else b""
    return key + equals + leading + value.encode("ascii") + trailing + line[len(body) :]


def _check_name(name: str, pattern: re.Pattern[str], what: str, present: list[str]) -> None:
    if pattern.fullmatch(name) is None:
        raise DriverRefused(f"{name!r} is not a name that may stand as a {what} in Server.ini.")
    if _SECRET_NAME.search(name):
        raise DriverRefused(f"{name} looks like a secret: set it with the product's own tools.")
    for other in present:
        if other != name and other.lower() == name.lower():
            raise DriverRefused(f"Server.ini spells {name} as {other}: use that spelling.")


def _check_value(section: str, key: str, value: str) -> None:
    # A format string of the product was once reachable through a setting, hence no percent sign;
    # the file's encoding is not documented, hence ASCII.
    allowed = value.isascii() and (value.isprintable() or not value) and "%" not in value
    if not allowed or value != value.strip() or len(value) > _VALUE_LENGTH_MAX:
        raise DriverRefused(
            f"The value for [{section}] {key} must be printable ASCII of at most"
            f" {_VALUE_LENGTH_MAX} characters without % and without blanks around it."
        )
