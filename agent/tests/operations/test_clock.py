# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's clock: an honest one is never in doubt, a jump is noted, blocks and can be ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatkeeper_agent.domain.clock import (
    AHEAD_RUNNING_SECONDS_MAX,
    AHEAD_STOPPED_SECONDS_MAX,
    BACK_SECONDS_MAX,
    EARLIEST,
)
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import OperationState
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.clock import OPERATION, HostClock

NOW = 1_796_000_000.0
DAY, YEAR = 86_400.0, 366 * 86_400.0


class Host:
    """A host whose clock can be set, and whose agent can be stopped; time goes by ``passes``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.true = NOW
        self.error = 0.0
        self.passed = 1_000.0
        self.start()

    def start(self) -> None:
        """An agent starts."""
        self.journal = Journal(self.path, clock=self.wall)
        self.clock = HostClock(self.journal, self.wall, lambda: self.passed)

    def restart(self, seconds: float = 0.0) -> None:
        """The machine was off for a while; what it counts begins anew."""
        self.journal.close()
        self.true += seconds
        self.passed = 10.0
        self.start()

    def wall(self) -> float:
        """What the clock shows."""
        return self.true + self.error

    def passes(self, seconds: float) -> None:
        """Time goes by."""
        self.true += seconds
        self.passed += seconds

    def write(self) -> None:
        """The agent does something else and writes it down."""
        with self.journal.transaction() as unit:
            unit.audit.append("agent", "anything", "it", {})

    def is_plausible(self) -> bool:
        """As the agent judges."""
        return self.clock.check().problem is None

    def state(self) -> OperationState | None:
        """How the note in the journal stands."""
        with self.journal.reading() as unit:
            found = unit.operations.get(OPERATION)
        return None if found is None else found.state

    def actions(self) -> list[str]:
        """What the audit says of the clock."""
        with self.journal.reading() as unit:
            entries = unit.audit.page(0, 1_000)
        return [entry.action for entry in entries if entry.action.startswith("clock")]


@contextmanager
def a_host(path: Path) -> Iterator[Host]:
    """One, with its journal closed afterwards."""
    host = Host(path)
    try:
        yield host
    finally:
        host.journal.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host that has been right."""
    with a_host(tmp_path / "journal.db") as made:
        made.write()
        assert made.is_plausible()
        yield made


@pytest.mark.parametrize("error", [-BACK_SECONDS_MAX - 1, -3 * YEAR, 2 * DAY, 5 * YEAR])
def test_a_jump_while_the_agent_runs_is_noted_once_and_blocks(host: Host, error: float) -> None:
    host.passes(60)
    host.error = error
    for _look in range(3):
        host.passes(60)
        with pytest.raises(Problem) as caught:
            host.clock.now()
        assert caught.value.code is ProblemCode.CLOCK_IMPLAUSIBLE
    assert ("ahead" if error > 0 else "back") in caught.value.detail
    assert f"attest {OPERATION} settled" in caught.value.next_action
    assert (host.state(), host.actions()) == (OperationState.IN_DOUBT, ["clock_jumped"])
    host.error = 0.0
    host.passes(60)
    assert host.clock.now() == host.true
    assert (host.state(), host.actions()[1:]) == (OperationState.DONE, ["clock_plausible"])


@pytest.mark.parametrize("error", [-3 * YEAR, -DAY, 2 * YEAR])
def test_a_jump_while_the_agent_was_stopped_is_seen_by_what_the_journal_wrote(
    host: Host, error: float
) -> None:
    host.error = error
    host.restart(3_600)
    assert not host.is_plausible()
    # What is written with a wrong clock is no measure.
    host.write()
    host.restart(3_600)
    assert not host.is_plausible()
    host.error = 0.0
    host.restart(3_600)
    host.write()
    assert host.is_plausible()
    host.restart(3_600)
    assert (host.is_plausible(), len(host.actions())) == (True, 2)


def test_a_restart_does_not_make_a_clock_right_that_is_days_ahead(host: Host) -> None:
    host.error = 3 * DAY
    host.passes(60)
    assert not host.is_plausible()
    host.restart(60)
    assert not host.is_plausible()
    host.error = 0.0
    assert host.is_plausible()


