#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: offline_activation
short_description: Activate a Chaos license server by a request file and an answer file
version_added: 0.2.0
description:
  - Activates the license server of a host that has no internet. The server makes a request file,
    somebody has it answered on the vendor's account page, and the server takes the answer file.
  - The request stays the same until it was used, so the two halves may be days apart, and running
    either again changes nothing.
  - An answer to another request, and one that was used before, are refused before they reach the
    server, where that can be known.
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
      - A request that was not made yet is not made, so RV(request) and RV(digest) are null then.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(requested) makes the request, unless it is there or the server is activated.
      - V(activated) hands the answer to the server, unless that was done.
      - V(deactivated) means that online licensing is off, however it was activated.
    type: str
    choices: [requested, activated, deactivated]
    default: activated
  request_path:
    description:
      - Where to write the request on the controller, for its owner only. The folder has to exist.
        The vendor's name for it is C(cert.csr).
    type: path
  answer_path:
    description:
      - The answer file on the controller. The vendor's name for it is C(cert.crt).
      - If it is not there and the server is not activated, nothing is done, the task succeeds, and
        RV(waiting) tells what is to do.
    type: path
  answer:
    description:
      - The content of the answer file, encoded as base64.
    type: str
  instructions:
    description:
      - What a person is told to do as long as there is no answer, in order. With it O(answer) and
        O(answer_path) may be left out, for answers that somebody puts elsewhere.
    type: list
    elements: str
  request_digest:
    description:
      - RV(digest) of the request that the answer belongs to, where it is known. An answer to
        another request is refused then.
    type: str
  plan_digest:
    description:
      - Confirms that the activation is given up although something depends on it, such as borrowed
        seats or sessions, for O(state=deactivated). The refusal (V(confirmation-required)) and the
        warnings of check mode say what depends on it, and the digest that this has to be.
    type: str
seealso:
  - module: seatkeeper.licensing.online_activation
  - module: seatkeeper.licensing.license_info
"""

EXAMPLES = r"""
- name: Make the request of the server without internet
  seatkeeper.licensing.offline_activation:
    state: requested
    request_path: "{{ stick }}/cert.csr"
  delegate_to: island-server
  register: requested

- name: Activate the server once somebody has brought the answer
  seatkeeper.licensing.offline_activation:
    state: activated
    answer_path: "{{ stick }}/cert.crt"
    request_digest: "{{ requested.digest | default(omit, true) }}"
  delegate_to: island-server

- name: Give the activation up before the machine is taken down
  seatkeeper.licensing.offline_activation:
    state: deactivated
  delegate_to: island-server
"""

RETURN = r"""
request:
  description:
    - The request file, encoded as base64; null if there is none, which is so once the server is
      activated.
  returned: success
  type: str
  sample: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURQ==
digest:
  description: SHA-256 of the request in hexadecimal; null if there is none.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
request_path:
  description: Where the request was written; null if O(request_path) is left out.
  returned: success and O(state=requested)
  type: str
  sample: /home/operator/cert.csr
requested_at:
  description: When the request was made; null if there is none.
  returned: success and O(state=requested)
  type: str
  sample: "2026-11-21T09:30:00Z"
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
      sample: offline
    account:
      description: The account that it was activated with, as far as the agent knows.
      type: str
      returned: always
      sample: null
    request_digest:
      description: Digest of the request that is open; null if none is.
      type: str
      returned: always
      sample: null
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
  description: What is done for it, in the member C(steps); null for O(state=requested).
  returned: success
  type: dict
operation:
  description: The piece of work that did it, with its C(id) and C(state); null if there was none.
  returned: success
  type: dict
waiting:
  description:
    - The steps that wait for a person, as M(seatkeeper.licensing.dongle_migrate) returns them, each
      also shown as a warning.
  returned: success
  type: list
  elements: dict
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:answer-foreign
    code: answer-foreign
    title: Answer foreign
    status: 409
    detail: The answer file answers another request than the one that is open here.
    next_action: Bring the answer to the request with the SHA-256 9f86d081884c7d65.
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
            "choices": ["requested", "activated", "deactivated"],
            "default": "activated",
        },
        "request_path": {"type": "path"},
        "answer_path": {"type": "path"},
        "answer": {"type": "str"},
        "instructions": {"type": "list", "elements": "str"},
        "request_digest": {"type": "str"},
        "plan_digest": {"type": "str"},
    },
    required_if=(("state", "activated", ("answer_path", "answer", "instructions"), True),),
    mutually_exclusive=(("answer_path", "answer"),),
).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
