# SPDX-License-Identifier: GPL-3.0-or-later
"""What a representative sees in a mail: its subject, its attachments, and all text in it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from seatkeeper_twins.altigen.models import CARD, FORM, WORKSHEET

_NAMES = (
    (re.compile(r"card|authori[sz]ation", re.IGNORECASE), CARD),
    (re.compile(r"worksheet", re.IGNORECASE), WORKSHEET),
    (re.compile(r"transfer|form", re.IGNORECASE), FORM),
)
_UPGRADE = re.compile(r"upgrade\s+from\s+an\s+Office\s+or\s+Max\s+server", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it was read; ``documents`` are told by the names of the attachments."""

    subject: str
    message_id: str
    documents: tuple[str, ...]
    text: str

    @property
    def says_upgrade(self) -> bool:
        """Whether it is said to be an upgrade to software-only."""
        return _UPGRADE.search(self.text) is not None

    def mentions(self, names: Iterable[str]) -> list[str]:
        """Those of the names that stand in the text, whole."""
        return [
            name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", self.text)
        ]


def read(raw: bytes) -> Letter:
    """Read a mail; whatever cannot be read as text is known by its name only."""
    message = message_from_bytes(raw, _class=EmailMessage, policy=default)
    texts, documents = [], []
    for part in message.walk():
        name = part.get_filename()
        if name is not None:
            documents += [kind for pattern, kind in _NAMES if pattern.search(name)][:1]
        if part.get_content_maintype() == "text":
            content = str(part.get_content())
            if part.get_content_subtype() == "html":
                # A tag ends a word in the page as it does on paper.
                content = html.unescape(re.sub(r"<[^>]*>", " ", content))
            texts.append(content)
    return Letter(
        subject=str(message["Subject"] or ""),
        message_id=str(message["Message-ID"] or ""),
        documents=tuple(dict.fromkeys(documents)),
        text="\n".join(texts),
    )
