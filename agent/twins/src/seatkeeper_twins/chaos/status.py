# SPDX-License-Identifier: GPL-3.0-or-later
"""What GET /status answers: the known shape (grade T) with members that no driver knows."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from seatkeeper_twins.chaos.models import Product

if TYPE_CHECKING:
    from seatkeeper_twins.chaos.server import Server
    from seatkeeper_twins.chaos.usb_folder import Plugged


def shown_status(server: Server) -> dict[str, Any]:
    """The status of a server; its lock is held and its state settled."""
    return {
        "version": server.state["version"],
        "online": _online(server),
        "offline": _offline(server),
        "dongle": _dongle(server),
        "_twin": {"is": "a stand-in that serves no license"},
    }


def shown_product(product: Product) -> dict[str, Any]:
    """A product with its seats; a kind without seats is absent."""
    reported = {"productLabel": product["product"], "_twin": "more members surely exist"}
    return {"product": {**reported, **product["seats"]}}


def _online(server: Server) -> dict[str, Any]:
    if server.state["activation_method"] is None:
        return {"available": False}
    shown = [] if server.transferring() else server.state["licenses"]
    return {"available": True, "licenses": [shown_product(each) for each in shown]}


def _offline(server: Server) -> dict[str, Any]:
    usable = server.usable_borrows()
    return {
        "sessions": {
            each["id"]: {
                each["key"]: each["seats"],
                "productId": _product_id(each["product"]),
                "ip": "127.0.0.1",
            }
            for each in usable
        },
        "licenses": [
            {"productId": _product_id(product), "productLabel": product}
            for product in sorted({each["product"] for each in usable})
        ],
    }


def _dongle(server: Server) -> dict[str, Any]:
    visible = server.visible()
    alive = [each for each in visible if each.serial not in server.state["dead_dongles"]]
    return {
        "enabled": server.state["dongle_enabled_at"] is not None,
        "available": bool(alive) and not server.transferring(),
        "dongles": {_dongle_key(each): {"_twin": each.path} for each in visible},
    }


def _product_id(label: str) -> int:
    return zlib.crc32(label.encode()) % 10_000


def _dongle_key(dongle: Plugged) -> str:
    """What the key is made of is not public; only the number of keys means something."""
    return f"{zlib.crc32((dongle.serial or dongle.path).encode()):08x}"
