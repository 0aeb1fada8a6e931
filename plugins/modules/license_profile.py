#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_profile
short_description: Link a profile of a license server to a license
version_added: 0.2.0
description:
  - Has an AIMMS license server know a license under a profile, the name by which applications ask
    for it. On Linux the vendor documents the command for that. Elsewhere a person does it.
  - Only linking is documented. A profile that is linked to another license, or that shall go, is
    refused with the reason.
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.agent
  - seatkeeper.licensing.person
  - seatkeeper.licensing.attributes
  - seatkeeper.licensing.attributes.actiongroup_licensing
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - Where the server does not show its profiles, what the agent has done counts.
options:
  vendor:
    description: Whose license server it is.
    type: str
    choices: [aimms]
    default: aimms
  name:
    description:
      - Name of the profile, letter by letter. AIMMS PRO asks for V(ProLicense), V(Client) and
        V(Server).
    type: str
    required: true
  license:
    description: Number of the license, such as V(15.90.10.1).
    type: str
    required: true
  state:
    description:
      - V(present) links the profile.
      - V(absent) succeeds only where the server shows that there is no such profile, because no
        document tells how to remove one.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: seatkeeper.licensing.license_server_move
  - module: seatkeeper.licensing.license_server_backup
"""

EXAMPLES = r"""
- name: Have AIMMS PRO find its own license
  seatkeeper.licensing.license_profile:
    name: ProLicense
    license: 15.90.10.1
  delegate_to: old-aimms
"""

RETURN = r"""
before:
  description: The license that the profile was linked to, in C(license); null if to none.
  returned: success
  type: dict
after:
  description: The license that it is linked to, in C(license); in check mode that it would be.
  returned: success
  type: dict
plan:
  description:
    - What is done, in the member C(steps), each with whether it is C(reversible), its C(performer)
      and its C(state).
  returned: success
  type: dict
operation:
  description: The piece of work behind it, with its C(id) and C(state); null if there is none.
  returned: success
  type: dict
waiting:
  description:
    - The steps that wait for a person or the vendor, each also shown as a warning and returned as
      RV(seatkeeper.licensing.dongle_migrate#module:waiting).
  returned: success
  type: list
  elements: dict
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:capability-refused
    code: capability-refused
    title: Capability refused
    status: 409
    detail: No document tells how to remove the profile Old from the license server.
    next_action: Have a person remove or rename it in the vendor's own way.
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import (
    AGENT_ARGUMENTS,
    ArgumentSpec,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import refuse_on_host
from ansible_collections.seatkeeper.licensing.plugins.module_utils._waiting import PERSON_ARGUMENTS

ARGUMENTS = (
    ArgumentSpec(
        options={
            "vendor": {"type": "str", "choices": ["aimms"], "default": "aimms"},
            "name": {"type": "str", "required": True},
            "license": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        }
    )
    .merge(PERSON_ARGUMENTS)
    .merge(AGENT_ARGUMENTS)
)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
