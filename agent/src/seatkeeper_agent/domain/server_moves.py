# SPDX-License-Identifier: GPL-3.0-or-later
"""License servers that move to another machine: what is seen of one, and what is backed up."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

BACKUP_FORM = "seatkeeper-server-backup/1"
LICENSES_MAX = 1_000
FILES_MAX = 1_000

LICENSE_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,6}){3}")
"""Four numbers between dots, as the vendor writes them (grade D); kept as they are written."""

PROFILE_NAME = re.compile(r"\w(?:[\w. -]{0,62}\w)?")
"""Letters of any script. Narrower than the product may allow (?): no option can be taken for it."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEXT_LENGTH_MAX = 300


class LicenseState(StrEnum):
    """What is seen of one license on one machine."""

    ACTIVE = "active"
    PENDING = "pending"
    INACTIVE = "inactive"
    UNKNOWN = "unknown"


class Place(StrEnum):
    """Where a license is active; only what both machines show is told."""

    SOURCE = "source"
    TARGET = "target"
    BOTH = "both"
    ORPHANED = "nowhere"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MovableLicense:
    """One license of a server; ``profiles`` None where the product does not show them."""

    number: str
    profiles: tuple[str, ...] | None
    state: LicenseState


@dataclass(frozen=True, slots=True)
class ServerFile:
    """A file of a server by name, size in bytes and SHA-256 in hexadecimal; never its content."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class MovableServer:
    """What is seen of a license server and its machine; None for what cannot be seen.

    ``reports_licenses`` is whether ``licenses`` is complete, so that a license that is not among
    them is inactive here. ``ports_busy`` are those of the product's ports on which something
    listens, whatever it is; they are None where none answers and one of them might.
    ``update_locks`` are files that block changes. ``notes`` are sentences about what could not be
    seen.
    """

    installed: bool | None
    serving: bool | None
    version: str | None
    maintenance: bool | None
    licenses: tuple[MovableLicense, ...]
    reports_licenses: bool
    license_files: tuple[ServerFile, ...] | None
    installer: ServerFile | None
    free_bytes: int | None
    ports_busy: tuple[int, ...] | None
    update_locks: tuple[str, ...] | None
    notes: tuple[str, ...] = ()

    def license(self, number: str) -> MovableLicense:
        """What is seen of one license."""
        for entry in self.licenses:
            if entry.number == number:
                return entry
        state = LicenseState.INACTIVE if self.reports_licenses else LicenseState.UNKNOWN
        return MovableLicense(number, () if self.reports_licenses else None, state)

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {key: _plain(value) for key, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class BackedUpLicense:
    """A license and the profiles it is linked to; of its activation code only that it is there.

    ``name`` is what the vendor and people call it, such as PROServer, where it is declared.
    """

    number: str
    profiles: tuple[str, ...]
    has_code: bool
    state: LicenseState = LicenseState.UNKNOWN
    name: str | None = None

    @property
    def label(self) -> str:
        """Its number, and its name where there is one."""
        return self.number if self.name is None else f"{self.number} ({self.name})"


@dataclass(frozen=True, slots=True)
class ServerBackup:
    """What another machine needs to become this server. It holds no secret.

    ``made_at`` is an ISO 8601 time with its zone; ``settings`` are plain texts by name.
    """

    vendor: str
    server: str
    made_at: str
    version: str | None
    licenses: tuple[BackedUpLicense, ...]
    license_files: tuple[ServerFile, ...]
    settings: dict[str, str] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """As plain JSON values, in a form that people can read."""
        return {"form": BACKUP_FORM, **_plain(asdict(self))}

    @classmethod
    def from_document(cls, document: object) -> ServerBackup:
        """Read what ``as_document`` wrote; ValueError names the place and the rule."""
        found = _table(document, "the backup", {"form", *cls.__dataclass_fields__})
        if found["form"] != BACKUP_FORM:
            raise ValueError(f"the backup's form must be {BACKUP_FORM}, not {found['form']!r}")
        backup = cls(
            vendor=_text(found["vendor"], "vendor"),
            server=_text(found["server"], "server"),
            made_at=_text(found["made_at"], "made_at"),
            version=None if found["version"] is None else _text(found["version"], "version"),
            licenses=tuple(
                _license(entry, f"licenses[{number}]")
                for number, entry in enumerate(_list(found["licenses"], "licenses", LICENSES_MAX))
            ),
            license_files=tuple(
                _file(entry, f"license_files[{number}]")
                for number, entry in enumerate(
                    _list(found["license_files"], "license_files", FILES_MAX)
                )
            ),
            settings=_settings(found["settings"]),
        )
        require_distinct(backup.licenses)
        return backup


def back_up(
    vendor: str,
    server: str,
    made_at: str,
    seen: MovableServer,
    declared: tuple[BackedUpLicense, ...],
    settings: dict[str, str],
) -> ServerBackup:
    """The backup of a server: what is declared of its licenses, with what is seen of them.

    ValueError names everything in which the two contradict each other, one license declared
    twice or one profile linked to two licenses among it; neither is believed then.
    """
    require_distinct(declared)
    contradictions = contradicted(seen, declared)
    if contradictions:
        raise ValueError("; ".join(contradictions))
    licenses = tuple(replace(entry, state=seen.license(entry.number).state) for entry in declared)
    files = seen.license_files or ()
    return ServerBackup(vendor, server, made_at, seen.version, licenses, files, settings)


def of_lost_server(
    vendor: str, server: str, made_at: str, declared: tuple[BackedUpLicense, ...]
) -> ServerBackup:
    """What stands for the backup of a server that is lost and was never backed up.

    Of its version and its files nothing is known. ValueError as for a backup.
    """
    require_distinct(declared)
    return ServerBackup(vendor, server, made_at, None, declared, ())


def contradicted(seen: MovableServer, declared: tuple[BackedUpLicense, ...]) -> tuple[str, ...]:
    """A clause for each thing that a server shows otherwise than declared."""
    sentences = []
    for entry in declared:
        shown = seen.license(entry.number)
        if shown.profiles and set(shown.profiles) != set(entry.profiles):
            sentences.append(
                f"license {entry.number} is declared with {_names(entry.profiles)} and the server"
                f" shows {_names(shown.profiles)}"
            )
    known = {entry.number for entry in declared}
    sentences += [
        f"the server shows license {entry.number}, which is not declared"
        for entry in seen.licenses
        if entry.number not in known and entry.state is not LicenseState.INACTIVE
    ]
    return tuple(sentences)


def require_distinct(licenses: tuple[BackedUpLicense, ...]) -> None:
    """ValueError for a license that stands twice, or a profile that two licenses have."""
    owners: dict[str, str] = {}
    for number in (numbers := [entry.number for entry in licenses]):
        if numbers.count(number) > 1:
            raise ValueError(f"license {number} stands twice")
    for entry in licenses:
        for profile in entry.profiles:
            other = owners.setdefault(profile, entry.number)
            if other != entry.number:
                raise ValueError(
                    f"profile {profile} is linked to license {other} and to {entry.number}"
                )


def place_of(
    number: str,
    source: MovableServer | None,
    target: MovableServer | None,
    released: bool = False,
) -> Place:
    """Where a license is active; None for a machine that is lost or cannot be asked.

    ``released`` is somebody's word that the vendor's support has deactivated it at the source. A
    pending activation is not active yet. That one machine has it is told only where the other
    one is known not to.
    """
    at_source = None if source is None else _has(source.license(number).state)
    if at_source is None and released:
        at_source = False
    at_target = None if target is None else _has(target.license(number).state)
    if at_source is None or at_target is None:
        return Place.UNKNOWN
    if at_source and at_target:
        return Place.BOTH
    if at_source:
        return Place.SOURCE
    return Place.TARGET if at_target else Place.ORPHANED


def _has(state: LicenseState) -> bool | None:
    return None if state is LicenseState.UNKNOWN else state is LicenseState.ACTIVE


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "no profile"


def _plain(value: Any) -> Any:
    """Tuples as lists and enums as texts, so that a document equals what is read of its JSON."""
    match value:
        case dict():
            return {key: _plain(entry) for key, entry in value.items()}
        case tuple() | list():
            return [_plain(entry) for entry in value]
        case StrEnum():
            return value.value
    return value


def _license(entry: object, where: str) -> BackedUpLicense:
    # Not every license has a name.
    whole = {"name": None, **entry} if isinstance(entry, dict) else entry
    found = _table(whole, where, set(BackedUpLicense.__dataclass_fields__))
    if not isinstance(found["has_code"], bool):
        raise ValueError(f"{where}.has_code must be true or false")
    states = [state.value for state in LicenseState]
    if found["state"] not in states:
        raise ValueError(f"{where}.state must be one of {', '.join(states)}")
    return BackedUpLicense(
        number=_matching(found["number"], LICENSE_NUMBER, f"{where}.number"),
        profiles=tuple(
            _matching(name, PROFILE_NAME, f"{where}.profiles")
            for name in _list(found["profiles"], f"{where}.profiles", LICENSES_MAX)
        ),
        has_code=found["has_code"],
        state=LicenseState(found["state"]),
        name=None if found["name"] is None else _text(found["name"], f"{where}.name"),
    )


def _file(entry: object, where: str) -> ServerFile:
    found = _table(entry, where, set(ServerFile.__dataclass_fields__))
    name, size = _text(found["name"], f"{where}.name"), found["bytes"]
    if "/" in name or isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ValueError(f"{where} must have a name without / and a size in bytes")
    return ServerFile(name, size, _matching(found["sha256"], _SHA256, f"{where}.sha256"))


def _settings(entry: object) -> dict[str, str]:
    if not isinstance(entry, dict):
        raise ValueError("settings must be an object")
    return {
        _text(key, "a name in settings"): _text(value, f"settings.{key}")
        for key, value in entry.items()
    }


def _table(entry: object, where: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(entry, dict) or set(entry) != keys:
        raise ValueError(f"{where} must be an object with {', '.join(sorted(keys))}")
    return entry


def _list(entry: object, where: str, count_max: int) -> list[Any]:
    if not isinstance(entry, list) or len(entry) > count_max:
        raise ValueError(f"{where} must be a list of at most {count_max}")
    return entry


def _text(entry: object, where: str) -> str:
    if not isinstance(entry, str) or not 0 < len(entry) <= _TEXT_LENGTH_MAX:
        raise ValueError(f"{where} must be a text of 1 to {_TEXT_LENGTH_MAX} characters")
    if not entry.isprintable():
        raise ValueError(f"{where} must be one line of printable characters")
    return entry


def _matching(entry: object, pattern: re.Pattern[str], where: str) -> str:
    if not isinstance(entry, str) or not pattern.fullmatch(entry):
        raise ValueError(f"{where} has an impossible value")
    return entry
