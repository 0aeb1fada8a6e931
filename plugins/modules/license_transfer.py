#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_transfer
short_description: Do one leg of a license transfer between two hosts
version_added: 0.1.0
description:
  - Does what one host does in a transfer of licenses. A transfer has five legs, each of them a
    task on one of its two hosts. The target requests, the source issues, the target installs,
    the source confirms, the target acknowledges.
  - Each leg gives a signed document that the next one takes. The two hosts never talk to each
    other; the playbook carries the documents, or a person does, in files.
  - Every leg may be run again at any time. What was done is not done again, and the same
    document is returned.
  - The role P(seatkeeper.licensing.license_state#role) does all legs of all declared transfers.
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
      - The agent checks every rule and predicts the items after the leg. A document that does
        not exist yet may be left out.
  diff_mode:
    support: full
    details:
      - Shows what the host that the leg runs on holds of the item.
  idempotent:
    support: full
options:
  name:
    description:
      - What people call the transfer. Its id is computed from the name, so the name is what
        makes two runs mean the same transfer.
      - Required unless O(transfer_id) is given and O(state=absent).
    type: str
  transfer_id:
    description:
      - The id of the transfer, for transfers whose id is not computed from O(name), such as
        those that M(seatkeeper.licensing.license_borrow) returns.
    type: str
  state:
    description:
      - V(present) does the leg O(leg).
      - V(absent) gives the transfer up. That is possible only while nothing was debited at the
        source and nothing was imported at the target.
    type: str
    choices: [present, absent]
    default: present
  leg:
    description:
      - V(request), at the target, makes the request that the source needs.
      - V(issue), at the source, debits the licenses and makes the transfer document.
      - V(install), at the target, imports it, or refuses it for good with O(decision=refuse).
      - V(confirm), at the source, closes the transfer with the receipt of the target.
      - V(acknowledge), at the target, notes that the source has the receipt.
    type: str
    choices: [request, issue, install, confirm, acknowledge]
  item:
    description:
      - The item, as V(FIRM_CODE:PRODUCT_CODE). Where a container has several such items, append
        V(@) and the item's reference, as M(seatkeeper.licensing.license_info) shows it.
    type: str
  type:
    description:
      - What of the item is transferred. V(complete) the whole item, V(licenses) a number of
        licenses, V(units) a number of units.
      - V(borrow_complete) the whole item and V(borrow_local) one license, both until O(until),
        after which they fall back by themselves.
    type: str
    choices: [complete, units, licenses, borrow_complete, borrow_local]
  mode:
    description:
      - V(push) and V(pull) transfer from the source to the target; they differ in who asks, which
        the licensor may allow differently.
      - V(return) brings back what an earlier transfer brought, to the container it came from.
      - V(extend) gives a borrowed license a later end.
    type: str
    choices: [push, pull, return, extend]
    default: push
  quantity:
    description:
      - How many licenses (O(type=licenses)) or units (O(type=units)).
    type: int
  until:
    description:
      - When a borrow ends, as a date (V(2026-11-28), meaning midnight UTC) or a point in time
        (V(2026-11-28T18:00:00Z)).
    type: str
  parent:
    description:
      - Name or id of the transfer that O(mode=return) undoes or O(mode=extend) prolongs.
    type: str
  source:
    description:
      - Name of the agent that gives the licenses, as its settings have it.
    type: str
  source_container:
    description:
      - Serial number of the container there. May be left out on the host that holds it, if it
        holds only one; the container of the other host has to be named.
    type: str
  target:
    description:
      - Name of the agent that receives the licenses.
    type: str
  target_container:
    description:
      - Serial number of the container there. May be left out on the host that holds it, if it
        holds only one; the container of the other host has to be named.
    type: str
  document:
    description:
      - The document that the leg before it returned on the other host.
      - V(issue) takes the request, V(install) the transfer, V(confirm) the receipt,
        V(acknowledge) the acknowledgement. A leg that is already done takes none.
    type: dict
  document_file:
    description:
      - A file of the controller that holds the document, instead of O(document).
      - If the file is not there and the leg needs it, the module does nothing and returns
        RV(waiting) as true.
    type: path
  document_dest:
    description:
      - Where to write the document that the leg returns, as a file that only its owner may read.
        The folder has to exist.
    type: path
  decision:
    description:
      - Whether O(leg=install) imports the licenses or refuses them. A refusal is for good.
    type: str
    choices: [install, refuse]
    default: install
  plan_digest:
    description:
      - The digest of the plan that was shown, where the agent asks for it because a step cannot
        be undone. It is void as soon as anything about the plan has changed.
    type: str
  update_counter:
    description:
      - The update counter of the item as it was read. If it has moved on since, the leg
        V(issue) is refused and nothing is done.
    type: int
  evidence:
    description:
      - The newest document of this host's agent that the other host keeps, from what
        M(seatkeeper.licensing.license_info) returns there as C(peers). An agent whose journal lacks
        what it has signed was restored from a snapshot or backup. It refuses the leg and, outside
        of check mode, freezes its containers.
    type: dict
  facts:
    description:
      - What RV(facts) of the leg before it was on the other host. Only check mode uses it; outside
        of it the signed document tells.
    type: dict
    default: {}
seealso:
  - module: seatkeeper.licensing.license_info
  - module: seatkeeper.licensing.license_borrow
"""

EXAMPLES = r"""
- name: Ask for ten licenses at the new server
  seatkeeper.licensing.license_transfer:
    name: simulation-to-new-server
    leg: request
    item: "6000010:201"
    type: licenses
    quantity: 10
    source: old-server
    source_container: 130-1000000001
    target: new-server
    target_container: 130-2000000002
  delegate_to: new-server
  register: requested

- name: Debit them at the old server
  seatkeeper.licensing.license_transfer:
    name: simulation-to-new-server
    leg: issue
    item: "6000010:201"
    type: licenses
    quantity: 10
    source: old-server
    source_container: 130-1000000001
    target: new-server
    target_container: 130-2000000002
    document: "{{ requested.document }}"
  delegate_to: old-server
  register: issued

- name: Import them at the new server
  seatkeeper.licensing.license_transfer:
    name: simulation-to-new-server
    leg: install
    item: "6000010:201"
    type: licenses
    quantity: 10
    source: old-server
    source_container: 130-1000000001
    target: new-server
    target_container: 130-2000000002
    document: "{{ issued.document }}"
  delegate_to: new-server
  register: installed

- name: Close the transfer at the old server
  seatkeeper.licensing.license_transfer:
    name: simulation-to-new-server
    leg: confirm
    item: "6000010:201"
    type: licenses
    quantity: 10
    source: old-server
    source_container: 130-1000000001
    target: new-server
    target_container: 130-2000000002
    document: "{{ installed.document }}"
  delegate_to: old-server
  register: confirmed

- name: Note at the new server that the old one has the receipt
  seatkeeper.licensing.license_transfer:
    name: simulation-to-new-server
    leg: acknowledge
    item: "6000010:201"
    type: licenses
    quantity: 10
    source: old-server
    source_container: 130-1000000001
    target: new-server
    target_container: 130-2000000002
    document: "{{ confirmed.document }}"
  delegate_to: new-server

- name: Ask for the meshing license with a file that is carried to the old server
  seatkeeper.licensing.license_transfer:
    name: meshing-to-new-server
    leg: request
    item: "6000010:202"
    type: complete
    source: old-server
    source_container: 130-1000000001
    target: new-server
    target_container: 130-2000000002
    document_dest: "{{ stick }}/meshing.request.json"
  delegate_to: new-server

- name: Give up the transfer of the meshing license before anything was debited
  seatkeeper.licensing.license_transfer:
    name: meshing-to-new-server
    state: absent
  delegate_to: new-server
"""

RETURN = r"""
transfer:
  description: The transfer as this host knows it after the leg.
  returned: success
  type: dict
  contains:
    id:
      description: The id, the same on both hosts.
      type: str
      returned: always
      sample: 7be1a4a2-0a3c-5a4e-8f0e-6a6dd1a8f6d1
    name:
      description: The name.
      type: str
      returned: always
      sample: simulation-to-new-server
    side:
      description: Which end this host is, V(source) or V(target).
      type: str
      returned: always
      sample: source
    state:
      description: Where the transfer stands on this host.
      type: str
      returned: always
      sample: in_transit
    status:
      description: The same in the words of the vendor's own tools.
      type: str
      returned: always
      sample: In Transit (push)
    item:
      description: The item.
      type: str
      returned: always
      sample: "6000010:201"
    type:
      description: What of the item is transferred.
      type: str
      returned: always
      sample: licenses
    mode:
      description: Push, pull, return or extend.
      type: str
      returned: always
      sample: push
    source:
      description: Agent and container that give the licenses.
      type: dict
      returned: always
      sample: {agent: old-server, container: 130-1000000001}
    target:
      description: Agent and container that receive the licenses.
      type: dict
      returned: always
      sample: {agent: new-server, container: 130-2000000002}
    quantity:
      description: How many licenses or units; null where the whole item goes.
      type: int
      returned: always
      sample: 10
    until:
      description: When a borrow ends; null otherwise.
      type: str
      returned: always
      sample: null
    parent:
      description: Id of the transfer that this one undoes or prolongs.
      type: str
      returned: always
      sample: null
    vendor_transfer_id:
      description: The vendor's own id of the transfer, once there is one.
      type: str
      returned: always
      sample: 6f1c00aa52d3480f9a01
    vendor_update_counter:
      description: The vendor's update counter when the transfer began, once it has.
      type: int
      returned: always
      sample: 17
    amounts:
      description: What moves, in seats and in units.
      type: dict
      returned: always
      sample: {seats: 10}
    documents:
      description: The documents that this host has, by their kind.
      type: dict
      returned: always
    created_at:
      description: When this host first heard of the transfer.
      type: str
      returned: always
      sample: "2026-11-21T09:30:00Z"
    updated_at:
      description: When it last changed on this host.
      type: str
      returned: always
      sample: "2026-11-21T09:31:10Z"
    operation:
      description: The piece of work behind the last leg, with its C(id) and C(state).
      type: dict
      returned: always
    problem:
      description: What keeps the transfer from going on, if anything does.
      type: dict
      returned: always
      sample: null
before:
  description: What this host held of the item before the leg.
  returned: success and O(state=present)
  type: dict
  contains: &shown
    license_items:
      description:
        - One entry for the codes of the item, with C(item), C(container), C(seats) and C(units) of
          its own, and C(borrowed_seats) from elsewhere.
      type: list
      elements: dict
      returned: always
after:
  description:
    - What this host holds of the item after the leg. In check mode it is predicted.
  returned: success and O(state=present)
  type: dict
  contains: *shown
plan:
  description: What the leg does, step by step.
  returned: success and O(state=present)
  type: dict
  contains:
    digest:
      description: What O(plan_digest) has to be, where one is needed.
      type: str
      returned: always
    steps:
      description:
        - The steps, each with C(leg), C(side), C(name), C(title), whether it is C(reversible), its
          C(performer) (V(agent) or V(person)) and its C(state) (V(planned) or V(done)).
      type: list
      elements: dict
      returned: always
facts:
  description:
    - What the agent tells the other side in check mode, for O(facts) of the leg after it; empty
      otherwise.
  returned: success and O(state=present)
  type: dict
document:
  description: The signed document for the next leg on the other host; null if the leg has none.
  returned: success and O(state=present)
  type: dict
operation:
  description: The piece of work that did the leg, with its C(id) and C(state).
  returned: success and O(state=present)
  type: dict
waiting:
  description: Whether the leg waits for O(document_file) and nothing was done.
  returned: success and O(state=present)
  type: bool
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:not-enough
    code: not-enough
    title: Not enough
    status: 409
    detail: >-
      The item 6000010:201 of transfer 'simulation-to-new-server' holds 25 licenses, 30 were asked
      for: there is not enough.
    next_action: Declare at most 25, or bring back what is lent.
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
        "name": {"type": "str"},
        "transfer_id": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "leg": {
            "type": "str",
            "choices": ["request", "issue", "install", "confirm", "acknowledge"],
        },
        "item": {"type": "str"},
        "type": {
            "type": "str",
            "choices": ["complete", "units", "licenses", "borrow_complete", "borrow_local"],
        },
        "mode": {
            "type": "str",
            "choices": ["push", "pull", "return", "extend"],
            "default": "push",
        },
        "quantity": {"type": "int"},
        "until": {"type": "str"},
        "parent": {"type": "str"},
        "source": {"type": "str"},
        "source_container": {"type": "str"},
        "target": {"type": "str"},
        "target_container": {"type": "str"},
        "document": {"type": "dict"},
        "document_file": {"type": "path"},
        "document_dest": {"type": "path"},
        "decision": {"type": "str", "choices": ["install", "refuse"], "default": "install"},
        "plan_digest": {"type": "str"},
        "update_counter": {"type": "int"},
        "evidence": {"type": "dict"},
        "facts": {"type": "dict", "default": {}},
    },
    required_one_of=(("name", "transfer_id"),),
    required_if=(("state", "present", ("name", "leg", "item", "type", "source", "target")),),
    mutually_exclusive=(("document", "document_file"),),
).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
