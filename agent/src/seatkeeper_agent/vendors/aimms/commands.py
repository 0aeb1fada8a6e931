# SPDX-License-Identifier: GPL-3.0-or-later
"""Running ``licman``: the two documented commands, and those that its help lists and are mapped.

Neither exit codes nor output are documented, so nothing is concluded from them; the output is
shown to people, without activation codes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence

from seatkeeper_agent.domain.server_moves import LICENSE_NUMBER, PROFILE_NAME
from seatkeeper_agent.domain.servers import Secret
from seatkeeper_agent.operations.ports import (
    CommandReport,
    DriverError,
    DriverRefused,
    DriverUnavailable,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.vendors.aimms.help_text import HelpText
from seatkeeper_agent.vendors.aimms.settings import LICENSE, AimmsSettings
from seatkeeper_agent.vendors.processes import Outcome, Unended, run
from seatkeeper_agent.vendors.program_output import reported, stopped

_GROUP = r"[0-9A-Za-z]{5}"
CODE = re.compile(rf"{_GROUP}(?:[- ]{_GROUP}){{4}}")
"""Five groups of five (grade D); that a dash or a space stands between them is how codes look."""

LIKE_A_CODE = re.compile(rf"(?<![0-9A-Za-z]){_GROUP}(?:[\W_]{{0,3}}{_GROUP}){{4}}(?![0-9A-Za-z])")


class Licman:
    """One installed ``licman``; its help is read again when the file has changed."""

    def __init__(self, settings: AimmsSettings) -> None:
        self._settings = settings
        self._path = settings.licman
        self._help: tuple[tuple[int, int, int], HelpText] | None = None

    def is_installed(self) -> bool:
        """Whether it lies where the vendor puts it; DriverUnavailable if that cannot be seen."""
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise DriverUnavailable(
                f"{self._path} cannot be looked at: {error.strerror}."
            ) from error
        return stat.S_ISREG(found.st_mode)

    def activate(self, number: str, code: Secret) -> CommandReport:
        """EFFECT: ``--nodelock-activate`` with the type machine (grade D).

        The documented command takes the code as an argument, which every local user can read
        while it runs. So it runs last, once, and its errors do not repeat it.
        """
        _require(LICENSE_NUMBER, number, "A license's number must look like 15.90.10.1.")
        _require(CODE, code.reveal(), "An activation code has five groups of five characters.")
        self._require_documented("--nodelock-activate")
        command = [
            str(self._path), "--nodelock-activate", number, "--type", "machine",
            "--activation-code", code.reveal(), "--add-license",
        ]  # fmt: skip
        return self._reported(command, f"--nodelock-activate {number}", code)

    def add_profile(self, name: str, number: str) -> CommandReport:
        """EFFECT: ``--profile-add`` (grade D)."""
        _require(LICENSE_NUMBER, number, "A license's number must look like 15.90.10.1.")
        _require(
            PROFILE_NAME,
            name,
            "A profile's name must be 1 to 64 letters, digits, spaces, dots, dashes and"
            " underscores, and begin with none of spaces, dots and dashes.",
        )
        self._require_documented("--profile-add")
        command = [str(self._path), "--profile-add", name, "--license", number]
        return self._reported(command, f"--profile-add {name}", None)

    def mapped(self, setting: str, number: str | None = None) -> Outcome:
        """EFFECT or reading: a command of the operator's, if the help lists it.

        DriverUnsupported without a command or for one that is not listed.
        """
        reason = self.refusal(setting)
        if reason is not None:
            raise DriverUnsupported(reason)
        if number is not None:
            _require(LICENSE_NUMBER, number, "A license's number must look like 15.90.10.1.")
        words = getattr(self._settings, setting)[1:]
        filled = [word.replace(LICENSE, number or LICENSE) for word in words]
        return self._run([str(self._path), *filled])

    def refusal(self, setting: str) -> str | None:
        """Why a mapped command is not run, in one sentence; None when it is."""
        command: Sequence[str] = getattr(self._settings, setting)
        if not command:
            return (
                f"No document names a command for it: read licman --help and, if it lists one, set"
                f" aimms.{setting}."
            )
        try:
            listed = self.help()
        except DriverError as error:
            return f"Whether licman has the command of aimms.{setting} is not known: {error}"
        if not listed.is_of_licman():
            return (
                f"licman --help lists neither of the documented commands, so it is not known what"
                f" aimms.{setting} would do."
            )
        unlisted = listed.unlisted(command)
        if unlisted:
            return f"licman --help does not list {', '.join(unlisted)} of aimms.{setting}."
        return None

    def help(self) -> HelpText:
        """``licman --help``, read again when the program has changed."""
        try:
            found = self._path.stat()
        except OSError as error:
            raise DriverUnavailable(f"{self._path} is not there: {error.strerror}.") from error
        mark = (found.st_ino, found.st_size, found.st_mtime_ns)
        if self._help is None or self._help[0] != mark:
            text = HelpText(self._run([str(self._path), "--help"]).output)
            if not text.is_of_licman():
                return text
            self._help = (mark, text)
        return self._help[1]

    def _require_documented(self, option: str) -> None:
        # A help that cannot be read takes nothing back from the documentation.
        listed = self.help()
        if listed.is_of_licman() and option not in listed.options:
            raise DriverUnsupported(
                f"licman --help does not list the documented {option}: this version has another"
                " command line, a person has to look."
            )

    def _run(self, command: list[str]) -> Outcome:
        return run(command, os.environ, self._settings.call_seconds_max)

    def _reported(self, command: list[str], shown: str, code: Secret | None) -> CommandReport:
        """Run a documented command; errors do not repeat it."""
        secrets = () if code is None else (code.reveal(), *re.split(r"[- ]", code.reveal()))
        try:
            return reported(self._run(command), secrets, LIKE_A_CODE)
        except Unended as ended:
            limit = self._settings.call_seconds_max
            error = DriverUnfinished(
                f"{self._path} {shown} did not end as it should within {limit:g} seconds."
            )
            error.said = stopped(ended.output, secrets, LIKE_A_CODE)
        raise error


def _require(pattern: re.Pattern[str], text: str, rule: str) -> None:
    # Never with the text, which may be a code.
    if not pattern.fullmatch(text):
        raise DriverRefused(rule)
