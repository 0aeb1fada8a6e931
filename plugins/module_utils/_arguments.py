# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specifications as values, so that modules share options by merging them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

DEFAULT_SOCKET = "/run/seatkeeper/agent.sock"
DEFAULT_COMMAND = "/usr/local/bin/seatkeeper-agent"
DEFAULT_TIMEOUT_SECONDS = 300

Rules = t.Tuple[t.Tuple[t.Any, ...], ...]


@dataclass(frozen=True)
class ArgumentSpec:
    """What AnsibleModule is told about a module's options."""

    options: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    required_if: Rules = ()
    required_one_of: Rules = ()
    mutually_exclusive: Rules = ()

    def merge(self, other: ArgumentSpec) -> ArgumentSpec:
        """Both together; naming an option twice is a mistake in the collection."""
        twice = sorted(set(self.options) & set(other.options))
        if twice:
            raise ValueError(f"options given twice: {', '.join(twice)}")
        return ArgumentSpec(
            options={**self.options, **other.options},
            required_if=self.required_if + other.required_if,
            required_one_of=self.required_one_of + other.required_one_of,
            mutually_exclusive=self.mutually_exclusive + other.mutually_exclusive,
        )

    def to_kwargs(self) -> dict[str, t.Any]:
        """The arguments of AnsibleModule.

        No module writes its options into the host's log: the agent has an audit.
        """
        return {"no_log": True, "argument_spec": self.options, **self.rules()}

    def rules(self) -> dict[str, t.Any]:
        """What is between the options, as Ansible is told it."""
        return {
            "required_if": [list(rule) for rule in self.required_if],
            "required_one_of": [list(rule) for rule in self.required_one_of],
            "mutually_exclusive": [list(rule) for rule in self.mutually_exclusive],
        }


def secrets_in(options: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> set[str]:
    """The values of all options with ``no_log``, also of those in options; none is shown."""
    found: set[str] = set()
    for name, option in options.items():
        value = given.get(name)
        if not value:
            continue
        if option.get("no_log"):
            found |= set(_texts(value))
        for each in value if isinstance(value, list) else [value]:
            if "options" in option and isinstance(each, dict):
                found |= secrets_in(option["options"], each)
    return found


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
    elif value not in ("", None, True, False):
        yield str(value)


AGENT_ARGUMENTS: t.Final = ArgumentSpec(
    options={
        "agent_socket": {"type": "str", "default": DEFAULT_SOCKET},
        "agent_command": {"type": "str", "default": DEFAULT_COMMAND},
        "agent_url": {"type": "str"},
        "timeout": {"type": "int", "default": DEFAULT_TIMEOUT_SECONDS},
    }
)
"""The options of the doc fragment seatkeeper.licensing.agent."""
