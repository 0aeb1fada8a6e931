#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_state
short_description: Declare the state of a host in one request
version_added: 0.2.0
description:
  - Tells C(seatkeeper-agent) everything that is declared of its host, together with what other
    hosts gave for it. The agent does all that this allows now, or in check mode plans it, and
    answers with a result for each declaration and with the documents that follow.
  - One declaration that fails does not hide the others.
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.agent
  - seatkeeper.licensing.attributes
  - seatkeeper.licensing.attributes.actiongroup_licensing
options:
  declarations:
    description:
      - What is declared, each with its C(kind), its C(id), what is C(declared), and the C(vendor)
        where several products of the host have this kind.
    type: list
    elements: dict
    default: []
  documents:
    description: What other hosts gave for the declarations.
    type: list
    elements: dict
    default: []
  evidence:
    description: The newest document of this agent that each other host keeps.
    type: list
    elements: dict
    default: []
  files:
    description:
      - By the id of a declaration, members of what is declared that are the contents of files of
        the controller, each with its path.
    type: dict
    default: {}
  secrets:
    description:
      - By kind and by id, members of what is declared that are shown nowhere and kept nowhere.
    type: dict
    default: {}
  wait_timeout:
    description:
      - How many seconds to wait where a person or a vendor is awaited. What is done meanwhile is
        part of the result. Without check mode only.
    type: int
    default: 0
  dry_run:
    description: Plan it only. In check mode this is always so.
    type: bool
    default: false
  look:
    description: Whether all that a fleet has to know of the host is returned as well.
    type: bool
    default: false
  records:
    description: Ids of transfers of which the journal's records are returned.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
seealso:
  - module: seatkeeper.licensing.license_fleet
"""

EXAMPLES = r"""
- name: Look at a host
  seatkeeper.licensing.license_state:
    look: true
  register: host
"""

RETURN = r"""
results:
  description: What came of each declaration.
  returned: success
  type: list
  elements: dict
documents:
  description: What follows for other hosts, each with the name of the agent that it is for.
  returned: success
  type: list
  elements: dict
look:
  description: What each product of the host holds and what is under way.
  returned: with O(look)
  type: dict
records:
  description: What the journal has of the named transfers.
  returned: success
  type: list
  elements: dict
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import (
    AGENT_ARGUMENTS,
    ArgumentSpec,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import refuse_on_host

ARGUMENTS = ArgumentSpec(
    options={
        "declarations": {"type": "list", "elements": "dict", "default": []},
        "documents": {"type": "list", "elements": "dict", "default": []},
        "evidence": {"type": "list", "elements": "dict", "default": []},
        "files": {"type": "dict", "default": {}},
        "secrets": {"type": "dict", "default": {}, "no_log": True},
        "wait_timeout": {"type": "int", "default": 0},
        "dry_run": {"type": "bool", "default": False},
        "look": {"type": "bool", "default": False},
        "records": {"type": "list", "elements": "str", "default": []},
    },
).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
