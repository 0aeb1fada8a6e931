# SPDX-License-Identifier: GPL-3.0-or-later
"""``vrlclient.xml``: which license servers a client asks, edited without touching the rest.

The file is changed as bytes, in the places of the declared elements only. So comments, layout,
attributes, elements that nobody here knows, and the account's password stay as they were. Templates
often write files that are not well-formed and that the product reads all the same (grade T), with
names such as ``!Proxy`` or a bare ``&``: of these the tags alone are read.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from xml.parsers import expat

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    CLIENT_FILE,
    LicenseProblem,
)

SERVERS_MAX = 3
ROOT, SECTION = "VRLClient", "LicServer"
SLOTS: t.Final = (("Host", "Port"), ("Host1", "Port1"), ("Host2", "Port2"))
NEW_FILE = b"""<VRLClient>
\t<LicServer>
\t\t<Host/>
\t\t<Port/>
\t\t<Host1/>
\t\t<Port1/>
\t\t<Host2/>
\t\t<Port2/>
\t\t<User/>
\t\t<Pass/>
\t</LicServer>
</VRLClient>
"""
_TAG = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")
# A comment or a tag; the name of a tag is ASCII, perhaps with the mark of a template before it.
_LOOSE_TAG = re.compile(
    rb"<!--.*?-->|<(?P<end>/?)(?P<name>[!?]?[A-Za-z_][A-Za-z0-9_.:-]*)(?:\s[^<>]*)?/?>", re.DOTALL
)

Server = t.Dict[str, t.Any]


@dataclass
class _Element:
    """Where an element stands: its start tag, and the end of what is in it."""

    name: str
    tag_start: int
    tag_end: int
    content_end: int
    text: str = ""
    plain: bool = True

    @property
    def is_empty_tag(self) -> bool:
        """Whether it is written as one tag, such as ``<Host/>``."""
        return self.content_end < self.tag_end


class ClientFile:
    """The servers of one file, read from its bytes; LicenseProblem when they cannot be."""

    def __init__(self, path: str, content: bytes) -> None:
        self._path = path
        self._content = content
        reader = self._reader()
        self._section = reader.sections[0]
        self._values: dict[str, _Element] = {}
        for element in reader.values:
            if element.name in self._values:
                raise self._problem(f"has the element {element.name} twice")
            self._values[element.name] = element

    def servers(self) -> list[Server]:
        """The servers in the order in which a client asks them; the port as it is written."""
        shown = []
        for host_name, port_name in SLOTS:
            host = self._text(host_name)
            if host:
                shown.append({"host": host, "port": _port(self._text(port_name))})
        return shown

    def with_servers(self, servers: list[Server]) -> bytes:
        """The same file with these servers in their places, and no others."""
        edits: list[tuple[int, int, bytes]] = []
        missing: list[tuple[str, str]] = []
        for position, (host_name, port_name) in enumerate(SLOTS):
            server = servers[position] if position < len(servers) else None
            if server is None and not self._text(host_name):
                continue
            wanted = ("", "") if server is None else (server["host"], str(server["port"]))
            for name, text in zip((host_name, port_name), wanted):
                element = self._values.get(name)
                if element is None:
                    missing += [(name, text)] if text else []
                elif element.text.strip() != text:
                    edits.append(self._replacement(element, text))
        if missing:
            edits.append(self._insertion(missing))
        content = self._content
        for start, end, text_bytes in sorted(edits, reverse=True):
            content = content[:start] + text_bytes + content[end:]
        return content

    def _text(self, name: str) -> str:
        element = self._values.get(name)
        return "" if element is None else element.text.strip()

    def _replacement(self, element: _Element, text: str) -> tuple[int, int, bytes]:
        if not element.plain:
            raise self._problem(f"has more than a text in the element {element.name}")
        if not element.is_empty_tag:
            return element.tag_end, element.content_end, text.encode("ascii")
        tag = self._content[element.tag_start : element.tag_end]
        opened = tag[:-2].rstrip() + b">"
        whole = opened + text.encode("ascii") + f"</{element.name}>".encode("ascii")
        return element.tag_start, element.tag_end, whole

    def _insertion(self, missing: list[tuple[str, str]]) -> tuple[int, int, bytes]:
        """Elements that are not there yet, in front of the section's end."""
        section = self._section
        added = "".join(f"<{name}>{text}</{name}>" for name, text in missing).encode("ascii")
        if not section.is_empty_tag:
            return section.content_end, section.content_end, added
        tag = self._content[section.tag_start : section.tag_end]
        whole = tag[:-2].rstrip() + b">" + added + f"</{SECTION}>".encode("ascii")
        return section.tag_start, section.tag_end, whole

    def _reader(self) -> t.Union[_Reader, _TagReader]:
        if b"\x00" in self._content:
            raise self._problem("is not in an encoding that keeps ASCII, such as UTF-8")
        reader: _Reader | _TagReader = _Reader(self._content)
        try:
            reader.parse()
        except expat.ExpatError as error:
            reader = _TagReader(self._content)
            if not reader.parse():
                raise self._problem(
                    f"is not well-formed XML (line {error.lineno}, column {error.offset}), and its"
                    " tags cannot be told apart either"
                ) from error
        if reader.doctype:
            raise self._problem("has a document type of its own, which a client's file has not")
        if reader.root != ROOT or len(reader.sections) != 1:
            raise self._problem(f"does not hold one element {SECTION} in one {ROOT}")
        return reader

    def _problem(self, what: str) -> LicenseProblem:
        return LicenseProblem.of(
            CLIENT_FILE,
            f"The file {self._path} {what}; it was left as it is.",
            "Correct it by hand, or move it away and run the task again.",
        )


