# SPDX-License-Identifier: GPL-3.0-or-later
"""What the variables of a host declare, as the agents are told of it.

Each kind of declaration is read by one function, which says who has a part in it. What is declared
once for a whole group is read alike on all hosts; each of them is told what it has a part in.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    borrow_id,
    instant,
    transfer_id,
    transfer_reference,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
)

Entry = t.Dict[str, t.Any]
Told = t.Dict[str, t.Any]
"""As an agent is told it: kind, id and what is declared."""
AgentOf = t.Callable[[str], str]
"""What the agent of a host is called."""

_ITEM: t.Final = re.compile(r"0*(\d+):0*(\d+)(?:@0*(\d+))?")
SIDES: t.Final = ("source", "target")


@dataclasses.dataclass(frozen=True)
class Declaration:
    """One thing that is declared, and whom it concerns.

    ``agents`` have a part in it, in the order in which they are asked. ``declared`` is told to each
    of them, together with what ``confirmed`` has for it. ``is_declared`` is false for what an
    earlier run has begun and nobody declares any more.
    """

    kind: str
    id: str
    name: str
    agents: t.Tuple[str, ...]
    declared: Entry
    confirmed: t.Dict[str, Entry] = dataclasses.field(default_factory=dict)
    is_declared: bool = True

    def told(self, agent: str) -> Told:
        """What one agent is told."""
        declared = {**self.declared, **self.confirmed.get(agent, {})}
        return {"kind": self.kind, "id": self.id, "declared": declared}

    def as_kept(self) -> Entry:
        """As a task keeps it for the next."""
        return dataclasses.asdict(self)

    @classmethod
    def from_kept(cls, kept: Entry) -> Declaration:
        """The declaration that a task before has kept."""
        return cls(**{**kept, "agents": tuple(kept["agents"])})


def read_declarations(variables: t.Mapping[str, t.Any], agent_of: AgentOf) -> t.List[Declaration]:
    """All that is declared, in the order in which it is done.

    ``variables`` have passed the check of the inventory. LicenseProblem for an item, a time or a
    number that is none.
    """
    return [
        read(entry, agent_of)
        for variable, read in READERS.items()
        for entry in variables.get(variable) or ()
    ]


def transfer_of(entry: Entry, agent_of: AgentOf) -> Declaration:
    """A transfer between two hosts; what confirms it is for its source alone."""
    parent = entry.get("parent")
    transfer = {
        "name": entry["name"],
        "item": _item(entry),
        "type": entry["type"],
        "mode": entry.get("mode") or "push",
        "quantity": _number(entry, "quantity"),
        "until": _moment(entry.get("until")),
        "parent": None if parent is None else transfer_reference(parent),
        **{side: _end(entry, side, agent_of) for side in SIDES},
    }
    digest = entry.get("plan_digest")
    source = transfer["source"]["agent"]
    confirmed = {} if digest is None else {source: {"plan_digest": digest}}
    return carried(transfer_id(entry["name"]), transfer, confirmed)


def borrow_of(entry: Entry, agent_of: AgentOf) -> Declaration:
    """A borrow: its borrower says what has to be carried for it, its lender what was lent."""
    declared = {
        "name": entry["name"],
        "item": _item(entry),
        "type": entry.get("type") or "borrow_local",
        "seats": _number(entry, "seats"),
        "until": _moment(entry["until"]),
        **{side: _end(entry, side, agent_of) for side in SIDES},
    }
    agents = (declared["source"]["agent"], declared["target"]["agent"])
    return Declaration("borrow", borrow_id(entry["name"]), entry["name"], agents, declared)


def carried(
    identity: str,
    transfer: Entry,
    confirmed: t.Optional[t.Dict[str, Entry]] = None,
    is_declared: bool = True,
) -> Declaration:
    """A transfer as both agents know it; its source is asked first whether it would go."""
    agents = (transfer["source"]["agent"], transfer["target"]["agent"])
    declared = {"transfer": transfer}
    return Declaration(
        "transfer", identity, transfer["name"], agents, declared, confirmed or {}, is_declared
    )


def _item(entry: Entry) -> str:
    """An item in its one spelling; LicenseProblem for what YAML has made a number of."""
    found = _ITEM.fullmatch(str(entry["item"]).strip())
    if found is None:
        raise LicenseProblem.of(
            INPUT_INVALID,
            f"The item {entry['item']} of {entry['name']} is not FIRM_CODE:PRODUCT_CODE, such as"
            ' "6000010:201".',
            "Correct it, and put it into quotes: YAML reads some without as a number.",
        )
    firm_code, product_code, reference = found.groups()
    return f"{firm_code}:{product_code}" + ("" if reference is None else f"@{reference}")


def _number(entry: Entry, name: str) -> t.Optional[int]:
    """A whole number, which a template or an INI file gives as a text."""
    value = entry.get(name)
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise LicenseProblem.of(
        INPUT_INVALID,
        f"The value {value} of {name} of {entry['name']} is no whole number.",
        "Correct it, as in 10.",
    )


def _end(entry: Entry, side: str, agent_of: AgentOf) -> Entry:
    container = entry.get(f"{side}_container")
    named = {} if container is None else {"container": container}
    return {"agent": agent_of(entry[side]), **named}


def _moment(value: t.Any) -> t.Optional[str]:
    return None if value is None else instant("until", str(value))


READERS: t.Final[t.Dict[str, t.Callable[[Entry, AgentOf], Declaration]]] = {
    "license_transfers": transfer_of,
    "license_borrows": borrow_of,
}
"""Each variable that declares, with what reads an entry of it."""
