# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of dongle_migrate: it asks the agent from the controller."""

from __future__ import annotations

from ansible_collections.seatkeeper.licensing.plugins.module_utils._migration import run_migration
from ansible_collections.seatkeeper.licensing.plugins.modules.dongle_migrate import ARGUMENTS
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._asking import AskingAction


class ActionModule(AskingAction):
    """One task of the module."""

    spec = ARGUMENTS
    ask = staticmethod(run_migration)
