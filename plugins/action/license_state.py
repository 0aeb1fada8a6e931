# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of license_state: it asks the agent from the controller."""

from __future__ import annotations

from ansible_collections.seatkeeper.licensing.plugins.module_utils._state import run_state
from ansible_collections.seatkeeper.licensing.plugins.modules.license_state import ARGUMENTS
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._asking import AskingAction


class ActionModule(AskingAction):
    """One task of the module."""

    spec = ARGUMENTS
    ask = staticmethod(run_state)
