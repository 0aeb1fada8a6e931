# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that every module has which asks an agent."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragment seatkeeper.licensing.agent."""

    DOCUMENTATION = r"""
options:
  agent_socket:
    description:
      - Path of the unix socket of C(seatkeeper-agent) on the host that the module runs on.
      - The user that the module runs as needs to be in the group of the socket. What it may do
        there, observe, operate or migrate, is up to the settings of the agent.
    type: path
    default: /run/seatkeeper/agent.sock
  timeout:
    description:
      - How many seconds to wait for the agent in all, from the first request to the end of the
        work that it started.
      - Work that takes longer goes on in the agent; running the task again follows it.
    type: int
    default: 300
requirements:
  - C(seatkeeper-agent) on the host that the module runs on.
  - Python 3.9 or newer there.
notes:
  - Failures return the member RV(ignore:problem) of RFC 9457 with a stable C(code), the sentence
    C(detail), the sentence C(next_action) and whether it is C(retryable). The message shown is
    both sentences. C(docs/problems.md) lists every code.
"""
