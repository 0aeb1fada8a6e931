# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of license_server_move: it asks the agent from the controller."""

from __future__ import annotations

from ansible_collections.seatkeeper.licensing.plugins.module_utils._server_move import run_move
from ansible_collections.seatkeeper.licensing.plugins.modules.license_server_move import ARGUMENTS
from ansible_collections.seatkeeper.licensing.plugins.plugin_utils._asking import AskingAction


class ActionModule(AskingAction):
    """One task of the module."""

    spec = ARGUMENTS
    ask = staticmethod(run_move)
