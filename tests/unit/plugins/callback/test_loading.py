# SPDX-License-Identifier: GPL-3.0-or-later
"""What filters load is loaded before the tasks of a run are forked, so that none compiles it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.seatkeeper.licensing.plugins.filter import licensing
from ansible_collections.seatkeeper.licensing.tests.unit.plugins import unix_server

# Where the collection was imported from: the checkout's link to itself, or ansible-test's tree.
COLLECTIONS = Path(unix_server.__file__).parents[6]
BEGIN = """
import sys
from ansible_collections.seatkeeper.licensing.plugins.callback.open_steps import CallbackModule

loaded = set(sys.modules)
CallbackModule().v2_playbook_on_start(None)
print(*sorted(set(sys.modules) - loaded))
for function in sys.argv[1:]:
    place, name = function.split(":")
    getattr(sys.modules[place], name)
"""


def test_a_run_begins_with_all_that_its_filters_need() -> None:
    functions = [
        f"{licensing._PLUGINS}.{place}:{function}"
        for place, named in licensing.PLACES.items()
        for function in named.values()
    ]
    needed = [f"{licensing._PLUGINS}.module_utils._printable:made_printable"]
    done = subprocess.run(
        [sys.executable, "-c", BEGIN, *functions, *needed],
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{licensing._PLUGINS}.plugin_utils._declared" in done.stdout.split()
