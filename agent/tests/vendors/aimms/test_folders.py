# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product's folders show: files by name, size and digest, locks, nodelocks, room."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from seatkeeper_agent.domain.server_moves import FILES_MAX, LicenseState, MovableLicense
from seatkeeper_agent.operations.ports import DriverRefused
from seatkeeper_agent.vendors.aimms import folders
from seatkeeper_agent.vendors.aimms.observation import Shown, by_nodelocks, combined

ONE, TWO = "15.90.10.1", "15.90.10.2"
ACTIVE, INACTIVE = LicenseState.ACTIVE, LicenseState.INACTIVE
UNKNOWN, PENDING = LicenseState.UNKNOWN, LicenseState.PENDING


def test_license_files_are_told_by_their_digest_and_read_again_when_changed(tmp_path: Path) -> None:
    assert folders.license_files(tmp_path) == ()
    place = tmp_path / "Licenses"
    place.mkdir()
    for name in ("a.lic", "B.CPX", "readme.txt", "c.lic.old"):
        (place / name).write_bytes(name.encode())
    found = folders.license_files(tmp_path) or ()
    assert [(e.name, e.bytes) for e in found] == [("B.CPX", 5), ("a.lic", 5)]
    assert found[1].sha256 == hashlib.sha256(b"a.lic").hexdigest()
    (place / "a.lic").write_bytes(b"other")
    found = folders.license_files(tmp_path) or ()
    assert found[1].sha256 == hashlib.sha256(b"other").hexdigest()
    (place / "d.lic").mkdir()
    assert folders.license_files(tmp_path) is None  # not what a license file is: nothing is told


def test_a_file_that_is_too_large_or_no_file_is_not_described(tmp_path: Path) -> None:
    path = tmp_path / "setup.run"
    assert folders.described(path, 10) is None
    path.write_bytes(b"x" * 11)
    assert folders.described(path, 10) is None
    assert folders.described(tmp_path, 10_000_000) is None
    found = folders.described(path, 11)
    assert found is not None
    assert found.bytes == 11


def test_only_read_only_lock_files_block(tmp_path: Path) -> None:
    place = tmp_path / "Nodelocks"
    place.mkdir()
    for name, mode in ((".lock", 0o444), ("a.lock", 0o400), ("b.lock", 0o644), ("c.txt", 0o444)):
        (place / name).touch(mode=mode)
    (place / "d.lock").mkdir(mode=0o555)
    assert folders.update_locks(tmp_path) == (".lock", "a.lock")


def test_nodelocks_are_found_by_the_form_of_their_names(tmp_path: Path) -> None:
    assert folders.nodelocked(tmp_path, "{license}.x") == ()
    place = tmp_path / "Nodelocks"
    place.mkdir()
    for name in (f"n-{ONE}.x", f"n-{TWO}.xx", "n-1.2.3.x", f"N-{TWO}.x", f"n-{TWO}zx"):
        (place / name).touch()
    assert folders.nodelocked(tmp_path, "n-{license}.x") == (ONE,)
    (tmp_path / "file").touch()
    assert folders.nodelocked(tmp_path / "file", "{license}") is None


def test_a_folder_with_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FILES_MAX == 1_000
    monkeypatch.setattr(folders, "FILES_MAX", 2)
    (tmp_path / "Licenses").mkdir()
    for name in "abc":
        (tmp_path / "Licenses" / name).touch()
    with pytest.raises(DriverRefused, match="more than 2 files"):
        folders.license_files(tmp_path)


def test_room_is_told_also_before_the_folder_is_there(tmp_path: Path) -> None:
    room = folders.free_bytes(tmp_path / "usr" / "local" / "Aimms")
    assert room is not None
    assert room > 0


def listed(*entries: tuple[str, LicenseState], complete: bool = True) -> Shown:
    """A list that shows these licenses, with a profile each."""
    licenses = tuple(MovableLicense(number, ("P",), state) for number, state in entries)
    return Shown(licenses, complete)


@pytest.mark.parametrize(
    ("shown", "locked", "states"),
    [
        (listed((ONE, ACTIVE)), None, {ONE: ACTIVE}),
        (listed((ONE, ACTIVE)), [ONE], {ONE: ACTIVE}),
        (listed((ONE, ACTIVE)), [], {ONE: UNKNOWN}),
        (listed(), [ONE], {ONE: UNKNOWN}),
        (listed((ONE, PENDING)), [], {ONE: PENDING}),
        (listed((ONE, INACTIVE)), [TWO], {ONE: INACTIVE, TWO: UNKNOWN}),
        (listed((ONE, UNKNOWN)), [ONE], {ONE: UNKNOWN}),
        (listed((ONE, ACTIVE), complete=False), [], {ONE: UNKNOWN}),
        (listed((ONE, ACTIVE), complete=False), [ONE, TWO], {ONE: ACTIVE, TWO: ACTIVE}),
        (listed((ONE, ACTIVE), complete=False), [ONE], {ONE: ACTIVE}),
        (Shown(), [ONE], {ONE: ACTIVE}),
        (Shown(), None, {}),
    ],
)
def test_two_sources_together(
    shown: Shown, locked: list[str] | None, states: dict[str, LicenseState]
) -> None:
    both = combined(shown, by_nodelocks(locked))
    assert {entry.number: entry.state for entry in both.licenses} == states
    assert both.complete is (locked is not None or shown.complete)
