#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_fleet
short_description: Plan the next request to each host of a play
version_added: 0.2.0
description:
  - Reads what all hosts of the play declare, and fails with every mistake in it, each with its
    place. Then it takes what they answered to M(seatkeeper.licensing.license_state) and says what
    each of them is asked or told next, until nothing is left; then it shows how each declared thing
    ended. The role P(seatkeeper.licensing.license_state#role) runs it.
  - It runs on the controller and asks nobody. What one host answers leads to a request at another
    one only as far as the inventory declares it, or the other host's own journal has begun it.
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.attributes
options:
  answers:
    description: The variable in which each host keeps what it answered last.
    type: str
  known:
    description: The variable in which this task keeps its result, for the tasks after it.
    type: str
    required: true
  begin:
    description: Whether this is the first plan of a run, made of what the hosts' variables declare.
    type: bool
    default: false
  parts:
    description:
      - With O(begin), the parts of what can be declared that the run is about; all if left out.
    type: list
    elements: str
    choices: [settings, activation, dongles, transfers, moves, borrows, orders]
  documents_dir:
    description:
      - With O(begin), a folder of the controller for documents of hosts that are not in this play.
    type: path
  verdict:
    description: Say how the run ended for one host, after the last plan.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: seatkeeper.licensing.license_state
"""

EXAMPLES = r"""
- name: Read what is declared
  seatkeeper.licensing.license_fleet:
    known: license_run
    begin: true
  register: license_run
  run_once: true

- name: Ask each host
  seatkeeper.licensing.license_state:
    declarations: "{{ license_run.orders[inventory_hostname].declarations }}"
    dry_run: true
    look: true
  register: license_answer
  failed_when: false

- name: Plan what each host is told
  seatkeeper.licensing.license_fleet:
    answers: license_answer
    known: license_run
  register: license_run
  run_once: true
"""

RETURN = r"""
orders:
  description: By host, the options of M(seatkeeper.licensing.license_state) for its next request.
  returned: without O(verdict)
  type: dict
busy:
  description: The hosts for which there is more to say than that nothing differs.
  returned: without O(verdict)
  type: list
  elements: str
round:
  description: How many times hosts were told something in this run, this time included.
  returned: without O(verdict)
  type: int
rows:
  description: One row for each declared thing, and for each host that did not answer.
  returned: without O(verdict), once no order is left
  type: list
  elements: dict
drift:
  description: By host, the rows of what is not as declared, or was not.
  returned: without O(verdict), once no order is left
  type: dict
setup:
  description: The hosts of whose license servers packages, units or ports are declared.
  returned: with O(begin)
  type: list
  elements: str
hosts:
  description: The host of each agent, by the agent's name.
  returned: without O(verdict)
  type: dict
steps:
  description: What was done, or in check mode would be, by whom.
  returned: without O(verdict), once no order is left
  type: list
  elements: dict
kept:
  description: What the next task goes on with.
  returned: without O(verdict)
  type: dict
"""
