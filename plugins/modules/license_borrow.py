#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_borrow
short_description: Declare what a host has borrowed, and until when
version_added: 0.1.0
description:
  - With O(vendor=codemeter), declares at the borrower that it holds so many seats of an item of
    another host until a date. The agent works out which licenses have to be borrowed, prolonged or
    returned early for that, and returns them as transfers.
  - The module changes the declaration only then. The licenses move when the returned transfers are
    carried out, each leg with M(seatkeeper.licensing.license_transfer). The role
    P(seatkeeper.licensing.license_state#role) does both.
  - A borrowed license falls back to its origin by itself when its time is over.
  - With O(vendor=chaos), declares at a license server that it has borrowed so many seats of its
    online account for use without internet. The vendor lends for two weeks at most, and only on
    the page of the server, which the agent works where it has a browser and a person does
    otherwise. The server needs internet to borrow, to renew and to return.
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
    details:
      - Shows how many seats are declared, and until when.
  idempotent:
    support: full
options:
  vendor:
    description:
      - Whose licenses are borrowed.
    type: str
    choices: [codemeter, chaos]
    default: codemeter
    version_added: 0.2.0
  name:
    description:
      - What people call the borrow. Its id is computed from the name.
    type: str
    required: true
  borrow_id:
    description:
      - The id of the borrow, if it is not to be computed from O(name).
    type: str
  state:
    description:
      - V(present) means that O(seats) are borrowed until O(until).
      - V(absent) means that everything is returned.
    type: str
    choices: [present, absent]
    default: present
  item:
    description:
      - The item, as V(FIRM_CODE:PRODUCT_CODE). Required for O(vendor=codemeter), and only there.
    type: str
  product:
    description:
      - The product as the license server calls it. Required for O(vendor=chaos), and only there.
    type: str
    version_added: 0.2.0
  type:
    description:
      - V(borrow_local) borrows single licenses for use on the borrowing host only.
      - V(borrow_complete) borrows the whole item.
      - For O(vendor=codemeter) only.
    type: str
    choices: [borrow_local, borrow_complete]
    default: borrow_local
  seats:
    description:
      - How many seats the host has borrowed. Fewer than before returns the rest early.
    type: int
  until:
    description:
      - When the borrow ends, as a date (V(2026-11-28), meaning midnight UTC) or a point in time
        (V(2026-11-28T18:00:00Z)). A later one than before prolongs the borrow.
      - It is a fixed date, because one relative to the time of the run would change every time.
      - With O(vendor=chaos) it is at most two weeks ahead, which is what the vendor lends for. Move
        the date on in time to keep the seats, or set O(auto_renew).
    type: str
  auto_renew:
    description:
      - Whether the license server renews the borrow by itself near its end. For O(vendor=chaos)
        only, where the default is V(false).
    type: bool
    version_added: 0.2.0
  source:
    description:
      - Name of the agent that lends. Required for O(vendor=codemeter), and only there.
    type: str
  source_container:
    description:
      - Serial number of the container there.
    type: str
  target:
    description:
      - Name of the agent that borrows, which is the host that the module runs on. Required for
        O(vendor=codemeter), and only there.
    type: str
  target_container:
    description:
      - Serial number of the container there.
    type: str
seealso:
  - module: seatkeeper.licensing.license_transfer
"""

EXAMPLES = r"""
- name: Borrow two CAD seats for the week at the fair
  seatkeeper.licensing.license_borrow:
    name: cad-for-the-fair
    item: "6000010:204"
    seats: 2
    until: "{{ last_day_of_the_fair }}"
    source: old-server
    source_container: 130-1000000001
    target: new-server
    target_container: 130-2000000002
  delegate_to: new-server
  register: borrowed

- name: Return them all before their time is over
  seatkeeper.licensing.license_borrow:
    name: cad-for-the-fair
    state: absent
    item: "6000010:204"
    source: old-server
    source_container: 130-1000000001
    target: new-server
    target_container: 130-2000000002
  delegate_to: new-server
  register: returned

- name: Have the render node work without internet for a week
  seatkeeper.licensing.license_borrow:
    vendor: chaos
    name: on-location
    product: Phoenix
    seats: 2
    until: "{{ last_day_of_the_fair }}"
  delegate_to: render-server

- name: Return its seats early
  seatkeeper.licensing.license_borrow:
    vendor: chaos
    name: on-location
    product: Phoenix
    state: absent
  delegate_to: render-server
"""

RETURN = r"""
borrow:
  description: The borrow as the agent has it now; null if nothing was ever borrowed so.
  returned: success
  type: dict
  contains:
    id:
      description: The id.
      type: str
      returned: always
      sample: 2f0a8a55-6f2e-5e0c-9b58-1a3f8d1f0c11
    name:
      description: The name.
      type: str
      returned: always
      sample: cad-for-the-fair
    lots:
      description:
        - What is borrowed, one entry for each license or item, with its C(transfer), its C(state),
          its end C(until) and the transfer it was C(returned_by), if it was.
      type: list
      elements: dict
      returned: for O(vendor=codemeter)
transfers:
  description:
    - The transfers that are to be carried out now. Each has its C(id) and the members that
      M(seatkeeper.licensing.license_transfer) takes. Returns go from the borrower to the lender.
    - Empty for O(vendor=chaos).
  returned: success
  type: list
  elements: dict
before:
  description:
    - What was borrowed before, with C(seats), C(until), and C(lots) or C(auto_renew).
  returned: success
  type: dict
after:
  description:
    - What is declared now, with C(seats), C(until), and C(lots) or C(auto_renew).
  returned: success
  type: dict
plan:
  description: What is done for it, in the member C(steps).
  returned: success and O(vendor=chaos)
  type: dict
operation:
  description: The piece of work behind it, with its C(id) and C(state); null if there is none.
  returned: success and O(vendor=chaos)
  type: dict
waiting:
  description:
    - The steps that wait for a person, as M(seatkeeper.licensing.dongle_migrate) returns them, each
      also shown as a warning.
  returned: success and O(vendor=chaos)
  type: list
  elements: dict
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:period-in-the-past
    code: period-in-the-past
    title: Period in the past
    status: 409
    detail: The end of borrow 'cad-for-the-fair' is in the past.
    next_action: Declare until as a date ahead.
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
            "vendor": {"type": "str", "choices": ["codemeter", "chaos"], "default": "codemeter"},
            "name": {"type": "str", "required": True},
            "borrow_id": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "item": {"type": "str"},
            "product": {"type": "str"},
            "type": {
                "type": "str",
                "choices": ["borrow_local", "borrow_complete"],
                "default": "borrow_local",
            },
            "seats": {"type": "int"},
            "until": {"type": "str"},
            "auto_renew": {"type": "bool"},
            "source": {"type": "str"},
            "source_container": {"type": "str"},
            "target": {"type": "str"},
            "target_container": {"type": "str"},
        },
        required_if=(
            ("state", "present", ("seats", "until")),
            ("vendor", "codemeter", ("item", "source", "target")),
            ("vendor", "chaos", ("product",)),
        ),
    )
    .merge(PERSON_ARGUMENTS)
    .merge(AGENT_ARGUMENTS)
)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
