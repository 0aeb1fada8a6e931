#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_info
short_description: Read containers, licenses, history and open work of a host
version_added: 0.1.0
description:
  - Reads what C(seatkeeper-agent) sees on a host, which are the containers and the license items
    in them, their transfer history, the transfers, borrows and operations in its journal, and
    the agent itself with what it can do for each vendor.
  - It also reads the license servers of the host, its license dongles, the migrations of dongles,
    the orders placed at a vendor, and the steps that wait for a person or a vendor.
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.agent
  - seatkeeper.licensing.attributes
  - seatkeeper.licensing.attributes.actiongroup_licensing
  - seatkeeper.licensing.attributes.info_module
options:
  gather:
    description:
      - What to read. Each kind is returned under its own name.
    type: list
    elements: str
    choices:
      - agent
      - containers
      - license_items
      - history
      - operations
      - transfers
      - peers
      - borrows
      - dependencies
      - servers
      - dongles
      - migrations
      - orders
      - moves
      - waiting
    default: [containers, license_items]
  container:
    description:
      - Read only the container of this serial number, its items and their history.
    type: str
  item:
    description:
      - Read only items of V(FIRM_CODE:PRODUCT_CODE), or the one of
        V(FIRM_CODE:PRODUCT_CODE@REFERENCE), and their history.
    type: str
  open_only:
    description:
      - Return only those operations, transfers, migrations, orders and moves that have not ended.
    type: bool
    default: false
  transfers:
    description:
      - Names or ids of transfers that are returned even if they have ended. Those that the host
        does not know are left out.
    type: list
    elements: str
    default: []
seealso:
  - module: seatkeeper.licensing.license_transfer
  - module: seatkeeper.licensing.license_borrow
  - module: seatkeeper.licensing.license_server
  - module: seatkeeper.licensing.dongle_info
  - module: seatkeeper.licensing.dongle_migrate
  - module: seatkeeper.licensing.license_order
  - module: seatkeeper.licensing.license_server_move
"""

EXAMPLES = r"""
- name: Read which licenses the old server holds
  seatkeeper.licensing.license_info:
  delegate_to: old-server
  register: licenses

- name: Read where the licenses of one item have gone
  seatkeeper.licensing.license_info:
    gather: [license_items, history]
    item: "6000010:201"
  delegate_to: old-server
  register: simulation

- name: Read what is under way and what the agent can do
  seatkeeper.licensing.license_info:
    gather:
      - agent
      - operations
      - transfers
      - peers
    open_only: true
  delegate_to: old-server
  register: work

- name: Read the license server of the render farm, its dongles and what it waits for
  seatkeeper.licensing.license_info:
    gather:
      - servers
      - dongles
      - migrations
      - waiting
  delegate_to: render-server
  register: render_server
"""

RETURN = r"""
agent:
  description:
    - The agent, in the members C(agent) (name, version, host, public key, trusted agents), C(role)
      (what the caller may do), C(vendors) (each with its version and its capabilities, graded
      V(documented), V(assisted) or V(refused)), C(journal) and C(invariants).
  returned: success and V(agent) is gathered
  type: dict
containers:
  description: The containers of the host.
  returned: success and V(containers) are gathered
  type: list
  elements: dict
  contains:
    serial:
      description: Serial number.
      type: str
      returned: always
      sample: 130-1000000001
    kind:
      description: Whether it is a dongle or a software container.
      type: str
      returned: always
      sample: software
    vendor:
      description: The product it belongs to.
      type: str
      returned: always
      sample: codemeter
    firmware:
      description: Version of its firmware.
      type: str
      returned: always
      sample: "3.10"
    status:
      description: The states the product reports for it.
      type: list
      elements: str
      returned: always
    clock:
      description:
        - Its times C(certified_at) (null if never certified), C(box_at) and C(system_at).
      type: dict
      returned: always
license_items:
  description: The license items of these containers.
  returned: success and V(license_items) are gathered
  type: list
  elements: dict
  contains:
    container:
      description: Serial number of the container.
      type: str
      returned: always
      sample: 130-1000000001
    item:
      description: Firm code, product code and reference.
      type: str
      returned: always
      sample: "6000010:201@1"
    firm_code:
      description: Firm code of the licensor.
      type: int
      returned: always
      sample: 6000010
    product_code:
      description: Product code.
      type: int
      returned: always
      sample: 201
    reference:
      description: The product's own number of the item in its container.
      type: int
      returned: always
      sample: 1
    name:
      description: The text of the item.
      type: str
      returned: always
      sample: Simulation seats
    seats:
      description: Usable seats.
      type: int
      returned: always
      sample: 25
    units:
      description: Usable units.
      type: int
      returned: always
      sample: 0
    license_quantity:
      description: The license quantity; null if the item has none.
      type: int
      returned: always
      sample: 25
    unit_counter:
      description: The unit counter; null if the item has none.
      type: int
      returned: always
      sample: null
    status:
      description: V(enabled), V(disabled) or V(deleted).
      type: str
      returned: always
      sample: enabled
    feature_map:
      description: Feature map; null if the item has none.
      type: int
      returned: always
      sample: null
    expires_at:
      description: When the license ends; null if never.
      type: str
      returned: always
      sample: null
    local_only:
      description: Whether it can be used on its own host only.
      type: bool
      returned: always
      sample: false
    origin:
      description: Serial number of the container it was received from; null if it was not.
      type: str
      returned: always
      sample: null
    borrowed_until:
      description: When it falls back to its origin; null if it is not borrowed.
      type: str
      returned: always
      sample: null
    transfer_id:
      description: The vendor's id of the transfer that brought it; null if none did.
      type: str
      returned: always
      sample: null
    update_counter:
      description: Grows with every change of the firm item.
      type: int
      returned: always
      sample: 16
    options:
      description:
        - How the licensor lets it be transferred, one entry for each C(type), with C(pull_allowed),
          C(return_allowed), C(firm_item_required), C(transfer_depth) and C(borrow_seconds_max).
        - They may be up to an hour old where the licensor has changed nothing else of the item. A
          transfer looks at those of its item anew.
      type: list
      elements: dict
      returned: always
