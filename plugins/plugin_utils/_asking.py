# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of all modules that ask an agent: they ask from here, by Ansible's connection."""

from __future__ import annotations

import json
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.json import Direction, get_module_decoder, get_module_encoder
from ansible.plugins.action import ActionBase

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import ArgumentSpec
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import Run, answered
from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import one_line
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._relay import (
    Printed,
    RelayTransport,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import (
    Transport,
    UnixSocketTransport,
)
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._own_names import no_facts

UNIX: t.Final = "unix://"
_ENCODER: t.Final = get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE)
_DECODER: t.Final = get_module_decoder("legacy", Direction.CONTROLLER_TO_MODULE)


class AskingAction(ActionBase):  # type: ignore[misc]
    """One task of one module, for one host. A module's own action says which."""

    spec: ArgumentSpec
    ask: Run

    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """The result of the module's question to the agent."""
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        no_facts(variables.get("ansible_facts") or {}, str(variables.get("inventory_hostname")))
        # As a module is given them: what a template made of a date or a vault is plain.
        given = json.loads(json.dumps(self._task.args, cls=_ENCODER), cls=_DECODER)
        host = str(variables.get("inventory_hostname"))

        def report(line: str) -> None:
            self._display.display(one_line(f"{host}: {line}"))

        check_mode = self._task.check_mode
        asked = answered(self.spec, self.ask, given, check_mode, self._transport, report)
        return {**result, **asked}

    def _transport(self, options: dict[str, t.Any]) -> Transport:
        url = options["agent_url"]
        if url is None:
            self._require_standard_input()
            return RelayTransport(self._execute, options["agent_command"], options["agent_socket"])
        if not url.startswith(f"{UNIX}/"):
            raise LicenseProblem.of(
                INPUT_INVALID,
                f"The value {url} of agent_url is no address of an agent.",
                f"Set it to {UNIX} and the path of a socket of the controller, or leave it out.",
            )
        return UnixSocketTransport(url.removeprefix(UNIX))

    def _require_standard_input(self) -> None:
        """Refuse a way to the host on which the request itself would be lost."""
        connection, become = self._connection, self._connection.become
        advice = (
            "Use the connection ssh, local or that of a container, with sudo or su or without"
            " become, or set agent_url."
        )
        # Ansible tells an action nowhere else what shell the host has.
        windows = getattr(connection._shell, "_IS_WINDOWS", False)  # noqa: SLF001
        if not connection.has_pipelining or windows:
            raise AnsibleActionFail(
                f"The connection {connection.transport} cannot carry a request to an agent."
                f" {advice}"
            )
        if become is not None and (become.require_tty or not (become.pipelining or _is_su(become))):
            raise AnsibleActionFail(
                f"The become method {become.name} cannot carry a request to an agent. {advice}"
            )

    def _execute(self, command: str, given: bytes) -> Printed:
        environment = self._compute_environment_string()
        # A terminal would cut the request and print it; a pipe is what carries it.
        if "pipelining" in self._connection.option_definitions:
            self._connection.set_option("pipelining", True)
        done = self._low_level_execute_command(f"{environment} {command}".strip(), in_data=given)
        return Printed(done["rc"], done["stdout"], done["stderr"])


def _is_su(become: t.Any) -> bool:
    """It takes a password from a pipe as well, and leaves the rest of it alone."""
    return str(become.name).rpartition(".")[2] == "su"
