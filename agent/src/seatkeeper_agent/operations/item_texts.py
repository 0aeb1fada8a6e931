# SPDX-License-Identifier: GPL-3.0-or-later
"""Items as the JSON that the API shows, kept from one listing of a container to the next.

A transfer changes one item and, of all others of its firm code, nothing but the update counter.
To put ten thousand into JSON once more would cost more than everything else about them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from seatkeeper_agent.domain.licenses import Item, ItemKey
from seatkeeper_agent.operations.views import item_view

_COUNTER = "update_counter"
_WITHOUT_COUNTER = itemgetter(
    *(place for place, name in enumerate(Item._fields) if name != _COUNTER)
)
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def compact(value: Any) -> str:
    """Plain values as JSON without blanks."""
    return _COMPACT.encode(value)


class ItemTexts:
    """The texts of one container's items, each for the item as it was when it was made."""

    def __init__(self) -> None:
        self._kept: dict[ItemKey, tuple[tuple[Any, ...], str]] = {}

    def array(self, items: Sequence[Item]) -> str:
        """The items as a JSON array."""
        return f"[{','.join(map(self._of, items))}]"

    def _of(self, item: Item) -> str:
        shown = _WITHOUT_COUNTER(item)
        kept = self._kept.get(item.key)
        if kept is None or kept[0] != shown:
            kept = self._kept[item.key] = (shown, _begun(item))
        return f"{kept[1]}{item.update_counter}}}"


def _begun(item: Item) -> str:
    """All of an item's text but the update counter, which ends it."""
    view = item_view(item)
    del view[_COUNTER]
    return f'{compact(view)[:-1]},"{_COUNTER}":'
