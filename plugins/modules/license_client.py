#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_client
short_description: Declare which Chaos license servers a client asks
version_added: 0.2.0
description:
  - Writes C(vrlclient.xml) on a machine that uses licenses of a Chaos License Server, so that its
    products ask the declared servers, in that order.
  - Only the hosts and ports of the servers are edited. Everything else in the file stays as it is
    to the byte, which are elements and attributes that the module does not know, comments, and user
    and password, which are neither changed nor shown.
  - It needs no agent on the client.
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the servers, not the text of the file, which may hold a password.
  idempotent:
    support: full
options:
  servers:
    description:
      - The servers in the order in which they are asked, one to three. Others that the file names
        are taken out.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description:
          - Name or address of the server.
        type: str
        required: true
      port:
        description:
          - Its TCP port.
        type: int
        default: 30304
  path:
    description:
      - The file, if it is not where the vendor documents it. It is made if it is missing, and so is
        its folder.
      - The default is C(vrlclient.xml) in the folder that the environment variable
        C(VRAY_AUTH_CLIENT_FILE_PATH) names, and C(~/.ChaosGroup/vrlclient.xml) where it is not set.
        Both are those of the user that the module runs as.
    type: path
requirements:
  - Python 3.9 or newer on the client.
notes:
  - Mode and owner of a file that exists are kept. A new file is readable by everybody, as the
    user's mask allows.
  - Failures return the member RV(problem) of RFC 9457.
  - The vendor's folder on Windows is not served by this module, which needs Python on the client.
seealso:
  - module: seatkeeper.licensing.license_server
"""

EXAMPLES = r"""
- name: Have the workstation ask the render farm's server, and the spare one if that is away
  seatkeeper.licensing.license_client:
    path: "{{ client_folder }}/vrlclient.xml"
    servers:
      - host: licenses-1.studio-a.example
      - host: licenses-2.studio-a.example
        port: 30305
  delegate_to: render-server

- name: Have it ask its own server alone again
  seatkeeper.licensing.license_client:
    path: "{{ client_folder }}/vrlclient.xml"
    servers:
      - host: 127.0.0.1
  delegate_to: render-server
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /home/artist/.ChaosGroup/vrlclient.xml
before:
  description: What the file named before, in the member C(servers) with C(host) and C(port) each.
  returned: success
  type: dict
  sample: {servers: [{host: 127.0.0.1, port: 30304}]}
after:
  description: What it names now, in the same form.
  returned: success
  type: dict
  sample: {servers: [{host: licenses-1.studio-a.example, port: 30304}]}
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:client-file
    code: client-file
    title: A client's file cannot be read or edited
    status: null
    detail: >-
      The file /home/artist/.ChaosGroup/vrlclient.xml is not well-formed XML (line 3, column 2); it
      was left as it is.
    next_action: Correct it by hand, or move it away and run the task again.
    retryable: false
"""

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import ArgumentSpec
from ansible_collections.seatkeeper.licensing.plugins.module_utils._client_servers import run_client
from ansible_collections.seatkeeper.licensing.plugins.module_utils._printable import made_printable
from ansible_collections.seatkeeper.licensing.plugins.module_utils._problems import (
    LicenseProblem,
    failed_result,
)

ARGUMENTS = ArgumentSpec(
    options={
        "servers": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "host": {"type": "str", "required": True},
                "port": {"type": "int", "default": 30304},
            },
        },
        "path": {"type": "path"},
    }
)


def main() -> None:
    module = AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs())

    def write(path: str, content: bytes) -> None:
        number, temporary = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(number, "wb") as stream:
            stream.write(content)
        module.atomic_move(temporary, path)

    try:
        result = made_printable(run_client(module.params, module.check_mode, write))
    except LicenseProblem as problem:
        result = failed_result(problem)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
