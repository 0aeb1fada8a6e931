# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of modules whose work may have to wait for somebody."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragment seatkeeper.licensing.person."""

    DOCUMENTATION = r"""
options:
  wait_timeout:
    description:
      - How many seconds to wait in this task when a step is up to a person or to the vendor.
      - V(0) does not wait. The step is returned in RV(ignore:waiting) and shown as a warning, the
        task succeeds, and the agent goes on by itself once it sees that the step was done. Running
        the task again tells how far it is.
      - This time comes on top of O(ignore:timeout), which is about the agent's own work.
    type: int
    default: 0
"""
