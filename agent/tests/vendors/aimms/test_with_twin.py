# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver moves licenses between two machines, and sees what is so and nothing else."""

from __future__ import annotations

import socket
import traceback

import pytest
from twins.aimms.world import CLIENT, CODES, PROFILES, SERVER, World, until

from seatkeeper_agent.domain.server_moves import LicenseState, Place, place_of
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
    Grade,
)
from seatkeeper_agent.operations.server_moves.ports import ServerMoveDriver
from seatkeeper_twins.aimms import people
from seatkeeper_twins.parts import control

from .conftest import MAPPED, MakeDriver

ACTIVE, INACTIVE, UNKNOWN = LicenseState.ACTIVE, LicenseState.INACTIVE, LicenseState.UNKNOWN


def test_a_license_moves(world: World, driver_of: MakeDriver) -> None:
    old: ServerMoveDriver = driver_of("old", **MAPPED)
    new: ServerMoveDriver = driver_of("new", **MAPPED)
    seen = old.observe()
    assert (seen.installed, seen.serving, seen.reports_licenses) == (True, True, True)
    assert (seen.version, seen.maintenance, seen.notes) == ("1.4.0", False, ())
    assert {e.number: e.profiles for e in seen.licenses} == {
        number: tuple(names) for number, names in PROFILES.items()
    }
    assert place_of(SERVER, seen, new.observe()) is Place.SOURCE
    old.set_maintenance(True)
    assert old.observe().maintenance is True
    old.deactivate(SERVER)
    assert place_of(SERVER, old.observe(), new.observe()) is Place.ORPHANED
    new.activate(SERVER, Secret(CODES[SERVER]))
    new.add_profile("Server", SERVER)
    assert place_of(SERVER, old.observe(), new.observe()) is Place.TARGET
    assert "Server" in (new.observe().license(SERVER).profiles or ())
    control.set_values(world.old, jobs_running=2)
    old.set_maintenance(False)
    assert world.reported("old")["jobs_killed"] == 2
    until(lambda: old.observe().serving)


def test_without_a_mapping_nothing_is_known_of_licenses(driver_of: MakeDriver) -> None:
    old = driver_of("old")
    seen = old.observe()
    assert (seen.installed, seen.serving, seen.reports_licenses) == (True, True, False)
    assert (seen.licenses, seen.maintenance, seen.version) == ((), None, None)
    assert seen.license(SERVER).state is UNKNOWN
    assert len(seen.license_files or ()) == 3
    assert old.can("activate") is old.can("add_profile") is Grade.DOCUMENTED
    for action in ("deactivate", "maintenance", "install", "observe_licenses"):
        assert old.can(action) is Grade.ASSISTED
    for effect in (lambda: old.deactivate(SERVER), lambda: old.set_maintenance(True), old.install):
        with pytest.raises(DriverUnsupported):
            effect()


def test_nodelock_files_show_what_is_active(world: World, driver_of: MakeDriver) -> None:
    old = driver_of("old", nodelock_file="{license}.twin-nodelock")
    assert old.can("observe_licenses") is Grade.DOCUMENTED
    assert [e.state for e in old.observe().licenses] == [ACTIVE] * 3
    people.maintenance(world.old, True)
    people.deactivate(world.old, SERVER)
    assert old.observe().license(SERVER).state is INACTIVE
    assert old.observe().license(CLIENT).profiles is None
    assert old.can("observe_profiles") is Grade.ASSISTED
    assert old.instructions().add_profile("Client", CLIENT).attestable
    assert not old.instructions().activate(CLIENT).attestable


def test_two_sources_that_differ_leave_a_license_unknown(driver_of: MakeDriver) -> None:
    both = driver_of("old", nodelock_file="{license}.other", **MAPPED)
    assert both.observe().license(SERVER).state is UNKNOWN
    agreeing = driver_of("old", nodelock_file="{license}.twin-nodelock", **MAPPED)
    assert agreeing.observe().license(SERVER).state is ACTIVE


def test_a_mapped_command_that_the_help_does_not_list_is_not_run(
    world: World, driver_of: MakeDriver
) -> None:
    control.set_values(world.old, licman="bare")
    old = driver_of("old", **MAPPED)
    assert old.can("deactivate") is Grade.ASSISTED
    with pytest.raises(DriverUnsupported, match="does not list --twin-deactivate"):
        old.deactivate(SERVER)
    seen = old.observe()
    assert not seen.reports_licenses
    assert old.instructions().deactivate(SERVER).attestable
    assert any("--twin-list" in note for note in seen.notes)
    reasons = {entry.name: entry.reason for entry in old.describe().capabilities}
    assert "--twin-deactivate" in reasons["deactivate"]


def test_a_refusal_is_seen_by_looking_whatever_the_exit_code(
    world: World, driver_of: MakeDriver
) -> None:
    new = driver_of("new", **MAPPED)
    for exit_codes in (True, False):
        control.set_values(world.new, exit_codes=exit_codes)
        report = new.activate(SERVER, Secret(CODES[SERVER]))
        assert (report.exit_code != 0) is exit_codes
        assert "active on another machine" in report.text
        assert new.observe().license(SERVER).state is INACTIVE


