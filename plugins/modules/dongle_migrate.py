#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dongle_migrate
short_description: Move the licenses of a dongle to an online account, for good
version_added: 0.2.0
description:
  - Moves all licenses of a dongle to a user of the vendor's online account. This cannot be undone,
    and the dongle is dead afterwards.
  - It runs only with the digest of exactly the plan that check mode returned and with the sentence
    that it asked for. Both are void as soon as anything about the plan has changed.
  - A dongle that does not fulfil the vendor's rules is refused with all of them in RV(report), and
    nothing is done.
  - The licenses are unavailable meanwhile. Do not remove the dongle and do not plug another one in
    until it is over.
  - Where the agent has a browser it works the page of the license server, otherwise a person does;
    RV(waiting) tells what to click. Either way it counts only once the server shows it.
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
      - Returns the report, the plan, its digest and the sentence to repeat. A dongle that would be
        refused fails in check mode, too.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - A dongle that was migrated stays so, also when it is not plugged in any more.
options:
  state:
    description:
      - V(migrated) means that the licenses are in the account.
      - V(absent) gives up a migration that has not come to its irreversible step. From then on,
        also while a person is awaited for that step, it is decided by what the server shows or by
        a person's word.
    type: str
    choices: [migrated, absent]
    default: migrated
  dongle:
    description:
      - Serial number of the dongle, or its path if it tells none or shares it with another one, as
        M(seatkeeper.licensing.dongle_info) returns it in C(id).
      - A path names the dongle that was plugged there when it was first declared, also when it was
        unplugged since. Name the next one in that port by its serial number.
    type: str
    required: true
  target_user:
    description:
      - User name that the licenses go to. It has to belong to the company that owns the dongle.
    type: str
  isolate:
    description:
      - Whether to hide all other dongles of the vendor from its driver meanwhile, because it
        migrates only where exactly one is plugged in. They are given back in every outcome.
    type: bool
    default: false
  licenses:
    description:
      - What the dongle is known to hold, for the rules and for the comparison with what the account
        gains. No interface of the vendor tells it, so without it some rules stay unknown.
      - Compared are products, kinds of seats and their numbers. The server shows no versions.
    type: list
    elements: dict
    suboptions:
      product:
        description:
          - The product.
        type: str
        required: true
      version:
        description:
          - The version it is licensed for, such as V(3.0).
        type: str
        required: true
      perpetual:
        description:
          - Whether the license never expires.
        type: bool
        required: true
      seats:
        description:
          - Its seats by kind. If omitted, only the product is compared with what arrives.
        type: dict
        suboptions:
          interface:
            description:
              - Interface seats.
            type: int
          render:
            description:
              - Render seats.
            type: int
          network:
            description:
              - Network seats.
            type: int
  plan_digest:
    description:
      - RV(digest) of the plan as check mode returned it.
    type: str
  acknowledge_irreversible:
    description:
      - RV(acknowledgement), the sentence that check mode asked to repeat, word for word.
    type: str
  dongle_company:
    description:
      - The company that the dongle is registered to. With O(account_company) it states what no
        program can tell; what is not stated stands in the sentence to confirm.
    type: str
  account_company:
    description:
      - The company of the user who is logged in to the server, and of O(target_user).
    type: str
  due_after:
    description:
      - Within how many seconds a person is expected to have done a step. It is told as overdue
        afterwards, and nothing else happens.
    type: int
seealso:
  - module: seatkeeper.licensing.dongle_info
  - module: seatkeeper.licensing.license_info
"""

EXAMPLES = r"""
- name: See whether and how the dongle would be migrated
  seatkeeper.licensing.dongle_migrate:
    dongle: "{{ dongle_of_studio_a }}"
    target_user: artist@studio-a.example
    isolate: true
  check_mode: true
  delegate_to: render-server
  register: planned

- name: Migrate it, once a person has read the plan and confirmed it
  seatkeeper.licensing.dongle_migrate:
    dongle: "{{ dongle_of_studio_a }}"
    target_user: artist@studio-a.example
    isolate: true
    plan_digest: "{{ confirmed_digest | default(planned.digest) }}"
    acknowledge_irreversible: "{{ acknowledged_sentence | default(planned.acknowledgement) }}"
    wait_timeout: "{{ seconds_for_the_person | default(0) }}"
  delegate_to: render-server
  register: migrated

- name: Give up the migration of another dongle before its irreversible step
  seatkeeper.licensing.dongle_migrate:
    dongle: "{{ dongle_that_stays }}"
    state: absent
  delegate_to: render-server
"""

RETURN = r"""
report:
  description:
    - The vendor's rules for this dongle. Its C(verdict) is V(refused) or V(open); its C(rules) have
      C(rule), C(required), C(observed), C(verdict) (V(met), V(not_met) or V(unknown)) and C(advice)
      each.
  returned: success, and when the dongle is refused
  type: dict
report_table:
  description: The same report as lines of text.
  returned: success, and when the dongle is refused
  type: list
  elements: str
