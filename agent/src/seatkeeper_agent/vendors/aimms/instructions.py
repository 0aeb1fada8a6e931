# SPDX-License-Identifier: GPL-3.0-or-later
"""What people and the vendor's support are told, with the vendor's own menu paths (grade D).

The menus are those of the License Manager window on Windows. For Linux the vendor documents two
commands; a person is sent to the help of the installed version for everything else.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.vendors.aimms.settings import AimmsSettings

LICENSE_CONFIGURATION = "Maintenance > License > License Configuration"
MAINTENANCE_MODE = "Maintenance > Maintenance mode"
EMERGENCY_DAYS = 7
PRO_PROFILES = ("ProLicense", "Client", "Server")
"""The profiles that AIMMS PRO expects by these names (grade D)."""

_BY_LIST = "The agent sees it in the server's list or folders where the operator named them;"
_OR_WORD = f"{_BY_LIST} otherwise a person's word counts."
_RESTART = (
    "Make sure that nothing runs: leaving maintenance mode restarts the server, running jobs end"
    " in error, and so do queued jobs that start meanwhile."
)


@dataclass(frozen=True, slots=True)
class AimmsInstructions:
    """MoveInstructions; what the agent sees itself is not to be attested."""

    settings: AimmsSettings
    licenses_seen: bool
    profiles_seen: bool
    maintenance_seen: bool

    @property
    def _folder(self) -> str:
        return self.settings.folder

    @property
    def _windows_host(self) -> str | None:
        return self.settings.windows_host

    def _licman(self, *arguments: str) -> str:
        """A command to paste into a shell, which has to read every word of it as one."""
        return shlex.join((f"{self._folder}/Bin/licman", *arguments))

    @property
    def _ports(self) -> tuple[int, int]:
        return self.settings.ports

    def restart_warning(self) -> str:
        """What leaving maintenance mode does to those who work."""
        return _RESTART

    def back_up(self) -> Instructions:
        """Note what no document lets the agent read."""
        steps = (
            (f"Open the License Manager window on {self._windows_host}.",)
            if self._windows_host
            else (f"Run {self._licman('--help')} and use what it lists to show licenses.",)
        )
        return self._instructions(
            *steps,
            "Note the number of each license and the names of the profiles it is linked to.",
            "Find the activation code of each license, which the vendor has mailed; keep the codes"
            " where secrets are kept.",
            "Declare numbers, profile names and codes in the inventory, the codes encrypted.",
            verified_by="The declaration names every license with its profiles; what the server"
            " shows otherwise is reported.",
            attestable=False,
        )

    def set_maintenance(self, enabled: bool) -> Instructions:
        """Switch maintenance mode."""
        word = "on" if enabled else "off"
        warning = () if enabled else (_RESTART,)
        return self._instructions(
            *warning,
            *self._in_window(f"Choose {MAINTENANCE_MODE} and switch it {word}."),
            *self._on_linux(
                f"that switches maintenance mode {word}",
                ("aimms.maintenance_on_command and the settings beside it",),
            ),
            verified_by="The agent asks by the operator's command."
            if self.maintenance_seen
            else "Nothing that is documented shows it: a person's word counts.",
            attestable=not self.maintenance_seen,
        )

    def deactivate(self, number: str) -> Instructions:
        """Deactivate one license."""
        return self._instructions(
            *self._in_window(
                f"Open {LICENSE_CONFIGURATION}, choose license {number} and click Deactivate."
            ),
            *self._on_linux(f"that deactivates license {number}", ("aimms.deactivate_command",)),
            f"If it fails, ask the vendor's support to deactivate license {number}.",
            verified_by=_OR_WORD,
        )

    def release(self, numbers: tuple[str, ...]) -> Instructions:
        """Support deactivates what a lost machine held."""
        return self._instructions(
            f"Tell the vendor's support that the machine is lost and that {_listed(numbers)} must"
            " be deactivated for it.",
            f"If the licenses are needed sooner, ask for an emergency activation, which works for"
            f" {EMERGENCY_DAYS} days.",
            "Never start the license server of the lost machine again.",
            "Wait for the answer that it was done.",
            verified_by="Nothing here shows it: a person's word counts, and the activation on the"
            " new machine succeeds.",
            attestable=True,
        )

    def install(self) -> Instructions:
        """Install the product and put the license files in place."""
        ports = " and ".join(str(port) for port in self._ports)
        if self._windows_host is not None:
            return self._instructions(
                f"On {self._windows_host}, make sure that port {self._ports[0]} is free: the"
                " installation fails otherwise.",
                "Run the vendor's MSI installer as an administrator; the service starts by itself.",
                f"Let ports {ports} through the firewall.",
                verified_by=f"Something listens on {ports} of {self._windows_host}.",
                attestable=False,
            )
        return self._instructions(
            f"Make sure that nothing listens on ports {ports}.",
            "Install the vendor's package as root; the daemon licsrv starts by itself, also at"
            " boot.",
            f"Put the .lic files (and .cpx files if there are any) into {self._folder}/Licenses.",
            f"Let ports {ports} through the firewall.",
            verified_by=f"{self._folder}/Bin/licman is there and something listens on {ports}.",
            attestable=False,
        )

    def activate(self, number: str) -> Instructions:
        """Activate one license as machine nodelock."""
        if self._windows_host is not None:
            return self._instructions(
                *self._in_window(
                    f"Open {LICENSE_CONFIGURATION}; for every license but the first, click Install"
                    " license.",
                    f"Enter the activation code of license {number}.",
                    "Choose the protection machine node lock; afterwards only this type is"
                    " offered.",
                ),
                verified_by=_OR_WORD,
            )
        words = ("--type", "machine", "--activation-code", "CODE", "--add-license")
        command = self._licman("--nodelock-activate", number, *words)
        return self._instructions(
            f"Make sure that the license file of {number} is in {self._folder}/Licenses.",
            f"As root, run {command} with the code of this license; other users of"
            " this host can read the code while it runs.",
            verified_by=_OR_WORD,
        )

    def activate_offline(self, number: str) -> Instructions:
        """Activate by request and response files."""
        return self._instructions(
            *self._in_window(f"Open {LICENSE_CONFIGURATION} and choose license {number}."),
            *self._on_linux("for an offline activation", ()),
            f"Make the request file of license {number}; the license shows Error, Pending"
            " Activation from now on.",
            "Upload the request file on the vendor's activation page, and download the response"
            " file, which is also mailed.",
            "Bring the response file to the server and activate with it.",
            verified_by=_OR_WORD,
        )

    def cancel_pending(self, number: str) -> Instructions:
        """Give up an offline activation."""
        if self._windows_host is not None:
            return self._instructions(
                f"Ask the vendor's support how to cancel the pending activation of {number}: the"
                " documented way is one for Linux.",
                verified_by=_OR_WORD,
            )
        return self._instructions(
            f"Delete the files of license {number} in Config, Licenses and Nodelocks of"
            f" {self._folder}; keep a copy of its license file.",
            verified_by=_OR_WORD,
        )

    def add_profile(self, name: str, number: str) -> Instructions:
        """Give a license its profile's name."""
        if self._windows_host is not None:
            return self._instructions(
                *self._in_window(
                    f"Rename the profile of license {number} to {name}, letter by letter:"
                    " applications that depend on the name stop otherwise."
                ),
                verified_by=_OR_WORD,
                attestable=not self.profiles_seen,
            )
        return self._instructions(
            f"As root, run {self._licman('--profile-add', name, '--license', number)} as it is"
            " quoted here.",
            verified_by=_OR_WORD,
            attestable=not self.profiles_seen,
        )

    def verify(self, numbers: tuple[str, ...]) -> Instructions:
        """Look at licenses that the agent cannot see."""
        works = "works" if len(numbers) == 1 else "work, each"
        return self._instructions(
            *self._in_window("Look at the state of each license and at its profile."),
            *self._on_linux(
                "that shows licenses", ("aimms.list_command and the settings beside it",)
            ),
            f"Make sure that {_listed(numbers)} {works} with the profiles that are declared.",
            verified_by="Nothing that is documented shows it: a person's word counts.",
            attestable=True,
        )

    def repoint(self, host: str) -> Instructions:
        """Point AIMMS PRO at the new server."""
        return self._instructions(
            f'In the configuration of AIMMS PRO, set "PRO server license" to {host}.',
            f'Set "Client license server" to {host}.',
            f"Set the license server to {host} in every worker profile.",
            f"Make sure that the profiles are called {', '.join(PRO_PROFILES)}, as AIMMS PRO"
            " expects them.",
            "Log in to AIMMS PRO and run one job.",
            verified_by="Nothing here shows it: a person's word counts.",
            attestable=True,
        )

    def find(self, number: str, host: str) -> Instructions:
        """Look before support is asked: whether it is active is known to nobody here."""
        return self._instructions(
            f"Look whether license {number} is active on {host}, and run the playbook again so that"
            " what its agent has signed is carried.",
            "Only if it is active on neither machine, ask the vendor's support for an emergency"
            f" activation of it: it works for {EMERGENCY_DAYS} days.",
            verified_by=_OR_WORD,
        )

    def emergency(self, number: str) -> Instructions:
        """Bridge the time in which a license is active nowhere."""
        return self._instructions(
            f"Ask the vendor's support for an emergency activation of license {number}: it works"
            f" for {EMERGENCY_DAYS} days.",
            f"Activate license {number} for good before they are over.",
            verified_by=_OR_WORD,
        )

    def _in_window(self, *steps: str) -> tuple[str, ...]:
        if self._windows_host is None:
            return ()
        return (f"Open the License Manager window on {self._windows_host}.", *steps)

    def _on_linux(self, purpose: str, settings: tuple[str, ...]) -> tuple[str, ...]:
        if self._windows_host is not None:
            return ()
        mapped = tuple(
            f"To have the agent do it from now on, name that command in {name}."
            for name in settings
        )
        otherwise = (
            "If it lists one, run it as root; if not, ask the vendor's support: the vendor"
            " documents only the License Manager window for it"
            f" ({LICENSE_CONFIGURATION}, {MAINTENANCE_MODE})."
        )
        look = f"Run {self._licman('--help')} and look for a command {purpose}."
        return (look, otherwise, *mapped)

    def _instructions(
        self, *steps: str, verified_by: str, attestable: bool | None = None
    ) -> Instructions:
        counts = not self.licenses_seen if attestable is None else attestable
        return Instructions(steps, verified_by, counts, self.settings.due_after or None)


def _listed(numbers: tuple[str, ...]) -> str:
    word = "license" if len(numbers) == 1 else "licenses"
    return f"{word} {', '.join(numbers)}"
