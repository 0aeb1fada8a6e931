# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told where the vendor documents a step on a page only (grades D and T)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from seatkeeper_agent.domain.planned_steps import Instructions
from seatkeeper_agent.vendors.chaos import labels
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Addresses that only the server itself can open; the page is also at its name (grade D)."""


@dataclass(frozen=True, slots=True)
class ChaosInstructions:
    """The page's steps in the vendor's own words; ``seconds_max`` None for no deadline."""

    address: str
    seconds_max: int | None

    @classmethod
    def of(cls, settings: ChaosSettings) -> ChaosInstructions:
        """For the server and the deadline that the operator set."""
        return cls(settings.address, settings.due_after or None)

    def transfer_dongle(self, target_user: str) -> Instructions:
        """Move the plugged dongle's licenses to an account; irreversible."""
        return self._instructions(
            self._open(),
            f"Choose {labels.TRANSFER}; if the page does not show it, open the menu"
            f" {labels.DONGLE} and choose it there.",
            f"If {labels.TRANSFER} is missing, stop here: the vendor does not allow it, and gives"
            " no reason.",
            f"Enter the user name {target_user} and wait for the tick beside it.",
            "Read the disclaimers: the licenses leave the dongle for good.",
            f"Click {labels.TRANSFER_NOW} and wait some minutes; neither unplug the dongle nor"
            " plug another one in.",
            f"Read the confirmation and click {labels.CLOSE}.",
            verified_by="The server's status shows more seats in the account than before and the"
            " dongle service switched off.",
        )

    def stop_transfer(self, what: str, dongle: str, operation: str) -> Instructions:
        """What counts instead once the dongle did not stay where it was."""
        return self._instructions(
            f"Stop, and do not click {labels.TRANSFER_NOW}: {what}.",
            f"If {labels.TRANSFER_NOW} was not clicked: plug the dongle {dongle} in, alone, and run"
            " the playbook with --check; it shows the plan anew, with what confirms it.",
            f"If it was clicked: look at the vendor's account page whose licenses came, and have a"
            f" migrator attest the operation {operation}, as done if they are those of the dongle"
            f" {dongle}, and as not_done if not.",
            verified_by="What the server shows from now on may be another dongle's; a person says"
            " what was done.",
            attestable=True,
        )

    def borrow(self, product: str, seats: int, auto_renew: bool) -> Instructions:
        """Take seats for offline use."""
        return self._instructions(
            self._open(),
            f"Open {labels.ONLINE_LICENSING}, choose {labels.USE_LICENSES_OFFLINE} and click"
            f" {labels.NEXT}.",
            f"Set the count of {product} to {seats} and click {labels.PREVIEW}.",
            f"Look the preview over and click {labels.BORROW}.",
            f"Note the date until which {product} is borrowed, then click {labels.CLOSE}.",
            f"Switch {labels.AUTO_RENEW} {'on' if auto_renew else 'off'} for {product}.",
            verified_by=f"The server's status lists {product} among the licenses for offline use.",
        )

    def release(self, product: str) -> Instructions:
        """Return borrowed seats."""
        return self._instructions(
            *self._borrowed_list(),
            f"Click {labels.RELEASE} in the row of {product}.",
            verified_by=f"The server's status no longer lists {product} among the licenses for"
            " offline use.",
        )

    def set_auto_renew(self, product: str, enabled: bool) -> Instructions:
        """Have the server borrow again before the end, or no longer."""
        return self._instructions(
            *self._borrowed_list(),
            f"Switch {labels.AUTO_RENEW} {'on' if enabled else 'off'} in the row of {product}.",
            verified_by="The server's status does not tell it: the page's list does, and a"
            " person's word.",
            attestable=True,
        )

    def activate_workstation(self, name: str) -> Instructions:
        """Have an activation request answered on the vendor's account page."""
        return self._instructions(
            "Take the request file cert.csr to a machine with internet.",
            f"Log in to the vendor's account page and open the tab {labels.WORKSTATIONS}.",
            f"Click {labels.ACTIVATE_WORKSTATION}, upload the request file, enter {name} as the"
            f" name of the workstation and click {labels.ACTIVATE}.",
            "Wait until the workstation appears in the list.",
            f"Click {labels.DOWNLOAD_CRT} in its row and bring the file back here.",
            verified_by="The answer file is handed to this host, and the server's status shows"
            " online licensing available after that.",
        )

    def _open(self) -> str:
        parts = urlsplit(self.address)
        if parts.hostname not in _LOOPBACK:
            return f"Open {self.address} in a browser that can reach it."
        port = "" if parts.port is None else f":{parts.port}"
        return (
            f"Open http://{socket.gethostname()}{port} in a browser that can reach it; on the"
            f" server itself it is {self.address}."
        )

    def _borrowed_list(self) -> tuple[str, str]:
        return (
            self._open(),
            f"Open {labels.ONLINE_LICENSING} and find the list of borrowed seats.",
        )

    def _instructions(
        self, *steps: str, verified_by: str, attestable: bool = False
    ) -> Instructions:
        return Instructions(steps, verified_by, attestable, self.seconds_max)
