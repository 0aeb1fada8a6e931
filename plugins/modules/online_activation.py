#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: online_activation
short_description: Activate a Chaos license server with its online account
version_added: 0.2.0
description:
  - Declares that the license server of a host is logged in to the vendor's online account, or that
    it is not. The server needs internet for it.
  - The password goes to the agent in the body of one request, and from there to the vendor's own
    command in a file that only the agent can read and that is gone afterwards. It is kept nowhere.
  - A wrong password (V(credentials-refused)), a refusal of the vendor, a server that cannot be
    reached and a server that is activated in another way (V(activated-otherwise)) fail with
    problems of their own, see RV(problem).
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.agent
  - seatkeeper.licensing.attributes
  - seatkeeper.licensing.attributes.actiongroup_licensing
attributes:
  check_mode:
    support: full
    details:
      - The password is not tried.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - A server that is activated already is left alone, and the password is not tried again.
options:
  state:
    description:
      - V(activated) means that the server is logged in as O(account).
      - V(deactivated) means that online licensing is off, however it was activated.
    type: str
    choices: [activated, deactivated]
    default: activated
  account:
    description:
      - The user name at the vendor.
    type: str
  password:
    description:
      - Its password.
    type: str
  already_active:
    description:
      - States that others activated the server with O(account) before, as a person has seen on its
        page. The server does not tell for whom it is activated, so an activation that the agent did
        not make passes for no account (V(activated-otherwise)) until that is stated once.
    type: bool
    default: false
  plan_digest:
    description:
      - Confirms that the activation is given up although something depends on it, such as borrowed
        seats or sessions, for O(state=deactivated). The refusal (V(confirmation-required)) and the
        warnings of check mode say what depends on it, and the digest that this has to be.
    type: str
seealso:
  - module: seatkeeper.licensing.offline_activation
  - module: seatkeeper.licensing.license_info
"""

EXAMPLES = r"""
- name: Activate the render farm's server with the studio's account
  seatkeeper.licensing.online_activation:
    account: admin@studio-a.example
    password: "{{ vault_chaos_password }}"
  delegate_to: render-server

- name: Give the activation up before the machine is taken down
  seatkeeper.licensing.online_activation:
    state: deactivated
  delegate_to: render-server
"""

RETURN = r"""
activation:
  description: The activation as it is afterwards; in check mode as it would be.
  returned: success
  type: dict
  contains: &activation
    activated:
      description: Whether online licensing is active.
      type: bool
      returned: always
      sample: true
    method:
      description: V(online) or V(offline) as far as the agent knows; null otherwise.
      type: str
      returned: always
      sample: online
    account:
      description: The account that it was activated with, as far as the agent knows.
      type: str
      returned: always
      sample: admin@studio-a.example
before:
  description: The activation as it was.
  returned: success
  type: dict
  contains: *activation
after:
  description: The same as RV(activation).
  returned: success
  type: dict
  contains: *activation
plan:
  description: What is done for it, in the member C(steps).
  returned: success
  type: dict
operation:
  description: The piece of work that did it, with its C(id) and C(state); null if there was none.
  returned: success
  type: dict
waiting:
  description:
    - The steps that wait for a person, as M(seatkeeper.licensing.dongle_migrate) returns them.
  returned: success
  type: list
  elements: dict
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:credentials-refused
    code: credentials-refused
    title: Credentials refused
    status: 422
    detail: >-
      The product refused activating online licensing for admin@studio-a.example: The vendor knows
      no account admin@studio-a.example with this password.
    next_action: Correct the account or its password.
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import (
    AGENT_ARGUMENTS,
    ArgumentSpec,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import refuse_on_host

ARGUMENTS = ArgumentSpec(
    options={
        "state": {
            "type": "str",
            "choices": ["activated", "deactivated"],
            "default": "activated",
        },
        "account": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "already_active": {"type": "bool", "default": False},
        "plan_digest": {"type": "str"},
    },
    required_if=(("state", "activated", ("account", "password")),),
).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
