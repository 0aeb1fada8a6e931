# SPDX-License-Identifier: GPL-3.0-or-later
"""Run what a module does, with its defaults, against a real server on a unix socket."""

from __future__ import annotations

import typing as t

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import ArgumentSpec
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import Run, answered
from ansible_collections.seatkeeper.licensing.plugins.module_utils._transport import (
    UnixSocketTransport,
)
from ansible_collections.seatkeeper.licensing.tests.unit.plugins.unix_server import (
    Script,
    Seen,
    serving,
)


def run(
    spec: ArgumentSpec, action: Run, script: Script, check_mode: bool = False, **options: t.Any
) -> tuple[dict[str, t.Any], list[Seen]]:
    """The result of a module's action with its warnings, and the requests that it made."""
    with serving(script) as server:
        way = UnixSocketTransport(str(server.path))
        result = answered(spec, action, options, check_mode, lambda _options: way)
    return {"warnings": [], **result}, server.seen
