# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver does itself, what it leaves to people, what it refuses, each with its reason."""

from __future__ import annotations

from pathlib import Path

from seatkeeper_agent.operations.ports import Capability, DriverError, Grade
from seatkeeper_agent.operations.server_moves.ports import Action
from seatkeeper_agent.vendors.aimms.commands import Licman
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings

MOUNTS = Path("/proc/self/mounts")
_HIDING = frozenset({"hidepid=1", "hidepid=2", "hidepid=noaccess", "hidepid=invisible"})
_ON_WINDOWS = "On Windows the vendor documents it in the License Manager window only: a person does"
_SWITCHES = ("maintenance_on_command", "maintenance_off_command", "maintenance_state_command")
_REFUSED = (
    (
        "usb_dongles",
        "The vendor has not delivered or supported them since December 2019: nodelocks are used.",
    ),
    ("other_nodelock_types", "Only the type machine is documented, and it stays."),
    ("offline_deactivation", "No document describes it; the vendor's support can deactivate."),
    ("usage", "No document describes how to see who uses which license."),
)


def capability(action: Action, settings: AimmsSettings, licman: Licman) -> Capability:
    """Who performs an action, and why."""
    if settings.windows_host is not None:
        return Capability(action, Grade.ASSISTED, f"{_ON_WINDOWS} it there.")
    match action:
        case "activate":
            reason = _documented(licman, "--nodelock-activate")
            text = f"licman --nodelock-activate; {code_exposure()}"
        case "add_profile":
            reason, text = _documented(licman, "--profile-add"), "licman --profile-add."
        case "deactivate":
            reason = _mapped(settings, licman, "deactivate_command")
            text = "By the operator's command, which licman --help must list."
        case "maintenance":
            found = (_mapped(settings, licman, name) for name in _SWITCHES)
            reason = next(filter(None, found), None)
            text = "By the operator's commands, which licman --help must list."
        case "install":
            reason = None if settings.install_command else "aimms.install_command is not set."
            text = "By the operator's command."
        case "observe_licenses":
            reason, text = _observation(settings, licman)
        case "observe_profiles":
            reason, text = _observation_of_profiles(settings, licman)
    if reason is None:
        return Capability(action, Grade.DOCUMENTED, text)
    return Capability(action, Grade.ASSISTED, f"{reason} A person does it.")


def capabilities(
    settings: AimmsSettings, licman: Licman, serving: bool | None
) -> tuple[Capability, ...]:
    """All of them."""
    actions: tuple[Action, ...] = (
        "activate", "add_profile", "deactivate", "maintenance", "install", "observe_licenses",
        "observe_profiles",
    )  # fmt: skip
    ports = " and ".join(str(port) for port in settings.ports)
    runtime = Capability(
        "runtime",
        Grade.DOCUMENTED if serving else Grade.REFUSED,
        f"Something listens on {ports}." if serving else f"Nothing listens on both {ports}.",
    )
    offline = Capability(
        "offline_activation",
        Grade.ASSISTED,
        "Request and response files are exchanged on the vendor's page by a person.",
    )
    return (
        runtime,
        *(capability(action, settings, licman) for action in actions),
        offline,
        *(Capability(name, Grade.REFUSED, reason) for name, reason in _REFUSED),
    )


def code_exposure(mounts: Path = MOUNTS) -> str:
    """A clause: who can read the activation code while the documented command runs."""
    try:
        entries = [line.split() for line in mounts.read_text(errors="replace").splitlines()]
    except OSError:
        entries = []
    options = [entry[3].split(",") for entry in entries if entry[1:3] == ["/proc", "proc"]]
    if options and _HIDING.intersection(options[-1]):
        return (
            "the code is an argument of it, which this host hides from other users (hidepid of"
            " /proc)."
        )
    return (
        "the code is an argument of it, which all local users can read while it runs: let nobody"
        " log in meanwhile, or mount /proc with hidepid=2."
    )


def _documented(licman: Licman, option: str) -> str | None:
    try:
        listed = licman.help()
    except DriverError:
        return None
    if listed.is_of_licman() and option not in listed.options:
        return f"licman --help does not list the documented {option}."
    return None


def _mapped(settings: AimmsSettings, licman: Licman, setting: str) -> str | None:
    # Before an installation there is no help to read; the command itself will be held against it.
    try:
        installed = licman.is_installed()
    except DriverError as error:
        return str(error)
    if getattr(settings, setting) and not installed:
        return None
    return licman.refusal(setting)


def _observation(settings: AimmsSettings, licman: Licman) -> tuple[str | None, str]:
    if settings.nodelock_file is not None:
        return None, "By the files in Nodelocks that the operator named."
    if settings.list_command:
        reason = _mapped(settings, licman, "list_command")
        return reason, "By the operator's command, which licman --help must list."
    reason = (
        "No document tells how to see which licenses are active: set aimms.list_command or"
        " aimms.nodelock_file."
    )
    return reason, ""


def _observation_of_profiles(settings: AimmsSettings, licman: Licman) -> tuple[str | None, str]:
    if settings.list_line is None or "{profile}" not in settings.list_line:
        return (
            "No document tells how to see the profiles of a license: set aimms.list_command, with"
            " {profile} in aimms.list_line."
        ), ""
    reason = _mapped(settings, licman, "list_command")
    return reason, "By the operator's command, which licman --help must list."
