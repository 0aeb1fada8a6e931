# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared settings of the license server, read and written over /config (grade T).

The route carries the whole tree, so a change reads it, sets the named keys and sends it back
with everything else as it was. It takes effect without a restart.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from collections.abc import Sequence
from typing import Any

from seatkeeper_agent.operations.ports import (
    DriverError,
    DriverRefused,
    DriverUnfinished,
    DriverUnsupported,
)
from seatkeeper_agent.vendors.chaos.http_calls import HttpCalls, NotListening
from seatkeeper_agent.vendors.chaos.settings import ChaosSettings
from seatkeeper_agent.vendors.chaos.wire import clean, parse_object
from seatkeeper_agent.vendors.processes import run
from seatkeeper_agent.vendors.program_output import output_tail

Settings = dict[str, dict[str, str]]

KNOWN_KEYS = frozenset(
    {("proxy", "host"), ("diagnostics", "level"), ("local", "vrolPort"), ("local", "vrlPort")}
)
"""The keys that somebody has described (grade T); others are taken if the product shows them."""

ASK_AGAIN_SECONDS = 0.2
_PORTS = ("vrlPort", "vrolPort")
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_SECRET_NAME = re.compile(r"pass|secret|token|credential", re.IGNORECASE)
_VALUE_LENGTH_MAX = 1024


class ChaosServerSettings:
    """SettingsDriver for one license server."""

    vendor = "chaos"
    restarts_to_apply = False

    def __init__(self, settings: ChaosSettings) -> None:
        self._settings = settings
        self._http = HttpCalls(settings.address, settings.call_seconds_max)

    def read_settings(self) -> Settings:
        """Sections of keys with texts for values, without those that look like passwords."""
        return _shown(self._tree())

    def check_settings(self, settings: Settings) -> list[str]:
        """DriverRefused for a key that nobody knows, a value of a bad form, equal ports."""
        _edited(self._tree(), settings)
        return []

    def write_settings(self, settings: Settings) -> None:
        """Set the named keys, keep all others; nothing is sent where they are so already."""
        before = self._tree()
        after = _edited(before, settings)
        if after == before:
            return
        self._http.effect("/config", json.dumps(after).encode("ascii"), "application/json")

    def is_running(self) -> bool:
        """Whether the server answers, be it with a refusal; DriverError if it cannot be told."""
        try:
            self._http.read("/status")
        except NotListening:
            return False
        except DriverRefused:
            return True
        return True

    def stop(self) -> None:
        """EFFECT: the operator's command; returns when the server no longer answers."""
        self._run(self._settings.stop_command, "stop_command")
        self._wait_until(False, "still answers after it was stopped")

    def start(self) -> None:
        """EFFECT: the operator's command; returns when the server answers, after some seconds."""
        self._run(self._settings.start_command, "start_command")
        self._wait_until(True, "does not answer after it was started")

    def _tree(self) -> dict[str, Any]:
        return parse_object(self._http.read("/config").content, "/config")

    def _run(self, command: Sequence[str], name: str) -> None:
        if not command:
            raise DriverUnsupported(
                "No document names the unit of the license server's service: set"
                f" chaos.{name} in the agent's settings, or do it yourself."
            )
        outcome = run(command, os.environ, self._settings.service_seconds_max)
        if outcome.exit_code != 0:
            tail = output_tail(outcome.output) or "no text"
            raise DriverRefused(
                f"{shlex.join(command)} ended with exit code {outcome.exit_code}: {tail}"
            )

    def _wait_until(self, running: bool, failure: str) -> None:
        seconds_max = self._settings.service_seconds_max
        deadline = time.monotonic() + seconds_max
        while not self._is(running):
            if time.monotonic() > deadline:
                raise DriverUnfinished(
                    f"The license server {failure}, waited for {seconds_max:g} seconds."
                )
            time.sleep(ASK_AGAIN_SECONDS)

    def _is(self, running: bool) -> bool:
        # On its way up or down the server may give answers that tell neither.
        try:
            return self.is_running() is running
        except DriverError:
            return False


def _shown(tree: dict[str, Any]) -> Settings:
    return {
        clean(section): {
            clean(key): clean(value)
            for key, value in keys.items()
            if isinstance(value, str) and not _SECRET_NAME.search(key)
        }
        for section, keys in tree.items()
        if isinstance(keys, dict)
    }


def _edited(tree: dict[str, Any], changes: Settings) -> dict[str, Any]:
    """The tree with the named keys set; whatever is not named is the very same object."""
    edited = dict(tree)
    for section, entries in changes.items():
        present = edited.get(section, {})
        for key, value in entries.items():
            _check(section, key, value, present)
        if entries:
            edited[section] = {**present, **entries}
    if any(key in _PORTS for key in changes.get("local", {})):
        first, second = (edited["local"].get(key) for key in _PORTS)
        if first == second:
            raise DriverRefused(
                f"local.vrlPort and local.vrolPort must differ, and both would be {first}."
            )
    return edited


def _check(section: str, key: str, value: str, present: object) -> None:
    shown = isinstance(present, dict) and isinstance(present.get(key), str)
    known = (section, key) in KNOWN_KEYS and isinstance(present, dict) and key not in present
    if _SECRET_NAME.search(key):
        raise DriverRefused(f"{section}.{key} looks like a password, which is not a setting.")
    if not shown and not known:
        raise DriverRefused(
            f"The license server shows no text {section}.{key}, and it is none of"
            f" {', '.join(sorted('.'.join(pair) for pair in KNOWN_KEYS))}."
        )
    if len(value) > _VALUE_LENGTH_MAX or not value.isprintable():
        raise DriverRefused(
            f"{section}.{key} must be a text of at most {_VALUE_LENGTH_MAX} printable characters."
        )
    if section == "local" and key in _PORTS and not _is_port(value):
        raise DriverRefused(f"{section}.{key} must be a port, 1 to 65535, not {value!r}.")


def _is_port(text: str) -> bool:
    return bool(_PORT.fullmatch(text)) and int(text) <= 65535
