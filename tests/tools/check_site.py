# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that a site works from a folder: every link leads to a part of a page that is there, and
nothing is loaded from outside. Usage: check_site.py FOLDER
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Members that make a browser load something when it shows the page.
LOADING = {"src", "srcset", "poster", "data", "background"}
STYLE_LOADS = r"""(?:url\(|@import\s+)["']?([^"')\s]+)"""


@dataclass
class Page:
    """What a page offers and what it asks for."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """Collects the anchors, links and loaded files of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for every element."""
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.page.anchors.add(value)
            elif name in LOADING or (tag == "link" and name == "href"):
                self.page.loads.append(value)
            elif name == "href":
                self.page.links.append(value)


def read(path: Path) -> Page:
    """The page of a file."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page


def is_outside(target: str) -> bool:
    """Whether a target is on another host; what is part of the page itself is not."""
    parts = urlsplit(target)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def broken(path: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    """What is wrong with the links of a page, one sentence each."""
    found = [f"{path}: loads {load} from outside" for load in page.loads if is_outside(load)]
    for target in page.links + page.loads:
        if is_outside(target) or target.startswith("data:"):
            continue
        parts = urlsplit(target)
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not file.is_file():
            found.append(f"{path}: {target} leads to no file")
        elif (
            file in pages and parts.fragment and unquote(parts.fragment) not in pages[file].anchors
        ):
            found.append(f"{path}: {target} leads to no part of that page")
    return found


def loads_of_styles(folder: Path) -> list[str]:
    """Style sheets that load something from outside, one sentence each."""
    return [
        f"{path}: loads {target} from outside"
        for path in folder.rglob("*.css")
        for target in re.findall(STYLE_LOADS, path.read_text(encoding="utf-8"))
        if is_outside(target)
    ]


def main() -> int:
    """Print what is wrong and return whether something was."""
    folder = Path(sys.argv[1]).resolve()
    pages = {path: read(path) for path in sorted(folder.rglob("*.html"))}
    found = [] if pages else [f"{folder}: there is no page"]
    for path, page in pages.items():
        found += broken(path, page, pages)
    found += loads_of_styles(folder)
    print("\n".join(found) or f"{len(pages)} pages, every link leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
