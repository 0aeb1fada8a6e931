# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specifications as values, so that modules share options by merging them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

DEFAULT_SOCKET = "/run/seatkeeper/agent.sock"
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

        No module writes its options into the host's log: the agent has an audit, and refuses texts
        that must not be kept, such as a card's number, after Ansible would have written them.
        """
        return {
            "no_log": True,
            "argument_spec": self.options,
            "required_if": [list(rule) for rule in self.required_if],
            "required_one_of": [list(rule) for rule in self.required_one_of],
            "mutually_exclusive": [list(rule) for rule in self.mutually_exclusive],
        }


AGENT_ARGUMENTS: t.Final = ArgumentSpec(
    options={
        "agent_socket": {"type": "path", "default": DEFAULT_SOCKET},
        "timeout": {"type": "int", "default": DEFAULT_TIMEOUT_SECONDS},
    }
)
"""The options of the doc fragment seatkeeper.licensing.agent."""
