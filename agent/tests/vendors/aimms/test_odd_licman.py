# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are not as documented, and what becomes of an activation code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.ports import (
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
    Grade,
)
from seatkeeper_agent.vendors.aimms.capabilities import code_exposure
from seatkeeper_agent.vendors.aimms.commands import LIKE_A_CODE
from seatkeeper_agent.vendors.aimms.driver import AimmsDriver
from seatkeeper_agent.vendors.processes import Outcome
from seatkeeper_agent.vendors.program_output import CHARACTERS_MAX, reported

CODE = "Q7RT1-8XKPM-0VBNA-LLZ3C-WE45D"
NUMBER = "15.90.10.1"
HELP = "echo ' --nodelock-activate <n>  activate'; echo ' --profile-add <name>'"
MakeOdd = Callable[..., AimmsDriver]


def recording(folder: Path, extra: str = "") -> str:
    """A licman that writes down its arguments, one on a line."""
    return (
        f'if [ "$1" = --help ]; then {HELP}; exit 0; fi\n'
        f'printf "%s\\n" "$@" > {folder}/arguments\n{extra}'
    )


def test_the_documented_commands_are_spelled_as_documented(
    odd_licman: MakeOdd, tmp_path: Path
) -> None:
    driver = odd_licman(recording(tmp_path))
    driver.activate(NUMBER, Secret(CODE))
    arguments = (tmp_path / "arguments").read_text().split("\n")
    assert arguments[:-1] == [
        "--nodelock-activate", NUMBER, "--type", "machine", "--activation-code", CODE,
        "--add-license",
    ]  # fmt: skip
    driver.add_profile("Pro License", NUMBER)
    arguments = (tmp_path / "arguments").read_text().split("\n")
    assert arguments[:-1] == ["--profile-add", "Pro License", "--license", NUMBER]


def test_a_code_is_not_told_again(odd_licman: MakeOdd, tmp_path: Path) -> None:
    talking = f'echo "code $6 was {CODE.lower()} or {CODE.replace("-", " ")}"; echo 0VBNA; exit 3'
    report = odd_licman(recording(tmp_path, talking)).activate(NUMBER, Secret(CODE))
    assert report.exit_code == 3
    for part in CODE.split("-"):
        assert part.lower() not in report.text.lower()
        assert part not in repr(report)


def test_a_foreign_code_in_an_output_is_hidden_and_the_rest_is_kept() -> None:
    for drawn in (CODE, f"\x1b[31m{CODE}\x1b[0m", f"_{CODE}_", CODE.replace("-", "\x08-")):
        report = reported(Outcome(0, f"{drawn}\x07\n{'x' * 5000}"), like_secrets=LIKE_A_CODE)
        assert not any(part in report.text for part in CODE.split("-"))
        assert len(report.text) <= CHARACTERS_MAX
    short = reported(Outcome(0, f"license {NUMBER}\nkey {CODE}\x07 ok\n"), like_secrets=LIKE_A_CODE)
    assert short.text == f"license {NUMBER} / key … ok"


@pytest.mark.parametrize(
    "code", ["", "short", CODE[:-1], f"{CODE}-ABCDE", f"--{CODE[2:]}", CODE.replace("-", "%")]
)
def test_what_cannot_be_a_code_is_refused_unseen(
    odd_licman: MakeOdd, tmp_path: Path, code: str
) -> None:
    with pytest.raises(DriverRefused) as caught:
        odd_licman(recording(tmp_path)).activate(NUMBER, Secret(code))
    assert not code or code not in str(caught.value)
    assert not (tmp_path / "arguments").exists()


@pytest.mark.parametrize("name", ["", "-x", "--license", " a", "a\n", "a" * 65, "a%s", "a/b"])
def test_what_could_be_an_option_is_no_profile(
    odd_licman: MakeOdd, tmp_path: Path, name: str
) -> None:
    driver = odd_licman(recording(tmp_path))
    with pytest.raises(DriverRefused):
        driver.add_profile(name, NUMBER)
    with pytest.raises(DriverRefused):
        driver.add_profile("Client", name)
    assert not (tmp_path / "arguments").exists()


