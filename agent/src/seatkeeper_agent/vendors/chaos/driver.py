# SPDX-License-Identifier: GPL-3.0-or-later
"""One Chaos License Server: its status, its dongle service, its activation."""

from __future__ import annotations

import os
import re

from seatkeeper_agent.domain.servers import ProductSeats, Secret, ServerStatus
from seatkeeper_agent.domain.versions import at_least
from seatkeeper_agent.operations.ports import (
    CommandReport,
    Description,
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnsupported,
)
from seatkeeper_agent.vendors.chaos.capabilities import capabilities
from seatkeeper_agent.vendors.chaos.hosts import is_this_host
from seatkeeper_agent.vendors.chaos.http_calls import HttpCalls
from seatkeeper_agent.vendors.chaos.settings import VRLCTL_PATHS, ChaosSettings
from seatkeeper_agent.vendors.chaos.vrlctl import login, sweep_credentials
from seatkeeper_agent.vendors.chaos.wire import parse_object, sessions_of, status_of
from seatkeeper_agent.vendors.processes import run

FILE_BYTES_MAX = 1024 * 1024
"""More than an activation file can sensibly have; the vendor names no size."""

_VERSION = re.compile(r"(?<![\d.])\d{1,4}(?:\.\d{1,5}){1,3}[a-z]?(?![\w.]*\d)")
_FOUND = 302


class ChaosDriver:
    """LicenseServerDriver over HTTP and, for the login, ``vrlctl``; usable from several threads.

    Routes, shapes and exit codes are of grade T; README.md beside this file lists them and
    what is unproven.
    """

    vendor = "chaos"

    def __init__(self, settings: ChaosSettings) -> None:
        self.call_seconds_max = settings.call_seconds_max
        self._settings = settings
        self._http = HttpCalls(settings.address, settings.call_seconds_max)
        sweep_credentials()

    def describe(self) -> Description:
        """Version and capabilities of the server; never raises."""
        version, running, trouble = None, False, None
        try:
            version, running = self.status().version, True
        except DriverRefused as error:
            # It answers, but not as a license server does.
            running, trouble = True, str(error)
        except DriverError as error:
            trouble = str(error)
        return Description(
            vendor=self.vendor,
            product="Chaos License Server",
            version=version,
            running=running,
            security_floor=None,
            security_floor_met=None,
            transfer_types=(),
            capabilities=capabilities(version, trouble, self._settings),
        )

    def status(self) -> ServerStatus:
        """GET /status. DriverRefused also for a known member in an unknown form."""
        return status_of(parse_object(self._http.read("/status").content, "/status"))

    def seats_in_use(self) -> tuple[ProductSeats, ...] | None:
        """GET /sessions/online; None where it is not answered in the known form."""
        try:
            return sessions_of(self._http.read("/sessions/online").content)
        except DriverError:
            return None

    def dongle_driver_version(self) -> str | None:
        """The first version number that the operator's command prints.

        None where there is no command, it fails, or it prints no version.
        """
        command = self._settings.wibukey_version_command
        if not command:
            return None
        try:
            outcome = run(command, os.environ, self.call_seconds_max)
        except DriverError:
            return None
        found = _VERSION.search(outcome.output) if outcome.exit_code == 0 else None
        return None if found is None else found.group()

    def serves_this_host(self) -> bool:
        """Whether the address is one of this host's own."""
        return is_this_host(self._settings.host)

    def set_dongle_service(self, enabled: bool) -> None:
        """EFFECT: POST /dongle/enable or /dongle/disable."""
        self._http.effect("/dongle/enable" if enabled else "/dongle/disable")

    def activate_online(self, account: str, password: Secret) -> CommandReport:
        """EFFECT: ``vrlctl online login``, which always speaks to the server of this host.

        CredentialsRefused and the other kinds as in ``vrlctl.login``; DriverUnsupported for a
        version whose ``vrlctl`` takes no credentials file.
        """
        path = self._settings.vrlctl_path()
        if path is None:
            raise DriverUnavailable(
                f"vrlctl lies neither at {' nor at '.join(VRLCTL_PATHS)}: name it as"
                " chaos.vrlctl in the agent's settings."
            )
        if not self.serves_this_host():
            raise DriverUnsupported(
                f"vrlctl logs in the server of this host, and {self._settings.address} is another"
                " host: run the agent there, or log in on the server's page."
            )
        version, least = self.status().version, self._settings.credentials_file_version_min
        if not at_least(version, least):
            raise DriverUnsupported(
                f"Of version {version or 'unknown'} it is not known that vrlctl takes a"
                f" credentials file (from {least} on it does), and the password is not put where"
                " other users of this host can read it: log in on the server's page, or activate"
                " offline."
            )
        return login(path, account, password, self.call_seconds_max)

    def deactivate(self) -> None:
        """EFFECT: POST /deactivate."""
        self._http.effect("/deactivate")

    def activation_request(self) -> bytes:
        """GET /csr: the request file, as it is."""
        answer = self._http.read("/csr")
        if not 0 < len(answer.content) <= FILE_BYTES_MAX:
            raise DriverRefused(
                f"The activation request has {len(answer.content)} bytes; it must have 1 to"
                f" {FILE_BYTES_MAX}."
            )
        if answer.content_type.startswith("text/html"):
            raise DriverRefused("The license server gave a page instead of a request file.")
        return answer.content

    def activate_offline(self, answer: bytes) -> None:
        """EFFECT: POST /crt; 200 and 302 are a success (grade T)."""
        if not 0 < len(answer) <= FILE_BYTES_MAX:
            raise DriverRefused(
                f"The activation file has {len(answer)} bytes; it must have 1 to {FILE_BYTES_MAX}."
            )
        self._http.effect("/crt", answer, "application/octet-stream", also_good=_FOUND)
