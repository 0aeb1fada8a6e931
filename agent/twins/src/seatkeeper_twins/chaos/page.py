# SPDX-License-Identifier: GPL-3.0-or-later
"""What both pages are made of; their look is made up."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from types import MappingProxyType

_LAYOUT = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))


def layout(title: str, navigation: str, body: str, refresh_seconds: int | None = None) -> str:
    """A whole page; it loads itself again while something is under way."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    return _LAYOUT.substitute(
        title=escaped(title), navigation=navigation, body=body, refresh=refresh
    )


def escaped(text: object) -> str:
    """A text as HTML shows it."""
    return html.escape(str(text))


def section(title: str, *parts: str) -> str:
    """A card with a heading."""
    return f"<section><h2>{escaped(title)}</h2>{''.join(parts)}</section>"


def button(
    label: str,
    action: str,
    hidden: Mapping[str, str] = MappingProxyType({}),
    *,
    get: bool = False,
    plain: bool = False,
) -> str:
    """A form that is just a button."""
    fields = "".join(
        f'<input type="hidden" name="{escaped(name)}" value="{escaped(value)}">'
        for name, value in hidden.items()
    )
    look = ' class="plain"' if plain else ""
    return (
        f'<form method="{"get" if get else "post"}" action="{action}">{fields}'
        f"<button{look}>{escaped(label)}</button></form>"
    )


def form(action: str, label: str, *fields: str, files: bool = False) -> str:
    """A form with its button below."""
    encoding = ' enctype="multipart/form-data"' if files else ""
    return (
        f'<form class="block" method="post" action="{action}"{encoding}>{"".join(fields)}'
        f"<p><button>{escaped(label)}</button></p></form>"
    )


def field(label: str, name: str, kind: str = "text") -> str:
    """A field that must be filled in."""
    fill = ' autocomplete="off"' if kind != "file" else ""
    return (
        f'<label class="field"><span>{escaped(label)}</span>'
        f'<input type="{kind}" name="{name}" required{fill}></label>'
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th scope=col>{escaped(heading)}</th>" for heading in headings)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    whole = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="wide">{whole}</div>'


def problem(text: str) -> str:
    """What went wrong, for a person."""
    return f'<p class="bad" role="alert">{escaped(text)}</p>' if text else ""


def moment(seconds: float) -> str:
    """A time for people and, in its attribute, for programs; UTC."""
    parts = time.gmtime(seconds)
    return (
        f'<time datetime="{time.strftime("%Y-%m-%dT%H:%M:%SZ", parts)}">'
        f"{time.strftime('%Y-%m-%d %H:%M UTC', parts)}</time>"
    )
