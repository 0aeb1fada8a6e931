# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module does around its questions to the agent; all of it on the controller."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import (
    ArgumentSpec,
    secrets_in,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._client import (
    AgentClient,
    silent,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import (
    made_printable,
    one_line,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    INPUT_INVALID,
    LicenseProblem,
    failed_result,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import Transport

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

Result = t.Dict[str, t.Any]
Run = t.Callable[[t.Dict[str, t.Any], AgentClient, bool], Result]
"""Options, client and check mode in, the module's whole result out; raises LicenseProblem.

The member ``warnings`` is not returned but shown, one warning for each text.
"""
Reach = t.Callable[[t.Dict[str, t.Any]], Transport]
"""The way to the agent that the options name."""


def answered(
    spec: ArgumentSpec,
    run: Run,
    given: t.Mapping[str, t.Any],
    check_mode: bool,
    reach: Reach,
    report: t.Callable[[str], None] = silent,
) -> Result:
    """Check the options, ask the agent, and give the task's result without its secrets.

    ``report`` shows a line to whoever looks on while it waits for somebody.
    """
    checked = ArgumentSpecValidator(spec.options, **spec.rules()).validate(dict(given))
    options = checked.validated_parameters
    if checked.errors.errors:
        result = {"failed": True, "msg": _mistake(checked.errors.errors[0])}
    else:
        result = _asked(options, run, check_mode, reach, report)
        result.setdefault("invocation", {"module_args": options})
    hidden: Result = remove_values(result, secrets_in(spec.options, options))
    return hidden


def refuse_on_host(module: AnsibleModule) -> t.NoReturn:
    """Where a module's file itself is run, which Ansible does not: its action stands for it."""
    module.fail_json(
        msg="This module asks the agent from the controller, and its file does nothing on a host."
        " Call it as a task, with the name seatkeeper.licensing and its own."
    )
    raise AssertionError("fail_json has ended the module")


def _asked(
    options: Result, run: Run, check_mode: bool, reach: Reach, report: t.Callable[[str], None]
) -> Result:
    try:
        timeout_seconds = options["timeout"]
        if timeout_seconds < 1:
            raise LicenseProblem.of(
                INPUT_INVALID,
                f"The value {timeout_seconds} of timeout is not a number of seconds to wait.",
                "Set timeout to 1 or more.",
            )
        client = AgentClient(reach(options), float(timeout_seconds), report)
        result = run(options, client, check_mode)
    except LicenseProblem as problem:
        # Ansible would show the options again, and with them what must not be repeated.
        hidden: Result = {"invocation": {}} if problem.document.get("card_data") else {}
        return {**failed_result(problem), **hidden}
    warnings = [one_line(text) for text in result.pop("warnings", ())]
    return {**made_printable(result), **({"warnings": warnings} if warnings else {})}


def _mistake(error: Exception) -> str:
    """What Ansible says of options that a module does not take so."""
    unsupported = isinstance(error, UnsupportedError)
    return f"{'Unsupported parameters: ' if unsupported else ''}{error}"
