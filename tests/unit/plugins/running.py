# SPDX-License-Identifier: GPL-3.0-or-later
"""Run what a module does, with its defaults, against a real server on a unix socket."""

from __future__ import annotations

import typing as t
from unittest import mock

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import ArgumentSpec
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import Run, run_module
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Script,
    Seen,
    serving,
)


class Ended(Exception):
    """How the stand-in for AnsibleModule ends; carries what the module returned."""


def run(
    spec: ArgumentSpec, action: Run, script: Script, check_mode: bool = False, **options: t.Any
) -> tuple[dict[str, t.Any], list[Seen]]:
    """The result of a module's action with its warnings, and the requests that it made."""
    warnings: list[str] = []
    module = mock.NonCallableMock(spec=AnsibleModule)
    module.warn.side_effect = warnings.append
    module.exit_json.side_effect = lambda **result: (_ for _ in ()).throw(Ended(result))
    module.fail_json.side_effect = lambda **result: (_ for _ in ()).throw(
        Ended({"failed": True, **result})
    )
    with serving(script) as server:
        defaults = {name: option.get("default") for name, option in spec.options.items()}
        module.params = {**defaults, "agent_socket": str(server.path), **options}
        module.check_mode = check_mode
        with pytest.raises(Ended) as ended:
            run_module(module, action)
    return {"warnings": warnings, **ended.value.args[0]}, server.seen