def test_an_operator_may_confirm_a_clock_that_is_right(host: Host) -> None:
    host.restart(2 * YEAR)
    assert not host.is_plausible()
    host.clock.confirm("The host was in the storeroom for two years.", "migrator")
    assert host.clock.now() == host.true
    assert (host.state(), host.actions()) == (
        OperationState.FAILED, ["clock_jumped", "clock_confirmed"],
    )  # fmt: skip
    host.restart(3_600)
    assert host.is_plausible()
    with pytest.raises(Problem, match="not in doubt"):
        host.clock.confirm("It is right, believe me.", "migrator")
    # Another jump is another note.
    host.error = -YEAR
    assert (host.is_plausible(), host.state()) == (False, OperationState.IN_DOUBT)


def test_a_host_that_was_suspended_or_off_for_months_is_no_jump(host: Host) -> None:
    host.passes(20 * DAY)
    assert host.is_plausible()
    host.restart(300 * DAY)
    assert host.is_plausible()
    assert host.state() is None


def test_nothing_is_written_while_the_clock_is_right(host: Host) -> None:
    with host.journal.reading() as unit:
        before = unit.audit.head(), unit.declarations.page("clock", "", 10)
    for _look in range(5):
        host.passes(60)
        host.clock.now()
    with host.journal.reading() as unit:
        assert (unit.audit.head(), unit.declarations.page("clock", "", 10)) == before


def test_a_clock_that_was_never_set_is_seen_by_a_new_agent(tmp_path: Path) -> None:
    with a_host(tmp_path / "journal.db") as host:
        host.error = -NOW
        assert not host.is_plausible()
        host.error = 0.0
        assert host.is_plausible()


honest = st.lists(
    st.tuples(
        st.sampled_from(("passes", "off", "write", "corrected")),
        st.floats(0, 1, allow_nan=False),
    ),
    max_size=20,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(honest)
def test_an_honest_clock_is_never_in_doubt(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, float]]
) -> None:
    """Whatever time passes, and however a time server corrects it by little."""
    with a_host(tmp_path_factory.mktemp("honest") / "journal.db") as host:
        for what, share in history:
            match what:
                case "passes":
                    host.passes(share * 40 * DAY)
                case "off":
                    host.restart(share * 300 * DAY)
                case "write":
                    host.write()
                case "corrected":
                    host.error += (share - 0.5) * BACK_SECONDS_MAX
                    host.error = max(-BACK_SECONDS_MAX / 2, min(host.error, BACK_SECONDS_MAX / 2))
            assert host.is_plausible(), (what, share)
        assert host.actions() == []


LATER_MAX = 3_600.0

# After a start nobody counted the time before, so one set back by little has soon caught up.
jumps = st.one_of(
    st.floats(-20 * YEAR, -BACK_SECONDS_MAX - LATER_MAX - 1),
    st.floats(AHEAD_RUNNING_SECONDS_MAX + 1, 20 * YEAR),
)


@settings(max_examples=150, deadline=None)
@given(jumps, st.booleans(), st.floats(0, LATER_MAX))
def test_every_jump_is_noted_and_ends_when_the_clock_is_set_right(
    tmp_path_factory: pytest.TempPathFactory, error: float, stopped: bool, later: float
) -> None:
    """While the agent runs; after a start what cannot have been the time off."""
    with a_host(tmp_path_factory.mktemp("jumps") / "journal.db") as host:
        host.write()
        assert host.is_plausible()
        host.error = error
        if stopped:
            host.restart(0.0)
        seen = not stopped or error < 0 or error > AHEAD_STOPPED_SECONDS_MAX
        assert host.is_plausible() is not seen
        if seen:
            host.write()
            host.passes(later)
            assert not host.is_plausible()
            host.error = 0.0
            assert host.is_plausible()
            assert host.actions() == ["clock_jumped", "clock_plausible"]


def test_the_limits_are_in_their_order() -> None:
    assert 0 < BACK_SECONDS_MAX < AHEAD_RUNNING_SECONDS_MAX < AHEAD_STOPPED_SECONDS_MAX
    assert EARLIEST < NOW
