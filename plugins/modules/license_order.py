#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_order
short_description: Order a move of licenses that the vendor's staff performs
version_added: 0.2.0
description:
  - Orders at AltiGen that license keys move from one phone system to another. The vendor has no
    interface for it, so the agent judges, prices and documents the order, sends the mail if it was
    told of a mail server, and follows the order until both systems are registered again.
  - It runs only with the digest of exactly the plan that check mode returned. The digest is void
    as soon as the declaration, a rule, a price or another order of the systems has changed.
  - An order that breaks a rule of the vendor or of your own is refused with all of them in
    RV(report), and nothing is done. So is one of which a rule cannot be judged because something is
    not declared. Rules look at all orders of a system together.
  - Nothing of a phone system can be observed. What is declared is taken for true, and an operator
    confirms each step at the systems with C(seatkeeper-agent attest).
  - Only the systems and the license keys make an order what it is. Once it is placed, another
    price, owner or number of stations changes nothing; other keys or another system are an error
    that says what is declared and what was placed.
  - There is no inverse. The vendor moves licenses back by another order only. An order that is
    placed ends early when a person attests that the step it waits for is not done.
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
    details:
      - Returns the report, the quote, the plan and its digest. An order that would be refused fails
        in check mode, too.
  diff_mode:
    support: full
    details:
      - Shows the report and the quote.
  idempotent:
    support: full
    details:
      - An order is placed once for its name. Run again, the task tells how far it is.
options:
  name:
    description:
      - Name of the order. It stands for this one move, so give another move another name.
    type: str
    required: true
  source:
    description: The system that the licenses leave.
    type: dict
    required: true
    suboptions:
      name:
        description: What people call it.
        type: str
        required: true
      system_key:
        description: Its system key.
        type: str
        required: true
      owner:
        description: The end user who owns it.
        type: str
        required: true
      chassis:
        description: The vendor's name of its chassis, such as V(Max1000), or V(software_only).
        type: str
        required: true
      registered:
        description: Whether it is registered with the vendor.
        type: bool
      assurance_until:
        description: The last day of its Software Assurance, such as V(2027-06-30).
        type: str
      stations:
        description:
          - How many station licenses it had on the day O(source.stations_as_of), before the
            order.
        type: int
      stations_as_of:
        description:
          - The day that O(source.stations) is of, such as V(2026-11-20). Orders that were done
            later are added to it. Without it, whether an order that is done is part of the count is
            not known.
        type: str
  target:
    description: The system that they go to.
    type: dict
    required: true
    suboptions:
      name:
        description: What people call it.
        type: str
        required: true
      system_key:
        description: Its system key.
        type: str
        required: true
      owner:
        description: The end user who owns it.
        type: str
        required: true
      chassis:
        description: The vendor's name of its chassis, such as V(Max1000), or V(software_only).
        type: str
        required: true
      registered:
        description: Whether it is registered with the vendor.
        type: bool
      assurance_until:
        description: The last day of its Software Assurance, such as V(2027-06-30).
        type: str
      stations:
        description:
          - How many station licenses it had on the day O(target.stations_as_of), before the
            order.
        type: int
      stations_as_of:
        description:
          - The day that O(target.stations) is of, such as V(2026-11-20). Orders that were done
            later are added to it. Without it, whether an order that is done is part of the count is
            not known.
        type: str
  keys:
    description: The license keys that move.
    type: list
    elements: dict
    required: true
    suboptions:
      key:
        description: The license key.
        type: str
        required: true
      product:
        description: Its product, such as V(ALTI-STATION-10).
        type: str
        required: true
      quantity:
        description:
          - How much of it moves. The vendor moves a key whole only, so leave it out.
        type: int
  date:
    description:
      - The day that the move is requested for, such as V(2027-01-15), if that is not today. It
        cannot lie in the past when the order is placed. What is true today, such as the target's
        Software Assurance, is judged by the clock of the host, and by this day as well.
    type: str
  fields:
    description:
      - Fields of your own by their names, such as a cost centre. They are printed on the form, and
        rules of the kinds V(field_required), V(field_in) and V(field_matches) look at them.
    type: dict
  prices:
    description:
      - What you know of prices. What is missing is shown as to be asked, never as zero.
    type: dict
    suboptions:
      move_fee:
        description:
          - The fee for each pair of systems. The vendor's article says 300 USD, which is taken
            while O(prices.currency) is V(USD).
        type: str
      assurance_per_year:
        description: The price of a year of Software Assurance for one whole key, by product.
        type: dict
      days_per_year:
        description: How many days a part of that price is counted by, V(360), V(365) or V(366).
        type: int
      currency:
        description: The currency of all prices, as three capital letters.
        type: str
  rules:
    description:
      - Rules of your own for this order beside the vendor's, each with C(id), C(kind),
        C(required), C(advice) and the parameters of its kind.
    type: list
    elements: dict
  case_number:
    description:
      - Number of the support case that a person opened for the order. Leave it out until the agent
        asks for it.
    type: str
  new_keys:
    description:
      - The license keys that the vendor issued, where the target is software-only. Leave them out
        until the agent asks for them.
    type: list
    elements: dict
    suboptions:
      key:
        description: The license key.
        type: str
        required: true
      product:
        description: Its product, such as V(SSW-STATION-10).
        type: str
        required: true
      quantity:
        description: How much it holds, where the product's name does not tell.
        type: int
  others:
    description:
      - Other orders of the same systems that rules and fee look at, declared or placed from other
        hosts. What was placed from this host the agent knows itself.
      - Each has C(name), C(source) as O(source), C(target) as O(target) and C(keys) as O(keys). One
        that is done has C(ended_on), the day on which it was. With C(shares_fee) it is placed from
        this host in the same run, before this order. Two orders of one pair of systems cost one fee
        when they go to the vendor in one support case.
    type: list
    elements: dict
  plan_digest:
    description:
      - RV(digest) of the plan as check mode returned it.
    type: str
  documents_dir:
    description:
      - Folder on the controller that the papers are written to, with mode C(0600). It is made if it
        is not there. Their names begin with the order's, so that orders may share a folder. Without
        it they lie only in the agent's own folder, which RV(documents) tells.
      - License keys stand in the papers. The form for the credit card has empty fields only.
    type: path
