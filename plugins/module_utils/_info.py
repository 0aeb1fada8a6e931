# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an agent: each kind of information by itself, in the order it is asked for."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    path_of,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._dongles import (
    read_dongles,
    usb_warnings,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._identity import (
    transfer_reference,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
)

Entries = t.List[t.Dict[str, t.Any]]
KINDS: t.Final = (
    "agent",
    "containers",
    "license_items",
    "history",
    "operations",
    "transfers",
    "peers",
    "borrows",
    "dependencies",
    "servers",
    "dongles",
    "migrations",
    "orders",
    "moves",
    "waiting",
)
_ENDED = ("none", "failed", "done", "finished", "restored", "arrived", "refused", "void")


class Reader:
    """Reads one agent for one task; what several kinds need is asked for once."""

    def __init__(self, params: dict[str, t.Any], client: AgentClient) -> None:
        self.warnings: list[str] = []
        self._params = params
        self._client = client
        self._containers: Entries | None = None
        self._items: Entries | None = None

    def agent(self) -> dict[str, t.Any]:
        """Version, vendors and capabilities, journal and invariants."""
        return self._client.get(path_of("agent"))

    def containers(self) -> Entries:
        """All containers, or the one asked for."""
        if self._containers is None:
            found = self._client.pages(path_of("containers"), "containers")
            wanted = self._params["container"]
            self._containers = [
                container for container in found if wanted in (None, container["serial"])
            ]
            if wanted is not None and not self._containers:
                there = ", ".join(container["serial"] for container in found) or "none"
                raise LicenseProblem.of(
                    INPUT_INVALID,
                    f"There is no container {wanted} on this host; it has: {there}.",
                    "Set container to one of them, or leave it out to read all.",
                )
        return self._containers

    def license_items(self) -> Entries:
        """The items of these containers, each with the serial of its container."""
        if self._items is None:
            self._items = [
                {"container": container["serial"], **item}
                for container in self.containers()
                for item in self._client.pages(
                    path_of("containers", container["serial"], "items"), "items"
                )
                if self._is_wanted(item["item"])
            ]
        return self._items

    def history(self) -> Entries:
        """The transfer history of these items, container by container."""
        return [
            {"local_container": container["serial"], **row}
            for container in self.containers()
            for row in self._client.pages(
                path_of("containers", container["serial"], "history"),
                "history",
                {"item": self._params["item"]},
            )
        ]

    def operations(self) -> Entries:
        """Pieces of work that the agent did or does."""
        query = {"state": "open" if self._params["open_only"] else "all"}
        return self._client.pages(path_of("operations"), "operations", query)

    def transfers(self) -> Entries:
        """Transfers as this host knows them, with their documents."""
        query = {"state": "open" if self._params["open_only"] else "all"}
        found = self._client.pages(path_of("transfers"), "transfers", query)
        known = {record["id"] for record in found}
        for reference in self._params["transfers"]:
            identity = transfer_reference(reference)
            record = (
                None if identity in known else self._client.find(path_of("transfers", identity))
            )
            if record is not None:
                known.add(identity)
                found.append(record)
        return found

    def peers(self) -> Entries | None:
        """The agents that this one has heard, each with its newest document.

        None for an agent that is too old to compare them.
        """
        return self._of_newer_agents(lambda: self._client.pages(path_of("peers"), "peers"))

    def _of_newer_agents(self, read: t.Callable[[], Entries]) -> Entries | None:
        try:
            return read()
        except LicenseProblem as problem:
            if problem.code != "route-unknown":
                raise
            return None

    def dependencies(self) -> Entries | None:
        """What depends on each license server; None for an agent that is too old to tell."""
        return self._of_newer_agents(
            lambda: list(self._client.get(path_of("dependencies"))["dependencies"])
        )

    def borrows(self) -> Entries:
        """Borrows that were declared at this host."""
        return self._client.pages(path_of("borrows"), "borrows")

    def servers(self) -> Entries:
        """The license servers of the host; one that cannot be read tells its problem."""
        vendors = self._client.get(path_of("agent"))["vendors"]
        found = (self._server(str(entry["vendor"])) for entry in vendors)
        return [server for server in found if server is not None]

    def dongles(self) -> Entries:
        """The license dongles on the host's USB."""
        found = read_dongles(self._client)
        self.warnings += usb_warnings(found)
        dongles: Entries = found["dongles"]
        return dongles

    def migrations(self) -> Entries:
        """Migrations of dongles that this host knows."""
        return self._of_a_vendor("migrations")

    def orders(self) -> Entries:
        """Orders that were placed from this host."""
        return self._of_a_vendor("orders")

    def moves(self) -> Entries:
        """Moves of license servers that this host has a part in."""
        return self._of_a_vendor("moves")

    def waiting(self) -> Entries:
        """Steps that a person or the vendor has to do."""
        found: Entries = self._client.get(path_of("waiting"))["waiting"]
        return found

    def _of_a_vendor(self, kind: str) -> Entries:
        try:
            found = self._client.pages(path_of(kind), kind)
        except LicenseProblem as problem:
            if problem.code != "vendor-unknown":
                raise
            # No vendor of this host has such work, so there is none.
            found = []
        if self._params["open_only"]:
            return [entry for entry in found if entry["state"] not in _ENDED]
        return found

    def _server(self, vendor: str) -> dict[str, t.Any] | None:
        try:
            return {**self._client.get(path_of("servers", vendor)), "problem": None}
        except LicenseProblem as problem:
            if problem.code == "vendor-unknown":
                # It has no license server; its staff performs what is ordered.
                return None
            if "status" not in problem.document or problem.document["status"] is None:
                raise
            return {"vendor": vendor, "running": None, "problem": problem.document}

    def _is_wanted(self, item: str) -> bool:
        wanted = self._params["item"]
        return wanted in (None, item, item.partition("@")[0])


def run_info(params: dict[str, t.Any], client: AgentClient, _check_mode: bool) -> dict[str, t.Any]:
    """Read what is asked for; the module's whole result."""
    reader = Reader(params, client)
    read = {kind: getattr(reader, kind)() for kind in params["gather"]}
    return {"changed": False, **read, "warnings": reader.warnings}
