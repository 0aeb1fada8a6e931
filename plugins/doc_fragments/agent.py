# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that every module has which asks an agent."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragment seatkeeper.licensing.agent."""

    DOCUMENTATION = r"""
options:
  agent_socket:
    description:
      - Path of the unix socket of C(seatkeeper-agent) on the host of the task.
      - The user that the task is run as there needs to be in the group of the socket. What it may
        do, observe, operate or migrate, is up to the settings of the agent.
    type: str
    default: /run/seatkeeper/agent.sock
  agent_command:
    description:
      - The command of the agent on the host of the task. It is run there as C(COMMAND relay) for
        each request, which it takes from its standard input and carries to O(agent_socket).
    type: str
    default: /usr/local/bin/seatkeeper-agent
  agent_url:
    description:
      - A way to the agent that needs no command on its host. It is C(unix://) with the path of a
        socket of the controller, which is asked as the user who runs Ansible.
      - O(agent_socket), O(agent_command) and the connection of the host count for nothing then.
    type: str
  timeout:
    description:
      - How many seconds to wait for the agent in all, from the first request to the end of the
        work that it started.
      - Work that takes longer goes on in the agent; running the task again follows it.
    type: int
    default: 300
requirements:
  - C(seatkeeper-agent) on the host of the task. No Python of the host is used.
notes:
  - The module is an action on the controller. Files that its options name are the controller's.
  - The connection of the host has to carry standard input, as P(ansible.builtin.ssh#connection),
    P(ansible.builtin.local#connection) and those of containers do.
  - Failures return the member RV(ignore:problem) of RFC 9457 with a stable C(code), the sentence
    C(detail), the sentence C(next_action) and whether it is C(retryable). The message shown is
    both sentences. C(docs/problems.md) lists every code.
"""
