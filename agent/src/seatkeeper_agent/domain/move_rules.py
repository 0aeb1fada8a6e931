# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine must be like before a license leaves another one for it, rule by rule."""

from __future__ import annotations

from seatkeeper_agent.domain.moves import LicenseState, MovableServer, ServerBackup
from seatkeeper_agent.domain.rules import RuleRow, verdict_of
from seatkeeper_agent.domain.versions import at_least


def target_rows(
    backup: ServerBackup,
    target: MovableServer,
    version: str | None = None,
    installer_sha256: str | None = None,
    free_bytes_min: int = 0,
) -> tuple[RuleRow, ...]:
    """What a machine must be like before anything is deactivated elsewhere, rule by rule.

    ``version`` and ``installer_sha256`` are what is declared of the target, if anything is.
    """
    return (
        _free_of_others(target),
        _not_serving(backup, target),
        _version_row(backup, target, version),
        _installable(target, installer_sha256),
        _same_files(backup, target),
        RuleRow(
            "room",
            f"at least {free_bytes_min} bytes free",
            _told(target.free_bytes, "{} bytes"),
            verdict_of(None if target.free_bytes is None else target.free_bytes >= free_bytes_min),
            "Make room in the file system of the license server.",
        ),
        RuleRow(
            "not_locked",
            "no read-only lock file that blocks changes",
            _names(target.update_locks) or "none",
            verdict_of(not target.update_locks),
            "Find out who locked it, then make the file writable or remove it.",
        ),
    )


def _free_of_others(target: MovableServer) -> RuleRow:
    ours = target.serving is True
    ports = ", ".join(str(port) for port in target.ports_busy)
    return RuleRow(
        "ports_free",
        "the product's ports free, or the product itself listening on them",
        f"something listens on {ports}" if ports else "nothing listens on them",
        verdict_of(None if target.installed is None and ports else ours or not ports),
        "End the program that listens there, or choose another machine.",
    )


def _not_serving(backup: ServerBackup, target: MovableServer) -> RuleRow:
    known = {entry.number for entry in backup.licenses}
    foreign = [
        entry.number
        for entry in target.licenses
        if entry.number not in known and entry.state is LicenseState.ACTIVE
    ]
    settled = target.tells_licenses or target.installed is False
    return RuleRow(
        "not_serving_others",
        "no other licenses served already",
        f"it serves {_names(tuple(foreign))}" if foreign else "none is seen",
        verdict_of(False if foreign else True if settled else None),
        "Look at the licenses of the target's server before you go on.",
    )


def _version_row(backup: ServerBackup, target: MovableServer, declared: str | None) -> RuleRow:
    if declared is not None:
        required = f"version {declared}, as declared"
        holds = None if target.version is None else target.version == declared
    elif backup.version is not None:
        # No document says which versions of the license server can follow each other.
        required = f"a version not older than that of the source, {backup.version}"
        holds = at_least(target.version, backup.version)
    else:
        required, holds = "a known version of the source to compare with", None
    return RuleRow(
        "version",
        required,
        _told(target.version, "{}"),
        verdict_of(holds),
        "Compare the versions by hand, or set the command that prints the version.",
    )


def _installable(target: MovableServer, sha256: str | None) -> RuleRow:
    found = target.installer
    matches = found is not None and sha256 in (None, found.sha256)
    told = "neither is there" if found is None else f"{found.name} with SHA-256 {found.sha256}"
    wanted = "" if sha256 is None else f" with SHA-256 {sha256}"
    return RuleRow(
        "installer",
        f"the product installed, or its installer there{wanted}",
        "the product is installed" if target.installed else told,
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


def _told(value: object, text: str) -> str:
    return "not known" if value is None else text.format(value)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names)
