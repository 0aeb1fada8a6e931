# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever legs are asked for in whatever order, with whatever documents: nothing doubles.

And from wherever that has led there is a way out that ends with every license active somewhere.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from crash.world import work_folder
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.hosts import Crash
from seatkeeper_agent.domain.problems import Problem
from seatkeeper_agent.domain.records import MoveDocument
from seatkeeper_agent.domain.server_move_legs import MoveLeg
from seatkeeper_agent.operations.server_moves.documents import TAKES

from .bench import NEW, OLD, Bench, Host, declaration
from .schedules import Run, Violation

EXAMPLES_MAX = 30
TURNS_MAX = 30
LEGS = [leg.value for leg in MoveLeg]
KINDS = [kind.value for kind in MoveDocument]
REQUESTED = st.one_of(
    st.tuples(st.just("leg"), st.sampled_from(LEGS), st.sampled_from([None, *KINDS])),
    st.tuples(st.sampled_from(["act", "give up", "resume"]), st.sampled_from([OLD, NEW])),
    st.tuples(st.just("refuse"), st.sampled_from([None, *KINDS])),
    st.tuples(st.just("die after"), st.integers(1, 12)),
)


class Confused:
    """A playbook that has lost its way, and people who go on doing their part."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.run = Run(bench)

    def ask(self, requested: tuple[Any, ...]) -> None:
        """One thing, whatever comes of it."""
        try:
            with suppress(Problem):
                self._ask(*requested)
        except Crash:
            self.run.bury(None)
        self.run.check()

    def _ask(self, what: str, *about: Any) -> None:
        match what:
            case "leg":
                self.leg(about[0], about[1])
            case "refuse":
                self.bench.run("install", refuse=True, document=self.document(about[0]))
            case "act":
                self.bench.act(self.host(about[0]))
            case "give up":
                self.host(about[0]).moves.give_up(declaration().id, "me", False)
            case "resume":
                self.host(about[0]).moves.resume("agent")
            case _:
                self.bench.point.end_at = len(self.bench.point.passed) + about[0]

    def leg(self, leg: str, kind: str | None) -> None:
        """Confirmed, with the fitting document unless another one is named."""
        takes = TAKES.get(MoveLeg(leg))
        document = self.document(kind or (takes.value if takes else None))
        values: dict[str, Any] = {"document": document}
        if leg == "prepare":
            values["backup"] = self.bench.old.backups.read()
        self.bench.confirmed(leg, **values)

    def document(self, kind: str | None) -> Any:
        """The newest of a kind that either host has."""
        for host in (self.bench.old, self.bench.new):
            view = host.view()
            if view and kind in view["documents"]:
                return view["documents"][kind]
        return None

    def host(self, name: str) -> Host:
        """One of the two."""
        return self.bench.old if name == OLD else self.bench.new

    def end(self) -> None:
        """An orderly playbook, with the documented ways back."""
        self.bench.point.revive()
        for _turn in range(TURNS_MAX):
            states = [view["state"] if (view := host.view()) else "none" for host in self.hosts]
            if states[0] in ("finished", "restored"):
                break
            try:
                self._go_on(states)
            except Problem as problem:
                self.run.look(problem)
            self.run.check()
        else:
            raise Violation(f"there is no way out of {states}")
        if None in self.bench.vendor.holders.values():
            raise Violation(f"at the end they are at {self.bench.vendor.holders}")

    @property
    def hosts(self) -> tuple[Host, Host]:
        """Source and target."""
        return self.bench.old, self.bench.new

    def _go_on(self, states: list[str]) -> None:
        """Back where the target has refused or a way back was begun; else on to the end."""
        for host in self.hosts:
            self.bench.act(host)
        gone = self.bench.old.view()
        has_left = gone is not None and any(entry["released"] for entry in gone["licenses"])
        if states[0] == "restoring" or (states[1] == "refused" and has_left):
            self.bench.leg("restore", document=self.document("refused"))
        elif states[1] == "refused":
            self.bench.old.moves.give_up(declaration().id, "me", False)
            self._settle_void()
        else:
            self.bench.move()

    def _settle_void(self) -> None:
        """Nothing has left: the source is as it was, and the move is over."""
        view = self.bench.old.view()
        if view is not None and view["state"] == "void":
            raise Over


class Over(Exception):
    """The move has ended without having moved anything."""


@pytest.mark.parametrize("bare", [False, True], ids=["fuller", "bare"])
@settings(max_examples=EXAMPLES_MAX)
@given(requested=st.lists(REQUESTED, max_size=25))
def test_no_order_of_things_doubles_or_loses_a_license(bare: bool, requested: list[Any]) -> None:
    with TemporaryDirectory(prefix="seatkeeper-moves-", dir=work_folder()) as folder:
        bench = Bench(Path(folder) / "both", bare)
        confused = Confused(bench)
        try:
            for each in requested:
                confused.ask(each)
            with suppress(Over):
                confused.end()
            assert set(bench.vendor.holders.values()) <= {OLD, NEW}
        finally:
            bench.close()