history:
  description: The transfer history of these items as the product keeps it.
  returned: success and V(history) is gathered
  type: list
  elements: dict
  contains:
    local_container:
      description: Serial number of the container on this host.
      type: str
      returned: always
      sample: 130-1000000001
    container:
      description: Serial number of the other container.
      type: str
      returned: always
      sample: 130-2000000002
    item:
      description: Firm code and product code of the item.
      type: str
      returned: always
      sample: "6000010:201"
    index:
      description: Number of the row.
      type: int
      returned: always
      sample: 0
    status:
      description: Status in the product's own words.
      type: str
      returned: always
      sample: Transferred & Receipted
    type:
      description: What was transferred.
      type: str
      returned: always
      sample: licenses
    at:
      description: When the transfer began.
      type: str
      returned: always
      sample: "2026-11-21T09:30:20Z"
    unit_counter:
      description: Units transferred, for the type V(units) only.
      type: int
      returned: always
      sample: 0
    license_quantity:
      description: Licenses transferred, for the type V(licenses) only.
      type: int
      returned: always
      sample: 10
    returned_quantity:
      description: How many of them came back.
      type: int
      returned: always
      sample: 0
    borrow_expires_at:
      description: When the borrow ends, for borrowing only.
      type: str
      returned: always
      sample: null
    transfer_id:
      description: The vendor's id of the transfer.
      type: str
      returned: always
      sample: 6f1c00aa52d3480f9a01
    confirmed_transfer_id:
      description: The id that the receipt confirmed; null without a receipt.
      type: str
      returned: always
      sample: 6f1c00aa52d3480f9a01
    update_counter:
      description: The sender's update counter when the transfer began.
      type: int
      returned: always
      sample: 17
operations:
  description:
    - Pieces of work from the journal, each with C(id), C(kind), C(subject), C(container), C(state),
      C(steps) and C(problem).
  returned: success and V(operations) are gathered
  type: list
  elements: dict
transfers:
  description:
    - Transfers from the journal, each as RV(seatkeeper.licensing.license_transfer#module:transfer).
  returned: success and V(transfers) are gathered
  type: list
  elements: dict
dependencies:
  description:
    - What depends on each license server of the host, for whoever replaces it, such as seats that
      are lent, borrowed or in use. Null for an agent that is too old to tell.
  returned: success and V(dependencies) are gathered
  type: list
  elements: dict
  contains:
    vendor:
      description: Whose license server it is.
      type: str
    sentences:
      description: What depends on it, a sentence each, and what is unknown.
      type: list
      elements: str
      returned: always
    way_out:
      description: What has to happen before; null where nothing depends on it.
      type: str
      returned: always
    digest:
      description: What confirms the update all the same; null where nothing depends on it.
      type: str
peers:
  description:
    - The other agents whose documents this one has accepted. Null for an agent that is too old to
      compare them.
  returned: success and V(peers) are gathered
  type: list
  elements: dict
  contains:
    agent:
      description: The agent's name.
      type: str
      returned: always
      sample: new-server
    sequence:
      description: How many entries its audit had by its newest document.
      type: int
      returned: always
      sample: 17
    head:
      description: The hash of the last of these entries.
      type: str
      returned: always
      sample: 7d1e0f2c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0
    evidence:
      description: The document in which it signed that.
      type: dict
      returned: always
borrows:
  description:
    - Borrows declared at this host, each as RV(seatkeeper.licensing.license_borrow#module:borrow).
  returned: success and V(borrows) are gathered
  type: list
  elements: dict
servers:
  description:
    - The license servers of the host, one for each vendor, as
      RV(seatkeeper.licensing.license_server#module:server). One that could not be read has
      C(running) as null and a C(problem).
  returned: success and V(servers) are gathered
  type: list
  elements: dict
dongles:
  description:
    - The license dongles of the host, as RV(seatkeeper.licensing.dongle_info#module:dongles). A
      host whose USB cannot be read is told by a warning.
  returned: success and V(dongles) are gathered
  type: list
  elements: dict
migrations:
  description:
    - Migrations of dongles, each as RV(seatkeeper.licensing.dongle_migrate#module:migration).
  returned: success and V(migrations) are gathered
  type: list
  elements: dict
orders:
  description:
    - Orders that were placed from this host, each as
      RV(seatkeeper.licensing.license_order#module:order).
  returned: success and V(orders) are gathered
  type: list
  elements: dict
moves:
  description:
    - Moves of license servers that this host has a part in, each as
      RV(seatkeeper.licensing.license_server_move#module:move). Above all, C(adrift) has the
      licenses that are active nowhere.
  returned: success and V(moves) are gathered
  type: list
  elements: dict
waiting:
  description:
    - The steps that wait for a person or a vendor, each as
      RV(seatkeeper.licensing.dongle_migrate#module:waiting).
  returned: success and V(waiting) is gathered
  type: list
  elements: dict
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
from ansible_collections.seatkeeper.licensing.plugins.module_utils._info import KINDS
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import refuse_on_host

ARGUMENTS = ArgumentSpec(
    options={
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": list(KINDS),
            "default": ["containers", "license_items"],
        },
        "container": {"type": "str"},
        "item": {"type": "str"},
        "open_only": {"type": "bool", "default": False},
        "transfers": {"type": "list", "elements": "str", "default": []},
    }
).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
