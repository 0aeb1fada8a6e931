# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory declares and nobody is shown, for the one task that tells it."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import LicenseProblem
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.kind import Secrets
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils.fleet.kinds.registry import (
    PARTS,
    secrets_of,
)


def secrets(
    hostvars: t.Mapping[str, t.Any], host: str, parts: t.Collection[str] = PARTS
) -> t.Dict[str, Secrets]:
    """By kind and id, what the agent of one host is told besides; AnsibleFilterError for none."""
    try:
        return secrets_of(hostvars, host, parts)
    except LicenseProblem as problem:
        raise AnsibleFilterError(str(problem)) from problem
