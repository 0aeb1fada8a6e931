# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the roles and playbooks; the logic is in plugin_utils.

Ansible evaluates each task in a process of its own, which loads this file for the first filter that
it meets. So a filter loads what it needs when it is called, and nothing of what the others need.
Where the callback ``open_steps`` is enabled, all of it is there before the first task.
"""

from __future__ import annotations

import functools
import importlib
import typing as t

_PLUGINS: t.Final = "ansible_collections.seatkeeper.licensing.plugins"

PLACES: t.Final[dict[str, dict[str, str]]] = {
    "module_utils._tables": {
        "license_table": "table",
    },
    "plugin_utils._declared": {
        "license_secrets": "secrets",
    },
    "plugin_utils._orders": {
        "license_order_rows": "order_rows",
    },
    "plugin_utils._own_names": {
        "license_no_facts": "no_facts",
    },
    "plugin_utils._packages": {
        "license_fences": "server_limits",
        "license_package_file": "package_file",
        "license_package_method": "package_method",
        "license_server_mistakes": "server_mistakes",
        "license_version_parts": "version_parts",
    },
    "plugin_utils._release": {
        "license_release_problems": "release_problems",
    },
    "plugin_utils._server_moves": {
        "license_adrift_lines": "orphaned_lines",
        "license_move_rows": "move_rows",
    },
    "plugin_utils._servers": {
        "license_declared_at": "declared_at",
        "license_server_rows": "server_rows",
        "license_wait_lines": "wait_lines",
    },
    "plugin_utils._state": {
        "license_failures": "failures",
    },
    "plugin_utils._trust": {
        "license_trust_keys": "trust_keys",
        "license_trust_mistakes": "trust_mistakes",
        "license_trust_problems": "trust_problems",
    },
}
"""The function of each filter, by the file that has it."""


def _file(place: str) -> t.Any:
    return importlib.import_module(f"{_PLUGINS}.{place}")


def load() -> None:
    """All that the filters may need, for a process of which the others are forks."""
    for place in (*PLACES, "module_utils._printable"):
        _file(place)


def _called(place: str, function: str) -> t.Callable[..., t.Any]:
    def work(*given: t.Any, **named: t.Any) -> t.Any:
        return getattr(_file(place), function)(*given, **named)

    return work


def _shown(work: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """What hosts returned comes to the controller through filters, and from there to a terminal."""

    @functools.wraps(work)
    def printable_work(*given: t.Any, **named: t.Any) -> t.Any:
        return _file("module_utils._printable").made_printable(work(*given, **named))

    return printable_work


class FilterModule:
    """What Ansible asks a file of filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters by their names."""
        found = {
            name: _called(place, function)
            for place, functions in PLACES.items()
            for name, function in functions.items()
        }
        return {name: _shown(work) for name, work in found.items()}