seealso:
  - module: seatkeeper.licensing.license_info
"""

EXAMPLES = r"""
- name: See what the rules say and what the move would cost
  seatkeeper.licensing.license_order: &move
    name: branch-to-headquarters
    source:
      name: branch
      system_key: "0012-3456-7890"
      owner: Studio A
      chassis: Max1000
      assurance_until: "2026-06-30"
    target:
      name: headquarters
      system_key: "0012-9999-0001"
      owner: Studio A
      chassis: Max2000
      registered: true
      assurance_until: "2027-06-30"
      stations: 40
      stations_as_of: "2026-11-20"
    keys: [{key: LK10-AAAA-0001, product: ALTI-STATION-10}]
    prices: {assurance_per_year: {ALTI-STATION-10: "120.00"}}
  check_mode: true
  delegate_to: office-server
  register: planned

- name: Place it, once a person has read the quote and confirmed it
  seatkeeper.licensing.license_order:
    <<: *move
    plan_digest: "{{ confirmed_digest | default(planned.digest) }}"
    case_number: "{{ case_number_of_the_vendor | default(omit) }}"
    documents_dir: "{{ folder_of_papers }}/branch-to-headquarters"
  delegate_to: office-server
  register: placed

- name: Check an order against a rule of a contract as well
  seatkeeper.licensing.license_order:
    name: branch-to-headquarters-by-contract
    source: {name: branch, system_key: "0012-3456-7890", owner: Studio A, chassis: Max1000,
             assurance_until: "2026-06-30"}
    target: {name: headquarters, system_key: "0012-9999-0001", owner: Studio A, chassis: Max2000,
             registered: true, assurance_until: "2027-06-30", stations: 40,
             stations_as_of: "2026-11-20"}
    keys: [{key: LK10-AAAA-0002, product: ALTI-STATION-10}]
    prices: {assurance_per_year: {ALTI-STATION-10: "120.00"}}
    fields: {cost_centre: CC-4711}
    rules:
      - id: cost_centre
        kind: field_matches
        field: cost_centre
        pattern: "CC-[0-9]{4}"
        required: the order names a cost centre
        advice: Give the field cost_centre, such as CC-4711.
  check_mode: true
  delegate_to: office-server
"""

RETURN = r"""
report:
  description:
    - The vendor's rules and your own for this order. Its C(verdict) is V(refused) or V(open); its
      C(rules) have C(rule), C(required), C(observed), C(verdict) (V(met), V(not_met) or
      V(unknown)), C(advice), and C(on_unknown), which is V(blocks) where an unknown keeps the order
      from being placed.
  returned: success, and when the order is refused
  type: dict
