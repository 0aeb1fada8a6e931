# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that is run again and again, people who say what is true, and what must hold always.

An agent ends at the n-th point that anybody passes: around every commit and every command.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from operations.hosts import Crash
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationState

from .bench import NEW, OLD, Bench, Host
from .machines import CODES, NUMBERS

RUNS_MAX = 25
CLAIMS = ("observed", "attested")


class Violation(AssertionError):
    """A promise that was broken."""


@dataclass
class Run:
    """One move under a schedule; ``said_no`` counts a person's word that a license is not so."""

    bench: Bench
    until: str = "finish"
    said_no: dict[str, int] = field(default_factory=dict)

    def to_the_end(self, end_at: int | None = None, twice_at: int | None = None) -> int:
        """Drive it until nothing is in the way; how many points were passed before the end."""
        point = self.bench.point
        point.end_at = end_at
        passed = 0
        self.check()
        for _run in range(RUNS_MAX):
            try:
                self.bench.move(self.until)
                self.check()
                return passed + len(point.passed)
            except Crash:
                passed += len(point.passed)
                self.bury(twice_at)
                twice_at = None
            except Problem as problem:
                self.look(problem)
            self.check()
        raise Violation("it does not get through")

    def again_is_quiet(self) -> None:
        """One more playbook changes nothing and writes nothing."""
        heads = [len(host.audit()) for host in (self.bench.old, self.bench.new)]
        calls = [len(host.machine.calls) for host in (self.bench.old, self.bench.new)]
        answer = self.bench.move(self.until)
        if answer["changed"]:
            raise Violation("one more run changed something")
        if heads != [len(host.audit()) for host in (self.bench.old, self.bench.new)]:
            raise Violation("one more run wrote something")
        if calls != [len(host.machine.calls) for host in (self.bench.old, self.bench.new)]:
            raise Violation("one more run did something")

    def check(self) -> None:
        """What holds at every moment at which both agents are there."""
        self._check_events()
        views = {OLD: self.bench.old.view(), NEW: self.bench.new.view()}
        holders = self.bench.vendor.holders
        named = {entry["license"] for view in views.values() if view for entry in view["adrift"]}
        for number, holder in holders.items():
            if holder is None and number not in named:
                raise Violation(f"{number} is active nowhere and nobody says so")
        source_state = views[OLD]["state"] if views[OLD] else "none"
        for name, view in views.items():
            for entry in view["licenses"] if view else ():
                number = entry["number"]
                if entry["activated"] in CLAIMS and holders[number] != name:
                    raise Violation(f"{name} claims to have activated {number}")
                gone = entry["released"] in CLAIMS and entry["activated"] not in CLAIMS
                comes_back = source_state in ("restoring", "restored")
                if gone and holders[number] == OLD and not comes_back:
                    raise Violation(f"{name} claims that {number} was released")
                if entry["place"] == "both":
                    raise Violation(f"{number} is shown on both")
        for host in (self.bench.old, self.bench.new):
            content = host.content()
            if any(code.encode() in content for code in CODES.values()):
                raise Violation("an activation code is in a journal")

    def _check_events(self) -> None:
        events = self.bench.vendor.events
        if any(event.startswith("tried") for event in events):
            raise Violation(f"an activation was tried while another machine had it: {events}")
        left = any(event.startswith("deactivate") for event in events)
        view = self.bench.new.view()
        if left and (view is None or "prepared" not in view["documents"]):
            raise Violation("a license left for a target that was not prepared")
        if left and "confirmed" not in self.bench.old.audit():
            raise Violation("a license left without a confirmation")
        for number in NUMBERS if self.bench.bare else ():
            calls = [
                host.machine.calls.count(f"activate {number}")
                for host in (self.bench.old, self.bench.new)
            ]
            if max(calls) > 1 + self.said_no.get(number, 0):
                raise Violation(f"{number} was activated again without a word from anybody")

    def bury(self, twice_at: int | None) -> None:
        """The agent that died comes back and takes up what was open; it may die there too."""
        dead = self._host(self.bench.point.passed[-1].split(":")[0])
        self.bench.point.revive()
        self.bench.point.end_at = twice_at
        dead.restart()
        try:
            with suppress(Problem):
                dead.moves.resume("agent")
        except Crash:
            self.bury(None)
            return
        self.bench.point.revive()

    def _host(self, name: str) -> Host:
        return self.bench.old if name == OLD else self.bench.new

    def look(self, problem: Problem) -> None:
        """A person decides what is in doubt by what the vendor's window shows."""
        if problem.code is not ProblemCode.IN_DOUBT:
            return
        for host in (self.bench.old, self.bench.new):
            view = host.view()
            if view is None or view["operation"] is None:
                continue
            if host.operation().state is not OperationState.IN_DOUBT:
                continue
            self._decide(host)

    def _decide(self, host: Host) -> None:
        step = next(step for step in host.operation().steps if step.state.value == "intended")
        verb, _, about = step.name.partition(" ")
        machine = host.machine
        match verb:
            case "activate":
                is_so = self.bench.vendor.holders[about] == machine.name
                self.said_no[about] = self.said_no.get(about, 0) + (not is_so)
            case "add_profile":
                is_so = about in machine.profiles
            case "deactivate":
                is_so = self.bench.vendor.holders[about] != machine.name
            case _:
                is_so = machine.maintenance is (step.name == "maintenance_on")
        with suppress(Problem):
            host.attest(is_so)


def move(
    folder: Path,
    bare: bool,
    end_at: int | None = None,
    twice_at: int | None = None,
    prepare: Callable[[Bench], None] = lambda _bench: None,
) -> int:
    """One whole schedule from its beginning; the points that it has. Violation."""
    bench = Bench(folder, bare)
    try:
        prepare(bench)
        run = Run(bench)
        points = run.to_the_end(end_at, twice_at)
        if set(bench.vendor.holders.values()) != {NEW}:
            raise Violation(f"at the end they are at {bench.vendor.holders}")
        linked = {p for p in bench.new.machine.profiles if not p.startswith("twin-")}
        if linked != {"ProLicense", "Client", "Server"}:
            raise Violation(f"the profiles are {linked}")
        run.again_is_quiet()
        return points
    finally:
        bench.close()
