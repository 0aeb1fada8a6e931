# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator may set, forms of lines, help texts, and what people are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.domain.server_moves import LicenseState
from seatkeeper_agent.operations.server_moves.ports import MoveInstructions
from seatkeeper_agent.vendors.aimms.driver import AimmsDriver
from seatkeeper_agent.vendors.aimms.help_text import HelpText
from seatkeeper_agent.vendors.aimms.line_form import parse_line_form
from seatkeeper_agent.vendors.aimms.observation import parse_list
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings, found_on_this_host

from .conftest import MAPPED

NUMBER = "15.90.10.1"


@pytest.mark.parametrize(
    ("values", "given"),
    [
        ({"folder": "Aimms"}, "folder must be an absolute path"),
        ({"installer": "setup.run"}, "installer must be an absolute path"),
        ({"windows_host": "-o"}, "windows_host"),
        ({"windows_host": ""}, "windows_host"),
        ({"first_port": 0}, "first_port"),
        ({"first_port": 3401}, "two ports"),
        ({"call_seconds_max": 0.0}, "call_seconds_max"),
        ({"install_seconds_max": 3601.0}, "install_seconds_max"),
        ({"due_after": -1}, "due_after"),
        ({"deactivate_command": ("licman", "--off")}, "must hold {license} once"),
        ({"deactivate_command": ("/bin/sh", "{license}")}, "must be licman and its options"),
        ({"deactivate_command": ("licman", "--a{license}", "{license}")}, "once"),
        ({"deactivate_command": ("licman", "%{license}")}, "must not hold %"),
        ({"list_command": ("licman",), "list_line": "{license} {state}"}, "licman and its"),
        ({"list_command": ("licman", "--list")}, "list_command and list_line"),
        ({"list_line": "{license} {state}"}, "list_command and list_line"),
        ({"list_command": ("licman", "-l"), "list_line": "{license}"}, "must hold {state}"),
        ({"list_states": ("Active",)}, "list_states"),
        ({"list_states": ("Active=on",)}, "list_states"),
        ({"nodelock_file": "lock"}, "nodelock_file"),
        ({"nodelock_file": "../{license}"}, "nodelock_file"),
        ({"maintenance_on_command": ("licman", "--on")}, "needed together"),
        ({"maintenance_on_text": "on"}, "needed together"),
        ({"version_command": ("rpm", "-q")}, "absolute path"),
        ({"version_command": ("/opt/licman", "--version")}, "absolute path, or with licman"),
        ({"install_command": ("licman", "--install")}, "absolute path"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(values: dict[str, Any], given: str) -> None:
    with pytest.raises(ValueError, match=r"^aimms: ") as caught:
        AimmsSettings(**values)
    assert given in str(caught.value)


def test_usual_settings_are_taken() -> None:
    assert AimmsSettings().ports == (3400, 3401)
    assert AimmsSettings(**MAPPED).states()["Active"] == "active"
    assert AimmsSettings(list_states=("a=b=active",)).states() == {"a=b": "active"}
    assert AimmsSettings(windows_host="licenses.studio.example").licman.name == "licman"


@pytest.mark.parametrize("name", ["licman", "licsrv"])
def test_the_product_is_found_at_its_documented_place(tmp_path: Path, name: str) -> None:
    assert not found_on_this_host(tmp_path)
    path = tmp_path / "usr/local/Aimms/Bin" / name
    path.parent.mkdir(parents=True)
    path.touch()
    assert found_on_this_host(tmp_path)


@pytest.mark.parametrize(
    ("form", "line", "found"),
    [
        ("{license} {state}", f"{NUMBER}   Error, Pending", (NUMBER, "Error, Pending")),
        ("[{license}] = {state};", f"[{NUMBER}] = On;", (NUMBER, "On")),
        ("{any}#{license} {state} at {any}", f"3 #{NUMBER} On at x", (NUMBER, "On")),
        ("{license} | {state}", f"{NUMBER} |", None),
        ("{license} {state}", f"x{NUMBER} On", None),
        ("{license} {state}", "15.90.10 On", None),
    ],
)
def test_a_form_fits_whole_lines(form: str, line: str, found: tuple[str, str] | None) -> None:
    match = parse_line_form(form).match(line)
    assert (match and (match["license"], match["state"])) == found


@pytest.mark.parametrize(
    "form",
    [
        "", "x" * 201, "{license}", "{license}{state}", "{number} {state}",
        "{license} {license} {state}", "{any} {any} {any} {any} {license} {state}", "{license}\n",
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_used_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"must|holds"):
        parse_line_form(form)


def listed(*lines: str) -> Any:
    """What a list shows that the twin's mapping reads."""
    return parse_list("\n".join(lines), AimmsSettings(**MAPPED))


def test_a_list_is_understood_whole_or_proves_nothing() -> None:
    head = "License | State | Profile"
    good = f"{NUMBER} | Active | Server"
    assert listed(head, "", good).complete
    assert listed(head).complete
    for lines in ([], [""], ["licman: failed"], [head, good, "and more"], [head, "x" * 501]):
        assert not listed(*lines).complete
    pending = listed(f"{NUMBER} | Error, Pending Activation | -").licenses
    assert [(e.state, e.profiles) for e in pending] == [(LicenseState.PENDING, ())]
    assert listed(f"{NUMBER} | Odd | a").licenses[0].state is LicenseState.UNKNOWN
    twice = listed(good, f"{NUMBER} | Active | Other", f"{NUMBER} | Active | -").licenses
    assert [e.profiles for e in twice] == [("Server", "Other")]
    torn = listed(good, f"{NUMBER} | Error, Pending Activation | -").licenses
    assert [e.state for e in torn] == [LicenseState.UNKNOWN]


def test_a_help_text_lists_options_and_verbs() -> None:
    given = HelpText("usage: licman [-h] [--list]\n  deactivate  give up\n--profile-add=<name>")
    assert given.is_of_licman()
    assert given.unlisted(("licman", "--list", "x")) == ()
    assert given.unlisted(("licman", "--list=x", "-q")) == ("-q",)
    assert given.unlisted(("licman", "--li")) == ("--li",)
    assert given.unlisted(("licman", "deactivate", "{license}")) == ()
    assert given.unlisted(("licman", "activate", "{license}")) == ("activate",)
    assert not HelpText("licman: unknown option --help").is_of_licman()


def everything(given: MoveInstructions) -> list[Instructions]:
    """All that people are told."""
    return [
        given.back_up(), given.set_maintenance(True), given.set_maintenance(False),
        given.deactivate(NUMBER), given.release((NUMBER,)), given.install(), given.activate(NUMBER),
        given.activate_offline(NUMBER), given.cancel_pending(NUMBER),
        given.add_profile("Client", NUMBER), given.verify((NUMBER,)), given.repoint("new-server"),
        given.emergency(NUMBER),
    ]  # fmt: skip


def test_people_are_told_the_vendors_own_menus(tmp_path: Path) -> None:
    windows, linux, mapped = (
        AimmsDriver(AimmsSettings(**{"folder": str(tmp_path), **values})).instructions()
        for values in ({"windows_host": "old-server", "due_after": 60}, {}, MAPPED)
    )
    for given in (windows, linux, mapped):
        for entry in everything(given):
            assert all(step.endswith(".") for step in (*entry.steps, entry.verified_by))
            assert entry.seconds_max == (60 if given is windows else None)
    text = " ".join(step for entry in everything(windows) for step in entry.steps)
    for words in (
        "Maintenance > Maintenance mode", "Maintenance > License > License Configuration",
        "Deactivate", "Install license", "machine node lock", "MSI", "3400", "7 days",
        "PRO server license", "Client license server", "worker profile",
    ):  # fmt: skip
        assert words in text
    assert "licman" not in text
    text = " ".join(step for entry in everything(linux) for step in entry.steps)
    for words in ("licman --help", "--nodelock-activate", "aimms.deactivate_command", "licsrv"):
        assert words in text
    for given, word_counts in ((linux, True), (windows, True), (mapped, False)):
        assert given.deactivate(NUMBER).attestable is word_counts
        assert given.add_profile("Client", NUMBER).attestable is word_counts
        assert given.set_maintenance(True).attestable is word_counts
    assert mapped.repoint("new").attestable
    assert any("jobs end" in step for step in windows.set_maintenance(False).steps)


SPACED = "Pro Lizenz M\u00fcnchen"


@pytest.mark.parametrize(
    ("form", "line", "found"),
    [
        ("{license} | {state} | {profile}", f"{NUMBER} | On | {SPACED}", ("On", SPACED)),
        ("{profile}: {license} is {state}", f"{SPACED}: {NUMBER} is On", ("On", SPACED)),
        ("{license} {state} {profile}", f"{NUMBER} On {SPACED}", ("On", SPACED)),
        ("{license} {state} {profile}", f"{NUMBER} Not on {SPACED}", ("Not on", SPACED)),
        ("{license} {any} {state} {profile}", f"{NUMBER} PRO On {SPACED}", ("On", SPACED)),
        ("{license} {state} {profile}", f"{NUMBER} Not yet Client", ("Not yet", "Client")),
        ("{license} {state} {profile}", f"{NUMBER} On", None),
        # Where a state's word stands twice, nobody can tell where the name begins.
        ("{license} {any} {state} {profile}", f"{NUMBER} PRO On call On x", ("On call On", "x")),
    ],
)  # fmt: skip
def test_a_profile_may_have_spaces_and_letters_of_any_script(
    form: str, line: str, found: tuple[str, str] | None
) -> None:
    match = parse_line_form(form, ("On", "Not on")).match(line)
    assert (match and (match["state"], match["profile"])) == found
