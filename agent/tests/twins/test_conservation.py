# SPDX-License-Identifier: GPL-3.0-or-later
"""Random transfers among three hosts: seats are moved, lent and returned, never made or lost."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest

from .client import BORROW_LOCAL, LICENSES, PUSH, RENEW, RETURN, VendorError
from .conftest import Host, item, option

TOTAL, PRODUCT, STEPS = 12, 201, 60


class World:
    """Three hosts, the documents on their way, and random things to do."""

    def __init__(self, hosts: list[Host], seed: int) -> None:
        self.hosts = hosts
        self.random = random.Random(seed)  # noqa: S311 - chooses test steps, keeps no secret
        self.updates: list[tuple[Host, bytes]] = []
        self.offset = 0
        self.done: set[str] = set()

    def step(self) -> None:
        """One random action; the twin may refuse it."""
        name = self.random.choice(
            ["push", "push", "borrow", "give_back", "renew", "deliver", "deliver", "later", "lose"]
        )
        try:
            getattr(self, f"do_{name}")()
        except VendorError:
            return
        self.done.add(name)

    def send(self, sender: Host, receiver: Host, kind: int, flags: int, **amount: Any) -> None:
        """Issue an update from a random entry; it may be delivered later, twice, or never."""
        usable = [i["reference"] for i in sender.items() if i["status"] == "enabled"]
        reference = self.random.choice(usable or [1])
        request = receiver.client.request(receiver.client.open(receiver.serial), flags)
        handle = sender.client.open(sender.serial, PRODUCT, reference)
        update = sender.client.transfer(handle, request, kind, flags, **amount)
        self.updates.append((receiver, update))

    def do_push(self) -> None:
        """Some licenses go on."""
        sender, receiver = self.random.sample(self.hosts, 2)
        self.send(sender, receiver, LICENSES, PUSH, licenses=self.random.randint(1, 4))

    def do_borrow(self) -> None:
        """One seat for a while."""
        sender, receiver = self.random.sample(self.hosts, 2)
        end = int(time.time()) + self.offset + self.random.randint(100, 900)
        self.send(sender, receiver, BORROW_LOCAL, PUSH, end=end)

    def do_give_back(self) -> None:
        """Part or all of something received."""
        sender, receiver = self.random.sample(self.hosts, 2)
        kind = self.random.choice([LICENSES, BORROW_LOCAL])
        self.send(sender, receiver, kind, RETURN, licenses=1)

    def do_renew(self) -> None:
        """A longer time."""
        sender, receiver = self.random.sample(self.hosts, 2)
        end = int(time.time()) + self.offset + 1500
        self.send(sender, receiver, BORROW_LOCAL, RENEW, end=end)

    def do_deliver(self) -> None:
        """Any update, perhaps once more."""
        if self.updates:
            receiver, update = self.random.choice(self.updates)
            receiver.client.install(receiver.client.open(receiver.serial), update)

    def do_later(self) -> None:
        """Time goes on, for all alike."""
        self.offset += self.random.randint(50, 400)
        for host in self.hosts:
            host.ask("_twin.set", clock_offset_seconds=self.offset)

    def do_lose(self) -> None:
        """The next answer to a transfer or an import is lost, with or without its effect."""
        host = self.random.choice(self.hosts)
        point = self.random.choice(["debit.after", "import.after", "import.before"])
        host.ask("_twin.fault", point=point, action="lose")

    def held(self) -> int:
        """Usable seats over all hosts."""
        return sum(host.held(PRODUCT) for host in self.hosts)

    def outstanding(self) -> int:
        """Seats sent and not yet credited anywhere, by the senders' rows and receivers' rows."""
        rows = [row for host in self.hosts for i in host.items() for row in i["history"]]
        arrived = {row["transfer_id"] for row in rows if not row["sent"]}
        away = [row for row in rows if row["sent"] and row["transfer_id"] not in arrived]
        return sum(int(row["licenses"]) + (row["lot"] == "lent") for row in away)


@pytest.mark.parametrize("seed", range(4))
def test_no_seat_is_made_or_lost(make_host: Any, seed: int) -> None:
    """Usable seats never exceed the total, and without borrows on their way nothing is missing."""
    options = [option("licenses", transfer_depth=9), option("borrow_local", transfer_depth=9)]
    hosts = [make_host("130-1", [item(PRODUCT, *options, license_quantity=TOTAL)])]
    hosts += [make_host(f"130-{number}", []) for number in (2, 3)]
    world = World(hosts, seed)
    for _ in range(STEPS):
        world.step()
        assert world.held() + world.outstanding() <= TOTAL
    world.offset += 2000
    for host in hosts:
        host.ask("_twin.clear")
        host.ask("_twin.set", clock_offset_seconds=world.offset)
    assert world.held() + world.outstanding() == TOTAL
    assert {"push", "deliver"} <= world.done


def test_one_request_asked_for_at_once_is_debited_once(source: Host, target: Host) -> None:
    """Eight threads of one process get one update."""
    request = target.client.request(target.client.open(target.serial))
    handle = source.client.open(source.serial, PRODUCT)
    updates: list[bytes] = []

    def issue() -> None:
        updates.append(source.client.transfer(handle, request, LICENSES, licenses=2))

    threads = [threading.Thread(target=issue) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(updates), len(set(updates)), source.held(PRODUCT)) == (8, 1, 23)
