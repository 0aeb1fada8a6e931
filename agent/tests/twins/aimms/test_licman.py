# SPDX-License-Identifier: GPL-3.0-or-later
"""licman: the two documented commands, what the fuller profile makes up, what is refused."""

from __future__ import annotations

from typing import Any

from seatkeeper_twins.aimms import people
from seatkeeper_twins.parts import control

from .world import CLIENT, CODES, PROFILES, SERVER, SESSION, World, until


def hand_over(world: World, number: str) -> None:
    """Deactivate a license on the old machine, in maintenance mode."""
    people.maintenance(world.old, True)
    assert world.licman("old", "--twin-deactivate", number).returncode == 0


def test_a_license_moves_with_the_documented_commands(world: World) -> None:
    assert world.holder(SERVER) == "old"
    hand_over(world, SERVER)
    assert world.holder(SERVER) is None
    assert world.activate("new", SERVER).returncode == 0
    assert world.licman("new", "--profile-add", "Server", "--license", SERVER).returncode == 0
    assert world.holder(SERVER) == "new"
    assert world.reported("new")["profiles"]["Server"] == SERVER
    assert world.activate("new", SERVER).returncode == 0  # again: nothing changes


def test_a_license_is_active_on_one_machine_only(world: World) -> None:
    outcome = world.activate("new", SERVER)
    assert outcome.returncode == 1
    assert "active on another machine" in outcome.stderr
    assert world.reported("new")["licenses"] == {}


def test_what_the_vendor_or_the_machine_does_not_take_is_refused(world: World) -> None:
    hand_over(world, SERVER)
    assert "code is wrong" in world.activate("new", SERVER, code=CODES[CLIENT]).stderr
    assert "only the nodelock" in world.activate("new", SERVER, kind="dongle").stderr.lower()
    (world.folder / "new" / "Licenses" / f"twin-{SERVER}.lic").rename(world.folder / "kept.lic")
    assert "No file in Licenses" in world.activate("new", SERVER).stderr
    (world.folder / "kept.lic").rename(world.folder / "new" / "Licenses" / f"twin-{SERVER}.lic")
    lock = world.folder / "new" / "Nodelocks" / "a.lock"
    lock.touch(mode=0o444)
    assert "blocks updates" in world.activate("new", SERVER).stderr
    lock.unlink()
    assert world.holder(SERVER) is None
    assert world.activate("new", SERVER).returncode == 0


def test_the_bare_profile_has_the_two_commands_only(make_world: Any) -> None:
    world = make_world(old={"licman": "bare"}, new={"licman": "bare", "exit_codes": False})
    reported = world.licman("old", "--help").stdout
    assert "--nodelock-activate" in reported
    assert "--profile-add" in reported
    assert "--twin-" not in reported
    assert world.licman("old", "--twin-list").returncode == 2
    assert world.licman("new", "--twin-list").returncode == 0  # exit codes that tell nothing
    assert world.activate("new", SERVER).returncode == 0
    assert world.reported("new")["licenses"] == {}


def test_the_fuller_profile_lists_what_it_has(world: World) -> None:
    assert "--twin-deactivate" in world.licman("old", "--help").stdout
    listed = world.licman("old", "--twin-list").stdout.splitlines()
    assert listed[1:] == [f"{number} | Active | {PROFILES[number][0]}" for number in sorted(CODES)]
    assert world.licman("old", "--twin-version").stdout == "licsrv twin 1.4.0\n"
    assert "off" in world.licman("old", "--twin-maintenance-state").stdout


def test_leaving_maintenance_mode_restarts_and_kills_jobs(world: World) -> None:
    control.set_values(world.old, jobs_running=2, jobs_queued=1, restart_seconds=3600)
    assert world.licman("old", "--twin-maintenance", "on").returncode == 0
    assert world.reported("old")["jobs_running"] == 2
    assert world.licman("old", "--twin-maintenance", "off").returncode == 0
    reported = world.reported("old")
    assert (reported["jobs_running"], reported["jobs_killed"], reported["restarts"]) == (0, 3, 1)
    until(lambda: world.open_ports("old") == [])
    assert "restarts" in world.licman("old", "--twin-maintenance", "on").stderr
    control.advance(3600, world.old)
    until(lambda: len(world.open_ports("old")) == 2)


def test_deactivation_needs_maintenance_mode(world: World) -> None:
    assert "Maintenance mode is off" in world.licman("old", "--twin-deactivate", SERVER).stderr
    assert world.holder(SERVER) == "old"


def test_a_lost_machine_is_released_by_the_support(world: World) -> None:
    control.crash(world.old)
    assert "active on another" in world.activate("new", SESSION).stderr
    people.release(world.vendor, SESSION)
    assert world.activate("new", SESSION).returncode == 0
    world.restart("old")
    assert SESSION not in world.reported("old")["licenses"]  # it comes back and has it no more
    assert world.holder(SESSION) == "new"


def test_an_emergency_activation_works_for_seven_days(world: World) -> None:
    people.emergency(world.vendor, CLIENT, world.new)
    assert world.reported("new")["licenses"][CLIENT]["until"] is not None
    assert world.holder(CLIENT) == "old"
    control.advance(7 * 86_400 - 60, world.vendor)
    assert CLIENT in world.reported("new")["licenses"]
    control.advance(120, world.vendor)
    assert CLIENT not in world.reported("new")["licenses"]


def test_an_offline_activation_is_pending_until_its_response(world: World) -> None:
    hand_over(world, SERVER)
    request = people.request(world.new, SERVER, CODES[SERVER])
    assert "Error, Pending Activation" in world.licman("new", "--twin-list").stdout
    response = people.answer(world.vendor, request)
    people.respond(world.new, response)
    assert world.reported("new")["licenses"][SERVER]["state"] == "active"
    assert world.holder(SERVER) == "new"


def test_a_pending_activation_is_cancelled_by_deleting_its_files(world: World) -> None:
    hand_over(world, SERVER)
    people.request(world.new, SERVER, CODES[SERVER])
    found = [
        path
        for folder in ("Config", "Licenses", "Nodelocks")
        for path in (world.folder / "new" / folder).iterdir()
        if SERVER in path.name
    ]
    assert len(found) == 3
    for path in found:
        path.unlink()
    assert world.reported("new")["licenses"] == {}
    assert "No file in Licenses" in world.activate("new", SERVER).stderr


def test_an_installation_brings_licman_and_opens_the_ports(make_world: Any) -> None:
    world = make_world(new={"installed": False})
    assert world.open_ports("new") == []
    assert not (world.folder / "new" / "Bin").exists()
    import subprocess

    installer = world.folder / "new" / "twin-installer"
    assert subprocess.run([installer], timeout=60, check=False).returncode == 0
    until(lambda: len(world.open_ports("new")) == 2)
    assert world.licman("new", "--twin-list").returncode == 0
