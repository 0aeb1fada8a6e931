# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module does around its one question to the agent."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import AgentClient
from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import (
    made_printable,
    one_line,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
    refuse,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import (
    UnixSocketTransport,
)

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

Run = t.Callable[[t.Dict[str, t.Any], AgentClient, bool], t.Dict[str, t.Any]]
"""Options, client and check mode in, the module's whole result out; raises LicenseProblem.

The member ``warnings`` is not returned but shown, one warning for each text.
"""


def run_module(module: AnsibleModule, run: Run) -> None:
    """Ask the agent and end the module: with the result, or failed with one clear sentence."""
    try:
        timeout_seconds = module.params["timeout"]
        if timeout_seconds < 1:
            raise LicenseProblem.of(
                INPUT_INVALID,
                f"The value {timeout_seconds} of timeout is not a number of seconds to wait.",
                "Set timeout to 1 or more.",
            )
        client = AgentClient(
            UnixSocketTransport(module.params["agent_socket"]), float(timeout_seconds)
        )
        result = run(module.params, client, module.check_mode)
    except LicenseProblem as problem:
        # Ansible would show the options again, and with them what must not be repeated.
        hidden: dict[str, t.Any] = {"invocation": {}} if problem.document.get("card_data") else {}
        refuse(module, problem, **hidden)
    for text in result.pop("warnings", ()):
        module.warn(one_line(text))
    module.exit_json(**made_printable(result))