def test_a_hanging_program_is_killed_and_its_code_not_told(odd_licman: MakeOdd) -> None:
    hanging = odd_licman(
        f'if [ "$1" = --help ]; then {HELP}; exit 0; fi\nexec sleep 60', call_seconds_max=2.0
    )
    with pytest.raises(DriverUnfinished) as caught:
        hanging.activate(NUMBER, Secret(CODE))
    assert CODE not in str(caught.value)


def test_a_help_without_the_documented_command_is_another_program(odd_licman: MakeOdd) -> None:
    driver = odd_licman("echo '  --profile-add <name>'")
    assert driver.can("activate") is Grade.ASSISTED
    assert driver.can("add_profile") is Grade.DOCUMENTED
    with pytest.raises(DriverUnsupported, match="--nodelock-activate"):
        driver.activate(NUMBER, Secret(CODE))


def test_a_help_that_says_nothing_leaves_the_documented_commands(
    odd_licman: MakeOdd, tmp_path: Path
) -> None:
    silent = f'printf "%s\\n" "$@" > {tmp_path}/arguments'
    driver = odd_licman(silent, deactivate_command=("licman", "--off", "{license}"))
    assert driver.can("activate") is Grade.DOCUMENTED
    assert driver.can("deactivate") is Grade.ASSISTED
    driver.activate(NUMBER, Secret(CODE))
    with pytest.raises(DriverUnsupported, match="neither of the documented"):
        driver.deactivate(NUMBER)


def test_the_help_of_an_updated_program_is_read_again(odd_licman: MakeOdd, tmp_path: Path) -> None:
    mapped = {"deactivate_command": ("licman", "--off", "{license}")}
    driver = odd_licman(recording(tmp_path), **mapped)
    assert driver.can("deactivate") is Grade.ASSISTED
    odd_licman(recording(tmp_path).replace(HELP, f"{HELP}; echo ' --off <n>'"), **mapped)
    assert driver.can("deactivate") is Grade.DOCUMENTED


def test_a_machine_without_the_product_is_bare(odd_licman: MakeOdd, tmp_path: Path) -> None:
    driver = odd_licman("exit 0")
    (tmp_path / "Aimms" / "Bin" / "licman").unlink()
    seen = driver.observe()
    assert (seen.installed, seen.reports_licenses, seen.notes) == (False, True, ())
    (tmp_path / "Aimms" / "Bin" / "licsrv").touch()
    seen = driver.observe()
    assert (seen.installed, seen.reports_licenses) == (False, False)
    assert "other files of the product" in seen.notes[0]
    with pytest.raises(DriverUnavailable, match="not there"):
        driver.activate(NUMBER, Secret(CODE))


@pytest.mark.parametrize(("exit_code", "reports"), [(0, True), (1, False)])
def test_a_list_that_ended_badly_may_have_broken_off(
    odd_licman: MakeOdd, exit_code: int, reports: bool
) -> None:
    listing = f'if [ "$1" = --help ]; then {HELP}; echo " --list"; exit 0; fi'
    mapped = {"list_command": ("licman", "--list"), "list_line": "{license} {state}"}
    seen = odd_licman(f"{listing}\necho {NUMBER} on; exit {exit_code}", **mapped).observe()
    assert [entry.number for entry in seen.licenses] == [NUMBER]
    assert seen.reports_licenses is reports
    assert bool(seen.notes) is not reports


def test_who_can_read_the_code_is_told(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("proc /proc proc rw,nosuid,hidepid=invisible 0 0\n")
    assert "hides it from other users" not in code_exposure(tmp_path / "none")
    assert "hides from other users" in code_exposure(mounts)
    mounts.write_text("proc /proc proc rw 0 0\nproc /x/proc proc rw,hidepid=2 0 0\n")
    assert "all local users can read" in code_exposure(mounts)
