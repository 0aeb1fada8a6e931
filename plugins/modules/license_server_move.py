#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_server_move
short_description: Do one leg of a license server's move to another machine
version_added: 0.2.0
description:
  - Moves the licenses of an AIMMS license server to another machine, leg by leg. Each leg runs on
    one of the two hosts, can be run again at any time, and gives a signed document that the next
    leg on the other host takes.
  - The legs are V(backup) at the source, V(prepare) at the target, V(release) at the source,
    V(install) at the target and V(finish) at the source. The role
    P(seatkeeper.licensing.license_state#role) does all that the inventory declares.
  - From the leg V(release) on licenses are active nowhere until V(install) has activated them. Each
    of them is named in RV(move), and in a warning, with what the vendor offers meanwhile.
  - What the vendor documents as a command the agent runs. The rest is a step of a person, which the
    task tells and a later run, or the agent by itself, goes on from.
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
      - A leg whose forerunners have not run is planned as if they had. It needs RV(backup) of the
        leg V(backup) for that.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - What people call the move. It stands for this one move, so give another move another name.
    type: str
    required: true
  state:
    description:
      - V(present) does the leg O(leg).
      - V(absent) gives the move up on this host, which is possible only while nothing has left the
        source. Maintenance mode is switched off again.
    type: str
    choices: [present, absent]
    default: present
  leg:
    description:
      - V(backup), at the source, writes down what moves.
      - V(prepare), at the target, has the product installed and holds the machine against the
        backup.
      - V(release), at the source, switches maintenance mode on and deactivates each license.
      - V(install), at the target, activates each license as machine nodelock and links its
        profiles. With O(decision=refuse) it is the target's word that it never will.
      - V(finish), at the source, makes sure that nothing is active there, tells how applications
        are pointed at the new server, and switches maintenance mode off.
      - V(restore), at the source, activates what left it again, after the target has refused.
    type: str
    choices: [backup, prepare, release, install, finish, restore]
  vendor:
    description: Whose license server moves.
    type: str
    choices: [aimms]
    default: aimms
  source:
    description: The agent of the machine that the licenses leave; of a lost one the name it had.
    type: str
  target:
    description: The agent of the machine that they go to.
    type: str
  target_host:
    description: How applications reach the new server, by a host's name or address.
    type: str
  source_lost:
    description:
      - Whether the old machine is gone for good. Then the vendor's support deactivates its
        licenses, and only the legs V(prepare) and V(install) run, with the backup of better days;
        where there is none, O(licenses) says what the old machine had.
    type: bool
    default: false
  target_lost:
    description:
      - For O(leg=restore), whether the new machine is gone for good. Then nothing has to be brought
        from it, and the vendor's support deactivates what it may hold.
    type: bool
    default: false
  licenses:
    description: The licenses of the server.
    type: list
    elements: dict
    suboptions:
      number:
        description: Number of the license, such as V(15.90.10.1).
        type: str
        required: true
      name:
        description: What the vendor calls it, such as V(PROServer), V(PROSession) or V(Client).
        type: str
      profiles:
        description: The profiles that it is linked to, spelled as on the server.
        type: list
        elements: str
        default: []
      code:
        description:
          - Its activation code. Only the legs that activate send it, the agent uses it and keeps it
            nowhere. Keep it in a vault.
        type: str
  backup:
    description:
      - RV(backup) of the leg V(backup), for O(leg=prepare), and in check mode for the legs after
        it.
    type: dict
  backup_file:
    description:
      - A file of the controller that holds it. If it is not there, the task does nothing and
        RV(waiting) tells what is to do.
    type: path
  backup_dest:
    description:
      - Where to write the backup that the leg returns, as a readable file for its owner only. The
        folder has to exist.
    type: path
  document:
    description:
      - The document that the leg before returned on the other host.
    type: dict
  document_file:
    description:
      - A file of the controller that holds it. If it is not there and the leg needs it, the task
        does nothing and RV(waiting) tells what is to do.
    type: path
  document_dest:
    description:
      - Where to write the document that the leg returns, as a file that only its owner may read.
        The folder has to exist.
    type: path
  evidence:
    description:
      - The newest document of this host's agent that the other host keeps in RV(move). An agent
        whose journal lacks what it has signed was restored, and freezes the exchange.
    type: dict
  require:
    description: What the target has to be like, beside the vendor's rules; for O(leg=prepare).
    type: dict
    suboptions:
      version:
        description: The version that it has to have.
        type: str
      installer_sha256:
        description: Checksum of the installer that the agent's settings name.
        type: str
      free_bytes_min:
        description: How much room has to be free.
        type: int
  decision:
    description: Whether O(leg=install) takes the licenses or refuses them for good.
    type: str
    choices: [install, refuse]
    default: install
  offline:
    description: Whether a person activates by request and response files.
    type: bool
    default: false
  plan_digest:
    description:
      - RV(digest) as check mode returned it. The legs that set going what cannot be taken back ask
        for it. It is void as soon as the server or the plan has changed.
    type: str
seealso:
  - module: seatkeeper.licensing.license_server_backup
  - module: seatkeeper.licensing.license_profile
  - module: seatkeeper.licensing.license_info
"""

EXAMPLES = r"""
- name: Back up the old server
  seatkeeper.licensing.license_server_move:
    name: planning-2026
    leg: backup
    source: old-aimms
    target: new-aimms
    target_host: new-aimms.planning.example
    licenses: "{{ licenses_of_planning }}"
  delegate_to: old-aimms
  register: backed_up

- name: Hold the new machine against the backup
  seatkeeper.licensing.license_server_move:
    name: planning-2026
    source: old-aimms
    target: new-aimms
    target_host: new-aimms.planning.example
    leg: prepare
    backup: "{{ backed_up.backup }}"
  delegate_to: new-aimms
  register: prepared

- name: See what the restart at the end will kill, and what confirms the rest
  seatkeeper.licensing.license_server_move:
    name: planning-2026
    source: old-aimms
    target: new-aimms
    target_host: new-aimms.planning.example
    leg: release
    backup: "{{ backed_up.backup }}"
    document: "{{ prepared.document | default(omit, true) }}"
  check_mode: true
  delegate_to: old-aimms
  register: planned

- name: Deactivate the licenses at the old server, once a person has confirmed it
  seatkeeper.licensing.license_server_move:
    name: planning-2026
    source: old-aimms
    target: new-aimms
    target_host: new-aimms.planning.example
    leg: release
    backup: "{{ backed_up.backup }}"
    document: "{{ prepared.document | default(omit, true) }}"
    plan_digest: "{{ confirmed_digest | default(planned.digest) }}"
  delegate_to: old-aimms
  register: released

- name: Activate them at the new server
  seatkeeper.licensing.license_server_move:
    name: planning-2026
    source: old-aimms
    target: new-aimms
    target_host: new-aimms.planning.example
    licenses: "{{ licenses_of_planning }}"
    leg: install
    backup: "{{ backed_up.backup }}"
    document: "{{ released.document | default(omit, true) }}"
  delegate_to: new-aimms
  register: installed

- name: Point applications at the new server and end maintenance of the old one
  seatkeeper.licensing.license_server_move:
    name: planning-2026
    source: old-aimms
    target: new-aimms
    target_host: new-aimms.planning.example
    leg: finish
    backup: "{{ backed_up.backup }}"
    document: "{{ installed.document | default(omit, true) }}"
  delegate_to: old-aimms

- name: Give up another move that has not deactivated anything
  seatkeeper.licensing.license_server_move:
    name: planning-2025
    state: absent
  delegate_to: old-aimms
"""

RETURN = r"""
move:
  description: The move as this host knows it; null if it does not know it.
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
      sample: planning-2026
    vendor:
      description: Whose license server moves.
      type: str
      returned: always
    source:
      description: The agent that the licenses leave.
      type: str
      returned: always
    target:
      description: The agent that they go to.
      type: str
      returned: always
    target_host:
      description: How applications reach the new server.
      type: str
      returned: always
    source_lost:
      description: Whether the old machine is gone.
      type: bool
      returned: always
    side:
      description: Which end this host is, V(source) or V(target).
      type: str
      returned: always
    state:
      description: Where the move stands on this host.
      type: str
      returned: always
    leg:
      description: The leg that it is at.
      type: str
      returned: always
    backup:
      description: The backup, as RV(backup).
      type: dict
      returned: always
    licenses:
      description:
        - Each license with its C(number), C(name), C(profiles), its C(place) (V(source),
          V(target), V(both), V(nowhere) or V(unknown)), what is C(seen) of it here, and how it
          is known to be C(released) and C(activated).
      type: list
      elements: dict
      returned: always
    adrift:
      description:
        - The licenses that are active nowhere, or may be, each with C(license), C(place), C(since)
          and the C(advice) of the vendor.
      type: list
      elements: dict
      returned: always
    steps:
      description:
        - The steps as in RV(plan), with how far each is. One that is V(tried) is not done; nothing
          shows its effect. C(said) is how the vendor's program ended, with its last lines.
      type: list
      elements: dict
      returned: always
    notes:
      description: What was noticed meanwhile, each with C(at) and C(text).
      type: list
      elements: dict
      returned: always
    next:
      description: The C(leg) that this host does next, what it C(awaits) and what it C(gives).
      type: dict
      returned: always
    documents:
      description: The documents that this host has, by their kind.
      type: dict
      returned: always
    problem:
      description: What keeps it from going on; null if nothing does.
      type: dict
      returned: always
    operation:
      description: The piece of work behind it, with its C(id) and C(state).
      type: dict
      returned: always
    created_at:
      description: When this host first heard of it.
      type: str
      returned: always
    updated_at:
      description: When it changed last here.
      type: str
      returned: always
report:
  description:
    - How the target fits, for the leg V(prepare); null for others. Its C(verdict) is V(refused) or
      V(open); its C(rules) have C(rule), C(required), C(observed), C(verdict) and C(advice) each.
  returned: success, and when the target is refused
  type: dict
report_table:
  description: The same report as lines of text.
  returned: success, and when the target is refused
  type: list
  elements: str
plan:
  description:
    - What the leg does, in C(steps), each with whether it is C(reversible), its C(performer), its
      C(state) and what a program C(said). Its C(warnings) are for whoever confirms, such as what
      the restart at the end of maintenance mode kills. C(codes_needed) are the licenses whose codes
      the agent needs.
  returned: success
  type: dict
digest:
  description: What O(plan_digest) has to be; null where none is needed.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
backup:
  description:
    - The backup that the leg goes by, as
      RV(seatkeeper.licensing.license_server_backup#module:backup); null where it is none
      of its business.
  returned: success
  type: dict
document:
  description: The signed document for the next leg on the other host; null if there is none yet.
  returned: success
  type: dict
before:
  description: How the move stood on this host, in C(state).
  returned: success
  type: dict
after:
  description: How it stands now, in C(state); in check mode how it would.
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
    - Why the task failed, as a problem of RFC 9457. That of a target that does not fit holds all
      C(rules).
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:confirmation-required
    code: confirmation-required
    detail: The leg release of move 'planning-2026' needs a confirmation, and there is none.
    next_action: Confirm exactly this plan with the digest if it shall run.
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
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "leg": {
                "type": "str",
                "choices": ["backup", "prepare", "release", "install", "finish", "restore"],
            },
            "vendor": {"type": "str", "choices": ["aimms"], "default": "aimms"},
            "source": {"type": "str"},
            "target": {"type": "str"},
            "target_host": {"type": "str"},
            "source_lost": {"type": "bool", "default": False},
            "target_lost": {"type": "bool", "default": False},
            "licenses": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "number": {"type": "str", "required": True},
                    "name": {"type": "str"},
                    "profiles": {"type": "list", "elements": "str", "default": []},
                    "code": {"type": "str", "no_log": True},
                },
            },
            "backup": {"type": "dict"},
            "backup_file": {"type": "path"},
            "backup_dest": {"type": "path"},
            "document": {"type": "dict"},
            "document_file": {"type": "path"},
            "document_dest": {"type": "path"},
            "require": {
                "type": "dict",
                "options": {
                    "version": {"type": "str"},
                    "installer_sha256": {"type": "str"},
                    "free_bytes_min": {"type": "int"},
                },
            },
            "evidence": {"type": "dict"},
            "decision": {"type": "str", "choices": ["install", "refuse"], "default": "install"},
            "offline": {"type": "bool", "default": False},
            "plan_digest": {"type": "str"},
        },
        required_if=(("state", "present", ("leg", "source", "target", "target_host")),),
        mutually_exclusive=(("backup", "backup_file"), ("document", "document_file")),
    )
    .merge(PERSON_ARGUMENTS)
    .merge(AGENT_ARGUMENTS)
)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
