#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_server_backup
short_description: Back up which licenses a license server has under which profiles
version_added: 0.2.0
description:
  - Writes down what another machine needs to become the AIMMS license server of this host. That is
    the licenses with their profiles, whether each activation code is at hand, the version, the
    license files with their checksums, and the settings. It holds no secret.
  - No document tells how to read licenses and profiles of the server, so they are declared. What
    the server shows is compared with that, and a contradiction is refused.
  - The agent keeps the last backup. A server that is as it was keeps the backup that it has.
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.agent
  - seatkeeper.licensing.attributes
  - seatkeeper.licensing.attributes.actiongroup_licensing
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  vendor:
    description: Whose license server it is.
    type: str
    choices: [aimms]
    default: aimms
  licenses:
    description: The licenses of the server.
    type: list
    elements: dict
    required: true
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
      has_code:
        description:
          - Whether its activation code is at hand. The code itself does not belong here.
        type: bool
        default: false
  dest:
    description:
      - A file of the controller that the backup is written to as JSON, for its owner only. The
        folder has to exist. M(seatkeeper.licensing.license_server_move) takes it as
        O(seatkeeper.licensing.license_server_move#module:backup_file).
    type: path
seealso:
  - module: seatkeeper.licensing.license_server_move
  - module: seatkeeper.licensing.license_profile
"""

EXAMPLES = r"""
- name: Back up the license server of the planning department
  seatkeeper.licensing.license_server_backup:
    licenses:
      - number: 15.90.10.1
        profiles: [ProLicense]
        has_code: true
      - number: 15.90.10.2
        profiles: [Server]
      - number: 15.90.10.3
        profiles: [Client]
    dest: "{{ folder_of_backups }}/aimms.json"
  delegate_to: old-aimms
"""

RETURN = r"""
backup:
  description: The backup; in check mode what it would be.
  returned: success
  type: dict
  contains:
    form:
      description: The form of the backup, which tells programs how to read it.
      type: str
      returned: always
      sample: seatkeeper-server-backup/1
    vendor:
      description: Whose license server it is.
      type: str
      returned: always
      sample: aimms
    server:
      description: The agent of the host that it was made on.
      type: str
      returned: always
      sample: old-aimms
    made_at:
      description: When it was made.
      type: str
      returned: always
      sample: "2026-11-23T10:00:00Z"
    version:
      description: Version of the product; null where it is not known.
      type: str
      returned: always
      sample: 1.4.0
    licenses:
      description:
        - The licenses, each with C(number), C(profiles), C(has_code) and its C(state), which is
          V(active), V(pending), V(inactive) or V(unknown).
      type: list
      elements: dict
      returned: always
    license_files:
      description: The license files that the server has, each with C(name), C(bytes) and C(sha256).
      type: list
      elements: dict
      returned: always
    settings:
      description: Where the server is and how it is reached.
      type: dict
      returned: always
path:
  description: Where it was written; null if O(dest) is left out.
  returned: success
  type: str
  sample: /root/aimms.json
before:
  description: When the backup before it was made, in C(made_at); null if there was none.
  returned: success
  type: dict
after:
  description: When this one was made, in C(made_at).
  returned: success
  type: dict
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:backup-contradicted
    code: backup-contradicted
    title: Backup contradicted
    status: 409
    detail: What is declared of the license server is not what it shows.
    next_action: Correct the declaration, or look at the server; nothing was written.
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
        "vendor": {"type": "str", "choices": ["aimms"], "default": "aimms"},
        "licenses": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "number": {"type": "str", "required": True},
                "name": {"type": "str"},
                "profiles": {"type": "list", "elements": "str", "default": []},
                "has_code": {"type": "bool", "default": False},
            },
        },
        "dest": {"type": "path"},
    }
).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