class _Reader:
    """Finds the elements with their places in the bytes; bounded by the file's own size."""

    def __init__(self, content: bytes) -> None:
        self.root = ""
        self.doctype = False
        self.sections: list[_Element] = []
        self.values: list[_Element] = []
        self._content = content
        self._open: list[_Element] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._started
        self._parser.EndElementHandler = self._ended
        self._parser.CharacterDataHandler = self._text
        self._parser.CommentHandler = self._other
        self._parser.StartDoctypeDeclHandler = self._declared

    def parse(self) -> None:
        """Read everything; ExpatError where it is no XML."""
        self._parser.Parse(self._content, True)

    def _started(self, name: str, _attributes: dict[str, str]) -> None:
        self._other("")
        start = self._parser.CurrentByteIndex
        tag = _TAG.match(self._content, start)
        element = _Element(name, start, start if tag is None else tag.end(), -1)
        path = [opened.name for opened in self._open]
        if not path:
            self.root = name
        elif path == [ROOT] and name == SECTION:
            self.sections.append(element)
        elif path == [ROOT, SECTION] and name in {name for slot in SLOTS for name in slot}:
            self.values.append(element)
        self._open.append(element)

    def _ended(self, _name: str) -> None:
        element = self._open.pop()
        if not self._content[element.tag_start : element.tag_end].endswith(b"/>"):
            element.content_end = self._parser.CurrentByteIndex

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def _other(self, _what: str) -> None:
        """Something besides text is in the innermost open element."""
        if self._open:
            self._open[-1].plain = False

    def _declared(self, *_declaration: object) -> None:
        self.doctype = True


class _TagReader:
    """Finds the elements of a file that is not well-formed by its tags alone."""

    def __init__(self, content: bytes) -> None:
        self.root = ""
        self.doctype = False
        self.sections: list[_Element] = []
        self.values: list[_Element] = []
        self._content = content
        self._open: list[_Element] = []

    def parse(self) -> bool:
        """Whether every element that begins also ends, in the order of their nesting."""
        for tag in _LOOSE_TAG.finditer(self._content):
            if tag["name"] is None or tag["name"].startswith(b"?"):
                self._within()
                continue
            name = tag["name"].decode("ascii")
            if tag["end"]:
                if not self._open or self._open[-1].name != name:
                    return False
                self._close(tag)
            else:
                self._begin(name, tag)
        return bool(self.root) and not self._open

    def _begin(self, name: str, tag: re.Match[bytes]) -> None:
        self._within()
        element = _Element(name, tag.start(), tag.end(), -1)
        path = [opened.name for opened in self._open]
        self.doctype = self.doctype or name == "!DOCTYPE"
        if not path:
            self.root = name if not self.root else "several"
        elif path == [ROOT] and name == SECTION:
            self.sections.append(element)
        elif path == [ROOT, SECTION] and name in {name for slot in SLOTS for name in slot}:
            self.values.append(element)
        if not tag[0].endswith(b"/>"):
            self._open.append(element)

    def _close(self, tag: re.Match[bytes]) -> None:
        element = self._open.pop()
        element.content_end = tag.start()
        if element.plain:
            content = self._content[element.tag_end : element.content_end]
            element.text = content.decode("utf-8", "replace")

    def _within(self) -> None:
        if self._open:
            self._open[-1].plain = False


def _port(text: str) -> t.Any:
    return int(text) if text.isdecimal() else text or None