report_table:
  description: The same report as lines of text.
  returned: success, and when the order is refused
  type: list
  elements: str
quote:
  description: What the order costs, as far as it is known.
  returned: success
  type: dict
  contains:
    lines:
      description:
        - Its lines, each with C(kind) (V(move_fee), V(software_assurance), V(conversion) or
          V(purchase_order)), C(text), C(amount) (a text with two decimals, or null), whether it is
          C(to_be_asked), C(source) and C(target) (system keys), C(key), and the days C(since) and
          C(until) with the number of C(days).
      type: list
      elements: dict
      returned: always
    total:
      description: Their sum; null as long as a line is to be asked.
      type: str
      returned: always
      sample: "420.00"
    currency:
      description: The currency.
      type: str
      returned: always
      sample: USD
    documents:
      description: The papers that the vendor wants.
      type: list
      elements: str
      returned: always
      sample: [license_transfer_form, credit_card_authorization]
quote_table:
  description: The same quote as lines of text.
  returned: success
  type: list
  elements: str
plan:
  description:
    - What is done, in the member C(steps), each with whether it is C(reversible), its C(performer),
      which is V(agent), V(person) or V(vendor), and its C(state).
  returned: success
  type: dict
digest:
  description: What O(plan_digest) has to be; null once the order is placed.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
order:
  description: The order as the agent has it; null if it was not placed yet.
  returned: success
  type: dict
  contains:
    id:
      description: The id.
      type: str
      returned: always
      sample: 0d8b53fd-7d3a-5b7f-9a2e-2f6f6a6b1c11
    name:
      description: The name.
      type: str
      returned: always
      sample: branch-to-headquarters
    vendor:
      description: Whose staff performs.
      type: str
      returned: always
      sample: altigen
    source:
      description: Name of the system that the licenses leave.
      type: str
      returned: always
      sample: branch
    target:
      description: Name of the system that they go to.
      type: str
      returned: always
      sample: headquarters
    license_keys:
      description: The license keys that move, as in O(keys).
      type: list
      elements: dict
      returned: always
    case_number:
      description: Number of the support case; null until it is declared.
      type: str
      returned: always
      sample: CAS-100001
    source_key:
      description: System key of the source.
      type: str
      returned: always
    target_key:
      description: System key of the target.
      type: str
      returned: always
    new_keys:
      description: The license keys that the vendor issued, as in O(new_keys).
      type: list
      elements: dict
      returned: always
    ended_on:
      description: The day on which it was done; null until then.
      type: str
      returned: always
    state:
      description: V(none), V(running), V(waiting), V(in_doubt), V(failed) or V(done).
      type: str
      returned: always
      sample: waiting
    folder:
      description: The agent's own folder with the papers.
      type: str
      returned: always
    steps:
      description: The steps as in RV(plan), with how far each is.
      type: list
      elements: dict
      returned: always
    problem:
      description: What keeps it from going on; null if nothing does.
      type: dict
      returned: always
      sample: null
    operation:
      description: The piece of work behind it, with its C(id) and C(state).
      type: dict
      returned: always
    created_at:
      description: When it was placed.
      type: str
      returned: always
    updated_at:
      description: When it changed last.
      type: str
      returned: always
documents:
  description:
    - Paths of the papers, in O(documents_dir) where that is given, else on the host. Empty as long
      as the order is not placed.
  returned: success
  type: list
  elements: str
before:
  description: How the order stood.
  returned: success
  type: dict
after:
  description: How it stands now; in check mode how it would.
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
  description:
    - Why the task failed, as a problem of RFC 9457. That of a refused order holds all C(rules).
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:order-not-allowed
    code: order-not-allowed
    title: Order not allowed
    status: 409
    detail: >-
      The order 'branch-to-headquarters' breaks rules: required is that the target system is
      registered: headquarters: not registered.
    next_action: >-
      Register the target system with the vendor, then declare it as registered.
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import (
    AGENT_ARGUMENTS,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import refuse_on_host
from ansible_collections.seatkeeper.licensing.plugins.module_utils._order_arguments import (
    ORDER_ARGUMENTS,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._waiting import PERSON_ARGUMENTS

ARGUMENTS = ORDER_ARGUMENTS.merge(PERSON_ARGUMENTS).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