def test_a_list_that_fails_proves_nothing(world: World, driver_of: MakeDriver) -> None:
    new = driver_of("new", **MAPPED)
    for exit_codes in (True, False):
        control.set_values(world.new, exit_codes=exit_codes)
        control.set_fault(world.new, "list.before", "refuse", 500)
        assert new.observe().license(SERVER).state is UNKNOWN
    assert new.observe().license(SERVER).state is INACTIVE


def test_a_pending_activation_is_not_active(world: World, driver_of: MakeDriver) -> None:
    people.maintenance(world.old, True)
    people.deactivate(world.old, SERVER)
    people.request(world.new, SERVER, CODES[SERVER])
    seen = driver_of("new", **MAPPED).observe()
    assert seen.license(SERVER).state is LicenseState.PENDING
    assert place_of(SERVER, driver_of("old", **MAPPED).observe(), seen) is Place.ORPHANED


def test_an_activation_that_takes_too_long_or_loses_its_answer_is_seen_later(
    world: World, driver_of: MakeDriver
) -> None:
    people.maintenance(world.old, True)
    for number in (SERVER, CLIENT):
        people.deactivate(world.old, number)
    new = driver_of("new", call_seconds_max=3.0, **MAPPED)
    control.set_fault(world.new, "activate.after", "slow", 8_000)
    with pytest.raises(DriverUnfinished) as caught:
        new.activate(SERVER, Secret(CODES[SERVER]))
    shown = traceback.format_exception(caught.value)
    assert CODES[SERVER] not in "".join(shown) + repr(caught.value.__dict__)
    patient = driver_of("new", **MAPPED)
    assert patient.observe().license(SERVER).state is ACTIVE
    control.set_fault(world.new, "activate.after", "lose")
    assert patient.activate(CLIENT, Secret(CODES[CLIENT])).exit_code == 1
    assert patient.observe().license(CLIENT).state is ACTIVE


@pytest.mark.parametrize("process", ["new", "vendor"])
@pytest.mark.parametrize(("side", "state"), [("before", INACTIVE), ("after", ACTIVE)])
def test_after_a_death_the_effect_is_seen_or_its_absence(
    world: World, driver_of: MakeDriver, process: str, side: str, state: LicenseState
) -> None:
    people.maintenance(world.old, True)
    people.deactivate(world.old, SERVER)
    new = driver_of("new", **MAPPED)
    control.set_fault(world.address(process), f"activate.{side}", "die")
    assert new.activate(SERVER, Secret(CODES[SERVER])).exit_code == 1
    world.restart(process)
    assert new.observe().license(SERVER).state is state
    new.activate(SERVER, Secret(CODES[SERVER]))
    assert new.observe().license(SERVER).state is ACTIVE


def test_a_read_only_lock_blocks_changes_beforehand(world: World, driver_of: MakeDriver) -> None:
    lock = world.folder / "new" / "Nodelocks" / ".lock"
    lock.touch(mode=0o444)
    new = driver_of("new", **MAPPED)
    assert new.observe().update_locks == (".lock",)
    with pytest.raises(DriverRefused, match=r"read-only file \.lock"):
        new.activate(SERVER, Secret(CODES[SERVER]))
    lock.chmod(0o644)
    assert new.observe().update_locks == ()
    lock.unlink()


def test_a_server_that_is_down_is_told(world: World, driver_of: MakeDriver) -> None:
    control.crash(world.old)
    until(lambda: world.open_ports("old") == [])
    seen = driver_of("old", **MAPPED).observe()
    assert (seen.installed, seen.serving, seen.ports_busy) == (True, False, ())
    assert not seen.reports_licenses
    reported = driver_of("old", **MAPPED).describe()
    assert not reported.running
    assert reported.version is None


def test_the_product_is_installed_by_the_operators_command(
    world: World, driver_of: MakeDriver
) -> None:
    place = world.folder / "new"
    people.remove(world.new)
    until(lambda: world.open_ports("new") == [])
    installer = str(place / "twin-installer")
    new = driver_of("new", installer=installer, install_command=(installer,), **MAPPED)
    seen = new.observe()
    assert (seen.installed, seen.serving, seen.reports_licenses) == (False, False, True)
    assert [seen.installer and seen.installer.name] == ["twin-installer"]
    assert new.can("observe_licenses") is new.can("install") is Grade.DOCUMENTED
    with pytest.raises(DriverUnavailable):
        new.activate(SERVER, Secret(CODES[SERVER]))
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", world.ports["new"][0]))
        other.listen()
        seen = new.observe()
        assert (seen.serving, seen.ports_busy) == (False, (world.ports["new"][0],))
        with pytest.raises(DriverRefused, match="listens on"):
            new.install()
    new.install()
    until(lambda: new.observe().serving)
    assert new.observe().installed


def test_a_windows_server_is_looked_at_by_its_ports(driver_of: MakeDriver) -> None:
    far = driver_of("old", windows_host="localhost")
    seen = far.observe()
    assert (seen.installed, seen.serving, seen.license_files) == (None, True, None)
    assert seen.license(SERVER).state is UNKNOWN
    assert all(
        far.can(action) is Grade.ASSISTED
        for action in ("activate", "add_profile", "deactivate", "maintenance", "install")
    )
    with pytest.raises(DriverUnsupported, match="License Manager window"):
        far.activate(SERVER, Secret(CODES[SERVER]))
