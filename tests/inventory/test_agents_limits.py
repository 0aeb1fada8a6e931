# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection takes of a declaration is what the agent takes of it: the same limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet import schema
from inventory.declared import changed, read, right
from seatkeeper_agent.api.schemas import FILES as SCHEMAS

Schema = dict[str, Any]

LIMITS = (
    "enum", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength",
    "minProperties", "minimum", "pattern",
)  # fmt: skip
PAIRS = [
    ("license_transfers", "declaration"),
    ("license_borrows", "borrow"),
    ("license_server_borrows", "server-borrow"),
    ("license_dongle_migrations", "migration-order"),
    ("license_activations", "activation-order"),
    ("license_server_configs", "settings"),
    ("license_server_moves", "declared-move"),
    ("license_server_moves", "move-declaration"),
    ("license_orders", "order-request"),
    ("phone_systems", "phone-system"),
]
CALLED = {
    "acknowledgement": "acknowledge_irreversible",
    "on": "date",
}
"""Members that an inventory calls otherwise."""
OTHERWISE = {
    "declaration.source": "an inventory names a host, whose agent the collection looks up",
    "declaration.target": "an inventory names a host",
    "declaration.parent": "an inventory may name the transfer, from which its id follows",
    "declaration.until": "a date is written in several ways, see below",
    "borrow.source": "an inventory names a host",
    "borrow.target": "an inventory names a host",
    "borrow.until": "a date is written in several ways, see below",
    "server-borrow.until": "a date is written in several ways, see below",
    "order-request.source": "an inventory names one of phone_systems",
    "order-request.target": "an inventory names one of phone_systems",
    "order-request.on": "a day is written in several ways, see below",
    "order-request.others": "made of the other orders",
    "phone-system.assurance_until": "a day is written in several ways, see below",
    "phone-system.stations_as_of": "a day is written in several ways, see below",
    "settings.running": "made of the state",
    "settings.version_min": "told to the agent for chaos only, see below",
    "move-declaration.source": "an inventory names a host",
    "move-declaration.target": "an inventory names a host",
    "move-declaration.vendor": "the collection moves servers of one vendor",
    "declared-move.move": "has its own row above",
    "declared-move.codes": "made of the codes of the licenses, see below",
    "declared-move.licenses[].has_code": "made of the code",
    "declared-move.backup": "read from the folder of backups",
    "order-request.papers": "asked for where a folder is declared for them",
}
"""What is not compared, and why."""


def resolved(node: Any) -> Any:
    """The agent's schema without references, and without that a member may be null."""
    if isinstance(node, list):
        return [resolved(each) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return resolved(SCHEMAS.schema(node["$ref"].removesuffix(".json")))
    if "anyOf" in node:
        # Of an amount it takes texts and numbers; the collection sends texts.
        first = next(each for each in node["anyOf"] if each.get("type") != "null")
        return resolved(first)
    return {name: resolved(inner) for name, inner in node.items()}


def compared(theirs: Schema, own: Schema, place: str) -> Iterator[str]:
    """The limits that differ, with their places."""
    for limit in LIMITS:
        if limit in theirs and _shown(theirs[limit]) != _shown(own.get(limit)):
            yield f"{place}: {limit} is {own.get(limit)!r}, and {theirs[limit]!r} of the agent"
    for word in ("items", "additionalProperties", "propertyNames"):
        if isinstance(theirs.get(word), dict):
            yield from compared(theirs[word], own[word], f"{place}[]" if word == "items" else place)
    for name, inner in theirs.get("properties", {}).items():
        at = f"{place}.{name}"
        if at in OTHERWISE:
            continue
        if CALLED.get(name, name) not in own["properties"]:
            yield f"{at}: is not in the inventory"
            continue
        yield from compared(inner, own["properties"][CALLED.get(name, name)], at)


def _shown(limit: Any) -> Any:
    return sorted(limit, key=str) if isinstance(limit, list) else limit


@pytest.mark.parametrize(("variable", "kind"), PAIRS)
def test_each_limit_is_that_of_the_agent(variable: str, kind: str) -> None:
    own = schema.variables()[variable]["items"]
    theirs = resolved(SCHEMAS.schema(kind))
    # That something has to be declared at all: an entry names its vendor at least.
    assert theirs.pop("minProperties", 1) <= len(own["required"])
    assert list(compared(theirs, own, kind)) == []


def test_a_limit_that_differs_is_found() -> None:
    own = schema.variables()["license_borrows"]["items"]
    theirs = resolved(SCHEMAS.schema("borrow"))
    theirs["properties"]["seats"]["maximum"] += 1
    theirs["properties"]["type"]["enum"].append("lent")
    theirs["properties"]["colour"] = {"type": "string"}
    found = list(compared(theirs, own, "borrow"))
    assert [text.partition(":")[0] for text in found] == [
        "borrow.type",
        "borrow.seats",
        "borrow.colour",
    ]


def test_every_reason_is_of_a_member_that_there_is() -> None:
    for place in OTHERWISE:
        node = SCHEMAS.schema(place.partition(".")[0])
        for name in place.partition(".")[2].split("."):
            node = resolved(node)["properties"][name.removesuffix("[]")]
            node = node["items"] if name.endswith("[]") else node


def test_a_code_of_a_license_is_as_the_agent_takes_it() -> None:
    codes = SCHEMAS.schema("declared-move")["properties"]["codes"]
    licenses = schema.variables()["license_server_moves"]["items"]["properties"]["licenses"]
    members = licenses["items"]["properties"]
    assert list(compared(codes["additionalProperties"], members["code"], "code")) == []
    assert list(compared(codes["propertyNames"], members["number"], "number")) == []


def test_the_version_of_a_chaos_server_is_as_the_agent_takes_it() -> None:
    rules = schema.variables()["license_server_configs"]["items"]["allOf"]
    own = [
        rule["then"]["properties"]["version_min"] for rule in rules if "properties" in rule["then"]
    ]
    theirs = SCHEMAS.schema("settings")["properties"]["version_min"]
    assert [each["pattern"] for each in own] == [theirs["pattern"]]


@pytest.mark.parametrize(
    ("place", "kind", "member"),
    [
        ("license_transfers[1].until", "declaration", "until"),
        ("license_borrows[0].until", "borrow", "until"),
        ("license_server_borrows[0].until", "server-borrow", "until"),
        ("license_orders[0].date", "order-request", "on"),
        ("phone_systems[0].assurance_until", "phone-system", "assurance_until"),
        ("phone_systems[0].stations_as_of", "phone-system", "stations_as_of"),
    ],
)
@pytest.mark.parametrize(
    "written",
    ["2027-01-31", "20270131", "2027-01-31 18:00", "2027-01-31T18:00:00Z", "1970-01-01",
     "2027-01-31T18:00:00.5+14:00", "9999-12-31"],
)  # fmt: skip
def test_a_date_is_given_to_the_agent_as_it_takes_it(
    place: str, kind: str, member: str, written: str
) -> None:
    found = read(changed(right(), place, written))
    assert found.mistakes == []
    ((variable, number, name),) = re.findall(r"^(\w+)\[(\d)\]\.(\w+)$", place)
    spelled = found.variables["old"][variable][int(number)][name]
    pattern = resolved(SCHEMAS.schema(kind))["properties"][member]["pattern"]
    assert re.search(pattern, spelled)
