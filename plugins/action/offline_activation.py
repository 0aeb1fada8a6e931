# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of offline_activation: it asks the agent from the controller."""

from __future__ import annotations

from ansible_collections.seatkeeper.licensing.plugins.module_utils._activation import run_offline
from ansible_collections.seatkeeper.licensing.plugins.modules.offline_activation import ARGUMENTS
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._asking import AskingAction


class ActionModule(AskingAction):
    """One task of the module."""

    spec = ARGUMENTS
    ask = staticmethod(run_offline)
