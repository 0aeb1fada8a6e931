# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's command line ``vrlctl``, for the one thing that only it does safely: log in.

The password goes through a credentials file (grade T, seen with 5.5.5), never through the
argument list, which every user of the host can read. Nothing is concluded from what the program
prints, since its texts differ between versions; people are told its last lines without the
password.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.host import host
from seatkeeper_agent.operations.ports import (
    CommandReport,
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.operations.server_ports import CredentialsRefused
from seatkeeper_agent.vendors.chaos.private_folder import memory_backed, private_folder, sweep
from seatkeeper_agent.vendors.processes import Unended, run
from seatkeeper_agent.vendors.program_output import reported, stopped

FOLDER_PREFIX = "seatkeeper-chaos-login-"
_LOCAL = "localhost,127.0.0.1"


def sweep_credentials() -> int:
    """Remove what a killed agent left; how many folders that were."""
    return sweep(FOLDER_PREFIX, memory_backed())


def login(path: str, account: str, password: Secret, seconds_max: float) -> CommandReport:
    """EFFECT: ``online login`` with a credentials file that is gone afterwards.

    CredentialsRefused, DriverRefused, DriverUnavailable and DriverUnsupported had no effect;
    DriverUnfinished for a program that takes too long or ends in an unknown way.
    """
    if not account or not password.reveal():
        raise DriverRefused("An account and its password are needed to log in.")
    with private_folder(FOLDER_PREFIX, memory_backed()) as folder:
        file = folder / "credentials.json"
        _write(file, {"username": account, "password": password.reveal()})
        command = [path, "online", "login", "--credentials", str(file)]
        try:
            outcome = run(command, _environment(), seconds_max)
        except Unended as ended:
            said = stopped(ended.output, [password.reveal()])
            text = f"{path} online login did not end as it should within {seconds_max:g} seconds."
            raise _with_output(DriverUnfinished(text), said) from None
    report = reported(outcome, [password.reveal()])
    error = _error_of(outcome.exit_code, path, account)
    if error is not None:
        raise _with_output(error, str(report))
    return report


def _with_output(error: DriverError, said: str) -> DriverError:
    """With what the program said, for whoever has to judge."""
    error.said = said
    return error


def _write(file: Path, credentials: dict[str, str]) -> None:
    try:
        with os.fdopen(host().private_file(file), "w", encoding="ascii") as stream:
            json.dump(credentials, stream)
    except OSError as error:
        raise DriverUnavailable(
            f"The credentials file could not be written: {error.strerror}."
        ) from None


def _environment() -> dict[str, str]:
    # The program keeps its calls to this host away from proxies by itself; make sure of it.
    environment = dict(os.environ)
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, (environment.get(name), _LOCAL)))
    return environment


def _error_of(exit_code: int, path: str, account: str) -> DriverError | None:
    # Only these codes, and only of this verb, are known to tell something (grade T).
    match exit_code:
        case 0:
            return None
        case 5:
            return CredentialsRefused(
                f"The vendor knows no account {account} with this password.", exit_code
            )
        case 6:
            return DriverRefused(
                f"The vendor refused to log {account} in, or did so until the attempts were used"
                " up.",
                exit_code,
            )
        case 1:
            return DriverUnavailable(
                "The license server or the vendor behind it could not be reached to log in."
            )
        case 9:
            return DriverUnsupported(
                f"{path} takes no credentials file, and the password is not put where other"
                " users of this host can read it: log in on the server's page, or activate"
                " offline."
            )
        case _:
            return DriverUnfinished(
                f"{path} online login ended with exit code {exit_code}, which is not described."
            )
