# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine must be like before a license leaves another one for it, rule by rule.

A machine that nobody can look into, such as one with Windows, has many unknowns. What the operator
has demanded is not taken on trust: it blocks until it is seen. What nobody has demanded is unknown
in the report that is read before anything is confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from seatkeeper_agent.domain.rules import OnUnknown, RuleRow, verdict_of
from seatkeeper_agent.domain.server_moves import LicenseState, MovableServer, ServerBackup
from seatkeeper_agent.domain.versions import at_least

ON_UNKNOWN: dict[str, tuple[OnUnknown, OnUnknown]] = {
    "ports_free": (OnUnknown.SHOWN, OnUnknown.SHOWN),
    "not_serving_others": (OnUnknown.SHOWN, OnUnknown.SHOWN),
    "version": (OnUnknown.BLOCKS, OnUnknown.SHOWN),
    "installer": (OnUnknown.BLOCKS, OnUnknown.SHOWN),
    "license_files": (OnUnknown.SHOWN, OnUnknown.SHOWN),
    "room": (OnUnknown.BLOCKS, OnUnknown.SHOWN),
    "not_locked": (OnUnknown.SHOWN, OnUnknown.SHOWN),
}
"""What an unknown does where the operator has demanded it of the target, and where not."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What the operator demands of a target, None or 0 for what is not demanded."""

    version: str | None = None
    installer_sha256: str | None = None
    free_bytes_min: int = 0

    def names(self, target: MovableServer) -> frozenset[str]:
        """The rules that are demanded; a version only of what is installed already."""
        named = {
            "version": self.version is not None and target.installed is not False,
            "installer": self.installer_sha256 is not None,
            "room": self.free_bytes_min > 0,
        }
        return frozenset(rule for rule, is_demanded in named.items() if is_demanded)


def target_rows(
    backup: ServerBackup,
    target: MovableServer,
    version: str | None = None,
    installer_sha256: str | None = None,
    free_bytes_min: int = 0,
) -> tuple[RuleRow, ...]:
    """What a machine must be like before anything is deactivated elsewhere, rule by rule.

    ``version``, ``installer_sha256`` and ``free_bytes_min`` are what is demanded of the target.
    """
    demanded = Demands(version, installer_sha256, free_bytes_min).names(target)
    rows = (
        _free_of_others(target),
        _not_serving(backup, target),
        _version_row(backup, target, version),
        _installable(target, installer_sha256),
        _same_files(backup, target),
        RuleRow(
            "room",
            f"at least {free_bytes_min} bytes free",
            _or_unknown(target.free_bytes, "{} bytes are free"),
            verdict_of(None if target.free_bytes is None else target.free_bytes >= free_bytes_min),
            "Make room in the file system of the license server.",
        ),
        _not_locked(target),
    )
    return tuple(
        replace(row, on_unknown=ON_UNKNOWN[row.rule][0 if row.rule in demanded else 1])
        for row in rows
    )


def _not_locked(target: MovableServer) -> RuleRow:
    locks = target.update_locks
    finding = "there is none" if locks == () else f"{_names(locks or ())} blocks them"
    return RuleRow(
        "not_locked",
        "no read-only lock file that blocks changes",
        "not known" if locks is None else finding,
        verdict_of(None if locks is None else not locks),
        "Find out who locked it, then make the file writable or remove it.",
    )


def _free_of_others(target: MovableServer) -> RuleRow:
    busy = target.ports_busy
    ports = ", ".join(str(port) for port in busy or ())
    finding = f"something listens on {ports}" if ports else "nothing listens on them"
    # What listens on a machine that cannot be looked into may be the product itself.
    is_blind = busy is None or bool(busy and target.installed is None)
    return RuleRow(
        "ports_free",
        "the product's ports free, or the product itself listening on them",
        "they do not answer, so it is not known" if busy is None else finding,
        verdict_of(None if is_blind else target.serving is True or not busy),
        "End the program that listens there, or choose another machine.",
    )


def _not_serving(backup: ServerBackup, target: MovableServer) -> RuleRow:
    known = {entry.number for entry in backup.licenses}
    others = [entry for entry in target.licenses if entry.number not in known]
    foreign = tuple(entry.number for entry in others if entry.state is LicenseState.ACTIVE)
    # One that is pending may be served at any moment.
    unsure = tuple(
        entry.number
        for entry in others
        if entry.state in (LicenseState.PENDING, LicenseState.UNKNOWN)
    )
    is_settled = target.reports_licenses and not unsure
    finding = f"whether it serves {_names(unsure)} is not known" if unsure else "none is seen"
    return RuleRow(
        "not_serving_others",
        "no other licenses served by the machine",
        f"it serves {_names(foreign)}" if foreign else finding,
        verdict_of(False if foreign else True if is_settled else None),
        "Look at the licenses of the target's server before you go on.",
    )


def _version_row(backup: ServerBackup, target: MovableServer, declared: str | None) -> RuleRow:
    if declared is not None:
        required = f"version {declared}, as declared"
        holds = None if target.version is None else target.version == declared
    elif backup.version is not None:
        # No document says which versions of the license server can follow each other.
        required = f"a version not older than the source's, {backup.version}"
        holds = at_least(target.version, backup.version)
    else:
        required, holds = "a version of the source to compare with", None
    return RuleRow(
        "version",
        required,
        _or_unknown(target.version, "it is {}"),
        verdict_of(holds),
        f"Set {backup.vendor}.version_command in the agent's settings; or compare the versions by"
        " hand and demand none.",
    )


def _installable(target: MovableServer, sha256: str | None) -> RuleRow:
    found = target.installer
    matches = found is not None and sha256 in (None, found.sha256)
    finding = "it is not there" if found is None else f"{found.name} has SHA-256 {found.sha256}"
    wanted = "" if sha256 is None else f", with SHA-256 {sha256}"
    return RuleRow(
        "installer",
        f"the product installed, or its installer there{wanted}",
        "the product is installed" if target.installed else finding,
        verdict_of(True if target.installed else None if target.installed is None else matches),
        "Copy the vendor's installer to the machine and name its path in the agent's settings.",
    )


def _same_files(backup: ServerBackup, target: MovableServer) -> RuleRow:
    here = {entry.name: entry.sha256 for entry in target.license_files or ()}
    missing = tuple(e.name for e in backup.license_files if e.name not in here)
    other = tuple(
        e.name for e in backup.license_files if e.name in here and here[e.name] != e.sha256
    )
    parts = [f"missing: {_names(missing)}"] if missing else []
    parts += [f"different: {_names(other)}"] if other else []
    seen = target.license_files is not None and bool(backup.license_files)
    return RuleRow(
        "license_files",
        "the license files of the source, byte for byte",
        "; ".join(parts) or ("they are there" if seen else "they cannot be compared"),
        verdict_of(not parts if seen else None),
        "Copy the license files to the folder Licenses of the target.",
    )


def _or_unknown(value: object, text: str) -> str:
    return "not known" if value is None else text.format(value)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names)
