#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dongle_info
short_description: List the license dongles of a host, and tell which may be migrated
version_added: 0.2.0
description:
  - Lists every license dongle on the USB of a host, known by its vendor and product id, whether or
    not a license server sees it.
  - With O(eligibility) it also tells, for each dongle whose licenses can be moved to an online
    account, every rule of the vendor with what is required, what is observed, whether that is met,
    and what to do. What a host cannot observe is told as unknown, never guessed.
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.agent
  - seatkeeper.licensing.attributes
  - seatkeeper.licensing.attributes.actiongroup_licensing
  - seatkeeper.licensing.attributes.info_module
options:
  eligibility:
    description:
      - Whether to report for each dongle which of the vendor's rules for a migration are met.
    type: bool
    default: false
  target_user:
    description:
      - The user of the online account that the licenses are meant for, for the report.
    type: str
  isolate:
    description:
      - Whether to report as if all other dongles were hidden meanwhile, as
        O(seatkeeper.licensing.dongle_migrate#module:isolate) does it.
    type: bool
    default: false
seealso:
  - module: seatkeeper.licensing.dongle_migrate
"""

EXAMPLES = r"""
- name: List the dongles of the old render server
  seatkeeper.licensing.dongle_info:
  delegate_to: render-server
  register: plugged

- name: Find out what stands between these dongles and the studio's account
  seatkeeper.licensing.dongle_info:
    eligibility: true
    target_user: artist@studio-a.example
  delegate_to: render-server
  register: report
"""

RETURN = r"""
dongles:
  description: The dongles, in the order of their ports.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its serial number, or its path if it tells none.
      type: str
      returned: always
      sample: 1-1.4
    path:
      description: The kernel's name of the port.
      type: str
      returned: always
      sample: 1-1.4
    vendor_id:
      description: USB vendor id in hexadecimal.
      type: str
      returned: always
      sample: 064f
    product_id:
      description: USB product id in hexadecimal.
      type: str
      returned: always
      sample: 0bd8
    family:
      description: The kind of dongle.
      type: str
      returned: always
      sample: wibukey
    model:
      description: Its model, or that it is not known.
      type: str
      returned: always
      sample: WIBU-SYSTEMS WibuKey Box/RU
    serial:
      description: Its serial number; null if it tells none or may not be asked.
      type: str
      returned: always
      sample: null
    authorized:
      description:
        - Whether the kernel gives the dongle to drivers; null if that cannot be read. One that is
          hidden while another is migrated is not authorized.
      type: bool
      returned: always
      sample: true
    vendor:
      description: The vendor whose licenses can be migrated from it; null if none can.
      type: str
      returned: always
      sample: chaos
    seen_by_service:
      description: Whether the vendor's service sees it; null if that cannot be told.
      type: bool
      returned: always
      sample: true
    migrated:
      description: Whether its licenses were migrated from this host. It is dead then.
      type: bool
      returned: always
      sample: false
    eligibility:
      description:
        - The report, null where nothing can be migrated. Its C(verdict) is V(refused) or V(open);
          its C(rules) have C(rule), C(required), C(observed), C(verdict) (V(met), V(not_met) or
          V(unknown)) and C(advice) each.
      type: dict
      returned: with O(eligibility=true)
    eligibility_table:
      description: The same report as lines of text.
      type: list
      elements: str
      returned: with O(eligibility=true)
source:
  description: V(kernel), or V(recording) in rehearsals.
  returned: success
  type: str
  sample: kernel
usb_problem:
  description:
    - Why the USB of the host could not be read, as a problem of RFC 9457; null if it could. The
      list of dongles says nothing then, which is shown as a warning.
  returned: success
  type: dict
  sample: null
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:agent-missing
    code: agent-missing
    title: There is no agent at this socket
    status: null
    detail: >-
      There is no socket /run/seatkeeper/agent.sock: seatkeeper-agent is not installed on this host,
      does not run, or uses another socket.
    next_action: >-
      Start it with 'seatkeeper-agent serve' or its service, or set agent_socket to the path that
      its settings name.
    retryable: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import (
    AGENT_ARGUMENTS,
    ArgumentSpec,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import refuse_on_host

ARGUMENTS = ArgumentSpec(
    options={
        "eligibility": {"type": "bool", "default": False},
        "target_user": {"type": "str"},
        "isolate": {"type": "bool", "default": False},
    }
).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