plan:
  description:
    - What is done, in the member C(steps), each with whether it is C(reversible) and its
      C(performer), which is V(agent), V(person) or V(vendor).
  returned: success
  type: dict
digest:
  description: What O(plan_digest) has to be.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
acknowledgement:
  description: What O(acknowledge_irreversible) has to be.
  returned: success
  type: str
migration:
  description: The migration as the agent has it; null if there is none.
  returned: success
  type: dict
  contains:
    id:
      description: The id.
      type: str
      returned: always
      sample: 7be1a4a2-0a3c-5a4e-8f0e-6a6dd1a8f6d1
    dongle:
      description: The dongle, as M(seatkeeper.licensing.dongle_info) returns it.
      type: dict
      returned: always
    target_user:
      description: Who has the licenses now.
      type: str
      returned: always
      sample: artist@studio-a.example
    state:
      description: V(none), V(running), V(waiting), V(in_doubt), V(failed) or V(done).
      type: str
      returned: always
      sample: done
    licenses_before:
      description: What the account held before.
      type: list
      elements: dict
      returned: always
    licenses_after:
      description: What it held afterwards; null until then.
      type: list
      elements: dict
      returned: always
    gained:
      description: What it gained, one entry for each C(product) with its C(seats) by their kinds.
      type: list
      elements: dict
      returned: always
      sample: [{product: V-Ray, seats: {interface: 1, render: 5}}]
    comparison:
      description:
        - Whether exactly what O(licenses) declares is among it, by product, kind and number of
          seats, V(matches), V(differs), V(attested) (on a person's word) or V(not_declared), where
          kinds and numbers were not declared; null until then.
      type: str
      returned: always
      sample: matches
    differences:
      description: What arrived otherwise than declared, each as a clause.
      type: list
      elements: str
      returned: always
      sample: ["V-Ray: declared 2 interface, arrived 0"]
    not_compared:
      description: What nothing shows, or what was not declared, each as a clause.
      type: list
      elements: str
      returned: always
    disturbance:
      description:
        - How the dongle did not stay the only one after its irreversible step was handed out, as a
          clause; null if it did. The step says stop then, and is planned and confirmed anew.
      type: str
      returned: always
      sample: null
    notes:
      description:
        - What was noticed meanwhile, with C(at) and C(text), such as a dongle that was removed.
      type: list
      elements: dict
      returned: always
    problem:
      description: What keeps it from going on; null if nothing does.
      type: dict
      returned: always
      sample: null
before:
  description: How the migration stood.
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
  description: The steps that wait for a person or the vendor, each also shown as a warning.
  returned: success
  type: list
  elements: dict
  contains:
    operation:
      description: Id of the operation that waits.
      type: str
      returned: always
    kind:
      description: What kind of work it is.
      type: str
      returned: always
      sample: dongle_migration
    subject:
      description: What it is about.
      type: str
      returned: always
      sample: dongle 90000001
    step:
      description: Name of the step.
      type: str
      returned: always
    title:
      description: What is awaited.
      type: str
      returned: always
    reversible:
      description: Whether the step can be undone.
      type: bool
      returned: always
    who:
      description: V(person) or V(vendor).
      type: str
      returned: always
      sample: person
    instructions:
      description: What to do, in order.
      type: list
      elements: str
      returned: always
    verified_by:
      description: How the agent sees that it was done.
      type: str
      returned: always
    attestable:
      description: Whether a person's word can stand in for that.
      type: bool
      returned: always
    since:
      description: Since when it waits.
      type: str
      returned: always
    until:
      description: By when it is expected; null if that was not said.
      type: str
      returned: always
    overdue:
      description: Whether that time is over.
      type: bool
      returned: always
problem:
  description:
    - Why the task failed, as a problem of RFC 9457. That of a refused dongle holds all C(rules).
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:dongle-not-eligible
    code: dongle-not-eligible
    title: Dongle not eligible
    status: 409
    detail: >-
      The dongle 90000001 cannot be migrated: required is exactly one dongle plugged, seen is
      2: 90000001 at 1-1.4, 90000004 at 1-1.3.
    next_action: >-
      Unplug all other dongles, or set isolate to hide them while this one is migrated.
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
            "state": {"type": "str", "choices": ["migrated", "absent"], "default": "migrated"},
            "dongle": {"type": "str", "required": True},
            "target_user": {"type": "str"},
            "isolate": {"type": "bool", "default": False},
            "licenses": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "product": {"type": "str", "required": True},
                    "version": {"type": "str", "required": True},
                    "perpetual": {"type": "bool", "required": True},
                    "seats": {
                        "type": "dict",
                        "options": {
                            "interface": {"type": "int"},
                            "render": {"type": "int"},
                            "network": {"type": "int"},
                        },
                    },
                },
            },
            "plan_digest": {"type": "str"},
            "acknowledge_irreversible": {"type": "str"},
            "due_after": {"type": "int"},
            "dongle_company": {"type": "str"},
            "account_company": {"type": "str"},
        },
        required_if=(("state", "migrated", ("target_user",)),),
    )
    .merge(PERSON_ARGUMENTS)
    .merge(AGENT_ARGUMENTS)
)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
